/* A work queue on POSIX threads: a bounded queue under a mutex and two condition variables, eight workers that meet at
   barriers, thread-local counters, a pthread key with a destructor, and pthread_once. Every sum is checked.
   usage: workqueue [ITEMS]. Source: pthreads(7). */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 8, CAPACITY = 16, PHASES = 20, STOP = -1 };

struct queue {
  pthread_mutex_t lock;
  pthread_cond_t not_empty, not_full;
  int items[CAPACITY];
  int head, count;
};

static struct queue queue = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .not_empty = PTHREAD_COND_INITIALIZER, .not_full = PTHREAD_COND_INITIALIZER};
static pthread_barrier_t barrier;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t totals_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t total_sum, total_items;
static int destroyed, once_runs, serial_threads;
static int phase_values[PHASES][WORKERS];
static __thread uint64_t my_sum;
static __thread uint64_t my_items;
static __thread uint32_t my_magic = 0x600df00d;

static void put(struct queue *q, int item) {
  pthread_mutex_lock(&q->lock);
  while (q->count == CAPACITY)
    pthread_cond_wait(&q->not_full, &q->lock);
  q->items[(q->head + q->count++) % CAPACITY] = item;
  pthread_cond_signal(&q->not_empty);
  pthread_mutex_unlock(&q->lock);
}

static int take(struct queue *q) {
  pthread_mutex_lock(&q->lock);
  while (q->count == 0)
    pthread_cond_wait(&q->not_empty, &q->lock);
  int item = q->items[q->head];
  q->head = (q->head + 1) % CAPACITY;
  q->count--;
  pthread_cond_signal(&q->not_full);
  pthread_mutex_unlock(&q->lock);
  return item;
}

static uint64_t work(int item) {
  uint64_t x = (uint64_t)item * 2654435761u + 12345;
  for (int i = 0; i < 50; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x & 0xffffffff;
}

static void count_once(void) { once_runs++; }

static void at_exit_of_thread(void *value) {
  pthread_mutex_lock(&totals_lock);
  destroyed += *(int *)value;
  pthread_mutex_unlock(&totals_lock);
  free(value);
}

static void *worker(void *arg) {
  int id = (int)(intptr_t)arg;
  pthread_once(&once, count_once);
  int *one = malloc(sizeof *one);
  if (one == NULL)
    return (void *)1;
  *one = 1;
  pthread_setspecific(key, one);

  for (;;) {
    int item = take(&queue);
    if (item == STOP)
      break;
    my_sum += work(item);
    my_items++;
  }

  /* After each barrier every worker must see what all the others wrote before it. */
  int stale = 0;
  for (int phase = 0; phase < PHASES; phase++) {
    phase_values[phase][id] = phase * 100 + id + 1;
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
      pthread_mutex_lock(&totals_lock);
      serial_threads++;
      pthread_mutex_unlock(&totals_lock);
    }
    for (int other = 0; other < WORKERS; other++)
      stale += phase_values[phase][other] != phase * 100 + other + 1;
  }

  pthread_mutex_lock(&totals_lock);
  total_sum += my_sum;
  total_items += my_items;
  pthread_mutex_unlock(&totals_lock);
  return (void *)(intptr_t)(stale + (my_magic != 0x600df00d));
}

int main(int argc, char **argv) {
  int items = argc > 1 ? atoi(argv[1]) : 4000;
  pthread_t threads[WORKERS];
  pthread_barrier_init(&barrier, NULL, WORKERS);
  pthread_key_create(&key, at_exit_of_thread);
  for (intptr_t i = 0; i < WORKERS; i++)
    if (pthread_create(&threads[i], NULL, worker, (void *)i) != 0) {
      fputs("pthread_create failed\n", stderr);
      return 1;
    }

  uint64_t expected = 0;
  for (int i = 0; i < items; i++) {
    expected += work(i);
    put(&queue, i);
  }
  for (int i = 0; i < WORKERS; i++)
    put(&queue, STOP);

  intptr_t wrong = 0;
  for (int i = 0; i < WORKERS; i++) {
    void *result;
    pthread_join(threads[i], &result);
    wrong += (intptr_t)result;
  }
  printf("items %llu, sum %llu (%s)\n", (unsigned long long)total_items, (unsigned long long)total_sum,
         total_sum == expected && total_items == (uint64_t)items ? "right" : "WRONG");
  printf("stale reads after a barrier: %ld\n", (long)wrong);
  printf("serial threads: %d of %d barriers\n", serial_threads, PHASES);
  printf("pthread_once ran %d time, key destructors %d\n", once_runs, destroyed);
  printf("main's own TLS: sum %llu, magic %x\n", (unsigned long long)my_sum, my_magic);
  return total_sum == expected && wrong == 0 && destroyed == WORKERS ? 0 : 1;
}
