/* Benchmark: float matrices in SSE vectors of four: multiply, transpose, and scale each row by its largest element. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 128 };

typedef float vec __attribute__((vector_size(16)));
typedef int32_t ivec __attribute__((vector_size(16)));

static float a[N][N] __attribute__((aligned(16))), b[N][N] __attribute__((aligned(16))),
    c[N][N] __attribute__((aligned(16)));

static void multiply(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j += 8) {
      vec low = {0}, high = {0};
      for (int k = 0; k < N; k++) {
        float x = a[i][k];
        vec v = {x, x, x, x};
        low += v * *(const vec *)&b[k][j];
        high += v * *(const vec *)&b[k][j + 4];
      }
      *(vec *)&c[i][j] = low;
      *(vec *)&c[i][j + 4] = high;
    }
}

static void transpose_into_b(void) {
  for (int i = 0; i < N; i += 4)
    for (int j = 0; j < N; j += 4) {
      vec r0 = *(vec *)&c[i][j], r1 = *(vec *)&c[i + 1][j], r2 = *(vec *)&c[i + 2][j], r3 = *(vec *)&c[i + 3][j];
      vec l01 = __builtin_shuffle(r0, r1, (ivec){0, 4, 1, 5}), h01 = __builtin_shuffle(r0, r1, (ivec){2, 6, 3, 7});
      vec l23 = __builtin_shuffle(r2, r3, (ivec){0, 4, 1, 5}), h23 = __builtin_shuffle(r2, r3, (ivec){2, 6, 3, 7});
      *(vec *)&b[j][i] = __builtin_shuffle(l01, l23, (ivec){0, 1, 4, 5});
      *(vec *)&b[j + 1][i] = __builtin_shuffle(l01, l23, (ivec){2, 3, 6, 7});
      *(vec *)&b[j + 2][i] = __builtin_shuffle(h01, h23, (ivec){0, 1, 4, 5});
      *(vec *)&b[j + 3][i] = __builtin_shuffle(h01, h23, (ivec){2, 3, 6, 7});
    }
}

/* Each row to a largest magnitude of 1. */
static void normalise_b(void) {
  for (int i = 0; i < N; i++) {
    vec most = {1e-20f, 1e-20f, 1e-20f, 1e-20f};
    for (int j = 0; j < N; j += 4) {
      vec v = (vec)((ivec) * (vec *)&b[i][j] & 0x7fffffff);
      ivec more = v > most;
      most = (vec)(((ivec)v & more) | ((ivec)most & ~more));
    }
    float largest = most[0];
    for (int k = 1; k < 4; k++)
      largest = most[k] > largest ? most[k] : largest;
    float scale = 1.0f / largest;
    for (int j = 0; j < N; j += 4)
      *(vec *)&b[i][j] *= (vec){scale, scale, scale, scale};
  }
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 400;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = (float)((i * 7 + j * 3) % 17 - 8) / 8;
      b[i][j] = (float)((i * 5 + j * 11) % 13 - 6) / 4;
    }
  for (int r = 0; r < repeat; r++) {
    multiply();
    transpose_into_b();
    normalise_b();
  }
  uint64_t sum = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      uint32_t bits;
      memcpy(&bits, &b[i][j], 4);
      sum = sum * 31 + bits;
    }
  printf("matrix-f32 %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
