// Signals to a process whose threads all wait, two kinds of wait in turn: one thread takes each, and the others' waits go on as if nothing had been.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 6, SIGNALS = 1000, WAIT = 0 | 128, WAKE = 1 | 128 };

static int word, taken[2], waits[2], odd;

static long wait_word(void) {
  long r;
  // As libc's own waits: what the kernel gives is seen as it is.
  register long r10 __asm__("r10") = 0;
  __asm__ volatile("syscall" : "=a"(r) : "a"(SYS_futex), "D"(&word), "S"(WAIT), "d"(0), "r"(r10) : "rcx", "r11", "memory");
  return r;
}

static long wait_byte(void) {
  long r;
  char c;
  __asm__ volatile("syscall" : "=a"(r) : "a"(SYS_read), "D"(waits[0]), "S"(&c), "d"(1) : "rcx", "r11", "memory");
  return r;
}

static void on_signal(int signal) {
  (void)signal;
  write(taken[1], "t", 1);
}

static void *waiter(void *arg) {
  if ((long)arg % 2) {
    if (wait_byte() != 1) __atomic_add_fetch(&odd, 1, __ATOMIC_SEQ_CST);
    return 0;
  }
  while (!__atomic_load_n(&word, __ATOMIC_SEQ_CST)) {
    long r = wait_word();
    if (r != 0 && r != -EAGAIN && r != -EINTR) __atomic_add_fetch(&odd, 1, __ATOMIC_SEQ_CST);
  }
  return 0;
}

int main(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigset_t set;
  pthread_t threads[THREADS];
  int got = 0;
  pipe(taken);
  pipe(waits);
  sigaction(SIGUSR1, &action, 0);
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, waiter, (void *)i);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, 0);
  for (int i = 0; i < SIGNALS; i++) {
    char c;
    kill(getpid(), SIGUSR1);
    if (read(taken[0], &c, 1) == 1) got++;
  }
  __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &word, WAKE, THREADS, 0, 0, 0);
  write(waits[1], "xxx", THREADS / 2);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  printf("taken %d, odd results %d\n", got, odd);
  return 0;
}
