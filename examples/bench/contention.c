/* Benchmark: four threads on shared data. KIND atomic: fetch-and-add, exchange and compare-and-swap on words that all
   of them use; mutex: a pthread mutex around a small critical section, with work outside of it; queue: two producers
   and two consumers with condition variables. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, SLOTS = 64 };

static int repeat;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static uint64_t counter, most, stack_top, exchanged, guarded[8];
static uint32_t ring[SLOTS];
static unsigned taken, given;

static uint32_t next(uint32_t x) {
  x ^= x << 13;
  x ^= x >> 17;
  return x ^ x << 5;
}

static uint64_t atomic_work(int me) {
  uint32_t x = (uint32_t)me + 1;
  uint64_t dropped = 0;
  for (int i = 0; i < repeat * 250; i++) {
    x = next(x);
    __atomic_fetch_add(&counter, x & 15, __ATOMIC_SEQ_CST);
    dropped += __atomic_exchange_n(&exchanged, x, __ATOMIC_SEQ_CST);
    uint64_t seen = __atomic_load_n(&most, __ATOMIC_RELAXED);
    while (seen < x && !__atomic_compare_exchange_n(&most, &seen, x, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
      ;
    seen = __atomic_load_n(&stack_top, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&stack_top, &seen, seen * 3 + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
      ;
  }
  return dropped;
}

static uint64_t mutex_work(int me) {
  uint32_t x = (uint32_t)me + 1;
  for (int i = 0; i < repeat * 25; i++) {
    for (int k = 0; k < 40; k++)
      x = next(x);
    pthread_mutex_lock(&mutex);
    for (int k = 0; k < 8; k++)
      guarded[k] += x >> k & 3;
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static uint64_t queue_work(int me) {
  uint32_t x = (uint32_t)me + 1;
  uint64_t sum = 0;
  for (int i = 0; i < repeat * 4; i++) {
    pthread_mutex_lock(&mutex);
    if (me & 1) {
      while (taken == given)
        pthread_cond_wait(&not_empty, &mutex);
      sum += ring[taken++ % SLOTS];
      pthread_cond_signal(&not_full);
    } else {
      while (given - taken == SLOTS)
        pthread_cond_wait(&not_full, &mutex);
      ring[given++ % SLOTS] = x;
      pthread_cond_signal(&not_empty);
    }
    pthread_mutex_unlock(&mutex);
    for (int k = 0; k < 40; k++)
      x = next(x);
  }
  return sum;
}

static const struct kind {
  const char *name;
  uint64_t (*work)(int);
} kinds[] = {{"atomic", atomic_work}, {"mutex", mutex_work}, {"queue", queue_work}}, *kind = kinds;

static uint64_t sums[THREADS];

static void *run(void *arg) {
  int me = (int)(intptr_t)arg;
  sums[me] = kind->work(me);
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[THREADS];
  repeat = argc > 1 ? atoi(argv[1]) : 1000;
  for (size_t i = 0; argc > 2 && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].name, argv[2]) == 0)
      kind = &kinds[i];
  for (int i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i) != 0)
      return 3;
  uint64_t sum = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    sum += sums[i];
  }
  /* Every value that was exchanged in came out once, or is the last. */
  sum += exchanged;
  for (int k = 0; k < 8; k++)
    sum = sum * 31 + guarded[k];
  printf("contention %s %d: %016llx %016llx\n", kind->name, repeat, (unsigned long long)(counter + most + stack_top),
         (unsigned long long)sum);
  return 0;
}
