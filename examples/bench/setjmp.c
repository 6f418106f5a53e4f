/* Benchmark: setjmp and longjmp: errors thrown out of a recursive evaluation, from different depths. */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf *handler;
static uint64_t calls;

static uint32_t __attribute__((noinline)) evaluate(uint32_t x, int depth) {
  calls++;
  if (depth == 0) {
    if (x & 1)
      longjmp(*handler, (int)(x >> 8 & 0xff) + 1);
    return x;
  }
  return evaluate(x * 1664525u + 1013904223u, depth - 1) + x;
}

static uint32_t __attribute__((noinline)) attempt(uint32_t x, int depth) {
  jmp_buf here, *const outer = handler;
  handler = &here;
  int thrown = setjmp(here);
  uint32_t result = thrown == 0 ? evaluate(x, depth) : (uint32_t)thrown * 3;
  handler = outer;
  return result;
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 100;
  uint64_t sum = 0;
  for (int r = 0; r < repeat; r++)
    for (uint32_t i = 0; i < 50000; i++)
      sum = sum * 31 + attempt(i * 2654435761u ^ (uint32_t)r, (int)(i & 3));
  printf("setjmp %d: %016llx %llu\n", repeat, (unsigned long long)sum, (unsigned long long)calls);
  return 0;
}
