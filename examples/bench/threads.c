/* Benchmark: independent work in THREADS threads (4 by default): each hashes and sorts its share of REPEAT parts in
 * memory of its own. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 64, ITEMS = 1 << 14 };

struct share {
  pthread_t thread;
  int first, end;
  uint64_t sum;
  uint32_t items[ITEMS];
};

static void sift(uint32_t *heap, size_t i, size_t n) {
  uint32_t v = heap[i];
  for (size_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && heap[child + 1] > heap[child])
      child++;
    if (heap[child] <= v)
      break;
    heap[i] = heap[child];
  }
  heap[i] = v;
}

static uint64_t part(uint32_t *items, uint32_t seed) {
  uint32_t x = seed;
  uint64_t sum = 0;
  for (int i = 0; i < ITEMS; i++) {
    for (int k = 0; k < 8; k++) {
      x ^= x << 13;
      x ^= x >> 17;
      x ^= x << 5;
    }
    items[i] = x;
  }
  for (size_t i = ITEMS / 2; i-- > 0;)
    sift(items, i, ITEMS);
  for (size_t n = ITEMS - 1; n > 0; n--) {
    uint32_t last = items[n];
    items[n] = items[0];
    items[0] = last;
    sift(items, 0, n);
  }
  for (int i = 0; i < ITEMS; i++)
    sum = sum * 31 + items[i];
  return sum;
}

static void *work(void *arg) {
  struct share *s = arg;
  for (int i = s->first; i < s->end; i++)
    s->sum += part(s->items, (uint32_t)i + 1);
  return NULL;
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 200;
  int threads = argc > 2 ? atoi(argv[2]) : 4;
  static struct share shares[MOST];
  if (threads < 1 || threads > MOST)
    return 2;
  for (int i = 0; i < threads; i++) {
    shares[i].first = (int)((int64_t)repeat * i / threads);
    shares[i].end = (int)((int64_t)repeat * (i + 1) / threads);
    if (pthread_create(&shares[i].thread, NULL, work, &shares[i]) != 0)
      return 3;
  }
  uint64_t sum = 0;
  for (int i = 0; i < threads; i++) {
    pthread_join(shares[i].thread, NULL);
    sum += shares[i].sum;
  }
  printf("threads %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
