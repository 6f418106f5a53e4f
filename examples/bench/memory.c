/* Benchmark: the C library's memcpy, memset, memcmp, memchr, strlen and strcmp, short and long, aligned and not. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 65536 };

static char from[BYTES + 64], to[BYTES + 64];

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 6000;
  uint64_t sum = 0;
  for (int i = 0; i < BYTES; i++)
    from[i] = (char)('a' + i % 23);
  from[BYTES] = 0;
  /* volatile, so that the calls stay calls */
  void *(*volatile copy)(void *, const void *, size_t) = memcpy;
  int (*volatile compare)(const void *, const void *, size_t) = memcmp;
  size_t (*volatile length)(const char *) = strlen;
  char *(*volatile find)(const char *, int) = strchr;
  int (*volatile order)(const char *, const char *) = strcmp;
  for (int r = 0; r < repeat; r++) {
    memset(to, r & 127, sizeof to);
    copy(to, from, BYTES + 1);
    sum += (uint64_t)compare(to, from, BYTES);
    sum += length(to) + (uint64_t)(order(to, from + 23) == 0);
    for (size_t size = 1; size < 400; size += 3) {
      copy(to + (size & 7), from + (size & 15), size);
      to[size + (size & 7)] = 0;
      sum = sum * 31 + length(to + (size & 7));
      sum += (uint64_t)(find(from + size, 'a' + (r % 23)) - from);
      sum += (uint64_t)(compare(to, from, size) > 0);
    }
  }
  printf("memory %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
