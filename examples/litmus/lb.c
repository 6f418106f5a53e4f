/* LB, load buffering: r0=x; y=1  ||  r1=y; x=1. r0=r1=1 would need a store to run ahead of an earlier load, which
   x86-TSO forbids. The control stores first on purpose. */
#include "litmus.h"

static void load_x_store_y(struct slot *s, uint32_t *r) {
  uint32_t seen;
  LOAD(seen, s->x);
  STORE(s->y, 1);
  r[0] = seen;
}
static void load_y_store_x(struct slot *s, uint32_t *r) {
  uint32_t seen;
  LOAD(seen, s->y);
  STORE(s->x, 1);
  r[0] = seen;
}
static void store_x_load_y(struct slot *s, uint32_t *r) {
  uint32_t seen;
  STORE(s->x, 1);
  LOAD(seen, s->y);
  r[0] = seen;
}

static int both_one(const uint32_t *r) { return r[0] == 1 && r[1] == 1; }

static const struct test tests[] = {
    {"lb", "r0=x; y=1 || r1=y; x=1", 2, {load_x_store_y, load_y_store_x}, {1, 1}, 0, both_one, 1},
    {"lb-control", "r0=x; y=1 || x=1; r1=y", 2, {load_x_store_y, store_x_load_y}, {1, 1}, 0, both_one, 0},
};

int main(int argc, char **argv) { return litmus_main(argc, argv, tests, (int)(sizeof tests / sizeof *tests)); }
