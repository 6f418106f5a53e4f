/* Benchmark: planets under gravity, five bodies, symplectic steps: double arithmetic with division and square root. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODIES = 5 };

struct body {
  double x[3], v[3], mass;
};

/* Round figures of a sun and four planets; units: AU, days, solar masses times 4 pi^2 / 365.24^2. */
static struct body bodies[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 2.959e-4},
    {{4.84, -1.16, -0.10}, {0.00166, 0.00770, -0.0000690}, 2.825e-7},
    {{8.34, 4.12, -0.40}, {-0.00277, 0.00500, 0.0000230}, 8.460e-8},
    {{12.89, -15.11, -0.22}, {0.00296, 0.00238, -0.0000297}, 1.292e-8},
    {{15.38, -25.92, 0.18}, {0.00268, 0.00163, -0.0000952}, 1.524e-8},
};

static void step(double dt) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      double d[3], square = 0;
      for (int k = 0; k < 3; k++) {
        d[k] = bodies[i].x[k] - bodies[j].x[k];
        square += d[k] * d[k];
      }
      double factor = dt / (square * sqrt(square));
      for (int k = 0; k < 3; k++) {
        bodies[i].v[k] -= d[k] * bodies[j].mass * factor;
        bodies[j].v[k] += d[k] * bodies[i].mass * factor;
      }
    }
  for (int i = 0; i < BODIES; i++)
    for (int k = 0; k < 3; k++)
      bodies[i].x[k] += dt * bodies[i].v[k];
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 650;
  for (int r = 0; r < repeat; r++)
    for (int i = 0; i < 10000; i++)
      step(1.0);
  uint64_t hash = 0;
  for (int i = 0; i < BODIES; i++)
    for (int k = 0; k < 3; k++) {
      uint64_t bits;
      memcpy(&bits, &bodies[i].x[k], 8);
      hash = hash * 31 + bits;
    }
  printf("nbody %d: %016llx, planet 1 at %.9f %.9f %.9f\n", repeat, (unsigned long long)hash, bodies[1].x[0],
         bodies[1].x[1], bodies[1].x[2]);
  return 0;
}
