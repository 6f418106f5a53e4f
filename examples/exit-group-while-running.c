/* exit_group while other threads run: four spin in loops that make no syscall and touch no memory, one waits on a
   futex for ever, one blocks in read on a pipe. main exits with status 7 and takes all of them along.
   Source: exit_group(2). */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPINNERS = 4, BLOCKED = 2 };

static volatile int started;
static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;
static int pipe_ends[2];

static void *spin(void *arg) {
  __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
  uint64_t x = (uintptr_t)arg + 1;
  for (;;) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    __asm__ volatile("" : "+r"(x));
  }
  return NULL;
}

static void *wait_for_lock(void *arg) {
  __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
  pthread_mutex_lock(&never);
  puts("the mutex came free?");
  return arg;
}

static void *wait_for_byte(void *arg) {
  char byte;
  __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
  if (read(pipe_ends[0], &byte, 1) != 0)
    puts("the pipe had a byte?");
  return arg;
}

int main(void) {
  pthread_t thread;
  pthread_mutex_lock(&never);
  if (pipe(pipe_ends) != 0)
    return 1;
  for (uintptr_t i = 0; i < SPINNERS; i++)
    if (pthread_create(&thread, NULL, spin, (void *)i) != 0)
      return 1;
  if (pthread_create(&thread, NULL, wait_for_lock, NULL) != 0 ||
      pthread_create(&thread, NULL, wait_for_byte, NULL) != 0)
    return 1;
  while (started < SPINNERS + BLOCKED)
    usleep(1000);
  usleep(50000); /* long enough for the loops to be compiled */
  puts("leaving with status 7 while six threads are busy");
  exit(7);
}
