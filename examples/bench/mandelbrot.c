/* Benchmark: the Mandelbrot set: double arithmetic with a data-dependent exit from the inner loop. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 160, HEIGHT = 120, LIMIT = 200 };

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 130;
  uint64_t hash = 0;
  for (int r = 0; r < repeat; r++)
    for (int row = 0; row < HEIGHT; row++)
      for (int column = 0; column < WIDTH; column++) {
        double cr = column * 3.0 / WIDTH - 2.0 + r * 0.0009765625, ci = row * 2.0 / HEIGHT - 1.0;
        double zr = 0, zi = 0;
        int n = 0;
        while (n < LIMIT) {
          double rr = zr * zr, ii = zi * zi;
          if (rr + ii > 4)
            break;
          zi = 2 * zr * zi + ci;
          zr = rr - ii + cr;
          n++;
        }
        hash = hash * 31 + (uint64_t)n;
      }
  printf("mandelbrot %d: %016llx\n", repeat, (unsigned long long)hash);
  return 0;
}
