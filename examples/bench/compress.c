/* Benchmark: an LZ77 compressor with hash chains, and its decompressor, on generated text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 1 << 17, HASH_BITS = 14, WINDOW = 1 << 15, MIN_MATCH = 4, MAX_MATCH = 255, MAX_CHAIN = 24 };

static uint8_t input[BYTES], packed[BYTES + BYTES / 8], output[BYTES];
static int32_t head[1 << HASH_BITS], previous[BYTES];

static void generate(uint32_t seed) {
  static const char *const words[] = {"block ", "register ", "the ",   "of ",  "translate ",
                                      "a ",     "guest ",    "page, ", "and ", "\n"};
  uint32_t x = seed;
  size_t n = 0;
  while (n < BYTES) {
    x = x * 1664525u + 1013904223u;
    if (x >> 29 == 0) {
      input[n++] = (uint8_t)(' ' + (x >> 8) % 90);
      continue;
    }
    for (const char *w = words[(x >> 16) % 10]; *w && n < BYTES; w++)
      input[n++] = (uint8_t)*w;
  }
}

static uint32_t hash(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v * 2654435761u >> (32 - HASH_BITS);
}

static size_t match_length(const uint8_t *a, const uint8_t *b, size_t limit) {
  size_t n = 0;
  while (n < limit && a[n] == b[n])
    n++;
  return n;
}

/* Tokens: 0 and a byte; a length of 4 or more, and a distance of two bytes. */
static size_t compress(void) {
  size_t out = 0, i = 0;
  memset(head, 0xff, sizeof head);
  while (i < BYTES) {
    size_t best = 0, distance = 0;
    if (i + MIN_MATCH <= BYTES) {
      size_t limit = BYTES - i < MAX_MATCH ? BYTES - i : MAX_MATCH;
      int chain = MAX_CHAIN;
      for (int32_t c = head[hash(input + i)]; c >= 0 && i - (size_t)c < WINDOW && chain-- > 0; c = previous[c]) {
        size_t n = match_length(input + c, input + i, limit);
        if (n > best) {
          best = n;
          distance = i - (size_t)c;
        }
      }
    }
    size_t step = best >= MIN_MATCH ? best : 1;
    if (best >= MIN_MATCH) {
      packed[out++] = (uint8_t)best;
      packed[out++] = (uint8_t)distance;
      packed[out++] = (uint8_t)(distance >> 8);
    } else {
      packed[out++] = 0;
      packed[out++] = input[i];
    }
    for (size_t end = i + step; i < end; i++) {
      if (i + MIN_MATCH > BYTES)
        continue;
      uint32_t h = hash(input + i);
      previous[i] = head[h];
      head[h] = (int32_t)i;
    }
  }
  return out;
}

static size_t expand(size_t size) {
  size_t out = 0;
  for (size_t i = 0; i < size;) {
    size_t n = packed[i++];
    if (n == 0) {
      output[out++] = packed[i++];
      continue;
    }
    size_t distance = packed[i] | (size_t)packed[i + 1] << 8;
    i += 2;
    for (; n > 0; n--, out++)
      output[out] = output[out - distance];
  }
  return out;
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 10;
  uint64_t sum = 0;
  for (int r = 0; r < repeat; r++) {
    generate((uint32_t)r % 4 + 1);
    size_t size = compress();
    size_t back = expand(size);
    if (back != BYTES || memcmp(input, output, BYTES) != 0) {
      puts("the decompressor gives other data");
      return 1;
    }
    sum = sum * 31 + size;
  }
  printf("compress %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
