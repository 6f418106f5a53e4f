/* SB, store buffering: x=1; r0=y  ||  y=1; r1=x. r0=r1=0 is the one reordering that x86-TSO allows; a fence or a locked
   instruction between store and load forbids it. A thread sees its own store at once, from the store buffer. */
#include "litmus.h"

static void plain0(struct slot *s, uint32_t *r) {
  uint32_t seen;
  STORE(s->x, 1);
  LOAD(seen, s->y);
  r[0] = seen;
}
static void plain1(struct slot *s, uint32_t *r) {
  uint32_t seen;
  STORE(s->y, 1);
  LOAD(seen, s->x);
  r[0] = seen;
}
static void mfence0(struct slot *s, uint32_t *r) {
  uint32_t seen;
  STORE(s->x, 1);
  MFENCE();
  LOAD(seen, s->y);
  r[0] = seen;
}
static void mfence1(struct slot *s, uint32_t *r) {
  uint32_t seen;
  STORE(s->y, 1);
  MFENCE();
  LOAD(seen, s->x);
  r[0] = seen;
}
static void xchg0(struct slot *s, uint32_t *r) {
  uint32_t seen;
  EXCHANGE(s->x, 1);
  LOAD(seen, s->y);
  r[0] = seen;
}
static void xchg1(struct slot *s, uint32_t *r) {
  uint32_t seen;
  EXCHANGE(s->y, 1);
  LOAD(seen, s->x);
  r[0] = seen;
}
static void lock0(struct slot *s, uint32_t *r) {
  uint32_t seen;
  STORE(s->x, 1);
  LOCKED_ADD();
  LOAD(seen, s->y);
  r[0] = seen;
}
static void lock1(struct slot *s, uint32_t *r) {
  uint32_t seen;
  STORE(s->y, 1);
  LOCKED_ADD();
  LOAD(seen, s->x);
  r[0] = seen;
}

static void forwarding0(struct slot *s, uint32_t *r) {
  uint32_t own, other;
  STORE(s->x, 1);
  LOAD(own, s->x);
  LOAD(other, s->y);
  r[0] = own;
  r[1] = other;
}
static void forwarding1(struct slot *s, uint32_t *r) {
  uint32_t own, other;
  STORE(s->y, 1);
  LOAD(own, s->y);
  LOAD(other, s->x);
  r[0] = own;
  r[1] = other;
}

static int both_zero(const uint32_t *r) { return r[0] == 0 && r[1] == 0; }

static int both_early(const uint32_t *r) { return r[0] == 1 && r[1] == 0 && r[2] == 1 && r[3] == 0; }
static int own_missed(const uint32_t *r) { return r[0] == 0 || r[2] == 0; }

static const struct test tests[] = {
    {"sb", "x=1; r0=y || y=1; r1=x", 2, {plain0, plain1}, {1, 1}, 0, both_zero, 0},
    {"sb-mfence", "x=1; mfence; r0=y || y=1; mfence; r1=x", 2, {mfence0, mfence1}, {1, 1}, 0, both_zero, 1},
    {"sb-xchg", "xchg x,1; r0=y || xchg y,1; r1=x", 2, {xchg0, xchg1}, {1, 1}, 0, both_zero, 1},
    {"sb-lock", "x=1; lock add; r0=y || y=1; lock add; r1=x", 2, {lock0, lock1}, {1, 1}, 0, both_zero, 1},
    {"sb-forwarding", "x=1; r0=x; r1=y || y=1; r2=y; r3=x", 2, {forwarding0, forwarding1}, {2, 2}, 0, both_early, 0},
    {"sb-own-store", "x=1; r0=x; r1=y || y=1; r2=y; r3=x", 2, {forwarding0, forwarding1}, {2, 2}, 0, own_missed, 1},
};

int main(int argc, char **argv) { return litmus_main(argc, argv, tests, (int)(sizeof tests / sizeof *tests)); }
