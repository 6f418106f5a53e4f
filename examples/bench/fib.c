/* Benchmark: doubly recursive Fibonacci: calls, returns, and little else. */
#include <stdio.h>
#include <stdlib.h>

/* The attribute keeps GCC from turning calls into loops, so that a call of the source is a call of the program. */
__attribute__((noinline, optimize("no-optimize-sibling-calls", "no-inline"))) static unsigned fib(unsigned n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 80;
  unsigned long long sum = 0;
  for (int r = 0; r < repeat; r++)
    sum = sum * 31 + fib(30 + (unsigned)(r & 1));
  printf("fib %d: %016llx\n", repeat, sum);
  return 0;
}
