/* IRIW, independent reads of independent writes: x=1 || y=1 || r0=x; r1=y || r2=y; r3=x. r0=1 r1=0 r2=1 r3=0 would mean
   that two readers saw the two stores in opposite orders; x86-TSO forbids it. WRC, write to read causality, asks the
   same of three threads. The controls load in the opposite order on purpose. */
#include "litmus.h"

static void store_x(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->x, 1);
}
static void store_y(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->y, 1);
}
static void read_xy(struct slot *s, uint32_t *r) {
  uint32_t a, b;
  LOAD(a, s->x);
  LOAD(b, s->y);
  r[0] = a;
  r[1] = b;
}
static void read_yx(struct slot *s, uint32_t *r) {
  uint32_t a, b;
  LOAD(a, s->y);
  LOAD(b, s->x);
  r[0] = a;
  r[1] = b;
}
static void swapped_xy(struct slot *s, uint32_t *r) {
  uint32_t a, b;
  LOAD(b, s->y);
  LOAD(a, s->x);
  r[0] = a;
  r[1] = b;
}
static void swapped_yx(struct slot *s, uint32_t *r) {
  uint32_t a, b;
  LOAD(b, s->x);
  LOAD(a, s->y);
  r[0] = a;
  r[1] = b;
}
static void pass_on(struct slot *s, uint32_t *r) {
  uint32_t seen;
  LOAD(seen, s->x);
  if (seen)
    STORE(s->y, 1);
  r[0] = seen;
}

static int opposite(const uint32_t *r) { return r[0] == 1 && r[1] == 0 && r[2] == 1 && r[3] == 0; }
static int uncaused(const uint32_t *r) { return r[0] == 1 && r[1] == 1 && r[2] == 0; }

static const struct test tests[] = {
    {"iriw",
     "x=1 || y=1 || r0=x; r1=y || r2=y; r3=x",
     4,
     {store_x, store_y, read_xy, read_yx},
     {0, 0, 2, 2},
     0,
     opposite,
     1},
    {"iriw-control",
     "x=1 || y=1 || r1=y; r0=x || r3=x; r2=y",
     4,
     {store_x, store_y, swapped_xy, swapped_yx},
     {0, 0, 2, 2},
     0,
     opposite,
     0},
    {"wrc", "x=1 || if (r0=x) y=1 || r1=y; r2=x", 3, {store_x, pass_on, read_yx}, {0, 1, 2}, 0, uncaused, 1},
    {"wrc-control", "x=1 || if (r0=x) y=1 || r2=x; r1=y", 3, {store_x, pass_on, swapped_yx}, {0, 1, 2}, 0, uncaused, 0},
};

int main(int argc, char **argv) { return litmus_main(argc, argv, tests, (int)(sizeof tests / sizeof *tests)); }
