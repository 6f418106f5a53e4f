/* The futex call by itself: EAGAIN, time-outs of each kind, wake counts, bitsets, requeue, and what a dying thread does
   to its clear_child_tid word and to a robust mutex. Source: futex(2), set_robust_list(2), clone(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
  WAIT = 0,
  WAKE = 1,
  REQUEUE = 3,
  CMP_REQUEUE = 4,
  WAKE_OP = 5,
  WAIT_BITSET = 9,
  WAKE_BITSET = 10,
  PRIVATE = 128,
  REALTIME = 256
};

static uint32_t word, other;
static int asleep, woken;

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static long futex(uint32_t *p, int op, uint32_t value, const void *timeout, uint32_t *second, uint32_t third) {
  return syscall(SYS_futex, p, op, value, timeout, second, third);
}

static long long now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

struct wait {
  uint32_t *word;
  uint32_t bits;
};

static void *sleeper(void *arg) {
  const struct wait *wait = arg;
  __atomic_add_fetch(&asleep, 1, __ATOMIC_SEQ_CST);
  long result;
  do
    result = futex(wait->word, WAIT_BITSET | PRIVATE, 0, NULL, NULL, wait->bits);
  while (result == -1 && errno == EINTR);
  __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
  return (void *)(result == 0 ? 0 : (intptr_t)errno);
}

/* Waits until that many threads have been woken, and a little more, so that one too many would show. */
static void settle(int expected) {
  for (int i = 0; i < 2000 && __atomic_load_n(&woken, __ATOMIC_SEQ_CST) < expected; i++)
    usleep(1000);
  usleep(20000);
}

static void start(pthread_t *threads, struct wait *waits, int number) {
  asleep = woken = 0;
  for (int i = 0; i < number; i++)
    if (pthread_create(&threads[i], NULL, sleeper, &waits[i]) != 0)
      exit(1);
  while (__atomic_load_n(&asleep, __ATOMIC_SEQ_CST) < number)
    usleep(1000);
  usleep(100000); /* long enough for the last one to be in the kernel */
}

static pthread_mutex_t robust;

static void *die_with_lock(void *arg) {
  pthread_mutex_lock(&robust);
  return arg;
}

int main(void) {
  struct timespec tenth = {0, 100000000}, until, bad = {0, 1000000000};
  word = 5;
  printf("another value: EAGAIN %s; ", yes(futex(&word, WAIT | PRIVATE, 4, NULL, NULL, 0) == -1 && errno == EAGAIN));
  long long before = now(CLOCK_MONOTONIC);
  long result = futex(&word, WAIT | PRIVATE, 5, &tenth, NULL, 0);
  long long taken = now(CLOCK_MONOTONIC) - before;
  printf("time-out: ETIMEDOUT %s, took at least 0.1 s %s\n", yes(result == -1 && errno == ETIMEDOUT),
         yes(taken >= 100000000));
  before = now(CLOCK_MONOTONIC);
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += 50000000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  result = futex(&word, WAIT_BITSET | PRIVATE, 5, &until, NULL, ~0u);
  printf("absolute time-out: ETIMEDOUT %s, took at least 0.04 s %s; ", yes(result == -1 && errno == ETIMEDOUT),
         yes(now(CLOCK_MONOTONIC) - before >= 40000000));
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec -= 10;
  result = futex(&word, WAIT_BITSET | PRIVATE | REALTIME, 5, &until, NULL, ~0u);
  printf("in the past: ETIMEDOUT %s\n", yes(result == -1 && errno == ETIMEDOUT));
  printf("bad time: EINVAL %s, empty bitset: EINVAL %s, unknown operation: ENOSYS %s\n",
         yes(futex(&word, WAIT | PRIVATE, 5, &bad, NULL, 0) == -1 && errno == EINVAL),
         yes(futex(&word, WAIT_BITSET | PRIVATE, 5, NULL, NULL, 0) == -1 && errno == EINVAL),
         yes(futex(&word, 99, 5, NULL, NULL, 0) == -1 && errno == ENOSYS));
  printf("wake with nobody there: %ld\n", futex(&word, WAKE | PRIVATE, 10, NULL, NULL, 0));

  pthread_t threads[6];
  struct wait waits[6];
  void *value;
  intptr_t errors = 0;
  word = other = 0;
  for (int i = 0; i < 6; i++)
    waits[i] = (struct wait){&word, ~0u};
  start(threads, waits, 6);
  result = futex(&word, WAKE | PRIVATE, 2, NULL, NULL, 0);
  settle(2);
  printf("wake 2 of 6: %ld, awake %d; ", result, woken);
  result = futex(&word, WAKE | PRIVATE, 100, NULL, NULL, 0);
  settle(6);
  printf("the rest: %ld, awake %d\n", result, woken);
  for (int i = 0; i < 6; i++) {
    pthread_join(threads[i], &value);
    errors += (intptr_t)value;
  }

  for (int i = 0; i < 6; i++)
    waits[i].bits = 1u << (i % 3);
  start(threads, waits, 6);
  result = futex(&word, WAKE_BITSET | PRIVATE, 100, NULL, NULL, 2);
  settle(2);
  printf("bit 1 of 3: %ld, awake %d; ", result, woken);
  result = futex(&word, WAKE_BITSET | PRIVATE, 100, NULL, NULL, 5);
  settle(6);
  printf("bits 0 and 2: %ld, awake %d\n", result, woken);
  for (int i = 0; i < 6; i++) {
    pthread_join(threads[i], &value);
    errors += (intptr_t)value;
  }

  for (int i = 0; i < 6; i++)
    waits[i].bits = ~0u;
  start(threads, waits, 6);
  word = 0;
  result = futex(&word, CMP_REQUEUE | PRIVATE, 1, (void *)2, &other, 7);
  printf("requeue on another value: EAGAIN %s; ", yes(result == -1 && errno == EAGAIN));
  result = futex(&word, CMP_REQUEUE | PRIVATE, 1, (void *)2, &other, 0);
  settle(1);
  printf("wake 1, move 2: %ld, awake %d; ", result, woken);
  result = futex(&other, WAKE | PRIVATE, 100, NULL, NULL, 0);
  settle(3);
  printf("from the other: %ld, awake %d; ", result, woken);
  /* wake-op: other = other + 1; wake one on word, and one on other if its old value was 0 */
  result = futex(&word, WAKE_OP | PRIVATE, 1, (void *)1, &other, 1u << 28 | 0u << 24 | 1u << 12 | 0);
  settle(4);
  printf("wake-op: %ld, other %u; ", result, other);
  result = futex(&word, WAKE | PRIVATE, 100, NULL, NULL, 0);
  settle(6);
  printf("last: %ld, awake %d\n", result, woken);
  for (int i = 0; i < 6; i++) {
    pthread_join(threads[i], &value);
    errors += (intptr_t)value;
  }
  printf("errors in waiting threads: %ld\n", (long)errors);

  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&robust, &attributes);
  if (pthread_create(&threads[0], NULL, die_with_lock, NULL) != 0)
    return 1;
  pthread_join(threads[0], NULL);
  result = pthread_mutex_lock(&robust);
  printf("mutex of a dead owner: EOWNERDEAD %s, ", yes(result == EOWNERDEAD));
  pthread_mutex_consistent(&robust);
  pthread_mutex_unlock(&robust);
  printf("made consistent, locks again: %d\n", pthread_mutex_lock(&robust));
  return 0;
}
