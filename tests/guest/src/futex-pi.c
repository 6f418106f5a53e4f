// Locks that inherit priorities, between threads and between processes; owners that die; waits on several futexes.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
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

enum { WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAKE_OP = 5, WAIT_REQUEUE_PI = 11, CMP_REQUEUE_PI = 12, REALTIME = 256 };
static long futex6(int *w, int op, int value, long fourth, int *w2, int third) {
  long r = syscall(SYS_futex, w, op, value, fourth, w2, third);
  return r < 0 ? -errno : r;
}

struct condition {
  int flag, sequence, lock, other, awake, order, tids[4];
  long results[4];
};

/* As pthread_cond_wait with such a lock; the results by the order of waking. */
static void *waits_for(void *arg) {
  struct condition *c = arg;
  lock(&c->lock, c->flag);
  int seen = c->sequence;
  __atomic_add_fetch(&c->awake, 1, __ATOMIC_SEQ_CST);
  unlock(&c->lock, c->flag);
  long r = futex6(&c->sequence, WAIT_REQUEUE_PI | c->flag, seen, 0, &c->lock, 0);
  c->results[c->order++] = r;
  if ((c->lock & 0x3fffffff) != gettid_()) printf("not the owner: %ld\n", r);
  unlock(&c->lock, c->flag);
  return 0;
}

/* Waits until all of them are in the queue of the lock or the condition, by moving one at a time while the lock is held. */
static void move_all(struct condition *c, int n) {
  for (int moved = 0; moved < n;) {
    long r = futex6(&c->sequence, CMP_REQUEUE_PI | c->flag, 1, 0, &c->lock, c->sequence);
    if (r < 0) printf("move: %ld\n", r), exit(1);
    moved += r;
    sched_yield();
  }
}

static void *held(void *arg) {
  struct condition *c = arg;
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_nsec += 50000000;
  if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
  return (void *)futex6(&c->sequence, WAIT_REQUEUE_PI | REALTIME | c->flag, c->sequence, c->other ? 0 : (long)&soon, &c->lock, 0);
}

static void nothing(int s) { (void)s; }

static void requeues(void) {
  struct condition *c = shared(sizeof *c);
  pthread_t t[3];
  void *result;
  c->flag = PRIVATE;
  /* The lock is held: all go to it, and get it one after the other. */
  lock(&c->lock, PRIVATE);
  for (int i = 0; i < 3; i++) pthread_create(&t[i], 0, waits_for, c);
  unlock(&c->lock, PRIVATE);
  while (__atomic_load_n(&c->awake, __ATOMIC_SEQ_CST) != 3) sched_yield();
  lock(&c->lock, PRIVATE);
  move_all(c, 3);
  printf("moved: nobody has run %d, ", c->order);
  unlock(&c->lock, PRIVATE);
  for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
  printf("%ld %ld %ld, the lock %d\n", c->results[0], c->results[1], c->results[2], c->lock);
  /* It is free: the first has it at once. */
  c->awake = c->order = 0;
  for (int i = 0; i < 3; i++) pthread_create(&t[i], 0, waits_for, c);
  while (__atomic_load_n(&c->awake, __ATOMIC_SEQ_CST) != 3) sched_yield();
  for (int n = 0; n < 3;) {
    long r = futex6(&c->sequence, CMP_REQUEUE_PI | PRIVATE, 1, 1000, &c->lock, 0);
    if (r < 0) printf("free: %ld\n", r), exit(1);
    n += r;
  }
  for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
  printf("free: %ld %ld %ld, the lock %d\n", c->results[0], c->results[1], c->results[2], c->lock);
  /* What is refused. */
  printf("refused: %ld %ld %ld %ld %ld %ld\n", futex6(&c->sequence, CMP_REQUEUE_PI | PRIVATE, 2, 1, &c->lock, 0),
         futex6(&c->sequence, CMP_REQUEUE_PI | PRIVATE, 1, 1, &c->sequence, 0), futex6(&c->sequence, CMP_REQUEUE_PI | PRIVATE, 1, -1, &c->lock, 0),
         futex6(&c->sequence, CMP_REQUEUE_PI | PRIVATE, 1, 1, &c->lock, 9), futex6(&c->sequence, WAIT_REQUEUE_PI | PRIVATE, 0, 0, &c->sequence, 0),
         futex6(&c->sequence, WAIT_REQUEUE_PI | PRIVATE, 9, 0, &c->lock, 0));
  c->other = 1;
  c->awake = c->order = 0;
  lock(&c->lock, PRIVATE);
  pthread_create(&t[0], 0, waits_for, c);
  unlock(&c->lock, PRIVATE);
  while (__atomic_load_n(&c->awake, __ATOMIC_SEQ_CST) != 1) sched_yield();
  long r;
  while ((r = futex6(&c->sequence, WAKE | PRIVATE, 1, 0, 0, 0)) == 0) sched_yield();
  printf("waiting: wake %ld, requeue %ld, compared %ld, none %ld, another lock %ld, ", r, futex6(&c->sequence, REQUEUE | PRIVATE, 1, 1, &c->other, 0),
         futex6(&c->sequence, CMP_REQUEUE | PRIVATE, 0, 1, &c->other, 0), futex6(&c->sequence, CMP_REQUEUE | PRIVATE, 0, 0, &c->other, 0),
         futex6(&c->sequence, CMP_REQUEUE_PI | PRIVATE, 1, 1, &c->other, 0));
  lock(&c->lock, PRIVATE);
  move_all(c, 1);
  printf("wake of the lock %ld\n", futex6(&c->lock, WAKE | PRIVATE, 1, 0, 0, 0));
  unlock(&c->lock, PRIVATE);
  pthread_join(t[0], 0);
  /* Too late: before and after it is moved; a signal after that. */
  c->other = 0;
  pthread_create(&t[0], 0, held, c);
  pthread_join(t[0], &result);
  printf("late %ld, ", (long)result);
  lock(&c->lock, PRIVATE);
  pthread_create(&t[0], 0, held, c);
  move_all(c, 1);
  pthread_join(t[0], &result);
  printf("late for the lock %ld, ", (long)result);
  c->other = 1;
  signal(SIGUSR1, nothing);
  pthread_create(&t[0], 0, held, c);
  move_all(c, 1);
  pthread_kill(t[0], SIGUSR1);
  pthread_join(t[0], &result);
  printf("signal %ld\n", (long)result);
  unlock(&c->lock, PRIVATE);
  /* Between processes; the owner dies without unlocking. */
  memset(c, 0, sizeof *c);
  for (int i = 0; i < 2; i++)
    if (fork() == 0) {
      waits_for(c);
      _exit(0);
    }
  while (__atomic_load_n(&c->awake, __ATOMIC_SEQ_CST) != 2) sched_yield();
  lock(&c->lock, 0);
  move_all(c, 2);
  unlock(&c->lock, 0);
  for (int i = 0; i < 2; i++) wait(0);
  printf("processes: %ld %ld, the lock %d\n", c->results[0], c->results[1], c->lock);
  c->awake = c->order = 0;
  int state = fork();
  if (state == 0) {
    waits_for(c);
    _exit(0);
  }
  while (__atomic_load_n(&c->awake, __ATOMIC_SEQ_CST) != 1) sched_yield();
  if (fork() == 0) {
    lock(&c->lock, 0);
    move_all(c, 1);
    _exit(0);
  }
  for (int i = 0; i < 2; i++) wait(0);
  printf("the owner died: %ld, the lock %x\n", c->results[0], c->lock & ~0x3fffffff);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  threads();
  processes();
  several();
  requeues();
  return 0;
}
