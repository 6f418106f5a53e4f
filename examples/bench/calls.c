/* Benchmark: virtual calls: shapes with function tables, called through pointers in mixed order. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHAPES = 1000 };

struct shape;

struct methods {
  int64_t (*area)(const struct shape *);
  void (*grow)(struct shape *, int);
};

struct shape {
  const struct methods *methods;
  int a, b;
};

static int64_t square_area(const struct shape *s) { return (int64_t)s->a * s->a; }
static int64_t rectangle_area(const struct shape *s) { return (int64_t)s->a * s->b; }
static int64_t triangle_area(const struct shape *s) { return (int64_t)s->a * s->b / 2; }
static int64_t disc_area(const struct shape *s) { return (int64_t)s->a * s->a * 355 / 113; }
static void grow_both(struct shape *s, int by) {
  s->a = (s->a + by) & 1023;
  s->b = (s->b + by * 2) & 1023;
}
static void grow_one(struct shape *s, int by) { s->a = (s->a + by * 3) & 1023; }

static const struct methods kinds[4] = {
    {square_area, grow_one}, {rectangle_area, grow_both}, {triangle_area, grow_both}, {disc_area, grow_one}};

static struct shape shapes[SHAPES];

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 500;
  uint64_t sum = 0;
  uint32_t x = 7;
  for (int i = 0; i < SHAPES; i++) {
    x = x * 1664525u + 1013904223u;
    shapes[i].methods = &kinds[x >> 30];
    shapes[i].a = i & 511;
    shapes[i].b = (i * 3) & 511;
  }
  for (int r = 0; r < repeat; r++)
    for (int turn = 0; turn < 100; turn++)
      for (int i = 0; i < SHAPES; i++) {
        shapes[i].methods->grow(&shapes[i], turn & 7);
        sum += (uint64_t)shapes[i].methods->area(&shapes[i]);
      }
  printf("calls %d: %016llx\n", repeat, (unsigned long long)sum);
  return 0;
}
