/* Benchmark: sieve of Eratosthenes over bytes: strided stores, then a counting scan. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1000000 };

static uint8_t composite[LIMIT + 1];

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 370;
  uint64_t sum = 0;
  for (int r = 0; r < repeat; r++) {
    memset(composite, 0, sizeof composite);
    for (uint32_t i = 2; i * i <= LIMIT; i++)
      if (!composite[i])
        for (uint32_t j = i * i; j <= LIMIT; j += i)
          composite[j] = 1;
    uint32_t primes = 0;
    for (uint32_t i = 2; i <= LIMIT; i++)
      primes += !composite[i];
    sum = sum * 31 + primes;
  }
  printf("sieve %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
