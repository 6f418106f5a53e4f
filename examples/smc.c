/* Self-modifying code, as x86 guarantees it: what was written is what runs, at once, without any cache flush.
   Functions written and patched in a writable and executable page; under W^X by mprotect; an instruction that patches
   the very next one; a loop that rewrites its own operand; code and counters on one page; code replaced by read(2),
   by munmap and mmap at the same address, and by another thread.
   Source: Intel SDM volume 3, "Self-Modifying Code" and "Handling Self- and Cross-Modifying Code". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

typedef uint64_t function(uint64_t);

static uint8_t *map(int protection) {
  void *p = mmap(NULL, 2 * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

/* Writes "lea constant(%rdi), %rax; ret": 8 bytes. */
static void write_add(uint8_t *code, int32_t constant) {
  static const uint8_t bytes[] = {0x48, 0x8d, 0x87, 0, 0, 0, 0, 0xc3};
  memcpy(code, bytes, sizeof bytes);
  memcpy(code + 3, &constant, 4);
}

static uint64_t call(uint8_t *code, uint64_t argument) { return ((function *)(void *)code)(argument); }

static void rewritten(void) {
  uint8_t *code = map(PROT_READ | PROT_WRITE | PROT_EXEC);
  uint64_t sum = 0;
  for (int i = 0; i < 3000; i++) {
    write_add(code, i);
    sum += call(code, 1);
  }
  printf("function written and run 3000 times: %s\n", sum == 3000ull * 2999 / 2 + 3000 ? "right" : "WRONG");

  /* Hot, then patched: long enough to be compiled, and the caller's loop with it. */
  sum = 0;
  for (int i = 0; i < 10; i++) {
    int32_t constant = i * 1000;
    memcpy(code + 3, &constant, 4);
    for (int j = 0; j < 20000; j++)
      sum += call(code, (uint64_t)j);
  }
  uint64_t expected = 10ull * (20000ull * 19999 / 2) + 20000ull * 45000;
  printf("patched between 10 hot loops: %s\n", sum == expected ? "right" : "WRONG");

  /* One byte in the middle of an instruction, from each width of store. */
  sum = 0;
  write_add(code, 0);
  for (int i = 0; i < 256; i++) {
    *(volatile uint8_t *)(code + 3) = (uint8_t)i;
    sum += call(code, 0);
    *(volatile uint16_t *)(code + 4) = (uint16_t)i;
    sum += call(code, 0);
    *(volatile uint32_t *)(code + 3) = (uint32_t)i;
    sum += call(code, 0);
    *(volatile uint64_t *)code = 0xc300000000878d48ull | (uint64_t)i << 24;
    sum += call(code, 0);
  }
  uint64_t wanted = 0;
  uint32_t operand = 0;
  for (uint32_t i = 0; i < 256; i++) {
    operand = (operand & 0xffffff00u) | i;
    wanted += (uint64_t)(int64_t)(int32_t)operand;
    operand = (operand & 0xff0000ffu) | i << 8;
    wanted += (uint64_t)(int64_t)(int32_t)operand;
    operand = i;
    wanted += operand + (uint64_t)operand;
  }
  printf("patched by stores of 1, 2, 4 and 8 bytes: %s\n", sum == wanted ? "right" : "WRONG");
  munmap(code, 2 * PAGE);
}

static void write_xor_execute(void) {
  uint8_t *code = map(PROT_READ | PROT_WRITE);
  uint64_t sum = 0;
  for (int i = 0; i < 200; i++) {
    mprotect(code, PAGE, PROT_READ | PROT_WRITE);
    write_add(code, 2 * i);
    mprotect(code, PAGE, PROT_READ | PROT_EXEC);
    for (int j = 0; j < 20; j++)
      sum += call(code, 5);
  }
  printf("W^X by mprotect, 200 versions: %s\n", sum == 20ull * (200ull * 199 + 1000) ? "right" : "WRONG");
  munmap(code, 2 * PAGE);
}

static void next_instruction(void) {
  /* movb %sil, 1(%rip's target); target: mov $imm8, %al ... all in one block:
       0: 40 88 35 01 00 00 00   mov %sil, 1(%rip)    -> byte 8, the immediate below
       7: b0 00                  mov $0, %al
       9: 0f b6 c0               movzbl %al, %eax
      12: c3                     ret */
  static const uint8_t bytes[] = {0x40, 0x88, 0x35, 1, 0, 0, 0, 0xb0, 0, 0x0f, 0xb6, 0xc0, 0xc3};
  uint8_t *code = map(PROT_READ | PROT_WRITE | PROT_EXEC);
  memcpy(code, bytes, sizeof bytes);
  uint64_t (*patch)(uint64_t, uint8_t) = (uint64_t(*)(uint64_t, uint8_t))(void *)code;
  unsigned wrong = 0;
  for (int i = 0; i < 1000; i++)
    wrong += patch(0, (uint8_t)(i * 7)) != (uint8_t)(i * 7);
  printf("instruction that patches the next one: %u of 1000 wrong\n", wrong);

  /* The same turned around: the store makes the next byte an "inc %eax" (ff c0) or a two-byte nop (66 90).
       0: 31 c0                   xor %eax, %eax
       2: 66 89 3d 00 00 00 00    mov %di, 0(%rip)    -> byte 9
       9: 66 90                   (replaced)
      11: c3                      ret */
  static const uint8_t other[] = {0x31, 0xc0, 0x66, 0x89, 0x3d, 0, 0, 0, 0, 0x66, 0x90, 0xc3};
  memcpy(code, other, sizeof other);
  unsigned increments = 0;
  for (int i = 0; i < 1000; i++)
    increments += (unsigned)call(code, i % 3 == 0 ? 0xc0ff : 0x9066);
  printf("instruction that inserts an inc: %u of 1000\n", increments);
  munmap(code, 2 * PAGE);
}

static void own_operand(void) {
  /* A loop that adds an immediate and increments that immediate:
       0: 31 c0                   xor %eax, %eax
       2: 05 01 00 00 00          add $1, %eax        (the operand, at byte 3)
       7: ff 05 f6 ff ff ff       incl -10(%rip)      -> byte 3
      13: 83 ef 01                sub $1, %edi
      16: 75 f0                   jnz 2
      18: c3                      ret */
  static const uint8_t bytes[] = {0x31, 0xc0, 0x05, 1,    0,    0,    0,    0xff, 0x05, 0xf6,
                                  0xff, 0xff, 0xff, 0x83, 0xef, 0x01, 0x75, 0xf0, 0xc3};
  uint8_t *code = map(PROT_READ | PROT_WRITE | PROT_EXEC);
  memcpy(code, bytes, sizeof bytes);
  uint64_t sum = call(code, 1000);
  printf("loop that increments its own operand: %llu (%s)\n", (unsigned long long)sum,
         sum == 500500 ? "right" : "WRONG");
  munmap(code, 2 * PAGE);
}

static void one_page(void) {
  /* Code that counts in a word of its own page, 64 bytes behind:
       0: ff 05 3a 00 00 00       incl 58(%rip)       -> byte 64
       6: 83 ef 01                sub $1, %edi
       9: 75 f5                   jnz 0
      11: 8b 05 2f 00 00 00       mov 47(%rip), %eax  -> byte 64
      17: c3                      ret */
  static const uint8_t bytes[] = {0xff, 0x05, 0x3a, 0,    0,    0, 0x83, 0xef, 0x01,
                                  0x75, 0xf5, 0x8b, 0x05, 0x2f, 0, 0,    0,    0xc3};
  uint8_t *code = map(PROT_READ | PROT_WRITE | PROT_EXEC);
  memcpy(code, bytes, sizeof bytes);
  uint64_t count = call(code, 200000);
  count = call(code, 100000);
  printf("code and counter on one page: %llu\n", (unsigned long long)count);

  /* A function that straddles two pages, patched on its second one. */
  uint64_t sum = 0;
  for (int i = 0; i < 500; i++) {
    if (i == 0)
      write_add(code + PAGE - 4, 0);
    code[PAGE] = (uint8_t)i; /* second byte of the constant */
    sum += call(code + PAGE - 4, 1);
  }
  uint64_t wanted = 0;
  for (uint64_t i = 0; i < 500; i++)
    wanted += 1 + ((i & 255) << 8);
  printf("function across two pages, patched 500 times: %s\n", sum == wanted ? "right" : "WRONG");
  munmap(code, 2 * PAGE);
}

static void by_the_kernel(void) {
  uint8_t *code = map(PROT_READ | PROT_WRITE | PROT_EXEC);
  uint8_t image[8];
  int ends[2];
  uint64_t sum = 0;
  if (pipe(ends) != 0)
    return;
  for (int i = 0; i < 100; i++) {
    write_add(image, 3 * i);
    if (write(ends[1], image, 8) != 8 || read(ends[0], code, 8) != 8)
      return;
    sum += call(code, 1);
  }
  printf("code replaced by read(2): %s\n", sum == 3ull * 4950 + 100 ? "right" : "WRONG");
  close(ends[0]);
  close(ends[1]);

  sum = 0;
  for (int i = 0; i < 100; i++) {
    munmap(code, 2 * PAGE);
    void *again =
        mmap(code, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (again != code || code[0] != 0)
      return;
    write_add(code, 5 * i);
    sum += call(code, 1);
  }
  printf("code unmapped, mapped and written again: %s\n", sum == 5ull * 4950 + 100 ? "right" : "WRONG");
  munmap(code, 2 * PAGE);
}

static uint8_t *shared;
static volatile int version, finished;

static void *patcher(void *arg) {
  for (int i = 1; i <= 200; i++) {
    while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) != i - 1)
      sched_yield();
    write_add(shared, i * 10);
    __atomic_store_n(&version, i, __ATOMIC_RELEASE);
  }
  return arg;
}

static void serialize(void) {
  uint32_t a = 0, b, c = 0, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
}

static void by_another_thread(void) {
  pthread_t thread;
  uint64_t sum = 0;
  shared = map(PROT_READ | PROT_WRITE | PROT_EXEC);
  if (shared == NULL || pthread_create(&thread, NULL, patcher, NULL) != 0)
    return;
  for (int i = 1; i <= 200; i++) {
    while (__atomic_load_n(&version, __ATOMIC_ACQUIRE) != i)
      sched_yield();
    serialize();
    for (int j = 0; j < 10; j++)
      sum += call(shared, 1);
    __atomic_store_n(&finished, i, __ATOMIC_RELEASE);
  }
  pthread_join(thread, NULL);
  printf("code written by another thread, 200 versions: %s\n", sum == 10ull * (10 * 20100 + 200) ? "right" : "WRONG");
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  rewritten();
  write_xor_execute();
  next_instruction();
  own_operand();
  one_page();
  by_the_kernel();
  by_another_thread();
  return 0;
}
