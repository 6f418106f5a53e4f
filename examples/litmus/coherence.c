/* Order on one location and of stores. CoRR: two loads of x in order never see a newer value and then an older one.
   S: x=2; y=1 || r0=y; x=1, and 2+2W: x=1; y=2 || y=1; x=2, ask for stores in order by the values that stay.
   R: x=1; y=1 || y=2; r0=x is the store buffer once more, and allowed. Atomic: two locked increments lose none. */
#include "litmus.h"

static void store_1_2(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->x, 1);
  STORE(s->x, 2);
}
static void load_twice(struct slot *s, uint32_t *r) {
  uint32_t a, b;
  LOAD(a, s->x);
  LOAD(b, s->x);
  r[0] = a;
  r[1] = b;
}
static void s_writer(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->x, 2);
  STORE(s->y, 1);
}
static void s_reader(struct slot *s, uint32_t *r) {
  uint32_t a;
  LOAD(a, s->y);
  STORE(s->x, 1);
  r[0] = a;
}
static void x1_y2(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->x, 1);
  STORE(s->y, 2);
}
static void y1_x2(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->y, 1);
  STORE(s->x, 2);
}
static void y2_x1(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->y, 2);
  STORE(s->x, 1);
}
static void x1_y1(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->x, 1);
  STORE(s->y, 1);
}
static void y2_load_x(struct slot *s, uint32_t *r) {
  uint32_t a;
  STORE(s->y, 2);
  LOAD(a, s->x);
  r[0] = a;
}
static void locked_increment(struct slot *s, uint32_t *r) {
  (void)r;
  __asm__ volatile("lock incl %0" : "+m"(s->x.value) : : "memory", "cc");
}
static void plain_increment(struct slot *s, uint32_t *r) {
  (void)r;
  __asm__ volatile("incl %0" : "+m"(s->x.value) : : "memory", "cc");
}

static int backwards(const uint32_t *r) { return r[0] > r[1]; }
static int s_order(const uint32_t *r) { return r[0] == 1 && r[1] == 2; }
static int both_first(const uint32_t *r) { return r[0] == 1 && r[1] == 1; }
static int r_order(const uint32_t *r) { return r[0] == 0 && r[2] == 2; }
static int lost(const uint32_t *r) { return r[0] != 2; }

static const struct test tests[] = {
    {"corr", "x=1; x=2 || r0=x; r1=x", 2, {store_1_2, load_twice}, {0, 2}, 0, backwards, 1},
    {"s", "x=2; y=1 || r0=y; x=1", 2, {s_writer, s_reader}, {0, 1}, 1, s_order, 1},
    {"2+2w", "x=1; y=2 || y=1; x=2", 2, {x1_y2, y1_x2}, {0, 0}, 2, both_first, 1},
    {"2+2w-control", "y=2; x=1 || y=1; x=2", 2, {y2_x1, y1_x2}, {0, 0}, 2, both_first, 0},
    {"r", "x=1; y=1 || y=2; r0=x", 2, {x1_y1, y2_load_x}, {0, 1}, 2, r_order, 0},
    {"atomic", "lock inc x || lock inc x", 2, {locked_increment, locked_increment}, {0, 0}, 1, lost, 1},
    {"atomic-control", "inc x || inc x", 2, {plain_increment, plain_increment}, {0, 0}, 1, lost, 0},
};

int main(int argc, char **argv) { return litmus_main(argc, argv, tests, (int)(sizeof tests / sizeof *tests)); }
