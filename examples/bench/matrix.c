/* Benchmark: double matrix product, plain triple loop with the inner one over a column: SSE2 scalar arithmetic. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 120 };

static double a[N][N], b[N][N], c[N][N];

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 800;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = (i * 7 + j * 3) % 11 - 5;
      b[i][j] = (i * 5 + j * 13) % 17 * 0.25 - 2;
    }
  for (int r = 0; r < repeat; r++) {
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        double sum = 0;
        for (int k = 0; k < N; k++)
          sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    a[r % N][r * 7 % N] += c[r * 3 % N][r % N] * 0.0009765625;
  }
  uint64_t hash = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      uint64_t bits;
      memcpy(&bits, &c[i][j], 8);
      hash = hash * 31 + bits;
    }
  printf("matrix %d: %016llx\n", repeat, (unsigned long long)hash);
  return 0;
}
