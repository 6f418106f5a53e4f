/* The floating-point environment as a C program uses it: rounding modes, exception flags, traps (SIGFPE with si_code
   and the state in its frame), flush to zero, what threads and signal handlers begin with; in SSE and in x87. A loop
   that got hot before the first fesetround must obey it too. Source: fenv(3), sigaction(2), Intel SDM volume
   1, 10.2.3, 11.5, 8.5, 8.6. */
#define _GNU_SOURCE
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

static const struct {
  int mode;
  const char *name;
} modes[] = {{FE_TONEAREST, "nearest"}, {FE_DOWNWARD, "down"}, {FE_UPWARD, "up"}, {FE_TOWARDZERO, "to zero"}};
enum { MODES = 4 };

static uint32_t get_mxcsr(void) {
  uint32_t value;
  __asm__ volatile("stmxcsr %0" : "=m"(value));
  return value;
}
static void set_mxcsr(uint32_t value) { __asm__ volatile("ldmxcsr %0" : : "m"(value) : "memory"); }

static const char *flags(void) {
  static char text[6];
  int set = fetestexcept(FE_ALL_EXCEPT);
  text[0] = set & FE_INVALID ? 'V' : '-';
  text[1] = set & FE_DIVBYZERO ? 'Z' : '-';
  text[2] = set & FE_OVERFLOW ? 'O' : '-';
  text[3] = set & FE_UNDERFLOW ? 'U' : '-';
  text[4] = set & FE_INEXACT ? 'P' : '-';
  return text;
}

/* ---- operations under the four modes ---- */

#define OPERATIONS(type, suffix, tiny, huge)                                                                           \
  static void operations_##type(const char *name) {                                                                    \
    static const type pairs[][2] = {{1, 3},       {-1, 3},      {1, tiny},     {-1, tiny},  {tiny, 0.5},               \
                                    {tiny, -0.3}, {huge, huge}, {-huge, huge}, {huge, 0.1}, {0, 0},                    \
                                    {5, 0},       {-7, 2},      {0.1, 0.2},    {1, 1},      {2.5, -0.0}};              \
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {                                                      \
      volatile type a = pairs[i][0], b = pairs[i][1], r;                                                               \
      printf("%s %a %a:", name, (double)a, (double)b);                                                                 \
      for (int m = 0; m < MODES; m++) {                                                                                \
        fesetround(modes[m].mode);                                                                                     \
        feclearexcept(FE_ALL_EXCEPT);                                                                                  \
        r = a + b;                                                                                                     \
        printf(" %a %s", (double)r, flags());                                                                          \
        feclearexcept(FE_ALL_EXCEPT);                                                                                  \
        r = a - b;                                                                                                     \
        printf(" %a %s", (double)r, flags());                                                                          \
        feclearexcept(FE_ALL_EXCEPT);                                                                                  \
        r = a * b;                                                                                                     \
        printf(" %a %s", (double)r, flags());                                                                          \
        feclearexcept(FE_ALL_EXCEPT);                                                                                  \
        r = a / b;                                                                                                     \
        printf(" %a %s", fabs((double)r), flags());                                                                    \
        feclearexcept(FE_ALL_EXCEPT);                                                                                  \
        r = sqrt##suffix(fabs##suffix(a));                                                                             \
        printf(" %a %s", (double)r, flags());                                                                          \
        feclearexcept(FE_ALL_EXCEPT);                                                                                  \
        int less = a < b;                                                                                              \
        printf(" %d %s\n", less, flags());                                                                             \
      }                                                                                                                \
    }                                                                                                                  \
    fesetround(FE_TONEAREST);                                                                                          \
  }
OPERATIONS(float, f, 1e-38f, 3e38f)
OPERATIONS(double, , 1e-308, 1e308)

static void conversions(void) {
  static const double values[] = {0.5,  -0.5, 1.5,          2.5,           -2.5,  0.1,
                                  -7.9, 1e10, 2147483647.5, -2147483648.5, 1e300, 1e-45};
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
    for (int m = 0; m < MODES; m++) {
      volatile double x = values[i];
      fesetround(modes[m].mode);
      printf("%a %s:", x, modes[m].name);
      feclearexcept(FE_ALL_EXCEPT);
      double r = rint(x);
      printf(" rint %g %s", r, flags());
      feclearexcept(FE_ALL_EXCEPT);
      r = nearbyint(x);
      printf(" nearbyint %g %s", r, flags());
      feclearexcept(FE_ALL_EXCEPT);
      if (fabs(x) < 1e18)
        printf(" lrint %ld", lrint(x));
      printf(" %s", flags());
      feclearexcept(FE_ALL_EXCEPT);
      printf(" float %a", (double)(volatile float)x);
      printf(" %s", flags());
      feclearexcept(FE_ALL_EXCEPT);
      if (fabs(x) < 1e18)
        printf(" long %ld", (long)x);
      printf(" %s\n", flags());
    }
  for (int m = 0; m < MODES; m++) {
    volatile long big = 0x20000000000001, small = -0x1000001;
    fesetround(modes[m].mode);
    printf("%s: long %a %a int %a\n", modes[m].name, (double)big, (double)-big, (double)(float)(int)small);
  }
  fesetround(FE_TONEAREST);
}

/* ---- traps ---- */

static sigjmp_buf escape;
static volatile int signal_number, signal_code, trap_number;
static volatile uint32_t frame_mxcsr, frame_status;
static void *volatile fault_address, *volatile fault_rip;
static volatile int mask_and_go_on;

static void on_signal(int number, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  signal_number = number;
  signal_code = info->si_code;
  trap_number = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
  frame_mxcsr = uc->uc_mcontext.fpregs->mxcsr;
  frame_status = uc->uc_mcontext.fpregs->swd;
  fault_address = info->si_addr;
  fault_rip = (void *)uc->uc_mcontext.gregs[REG_RIP];
  if (!mask_and_go_on)
    siglongjmp(escape, 1);
  uc->uc_mcontext.fpregs->mxcsr |= 0x1f80;
  uc->uc_mcontext.fpregs->cwd |= 0x3f;
}

static const char *code_name(int code) {
  static const char *const names[] = {"?",      "INTDIV", "INTOVF", "FLTDIV", "FLTOVF",
                                      "FLTUND", "FLTRES", "FLTINV", "FLTSUB"};
  return signal_number == SIGFPE && code > 0 && code < 9 ? names[code] : signal_number == SIGSEGV ? "SEGV" : "none";
}

typedef union {
  double d[2];
  float f[4];
  uint64_t q[2];
} __attribute__((aligned(16))) xmm;

/* One instruction on xmm0 and xmm1 with the exceptions in `unmasked` (bits as in MXCSR's flags) let through. */
#define TRAP(text, instruction, unmasked, a, b)                                                                        \
  do {                                                                                                                 \
    volatile xmm x = a, y = b, before = x;                                                                             \
    signal_number = 0;                                                                                                 \
    uint32_t control = 0x1f80 & ~((unmasked) << 7);                                                                    \
    if (sigsetjmp(escape, 1) == 0)                                                                                     \
      __asm__ volatile("movaps %0, %%xmm0\n\tmovaps %1, %%xmm1\n\tldmxcsr %2\n\t" instruction "\n\tmovaps %%xmm0, %0"  \
                       : "+m"(x)                                                                                       \
                       : "m"(y), "m"(control)                                                                          \
                       : "xmm0", "xmm1", "rax", "memory");                                                             \
    uint32_t after = get_mxcsr();                                                                                      \
    set_mxcsr(0x1f80);                                                                                                 \
    printf("%s, %02x let through: signal %d %s trap %d flags %02x, rip %s, mxcsr %04x, %s\n", text, unmasked,          \
           signal_number, code_name(signal_code), signal_number ? trap_number : 0,                                     \
           signal_number ? frame_mxcsr & 0x3f : after & 0x3f,                                                          \
           signal_number && fault_address == fault_rip ? "si_addr" : "-", after & ~0x3f,                               \
           x.q[0] == before.q[0] && x.q[1] == before.q[1] ? "unchanged" : "written");                                  \
  } while (0)

static void traps(void) {
  const xmm one = {.d = {1, 1}}, three = {.d = {3, 3}}, zero = {.d = {0, 0}}, mixed = {.d = {0, 1e-310}};
  const xmm huge = {.d = {1e308, 1}}, tiny = {.d = {1e-308, 1}}, root = {.d = {-1, 4}};
  const xmm nan = {.q = {0x7ff8000000000001, 0x7ff0000000000001}};
  TRAP("divsd 1/3", "divsd %%xmm1, %%xmm0", 0x20, one, three);
  TRAP("divsd 1/3", "divsd %%xmm1, %%xmm0", 0x1f, one, three);
  TRAP("divsd 1/0", "divsd %%xmm1, %%xmm0", 0x04, one, zero);
  TRAP("divsd 0/0", "divsd %%xmm1, %%xmm0", 0x01, zero, zero);
  TRAP("divpd 1/0 and 1/denormal", "divpd %%xmm1, %%xmm0", 0x04, one, mixed);
  TRAP("divpd 1/0 and 1/denormal", "divpd %%xmm1, %%xmm0", 0x02, one, mixed);
  TRAP("divpd 1/0 and 1/denormal", "divpd %%xmm1, %%xmm0", 0x08, one, mixed);
  TRAP("mulsd overflow", "mulsd %%xmm1, %%xmm0", 0x08, huge, huge);
  TRAP("mulsd overflow", "mulsd %%xmm1, %%xmm0", 0x28, huge, huge);
  TRAP("mulpd underflow", "mulpd %%xmm1, %%xmm0", 0x10, tiny, tiny);
  TRAP("addpd nothing", "addpd %%xmm1, %%xmm0", 0x3f, one, three);
  TRAP("sqrtpd", "sqrtpd %%xmm1, %%xmm0", 0x01, one, root);
  TRAP("maxsd quiet NaN", "maxsd %%xmm1, %%xmm0", 0x01, one, nan);
  TRAP("addsd quiet NaN", "addsd %%xmm1, %%xmm0", 0x01, one, nan);
  TRAP("addpd signaling NaN", "addpd %%xmm1, %%xmm0", 0x01, one, nan);
  TRAP("ucomisd quiet NaN", "ucomisd %%xmm1, %%xmm0", 0x01, one, nan);
  TRAP("comisd quiet NaN", "comisd %%xmm1, %%xmm0", 0x01, one, nan);
  TRAP("cvtsd2si", "cvtsd2si %%xmm1, %%eax", 0x01, one, huge);
  TRAP("cvtpd2ps overflow", "cvtpd2ps %%xmm1, %%xmm0", 0x08, one, huge);
  TRAP("cvtsd2ss underflow", "cvtsd2ss %%xmm1, %%xmm0", 0x10, one, tiny);
  TRAP("rcpps", "rcpps %%xmm1, %%xmm0", 0x3f, one, zero);
  /* Masked by the handler: the instruction runs again and goes on. */
  mask_and_go_on = 1;
  TRAP("divsd 1/3, then masked", "divsd %%xmm1, %%xmm0", 0x20, one, three);
  mask_and_go_on = 0;
  signal_number = 0;
  if (sigsetjmp(escape, 1) == 0)
    set_mxcsr(0x11f80);
  printf("reserved bit of MXCSR: signal %d %s trap %d\n", signal_number, code_name(signal_code), trap_number);
}

/* x87: the exception comes with the next waiting instruction, whose address rip is. */
#define TRAP_X87(text, instruction, unmasked)                                                                          \
  do {                                                                                                                 \
    uint16_t control = 0x37f & ~(unmasked), status = 0;                                                                \
    volatile int reached = 0;                                                                                          \
    void *volatile waiting = NULL;                                                                                     \
    signal_number = 0;                                                                                                 \
    if (sigsetjmp(escape, 1) == 0) {                                                                                   \
      __asm__ volatile("fninit\n\tfldcw %1\n\t" instruction "\n\tmovl $1, %2\n\tlea 1f(%%rip), %%rax\n\tmov %%rax, "   \
                       "%3\n1:\tfwait\n\tmovl $2, %2\n\tfnstsw %0"                                                     \
                       : "+m"(status)                                                                                  \
                       : "m"(control), "m"(reached), "m"(waiting)                                                      \
                       : "rax", "memory", "st");                                                                       \
    } else                                                                                                             \
      status = frame_status;                                                                                           \
    __asm__ volatile("fninit");                                                                                        \
    printf("%s, %02x let through: signal %d %s trap %d status %02x, got to %d, rip %s\n", text, unmasked,              \
           signal_number, code_name(signal_code), signal_number ? trap_number : 0, status & 0xff, reached,             \
           signal_number && fault_rip == waiting ? "at fwait" : "-");                                                  \
  } while (0)

static void traps_x87(void) {
  TRAP_X87("fdiv 1/0", "fld1\n\tfldz\n\tfdivrp", 0x04);
  TRAP_X87("fdiv 0/0", "fldz\n\tfldz\n\tfdivrp", 0x01);
  TRAP_X87("fdiv 1/3", "fld1\n\tfldpi\n\tfdivrp", 0x20);
  TRAP_X87("fdiv 1/3", "fld1\n\tfldpi\n\tfdivrp", 0x1f);
  TRAP_X87("fsqrt -1", "fld1\n\tfchs\n\tfsqrt", 0x01);
  TRAP_X87("stack underflow", "fstp %%st(0)", 0x01);
  TRAP_X87("stack underflow", "fstp %%st(0)", 0x00);
  TRAP_X87("fmul overflow", "fldpi\n\t.rept 14\n\tfmul %%st(0), %%st(0)\n\t.endr", 0x08);
  mask_and_go_on = 1;
  TRAP_X87("fdiv 1/0, then masked", "fld1\n\tfldz\n\tfdivrp", 0x04);
  mask_and_go_on = 0;
  TRAP_X87("fnclex in time", "fld1\n\tfldz\n\tfdivrp\n\tfnclex", 0x04);
}

/* ---- what begins with which environment ---- */

static void *thread(void *argument) {
  printf("thread: MXCSR %04x, rounds %s\n", get_mxcsr(), fegetround() == FE_UPWARD ? "up" : "otherwise");
  fesetround(FE_DOWNWARD);
  return argument;
}

static void on_usr1(int number) {
  (void)number;
  uint16_t control;
  __asm__ volatile("fnstcw %0" : "=m"(control));
  printf("handler: MXCSR %04x, control word %04x\n", get_mxcsr(), control);
  fesetround(FE_TOWARDZERO);
}

static void inheritance(void) {
  pthread_t t;
  fesetround(FE_UPWARD);
  feclearexcept(FE_ALL_EXCEPT);
  pthread_create(&t, NULL, thread, NULL);
  pthread_join(t, NULL);
  printf("after the thread: rounds %s\n", fegetround() == FE_UPWARD ? "up" : "otherwise");
  signal(SIGUSR1, on_usr1);
  raise(SIGUSR1);
  printf("after the handler: rounds %s\n", fegetround() == FE_UPWARD ? "up" : "otherwise");
  fenv_t environment;
  feholdexcept(&environment);
  fesetround(FE_DOWNWARD);
  fesetenv(&environment);
  printf("after fesetenv: rounds %s\n", fegetround() == FE_UPWARD ? "up" : "otherwise");
  fesetround(FE_TONEAREST);
}

static void flushing(void) {
  static const uint32_t controls[] = {0x1f80, 0x9f80, 0x1fc0, 0x9fc0, 0xffc0};
  for (unsigned i = 0; i < sizeof controls / sizeof *controls; i++) {
    volatile float a = 1e-38f, b = 1e-40f, sum, product;
    volatile double c = 3e-308, quotient;
    set_mxcsr(controls[i]);
    product = a * 0.01f;
    sum = b + b;
    quotient = c / 7;
    uint32_t after = get_mxcsr();
    set_mxcsr(0x1f80);
    printf("MXCSR %04x: %a %a %a flags %02x\n", controls[i], (double)product, (double)sum, quotient, after & 0x3f);
  }
}

/* Sum of 1/i: the digits depend on the mode. */
__attribute__((noinline)) static double harmonic(int n) {
  double sum = 0;
  for (int i = 1; i <= n; i++)
    sum += 1.0 / i;
  return sum;
}
__attribute__((noinline)) static float harmonic_float(int n) {
  float sum = 0;
  for (int i = 1; i <= n; i++)
    sum += 1.0f / (float)i;
  return sum;
}

static void hot(const char *when) { printf("%s: %a %a\n", when, harmonic(300000), (double)harmonic_float(300000)); }

int main(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGFPE, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  hot("at first");
  for (int m = 0; m < MODES; m++) {
    fesetround(modes[m].mode);
    hot(modes[m].name);
  }
  fesetround(FE_TONEAREST);
  operations_float("float");
  operations_double("double");
  conversions();
  traps();
  traps_x87();
  inheritance();
  flushing();
  return 0;
}
