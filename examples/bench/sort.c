/* Benchmark: the C library's qsort with a comparison callback: indirect calls and data-dependent branches. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 50000 };

static uint32_t items[ITEMS];

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 15;
  uint64_t sum = 0;
  uint32_t x = 2463534242u;
  for (int r = 0; r < repeat; r++) {
    for (int i = 0; i < ITEMS; i++) {
      x ^= x << 13;
      x ^= x >> 17;
      x ^= x << 5;
      items[i] = x;
    }
    qsort(items, ITEMS, sizeof *items, ascending);
    for (int i = 1; i < ITEMS; i++)
      if (items[i - 1] > items[i])
        return 1;
    for (int i = 0; i < ITEMS; i += 97)
      sum = sum * 31 + items[i];
  }
  printf("sort %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
