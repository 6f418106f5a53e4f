/* MP, message passing: x=1; y=1  ||  r0=y; r1=x. r0=1, r1=0 would need two stores or two loads out of order, which
   x86-TSO forbids. The controls do the accesses in the opposite order on purpose: there the same outcome is allowed and
   must be seen, or the test is blind. */
#include "litmus.h"

static void lock(struct slot *s) {
  uint32_t taken = 1;
  for (;;) {
    __asm__ volatile("xchgl %0, %1" : "+r"(taken), "+m"(s->lock.value) : : "memory");
    if (taken == 0)
      return;
    while (s->lock.value != 0)
      pause_cpu();
  }
}
static void unlock(struct slot *s) { STORE(s->lock, 0); }

static void writer(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->x, 1);
  STORE(s->y, 1);
}
static void reader(struct slot *s, uint32_t *r) {
  uint32_t a, b;
  LOAD(a, s->y);
  LOAD(b, s->x);
  r[0] = a;
  r[1] = b;
}
static void swapped_writer(struct slot *s, uint32_t *r) {
  (void)r;
  STORE(s->y, 1);
  STORE(s->x, 1);
}
static void swapped_reader(struct slot *s, uint32_t *r) {
  uint32_t a, b;
  LOAD(b, s->x);
  LOAD(a, s->y);
  r[0] = a;
  r[1] = b;
}

static void locked_writer(struct slot *s, uint32_t *r) {
  (void)r;
  lock(s);
  STORE(s->y, 1); /* the order within the lock must not show */
  STORE(s->x, 1);
  unlock(s);
}
static void locked_reader(struct slot *s, uint32_t *r) {
  uint32_t a, b;
  lock(s);
  LOAD(b, s->x);
  LOAD(a, s->y);
  unlock(s);
  r[0] = a;
  r[1] = b;
}

static int torn(const uint32_t *r) { return r[0] != r[1]; }
static int stale(const uint32_t *r) { return r[0] == 1 && r[1] == 0; }

static const struct test tests[] = {
    {"mp", "x=1; y=1 || r0=y; r1=x", 2, {writer, reader}, {0, 2}, 0, stale, 1},
    {"mp-lock",
     "lock; y=1; x=1; unlock || lock; r1=x; r0=y; unlock",
     2,
     {locked_writer, locked_reader},
     {0, 2},
     0,
     torn,
     1},
    {"mp-control-stores", "y=1; x=1 || r0=y; r1=x", 2, {swapped_writer, reader}, {0, 2}, 0, stale, 0},
    {"mp-control-loads", "x=1; y=1 || r1=x; r0=y", 2, {writer, swapped_reader}, {0, 2}, 0, stale, 0},
};

int main(int argc, char **argv) { return litmus_main(argc, argv, tests, (int)(sizeof tests / sizeof *tests)); }
