/* Thread-local storage down to the registers: the FS base and the pointer to itself at fs:0, __thread variables in
   many threads, the GS base by arch_prctl, segment overrides, and both bases kept across system calls and signals.
   Source: arch_prctl(2), System V ABI AMD64 supplement on TLS. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 8, ARCH_SET_GS = 0x1001, ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003, ARCH_GET_GS = 0x1004 };

static __thread uint32_t initialised = 0xcafef00d;
static __thread uint64_t zeroed[16];
static __thread char text[24] = "thread-local text";
static __thread uint8_t aligned_block[64] __attribute__((aligned(64)));
static uintptr_t addresses[THREADS];
static pthread_barrier_t barrier;

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static uint64_t fs_word(uint64_t offset) {
  uint64_t value;
  __asm__ volatile("movq %%fs:(%1), %0" : "=r"(value) : "r"(offset));
  return value;
}

static uint64_t base(int code) {
  uint64_t value = 0;
  syscall(SYS_arch_prctl, code, &value);
  return value;
}

static void *thread(void *arg) {
  intptr_t id = (intptr_t)arg;
  int wrong =
      initialised != 0xcafef00d || strcmp(text, "thread-local text") != 0 || ((uintptr_t)aligned_block & 63) != 0;
  for (int i = 0; i < 16; i++) {
    wrong += zeroed[i] != 0;
    zeroed[i] = (uint64_t)(id * 100 + i);
  }
  initialised = (uint32_t)id;
  text[0] = (char)('A' + id);
  addresses[id] = (uintptr_t)&initialised;
  pthread_barrier_wait(&barrier);
  wrong += fs_word(0) != base(ARCH_GET_FS); /* the ABI: fs:0 holds the base itself */
  static const char *const name = "x";
  static uint64_t blocks[THREADS][4];
  blocks[id][1] = (uint64_t)id + 1000;
  wrong += syscall(SYS_arch_prctl, ARCH_SET_GS, blocks[id]) != 0;
  for (int i = 0; i < 50; i++) {
    uint64_t value;
    sched_yield();
    __asm__ volatile("movq %%gs:8, %0" : "=r"(value));
    wrong += value != (uint64_t)id + 1000;
    wrong += zeroed[i & 15] != (uint64_t)(id * 100 + (i & 15)) || initialised != (uint32_t)id || text[0] != 'A' + id;
  }
  return (void *)(intptr_t)(wrong + (name[0] != 'x'));
}

static uint64_t gs_in_handler;

static void handler(int signal) {
  (void)signal;
  __asm__ volatile("movq %%gs:16, %0" : "=r"(gs_in_handler));
  initialised++;
}

int main(void) {
  uint64_t self = fs_word(0);
  printf("fs:0 points to itself: %s, arch_prctl agrees: %s\n", yes(*(uint64_t *)self == self),
         yes(base(ARCH_GET_FS) == self));

  pthread_t threads[THREADS];
  intptr_t wrong = 0;
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (intptr_t i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, thread, (void *)i) != 0)
      return 1;
  for (int i = 0; i < THREADS; i++) {
    void *result;
    pthread_join(threads[i], &result);
    wrong += (intptr_t)result;
  }
  int distinct = 1;
  for (int i = 0; i < THREADS; i++)
    for (int j = 0; j < i; j++)
      distinct &= addresses[i] != addresses[j];
  printf("%d threads: %ld wrong values, copies distinct: %s, main's untouched: %s\n", THREADS, (long)wrong,
         yes(distinct), yes(initialised == 0xcafef00d && zeroed[3] == 0 && text[0] == 't'));

  static uint64_t block[8] = {1, 22, 333, 4444, 55555};
  printf("GS base at first: %llu\n", (unsigned long long)base(ARCH_GET_GS));
  syscall(SYS_arch_prctl, ARCH_SET_GS, block);
  uint64_t value, indexed;
  uint8_t byte;
  __asm__ volatile("movq %%gs:8, %0" : "=r"(value));
  __asm__ volatile("movq %%gs:8(%1,%2,8), %0" : "=r"(indexed) : "r"((uint64_t)8), "r"((uint64_t)2));
  __asm__ volatile("movb %%gs:(%1), %0" : "=q"(byte) : "r"((uint64_t)16));
  printf("GS base set: %s; gs:8 = %llu, gs:8(8,2,8) = %llu, a byte of gs:16 = %u\n",
         yes(base(ARCH_GET_GS) == (uint64_t)block), (unsigned long long)value, (unsigned long long)indexed, byte);
  __asm__ volatile("addq $7, %%gs:32\n\tmovl $5, %%gs:40\n\tlock incl %%gs:40" : : : "memory", "cc");
  printf("written through gs: %llu %llu\n", (unsigned long long)block[4], (unsigned long long)block[5]);
  uint64_t source[2] = {77, 88}, target[2] = {0, 0}, rsi = (uint64_t)source - (uint64_t)block, rdi = (uint64_t)target,
           rcx = 2;
  /* A segment override goes for the source of a string instruction, never for its target. */
  __asm__ volatile("rep movsq %%gs:(%%rsi), (%%rdi)" : "+S"(rsi), "+D"(rdi), "+c"(rcx) : : "memory");
  printf("rep movs from gs: %llu %llu\n", (unsigned long long)target[0], (unsigned long long)target[1]);
  uint64_t address;
  __asm__ volatile(".byte 0x65\n\tleaq 16, %0" : "=r"(address)); /* lea takes no base */
  printf("lea of gs:16: %llu\n", (unsigned long long)address);

  signal(SIGUSR1, handler);
  raise(SIGUSR1);
  __asm__ volatile("movq %%gs:24, %0" : "=r"(value));
  printf("in a handler gs:16 = %llu, after it gs:24 = %llu, TLS changed in it: %s\n", (unsigned long long)gs_in_handler,
         (unsigned long long)value, yes(initialised == 0xcafef00e));

  /* Another FS base for a moment, by raw system calls that touch no TLS. */
  uint64_t mine[4] = {0, 0, 0x1234, 0}, seen;
  long r1 = SYS_arch_prctl, r2;
  __asm__ volatile("syscall\n\t"
                   "movq %%fs:16, %1\n\t"
                   "movq %4, %%rsi\n\tmovl $158, %%eax\n\tmovl $0x1002, %%edi\n\tsyscall"
                   : "+a"(r1), "=&r"(seen)
                   : "D"((long)ARCH_SET_FS), "S"(mine), "r"(self)
                   : "rcx", "r11", "memory");
  r2 = syscall(SYS_arch_prctl, 0x7777, 0);
  printf("FS base switched: fs:16 = %llx, back: %s, unknown code: %s\n", (unsigned long long)seen,
         yes(r1 == 0 && fs_word(0) == self), yes(r2 == -1 && errno == EINVAL));
  r2 = syscall(SYS_arch_prctl, ARCH_SET_GS, 0xffff800000000000);
  printf("a base beyond the user half: %s\n", yes(r2 == -1 && errno == EPERM));
  return 0;
}
