/* Code that changes in phases, as a JIT compiler's does: a page is written to again and again, then left alone while its code gets hot, then written to once more. Also code and data on one page.
   Each result tells whether the newest bytes ran. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

typedef unsigned (*Function)(unsigned);

static unsigned char *page;

/* mov eax, edi; add eax, value; ret */
static Function put(unsigned at, unsigned value) {
  unsigned char code[] = {0x89, 0xf8, 0x05, 0, 0, 0, 0, 0xc3};
  memcpy(code + 3, &value, 4);
  memcpy(page + at, code, sizeof code);
  return (Function)(page + at);
}

static unsigned call(Function f, int times) {
  unsigned sum = 0;
  for (int i = 0; i < times; i++) sum = sum * 31 + f(i);
  return sum;
}

int main(void) {
  page = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return 1;

  unsigned sum = 0;
  for (int round = 0; round < 4; round++) {
    /* One function after another, and the same place anew. */
    for (unsigned i = 0; i < 100; i++) {
      sum = sum * 7 + call(put(16 * i, i + round), 3);
      sum = sum * 7 + call(put(0x900, 1000 * i + round), 3);
    }
    /* Calm: hot, in all tiers. */
    Function f = put(0x900, 77 + round);
    sum = sum * 7 + call(f, 60000);
    /* The same place, once. */
    put(0x900, 78 + round);
    sum = sum * 7 + call(f, 60000);
    /* A function over the end of the page. */
    sum = sum * 7 + call(put(4096 - 4, 5 * round), 20000);
    printf("round %d: %08x\n", round, sum);
  }

  /* Data beside code: every call is followed by a write to its page. */
  Function f = put(0x40, 9);
  volatile unsigned *data = (unsigned *)(page + 0x800);
  for (unsigned i = 0; i < 60000; i++) {
    sum = sum * 31 + f(i);
    *data = sum;
  }
  put(0x40, 10);
  sum = sum * 31 + f(1) + *data;
  printf("with data: %08x\n", sum);
  return 0;
}
