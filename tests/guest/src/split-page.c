/* Accesses that begin below 0xe0000000 and end above it: lift64 has the pages on the two sides in different places.
   Source: mmap(2); the native run is the reference. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };
static uint8_t *const border = (uint8_t *)0xe0000000;

static void show(const char *what) {
  printf("%-12s", what);
  for (int i = -16; i < 16; i++)
    printf("%s%02x", i == 0 ? " | " : " ", border[i]);
  printf("\n");
}

static void fill(void) {
  for (int i = -64; i < 64; i++)
    border[i] = (uint8_t)(i * 37 + 11);
}

int main(void) {
  uint64_t value, old = 0x1111;
  for (int side = -1; side <= 0; side++)
    if (mmap(border + side * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
        border + side * PAGE)
      return 1;
  fill();
  for (int i = 1; i < 8; i++) {
    __asm__ volatile("mov (%1), %0" : "=r"(value) : "r"(border - i) : "memory");
    printf("load at -%d: %llx\n", i, (unsigned long long)value);
  }
  __asm__ volatile("mov %0, (%1)" : : "r"(0x8877665544332211ull), "r"(border - 3) : "memory");
  show("mov");
  __asm__ volatile("lock xadd %0, (%1)" : "+r"(old) : "r"(border - 5) : "memory");
  show("lock xadd");
  printf("old %llx\n", (unsigned long long)old);
  __asm__ volatile("addw $0x1234, (%0)" : : "r"(border - 1) : "memory", "cc");
  show("addw");
  __asm__ volatile("movups (%0), %%xmm0\n\tmovups %%xmm0, (%1)" : : "r"(border - 11), "r"(border - 6) : "memory", "xmm0");
  show("movups");
  __asm__ volatile("fldt (%0)\n\tfstpt (%1)" : : "r"(border - 4), "r"(border - 9) : "memory");
  show("fstpt");
  uint8_t *to = border - 8, *from = border - 20;
  uint64_t count = 16;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  show("rep movsb");
  to = border - 4, count = 3;
  __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0x0102030405060708ull) : "memory");
  show("rep stosq");
  to = border - 4, from = border - 12;
  __asm__ volatile("movsq" : "+D"(to), "+S"(from) : : "memory");
  show("movsq");
  __asm__ volatile("push %%rbp\n\tmov %%rsp, %%rbp\n\tmov %0, %%rsp\n\tpush $0x55667788\n\tpop %%rcx\n\tmov %%rbp, "
                   "%%rsp\n\tpop %%rbp"
                   :
                   : "r"(border + 4)
                   : "memory", "rcx");
  show("push");
  memmove(border - 30, border - 15, 40);
  show("memmove");
  uint64_t sum = 0;
  for (int round = 0; round < 3000; round++) {
    uint64_t x;
    memcpy(&x, border - 3, sizeof x);
    sum = sum * 31 + x;
    x += (uint64_t)round;
    memcpy(border - 3, &x, sizeof x);
  }
  show("loop");
  printf("sum %llx\n", (unsigned long long)sum);
  return 0;
}
