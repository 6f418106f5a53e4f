/* Benchmark: integer loops in registers: add, multiply, shift, rotate, compare, with a data-dependent branch. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 90;
  uint64_t sum = 0;
  uint32_t x = 12345;
  for (int r = 0; r < repeat; r++)
    for (uint32_t i = 0; i < 1000000; i++) {
      x = x * 1664525u + 1013904223u;
      if (x & 0x10000)
        sum += x >> 7;
      else
        sum ^= (uint64_t)x << 9;
      sum = sum << 3 | sum >> 61;
    }
  printf("intloop %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
