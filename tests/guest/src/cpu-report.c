/* What the processor says of itself, from all sides: CPUID, XGETBV, AT_HWCAP, AT_HWCAP2, /proc/cpuinfo, and whether an
   instruction of each feature runs or raises SIGILL. Prints the features, and a line for each disagreement. For
   lift64's models: a kernel may hide features that its processor has. Source: Intel SDM 2A, CPUID; AMD APM 3, appendix
   E; Linux' cpufeatures.h. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

static int wrong;
#define DISAGREE(...) (wrong = 1, printf("disagree: " __VA_ARGS__))

static sigjmp_buf back;
static void on_signal(int signal) { siglongjmp(back, signal); }

static uint8_t area[4096] __attribute__((aligned(64)));
#define TRY(name, text)                                                                                                \
  static void name(void) {                                                                                             \
    __asm__ volatile(text : : "r"(area), "a"(0), "c"(0), "d"(0) : "memory", "xmm0", "xmm1", "rbx", "cc");              \
  }
TRY(try_nothing, "")
TRY(try_sse3, "addsubpd %%xmm1, %%xmm0")
TRY(try_pclmul, "pclmulqdq $0, %%xmm1, %%xmm0")
TRY(try_ssse3, "pshufb %%xmm1, %%xmm0")
TRY(try_fma, "vfmadd213sd %%xmm1, %%xmm1, %%xmm0")
TRY(try_cx16, "xor %%ebx, %%ebx; cmpxchg16b (%0)")
TRY(try_sse41, "pmulld %%xmm1, %%xmm0")
TRY(try_sse42, "pcmpgtq %%xmm1, %%xmm0")
TRY(try_movbe, "movbe (%0), %%ebx")
TRY(try_popcnt, "popcnt %%ecx, %%ebx")
TRY(try_aes, "aesenc %%xmm1, %%xmm0")
TRY(try_xsave, "xgetbv")
TRY(try_avx, "vaddpd %%ymm1, %%ymm1, %%ymm0")
TRY(try_f16c, "vcvtph2ps %%xmm1, %%xmm0")
TRY(try_rdrand, "rdrand %%ebx")
TRY(try_fsgsbase, "rdfsbase %%rbx")
TRY(try_bmi1, "andn %%ecx, %%ecx, %%ebx")
TRY(try_avx2, "vpaddd %%ymm1, %%ymm1, %%ymm0")
TRY(try_bmi2, "pdep %%ecx, %%ecx, %%ebx")
TRY(try_rdseed, "rdseed %%ebx")
TRY(try_adx, "adcx %%ecx, %%ebx")
TRY(try_clflushopt, "clflushopt (%0)")
TRY(try_clwb, "clwb (%0)")
TRY(try_sha, "sha256msg1 %%xmm1, %%xmm0")
TRY(try_xsaveopt, "xsaveopt (%0)")
TRY(try_xsavec, "xsavec (%0)")
TRY(try_xgetbv1, "mov $1, %%ecx; xgetbv")
TRY(try_rdpid, "rdpid %%rbx")
TRY(try_rdtscp, "rdtscp")

enum { EAX, EBX, ECX, EDX };
/* `try_it`: NULL where the feature has no instruction, or its bytes mean another one without it. */
static const struct feature {
  const char *name;
  unsigned leaf, subleaf, reg, bit;
  void (*try_it)(void);
} features[] = {
    {"fpu", 1, 0, EDX, 0, NULL},
    {"tsc", 1, 0, EDX, 4, NULL},
    {"cx8", 1, 0, EDX, 8, NULL},
    {"cmov", 1, 0, EDX, 15, NULL},
    {"clflush", 1, 0, EDX, 19, NULL},
    {"mmx", 1, 0, EDX, 23, NULL},
    {"fxsr", 1, 0, EDX, 24, NULL},
    {"sse", 1, 0, EDX, 25, NULL},
    {"sse2", 1, 0, EDX, 26, NULL},
    {"pni", 1, 0, ECX, 0, try_sse3},
    {"pclmulqdq", 1, 0, ECX, 1, try_pclmul},
    {"ssse3", 1, 0, ECX, 9, try_ssse3},
    {"fma", 1, 0, ECX, 12, try_fma},
    {"cx16", 1, 0, ECX, 13, try_cx16},
    {"sse4_1", 1, 0, ECX, 19, try_sse41},
    {"sse4_2", 1, 0, ECX, 20, try_sse42},
    {"movbe", 1, 0, ECX, 22, try_movbe},
    {"popcnt", 1, 0, ECX, 23, try_popcnt},
    {"aes", 1, 0, ECX, 25, try_aes},
    {"xsave", 1, 0, ECX, 26, try_xsave},
    {"avx", 1, 0, ECX, 28, try_avx},
    {"f16c", 1, 0, ECX, 29, try_f16c},
    {"rdrand", 1, 0, ECX, 30, try_rdrand},
    {"fsgsbase", 7, 0, EBX, 0, try_fsgsbase},
    {"bmi1", 7, 0, EBX, 3, try_bmi1},
    {"avx2", 7, 0, EBX, 5, try_avx2},
    {"bmi2", 7, 0, EBX, 8, try_bmi2},
    {"erms", 7, 0, EBX, 9, NULL},
    {"avx512f", 7, 0, EBX, 16, NULL},
    {"rdseed", 7, 0, EBX, 18, try_rdseed},
    {"adx", 7, 0, EBX, 19, try_adx},
    {"clflushopt", 7, 0, EBX, 23, try_clflushopt},
    {"clwb", 7, 0, EBX, 24, try_clwb},
    {"sha_ni", 7, 0, EBX, 29, try_sha},
    {"rdpid", 7, 0, ECX, 22, try_rdpid},
    {"xsaveopt", 13, 1, EAX, 0, try_xsaveopt},
    {"xsavec", 13, 1, EAX, 1, try_xsavec},
    {"xgetbv1", 13, 1, EAX, 2, try_xgetbv1},
    {"syscall", 0x80000001, 0, EDX, 11, NULL},
    {"nx", 0x80000001, 0, EDX, 20, NULL},
    {"rdtscp", 0x80000001, 0, EDX, 27, try_rdtscp},
    {"lm", 0x80000001, 0, EDX, 29, NULL},
    {"lahf_lm", 0x80000001, 0, ECX, 0, NULL},
    {"abm", 0x80000001, 0, ECX, 5, NULL},
    {"3dnowprefetch", 0x80000001, 0, ECX, 8, NULL},
};

static int offered(const struct feature *f) {
  unsigned r[4];
  __cpuid(f->leaf & 0x80000000, r[EAX], r[EBX], r[ECX], r[EDX]);
  if (r[EAX] < f->leaf)
    return 0;
  __cpuid_count(f->leaf, f->subleaf, r[EAX], r[EBX], r[ECX], r[EDX]);
  return r[f->reg] >> f->bit & 1;
}

/* The signal that the instruction raises; 0 for none. */
static int signal_of(void (*try_it)(void)) {
  int signal = sigsetjmp(back, 1);
  if (signal == 0)
    try_it();
  return signal;
}

/* The value of the field in the first processor's part of /proc/cpuinfo. */
static const char *field(const char *text, const char *name) {
  static char value[8192];
  const char *at = strstr(text, name);
  if (at == NULL || sscanf(at + strlen(name), " : %8191[^\n]", value) != 1)
    return "";
  return value;
}

static int listed(const char *flags, const char *name) {
  size_t length = strlen(name);
  for (const char *at = flags; (at = strstr(at, name)) != NULL; at += length)
    if ((at == flags || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
      return 1;
  return 0;
}

static void check_field(const char *text, const char *name, const char *cpuid) {
  if (strcmp(field(text, name), cpuid) != 0)
    DISAGREE("%s: CPUID %s, /proc/cpuinfo %s\n", name, cpuid, field(text, name));
}

int main(void) {
  static char text[1 << 16], flags[8192];
  FILE *file = fopen("/proc/cpuinfo", "r");
  if (file == NULL)
    return 2;
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  strcpy(flags, field(text, "\nflags"));

  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGILL, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  if (signal_of(try_nothing) != 0)
    return 2;

  unsigned a, b, c, d, top;
  char vendor[13] = "", brand[49] = "", number[40];
  __cpuid(0, top, *(unsigned *)vendor, *(unsigned *)(vendor + 8), *(unsigned *)(vendor + 4));
  for (int i = 0; i < 3; i++) {
    __cpuid(0x80000002 + i, a, b, c, d);
    memcpy(brand + 16 * i, (unsigned[]){a, b, c, d}, 16);
  }
  __cpuid(1, a, b, c, d);
  unsigned family = a >> 8 & 15, model = a >> 4 & 15;
  if (family == 15 || family == 6)
    model |= a >> 12 & 0xf0;
  if (family == 15)
    family += a >> 20 & 255;
  check_field(text, "vendor_id", vendor);
  check_field(text, "model name", brand);
  snprintf(number, sizeof number, "%u", family);
  check_field(text, "cpu family", number);
  snprintf(number, sizeof number, "%u", model);
  check_field(text, "\nmodel\t", number);
  snprintf(number, sizeof number, "%u", a & 15);
  check_field(text, "stepping", number);
  snprintf(number, sizeof number, "%u", top);
  check_field(text, "cpuid level", number);
  if (getauxval(AT_HWCAP) != d)
    DISAGREE("AT_HWCAP %lx, CPUID %x\n", getauxval(AT_HWCAP), d);
  __cpuid(0x80000008, a, b, c, d);
  snprintf(number, sizeof number, "%u bits physical, %u bits virtual", a & 255, a >> 8 & 255);
  check_field(text, "address sizes", number);
  printf("%s, %s\n", vendor, brand);

  for (unsigned i = 0; i < sizeof features / sizeof *features; i++) {
    const struct feature *f = &features[i];
    int has = offered(f), signal = f->try_it == NULL ? 0 : signal_of(f->try_it);
    if (has)
      printf("%s\n", f->name);
    if (has != listed(flags, f->name))
      DISAGREE("%s: CPUID %d, /proc/cpuinfo %d\n", f->name, has, !has);
    /* XGETBV is there with XSAVE: what it may not read is #GP. */
    int fault = f->try_it == try_xgetbv1 && listed(flags, "xsave") ? SIGSEGV : SIGILL;
    if (f->try_it != NULL && signal != (has ? 0 : fault))
      DISAGREE("%s: CPUID %d, signal %d\n", f->name, has, signal);
  }
  if ((getauxval(AT_HWCAP2) >> 1 & 1) != (unsigned long)listed(flags, "fsgsbase"))
    DISAGREE("AT_HWCAP2 %lx\n", getauxval(AT_HWCAP2));

  __cpuid(1, a, b, c, d);
  int enabled = c >> 27 & 1;
  if (enabled != listed(flags, "xsave"))
    DISAGREE("OSXSAVE %d\n", enabled);
  if (enabled) {
    unsigned low, high, size;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    __cpuid_count(13, 0, a, size, c, d);
    if (low != a || high != d)
      DISAGREE("XCR0 %x%08x, CPUID %x%08x\n", high, low, d, a);
    if ((low & 3) != 3 || (low >> 2 & 1) != (unsigned)listed(flags, "avx"))
      DISAGREE("XCR0 %x\n", low);
    if (size > c || size < 576 + (low & 4) * 64)
      DISAGREE("XSAVE area of %u bytes, %u at most\n", size, c);
    printf("XCR0 %x, XSAVE area of %u bytes\n", low, size);
  }
  return wrong;
}
