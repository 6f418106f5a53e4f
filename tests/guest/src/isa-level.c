/* Plain C that a compiler turns into the instructions of an x86-64 level (-march=x86-64-v2 and v3): vector loops over
   all element types, fused multiply-add, bit manipulation, byte swaps, conversions. Prints checksums. Source: System V
   ABI for x86-64, micro-architecture levels. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { N = 1003 };
static uint64_t state = 88172645463325252u;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static int8_t b[N], b2[N];
static int16_t h[N], h2[N];
static int32_t w[N], w2[N], index_of[N];
static int64_t q[N], q2[N];
static float f[N], f2[N];
static double d[N], d2[N];
static char text[N + 1];

static uint64_t sum(const void *data, size_t size) {
  const unsigned char *p = data;
  uint64_t s = 1469598103934665603u;
  for (size_t i = 0; i < size; i++)
    s = (s ^ p[i]) * 1099511628211u;
  return s;
}
#define SHOW(array) printf("%s %016llx\n", #array, (unsigned long long)sum(array, sizeof array))

__attribute__((noinline)) static void integers(void) {
  for (int i = 0; i < N; i++) {
    b[i] = (int8_t)(b[i] > b2[i] ? b[i] - b2[i] : b2[i] * 3);
    h[i] = (int16_t)((h[i] * h2[i]) >> 7);
    w[i] = w[i] * w2[i] + (w[i] < w2[i] ? w2[i] : -w[i]);
    q[i] = (q[i] << (w2[i] & 31)) ^ (q2[i] > q[i] ? q2[i] : q[i] + 1);
  }
  for (int i = 0; i < N; i++)
    w2[i] = w[index_of[i]] + h[i] + b[i];
  for (int i = 0; i < N; i++)
    text[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
}

__attribute__((noinline)) static void reals(void) {
  for (int i = 0; i < N; i++) {
    d[i] = fma(d[i], d2[i], 0.125);
    f[i] = fmaf(f[i], f2[i], f[i]);
  }
  for (int i = 0; i < N; i++) {
    d2[i] = floor(d[i]) + sqrt(fabs(d2[i])) + (double)w[i];
    f2[i] = (float)d[i] + ceilf(f2[i]) + (f[i] > f2[i] ? f[i] : f2[i]);
    w[i] = (int32_t)(f[i] * 16);
  }
}

__attribute__((noinline)) static uint64_t bits(void) {
  uint64_t total = 0;
  for (int i = 0; i < N; i++) {
    uint64_t x = (uint64_t)q[i], y = (uint64_t)q2[i] | 1;
    total += (uint64_t)__builtin_popcountll(x) + (uint64_t)__builtin_ctzll(y) + (uint64_t)__builtin_clzll(y);
    total += (x & (x - 1)) ^ (y & -y) ^ (x & ~y) ^ (y ^ (y - 1));
    total ^= __builtin_bswap64(x) + ((x >> (i & 63)) | (y << (i & 31))) + (unsigned)__builtin_popcount((unsigned)x);
    total += (uint64_t)(((unsigned __int128)x * y) >> 64);
  }
  return total;
}

int main(void) {
  for (int i = 0; i < N; i++) {
    uint64_t x = next();
    b[i] = (int8_t)x, b2[i] = (int8_t)(x >> 8), h[i] = (int16_t)(x >> 16), h2[i] = (int16_t)(x >> 32);
    w[i] = (int32_t)x, w2[i] = (int32_t)(x >> 32), q[i] = (int64_t)x, q2[i] = (int64_t)next();
    f[i] = (float)(int32_t)x / 65536, f2[i] = (float)(int16_t)(x >> 40) / 64, d[i] = (double)q2[i] / 1e15,
    d2[i] = (double)w[i] / 1e6;
    index_of[i] = (int32_t)(next() % N);
    text[i] = (char)(32 + next() % 95);
  }
  for (int round = 0; round < 20; round++) {
    integers();
    reals();
    printf("%016llx\n", (unsigned long long)bits());
  }
  SHOW(b), SHOW(h), SHOW(w), SHOW(w2), SHOW(q), SHOW(text), SHOW(f), SHOW(d);
  printf("%zu %s\n", strlen(text), strchr(text, '~') ? "found" : "none");
  return 0;
}
