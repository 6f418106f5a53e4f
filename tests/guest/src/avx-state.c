/* The extended state: XSAVE, XSAVEOPT, XSAVEC, XRSTOR with their header checks, XGETBV; the upper halves of ymm in signal
   frames; masked moves and gathers at the end of a page. Says nothing of components beyond AVX, which processors may have.
   Source: Intel SDM volume 1, chapter 13, volume 2 (VMASKMOV, VPGATHERDD), uapi/asm/sigcontext.h. */
#define _GNU_SOURCE
#include <immintrin.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { HEADER = 512, EXTENDED = 576, AREA = 4096 };
static uint8_t area[AREA] __attribute__((aligned(64)));
static sigjmp_buf back;
static uint8_t *closed_page;

static void fill_registers(int seed) {
  static uint8_t values[16][32] __attribute__((aligned(32)));
  for (int r = 0; r < 16; r++)
    for (int i = 0; i < 32; i++) values[r][i] = (uint8_t)(seed + 7 * r + 3 * i + 1);
#define LOAD(n) "vmovdqa 32*" #n "(%0), %%ymm" #n "\n"
  __asm__ volatile(LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7) LOAD(8) LOAD(9) LOAD(10) LOAD(11)
                       LOAD(12) LOAD(13) LOAD(14) LOAD(15)
                   :
                   : "r"(values)
                   : "memory");
}

static uint32_t sum(const uint8_t *bytes, int count) {
  uint32_t s = 2166136261u;
  for (int i = 0; i < count; i++) s = (s ^ bytes[i]) * 16777619u;
  return s;
}

static uint8_t registers[16][32] __attribute__((aligned(32)));
static void store_registers(void) {
#define STORE(n) "vmovdqa %%ymm" #n ", 32*" #n "(%0)\n"
  __asm__ volatile(STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7) STORE(8) STORE(9) STORE(10)
                       STORE(11) STORE(12) STORE(13) STORE(14) STORE(15)
                   :
                   : "r"(registers)
                   : "memory");
}

static void show_area(const char *what) {
  uint64_t header[8];
  memcpy(header, area + HEADER, sizeof header);
  printf("%s: bv %llx comp %llx rest %08x mxcsr %02x%02x xmm %08x ymm %08x\n", what, (unsigned long long)header[0],
         (unsigned long long)header[1], sum((uint8_t *)(header + 2), 48), area[25], area[24], sum(area + 160, 256),
         sum(area + EXTENDED, 256));
}

#define SAVE(insn, mask)                                                                                               \
  do {                                                                                                                 \
    memset(area, 0xaa, AREA);                                                                                          \
    memset(area + HEADER, 0, 64);                                                                                      \
    fill_registers(mask);                                                                                              \
    __asm__ volatile(insn " %0" : "+m"(area) : "a"(mask), "d"(0) : "memory");                                          \
    __asm__ volatile("vzeroupper");                                                                                    \
    show_area(insn " " #mask);                                                                                         \
  } while (0)

static void restore(const char *what, int mask) {
  fill_registers(99);
  __asm__ volatile("xrstor64 %0\n" : : "m"(area), "a"(mask), "d"(0) : "memory");
  store_registers();
  uint32_t mxcsr;
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  printf("%s mask %d: %08x mxcsr %04x\n", what, mask, sum(registers[0], sizeof registers), mxcsr);
  mxcsr = 0x1f80;
  __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("  signal %d code %d addr %s\n", number, info->si_code, info->si_addr == NULL ? "0" : "set");
  siglongjmp(back, 1);
}

static void header_check(const char *what, int offset, int value) {
  memset(area, 0, AREA);
  area[25] = 0x1f;
  area[24] = 0x80;
  area[HEADER] = 7;
  area[offset] = (uint8_t)value;
  printf("%s:\n", what);
  if (sigsetjmp(back, 1) == 0) {
    __asm__ volatile("xrstor64 %0" : : "m"(area), "a"(7), "d"(0) : "memory");
    printf("  fine\n");
  }
}

static void on_user(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  ucontext_t *u = context;
  uint8_t *fp = (uint8_t *)u->uc_mcontext.fpregs;
  uint32_t magic1, extended, size, magic2;
  uint64_t features, held;
  memcpy(&magic1, fp + 464, 4);
  memcpy(&extended, fp + 468, 4);
  memcpy(&features, fp + 472, 8);
  memcpy(&size, fp + 480, 4);
  memcpy(&magic2, fp + size, 4);
  memcpy(&held, fp + HEADER, 8);
  printf("frame: flags %d magic %x %x sizes %d %d features %d held %d aligned %d\n", (int)(u->uc_flags & 1), magic1, magic2,
         size >= 832, extended == size + 4, (int)(features & 7), (int)(held & 7), ((uintptr_t)fp & 63) == 0);
  printf("frame: xmm3 %08x ymmh3 %08x\n", sum(fp + 160 + 48, 16), sum(fp + EXTENDED + 48, 16));
  memset(fp + EXTENDED + 64, 0x44, 16);
  fill_registers(200);
}

static void on_gap(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("  signal %d at %d\n", number, (int)((uint8_t *)info->si_addr - closed_page));
  mprotect(closed_page, 4096, PROT_READ | PROT_WRITE);
}

static void show(const char *what, const void *bytes, int count) {
  printf("%s:", what);
  for (int i = 0; i < count; i++) printf(" %d", ((const int *)bytes)[i]);
  printf("\n");
}

static void partial_accesses(void) {
  uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  closed_page = pages + 4096;
  int *end = (int *)closed_page;
  for (int i = -16; i < 16; i++) end[i] = 100 + i;
  mprotect(closed_page, 4096, PROT_NONE);
  __m256i low = _mm256_setr_epi32(-1, -1, 0, -1, 0, 0, 0, 0), out[1];
  _mm256_storeu_si256(out, _mm256_maskload_epi32(end - 4, low));
  show("load", out, 8);
  _mm256_maskstore_epi32(end - 4, low, _mm256_set1_epi32(7));
  show("store", end - 8, 8);
  struct sigaction action = {.sa_sigaction = on_gap, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  /* The fifth element is on the closed page: the gather goes on when it is open. */
  __m256i index = _mm256_setr_epi32(-1, -3, -5, -7, 2, -2, 3, 9), mask = _mm256_setr_epi32(-1, -1, 0, -1, -1, -1, 0, -1);
  _mm256_storeu_si256(out, _mm256_mask_i32gather_epi32(_mm256_set1_epi32(55), end, index, mask, 4));
  show("gather", out, 8);
  mprotect(closed_page, 4096, PROT_NONE);
  _mm256_maskstore_epi32(end - 2, _mm256_setr_epi32(-1, 0, 0, -1, -1, 0, 0, 0), _mm256_set1_epi32(9));
  show("store", end - 4, 8);
  mprotect(closed_page, 4096, PROT_NONE);
  _mm256_storeu_si256(out, _mm256_loadu_si256((const __m256i *)(end - 3)));
  show("across", out, 8);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  uint32_t eax, edx;
  __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  printf("xcr0 %u\n", eax & 7);
  __asm__ volatile("fninit");
  SAVE("xsave64", 7);
  SAVE("xsave64", 6);
  SAVE("xsave64", 4);
  SAVE("xsave64", 2);
  SAVE("xsave64", 1);
  SAVE("xsaveopt64", 6);
  SAVE("xsavec64", 6);
  SAVE("xsavec64", 4);
  SAVE("xsave64", 7);
  area[24] = 0xc0;
  restore("all", 7);
  restore("avx", 4);
  restore("sse", 2);
  restore("x87", 1);
  area[HEADER] = 3;
  restore("avx initial", 7);
  area[HEADER] = 4;
  restore("sse initial", 6);
  area[HEADER] = 0;
  restore("all initial", 7);
  SAVE("xsavec64", 7);
  area[24] = 0xc0;
  restore("compacted", 7);
  area[HEADER] = 4;
  restore("compacted, sse initial", 7);

  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  header_check("sound", HEADER, 7);
  header_check("a component that is not there", HEADER + 7, 0x40);
  header_check("a compacted layout's bit", HEADER + 8, 1);
  header_check("byte 16", HEADER + 16, 1);
  header_check("byte 24", HEADER + 24, 1);
  header_check("mxcsr", 26, 1);
  header_check("compacted without components", HEADER + 15, 0x80);
  printf("misaligned:\n");
  if (sigsetjmp(back, 1) == 0) __asm__ volatile("xsave64 %0" : : "m"(area[16]), "a"(7), "d"(0) : "memory");
  printf("xgetbv of 7:\n");
  if (sigsetjmp(back, 1) == 0) __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(7));
  printf("xsetbv:\n");
  if (sigsetjmp(back, 1) == 0) __asm__ volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
  printf("vmovdqa misaligned:\n");
  if (sigsetjmp(back, 1) == 0) __asm__ volatile("vmovdqa %0, %%ymm0" : : "m"(area[16]) : "memory");

  action.sa_sigaction = on_user;
  sigaction(SIGUSR1, &action, NULL);
  fill_registers(3);
  __asm__ volatile("syscall" : "=a"(eax) : "a"(39) : "rcx", "r11", "memory");
  __asm__ volatile("syscall" : "=a"(edx) : "a"(62), "D"(eax), "S"(SIGUSR1) : "rcx", "r11", "memory");
  store_registers();
  printf("after: %08x ymm3 %08x ymm4 %08x\n", sum(registers[0], sizeof registers), sum(registers[3], 32), sum(registers[4], 32));

  partial_accesses();
  return 0;
}
