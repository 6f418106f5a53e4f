/* Benchmark: SHA-256 over a buffer: rotates, xors and additions on 32 bits. Source: FIPS 180-4. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 65536 };

static uint32_t constants[64];
static uint8_t data[BYTES];

/* The first 32 bits of the fractional parts of the n-th roots of the first primes, by integer search. */
static uint32_t root_bits(uint32_t prime, int power) {
  unsigned __int128 target = (unsigned __int128)prime << (power == 2 ? 64 : 96);
  uint64_t low = 0, high = (uint64_t)1 << 36;
  while (high - low > 1) {
    uint64_t middle = (low + high) / 2;
    unsigned __int128 value = (unsigned __int128)middle * middle;
    if (power == 3)
      value *= middle;
    if (value <= target)
      low = middle;
    else
      high = middle;
  }
  return (uint32_t)low;
}

static void set_up(uint32_t *state) {
  int found = 0;
  for (uint32_t n = 2; found < 64; n++) {
    int prime = 1;
    for (uint32_t d = 2; d * d <= n; d++)
      prime &= n % d != 0;
    if (!prime)
      continue;
    if (found < 8)
      state[found] = root_bits(n, 2);
    constants[found++] = root_bits(n, 3);
  }
}

static inline uint32_t right(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void block(uint32_t *state, const uint8_t *p) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t s0 = right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t s1 = right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  memcpy(s, state, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t e = s[4], a = s[0];
    uint32_t t1 = s[7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
    uint32_t t2 = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += t1;
    s[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++)
    state[i] += s[i];
}

/* The digest of a message whose length is a multiple of 64 bytes. */
static void sha256(const uint32_t *initial, const uint8_t *message, uint64_t bytes, uint32_t *state) {
  uint8_t last[64] = {0x80};
  memcpy(state, initial, 32);
  for (uint64_t i = 0; i < bytes; i += 64)
    block(state, message + i);
  for (int i = 0; i < 8; i++)
    last[56 + i] = (uint8_t)(bytes * 8 >> (56 - 8 * i));
  block(state, last);
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 80;
  uint32_t initial[8], digest[8];
  set_up(initial);
  for (int i = 0; i < BYTES; i++)
    data[i] = (uint8_t)(i * 37 + (i >> 8));
  for (int r = 0; r < repeat; r++) {
    sha256(initial, data, BYTES, digest);
    memcpy(data, digest, sizeof digest);
  }
  printf("sha256 %d: ", repeat);
  for (int i = 0; i < 8; i++)
    printf("%08x", digest[i]);
  sha256(initial, data, 0, digest);
  printf(", empty message %08x...\n", digest[0]);
  return 0;
}
