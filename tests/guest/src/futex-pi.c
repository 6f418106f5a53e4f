// Locks that inherit priorities, between threads and between processes; owners that die; waits on several futexes.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_PI = 6, UNLOCK_PI = 7, TRYLOCK_PI = 8, LOCK_PI2 = 13, PRIVATE = 128 };
#define OWNER_DIED 0x40000000

static long futex(int *word, int op, int value, struct timespec *ts) {
  return syscall(SYS_futex, word, op, value, ts, 0, 0) < 0 ? -errno : 0;
}
static int gettid_(void) { return syscall(SYS_gettid); }

static void *shared(size_t bytes) { return mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); }

static int word;
static long count;

static void lock(int *w, int flag) {
  int none = 0;
  if (__atomic_compare_exchange_n(w, &none, gettid_(), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  long r = futex(w, LOCK_PI | flag, 0, 0);
  if (r != 0) printf("lock: %ld\n", r);
}
static void unlock(int *w, int flag) {
  int me = gettid_();
  if (__atomic_compare_exchange_n(w, &me, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  long r = futex(w, UNLOCK_PI | flag, 0, 0);
  if (r != 0) printf("unlock: %ld\n", r);
}

static void *counts(void *arg) {
  (void)arg;
  for (int i = 0; i < 500; i++) {
    lock(&word, PRIVATE);
    count++;
    unlock(&word, PRIVATE);
  }
  return 0;
}

static void *holds(void *arg) {
  int *state = arg;
  lock(&word, PRIVATE);
  __atomic_store_n(state, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(state, __ATOMIC_SEQ_CST) == 1) sched_yield();
  if (*state == 2) unlock(&word, PRIVATE);
  return 0;
}

static void threads(void) {
  pthread_t t[4];
  for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, counts, 0);
  for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
  printf("threads: %ld, the word is %d\n", count, word);
  printf("unlock of a free one %ld, ", futex(&word, UNLOCK_PI | PRIVATE, 0, 0));
  lock(&word, PRIVATE);
  printf("again %ld, ", futex(&word, LOCK_PI | PRIVATE, 0, 0));
  unlock(&word, PRIVATE);
  word = 0x3ffffff0;
  printf("of nobody %ld\n", futex(&word, LOCK_PI | PRIVATE, 0, 0));
  word = 0;
  int state = 0;
  pthread_create(&t[0], 0, holds, &state);
  while (__atomic_load_n(&state, __ATOMIC_SEQ_CST) != 1) sched_yield();
  struct timespec past = {1, 0}, bad = {0, 2000000000};
  printf("held: try %ld, late %ld, late by LOCK_PI2 %ld, bad time %ld\n", futex(&word, TRYLOCK_PI | PRIVATE, 0, 0),
         futex(&word, LOCK_PI | PRIVATE, 0, &past), futex(&word, LOCK_PI2 | PRIVATE, 0, &past),
         futex(&word, LOCK_PI | PRIVATE, 0, &bad));
  __atomic_store_n(&state, 2, __ATOMIC_SEQ_CST);
  lock(&word, PRIVATE);
  printf("got it: %d\n", (word & 0x3fffffff) == gettid_());
  pthread_join(t[0], 0);
  unlock(&word, PRIVATE);
}

static void processes(void) {
  struct {
    pthread_mutex_t m;
    int word;
    long count;
  } *s = shared(sizeof *s);
  pid_t child[3];
  for (int p = 0; p < 3; p++)
    if ((child[p] = fork()) == 0) {
      for (int i = 0; i < 200; i++) {
        lock(&s->word, 0);
        s->count++;
        unlock(&s->word, 0);
      }
      _exit(0);
    }
  for (int p = 0; p < 3; p++) waitpid(child[p], 0, 0);
  printf("processes: %ld, the word is %d\n", s->count, s->word);

  pthread_mutexattr_t a;
  pthread_mutexattr_init(&a);
  pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&s->m, &a);
  for (int how = 0; how < 2; how++) {
    int ends[2];
    char c;
    pipe(ends);
    if ((child[0] = fork()) == 0) {
      pthread_mutex_lock(&s->m);
      write(ends[1], "x", 1);
      if (how == 1) usleep(30000);
      _exit(0);
    }
    read(ends[0], &c, 1);
    if (how == 0) waitpid(child[0], 0, 0);
    int r = pthread_mutex_lock(&s->m);
    printf("robust: %s", strerror(r));
    if (r == EOWNERDEAD) pthread_mutex_consistent(&s->m);
    printf(", unlock %d", pthread_mutex_unlock(&s->m));
    printf(", again %d\n", pthread_mutex_lock(&s->m));
    pthread_mutex_unlock(&s->m);
    if (how == 1) waitpid(child[0], 0, 0);
  }
}

struct waitv {
  uint64_t value, addr;
  uint32_t flags, reserved;
};

static void *wakes(void *arg) {
  int *w = arg;
  __atomic_store_n(w, 1, __ATOMIC_SEQ_CST);
  while (syscall(SYS_futex, w, 1 | PRIVATE, 1, 0, 0, 0) == 0) sched_yield();
  return 0;
}

static long waitv(struct waitv *w, unsigned n, unsigned flags, struct timespec *ts, int clock) {
  long r = syscall(449, w, n, flags, ts, clock);
  return r < 0 ? -errno : r;
}

static void several(void) {
  int words[3] = {0, 0, 0};
  struct waitv w[3];
  memset(w, 0, sizeof w);
  for (int i = 0; i < 3; i++) w[i].addr = (uint64_t)&words[i], w[i].flags = 2 | PRIVATE;
  struct timespec past = {1, 0};
  printf("waitv: late %ld, none %ld, flags %ld, clock %ld, ", waitv(w, 3, 0, &past, 1), waitv(w, 0, 0, 0, 0),
         waitv(w, 3, 1, 0, 0), waitv(w, 3, 0, &past, 7));
  w[2].value = 5;
  printf("other value %ld, ", waitv(w, 3, 0, 0, 0));
  w[2].value = 0;
  w[1].flags = 1;
  printf("size %ld\n", waitv(w, 3, 0, 0, 0));
  w[1].flags = 2 | PRIVATE;
  pthread_t t;
  pthread_create(&t, 0, wakes, &words[1]);
  long r = waitv(w, 3, 0, 0, 0);
  // The word may have changed before the wait.
  while (r == -EAGAIN) w[1].value = 1, r = waitv(w, 3, 0, 0, 0);
  printf("waitv: %ld\n", r);
  pthread_join(t, 0);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  threads();
  processes();
  several();
  return 0;
}
