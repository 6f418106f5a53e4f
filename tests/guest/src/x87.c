/* The x87 unit instruction by instruction: loads and stores of every format, arithmetic with precision and rounding
   control, comparisons with their flags, the stack and its faults in the status word, exact special cases, BCD,
   FPREM, FSCALE, FXTRACT, and the environment by FNSTENV, FNSAVE, FXSAVE. Only results that the SDM defines are
   printed (usage: x87 [status]); transcendental functions are checked to a tolerance, since their last bits differ
   between CPUs. Source: Intel SDM volume 1, chapter 8; volume 2. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  uint8_t raw[10];
} extended;

static extended make(uint16_t head, uint64_t mantissa) {
  extended x;
  memcpy(x.raw, &mantissa, 8);
  memcpy(x.raw + 8, &head, 2);
  return x;
}

static void show(const extended *x) {
  for (int i = 9; i >= 0; i--)
    printf("%02x", x->raw[i]);
}

static const struct {
  uint16_t head;
  uint64_t mantissa;
} numbers[] = {{0x0000, 0},                   /* 0 */
               {0x8000, 0},                   /* -0 */
               {0x3fff, 0x8000000000000000},  /* 1 */
               {0xbfff, 0xc000000000000000},  /* -1.5 */
               {0x3ffd, 0xaaaaaaaaaaaaaaab},  /* 1/3 */
               {0x4000, 0xc90fdaa22168c235},  /* pi */
               {0x403e, 0xffffffffffffffff},  /* 2^64 - 1 */
               {0xc01e, 0x80000000ffffffff},  /* about -2^31 */
               {0x7ffe, 0xffffffffffffffff},  /* largest */
               {0x0001, 0x8000000000000000},  /* smallest normal */
               {0x0000, 0x0000000000000003},  /* denormal */
               {0x8000, 0x4000000000000001},  /* denormal, negative */
               {0x7fff, 0x8000000000000000},  /* infinity */
               {0xffff, 0x8000000000000000},  /* -infinity */
               {0x7fff, 0xc000000000000001},  /* quiet NaN */
               {0x3ffe, 0xfffffffffffffc00},  /* rounds up to 1 in double */
               {0x4009, 0xffe0080000000001},  /* 2047.00049 */
               {0x3fff, 0x80000000000003ff}}; /* just under a double's half step */
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static void set_control(uint16_t control) { __asm__ volatile("fldcw %0" : : "m"(control)); }
/* Exception bits to print: invalid and zero-divide; all six with the argument "status". */
static unsigned reported = 0x05;

static uint16_t status(void) {
  uint16_t value;
  __asm__ volatile("fnstsw %0" : "=a"(value));
  return value;
}

#define UNARY(name, text)                                                                                              \
  static void name(extended *x) { __asm__ volatile("fldt %0\n\t" text "\n\tfstpt %0" : "+m"(*x) : : "st", "cc"); }
#define BINARY(name, text)                                                                                             \
  static void name(extended *x, const extended *y) {                                                                   \
    __asm__ volatile("fldt %1\n\tfldt %0\n\t" text "\n\tfstpt %0" : "+m"(*x) : "m"(*y) : "st", "st(1)", "cc");         \
  }

UNARY(fsqrt_, "fsqrt")
UNARY(fabs_, "fabs")
UNARY(fchs_, "fchs")
UNARY(frndint_, "frndint")
BINARY(faddp_, "faddp")
BINARY(fmulp_, "fmulp")
BINARY(fsubp_, "fsubp")
BINARY(fsubrp_, "fsubrp")
BINARY(fdivp_, "fdivp")
BINARY(fdivrp_, "fdivrp")
BINARY(fadd_st, "fadd %%st(1), %%st\n\tfstp %%st(1)")
BINARY(fsubr_st, "fsubr %%st, %%st(1)\n\tfstp %%st")

static const char *const control_names[] = {"nearest 64", "down 64",    "up 64", "zero 64",
                                            "nearest 53", "nearest 24", "up 53"};
static const uint16_t controls[] = {0x037f, 0x077f, 0x0b7f, 0x0f7f, 0x027f, 0x007f, 0x0a7f};

static int is_nan(const extended *x) {
  uint16_t head;
  uint64_t mantissa;
  memcpy(&mantissa, x->raw, 8);
  memcpy(&head, x->raw + 8, 2);
  return (head & 0x7fff) == 0x7fff && mantissa << 1 != 0;
}

static void arithmetic(void) {
  static const struct {
    const char *name;
    void (*fn)(extended *, const extended *);
  } binary[] = {{"faddp", faddp_}, {"fmulp", fmulp_},   {"fsubp", fsubp_},    {"fsubrp", fsubrp_},
                {"fdivp", fdivp_}, {"fdivrp", fdivrp_}, {"fadd st", fadd_st}, {"fsubr st", fsubr_st}};
  static const struct {
    const char *name;
    void (*fn)(extended *);
  } unary[] = {{"fsqrt", fsqrt_}, {"fabs", fabs_}, {"fchs", fchs_}, {"frndint", frndint_}};
  for (unsigned c = 0; c < sizeof controls / sizeof *controls; c++) {
    set_control(controls[c]);
    for (unsigned op = 0; op < sizeof unary / sizeof *unary; op++) {
      printf("%s, %s:", unary[op].name, control_names[c]);
      for (int i = 0; i < NUMBERS; i++) {
        extended x = make(numbers[i].head, numbers[i].mantissa);
        __asm__ volatile("fnclex");
        unary[op].fn(&x);
        putchar(' ');
        if (is_nan(&x))
          printf("nan");
        else
          show(&x);
        printf("/%02x", status() & reported);
      }
      putchar('\n');
    }
    for (unsigned op = 0; op < sizeof binary / sizeof *binary; op++) {
      uint32_t hash = 2166136261u;
      for (int i = 0; i < NUMBERS; i++)
        for (int j = 0; j < NUMBERS; j++) {
          extended x = make(numbers[i].head, numbers[i].mantissa), y = make(numbers[j].head, numbers[j].mantissa);
          __asm__ volatile("fnclex");
          binary[op].fn(&x, &y);
          if (c == 0 && op < 5 && op != 3 && i > 1 && j > 1 && i < 8 && j < 8) {
            printf(i == 2 && j == 2 ? "%s: " : " ", binary[op].name);
            show(&x);
          }
          for (int k = 0; k < 10; k++)
            hash = (hash ^ x.raw[k]) * 16777619u;
          hash = (hash ^ (status() & reported)) * 16777619u;
        }
      printf("%s%s, %s: %08x\n", c == 0 && op < 5 && op != 3 ? "\n" : "", binary[op].name, control_names[c], hash);
    }
  }
  set_control(0x037f);
}

static void formats(void) {
  for (int i = 0; i < NUMBERS; i++) {
    extended x = make(numbers[i].head, numbers[i].mantissa);
    float f;
    double d;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t bcd[10];
    printf("stores of ");
    show(&x);
    printf(":");
    for (unsigned c = 0; c < 4; c++) {
      uint32_t fbits;
      uint64_t dbits;
      set_control(controls[c]);
      __asm__ volatile("fnclex\n\tfldt %1\n\tfstps %0" : "=m"(f) : "m"(x) : "st");
      memcpy(&fbits, &f, 4);
      printf(" %08x/%02x", fbits, status() & reported);
      __asm__ volatile("fnclex\n\tfldt %1\n\tfstpl %0" : "=m"(d) : "m"(x) : "st");
      memcpy(&dbits, &d, 8);
      printf(" %016llx/%02x", (unsigned long long)dbits, status() & reported);
      __asm__ volatile("fnclex\n\tfldt %1\n\tfistps %0" : "=m"(i16) : "m"(x) : "st");
      printf(" %d/%02x", i16, status() & reported);
      __asm__ volatile("fnclex\n\tfldt %1\n\tfistpl %0" : "=m"(i32) : "m"(x) : "st");
      printf(" %d/%02x", i32, status() & reported);
      __asm__ volatile("fnclex\n\tfldt %1\n\tfistpll %0" : "=m"(i64) : "m"(x) : "st");
      printf(" %lld/%02x", (long long)i64, status() & reported);
      __asm__ volatile("fnclex\n\tfldt %1\n\tfbstp %0" : "=m"(bcd) : "m"(x) : "st");
      printf(" ");
      for (int k = 9; k >= 0; k--)
        printf("%02x", bcd[k]);
      printf("/%02x", status() & reported);
    }
    putchar('\n');
    set_control(0x037f);
  }
  static const uint32_t floats[] = {0x3f800000, 0x80000000, 0x00000001, 0x7f800000, 0xff7fffff, 0x3eaaaaab, 0x7fc00001};
  for (unsigned i = 0; i < sizeof floats / sizeof *floats; i++) {
    extended x;
    __asm__ volatile("fnclex\n\tflds %1\n\tfstpt %0" : "=m"(x) : "m"(floats[i]) : "st");
    printf("flds %08x: ", floats[i]);
    show(&x);
    printf("/%02x\n", status() & reported);
  }
  static const int64_t integers[] = {
      0, 1, -1, 32767, -32768, 2147483647, -9223372036854775807 - 1, 9223372036854775807, 123456789012345678};
  for (unsigned i = 0; i < sizeof integers / sizeof *integers; i++) {
    extended x16, x32, x64, xb;
    uint8_t bcd[10];
    int64_t bounded = integers[i] / 10;
    __asm__ volatile("filds %1\n\tfstpt %0" : "=m"(x16) : "m"(*(const int16_t *)&integers[i]) : "st");
    __asm__ volatile("fildl %1\n\tfstpt %0" : "=m"(x32) : "m"(*(const int32_t *)&integers[i]) : "st");
    __asm__ volatile("fildll %1\n\tfstpt %0" : "=m"(x64) : "m"(integers[i]) : "st");
    __asm__ volatile("fildll %1\n\tfbstp %0" : "=m"(bcd) : "m"(bounded) : "st");
    __asm__ volatile("fbld %1\n\tfstpt %0" : "=m"(xb) : "m"(bcd) : "st");
    printf("fild %lld: ", (long long)integers[i]);
    show(&x16);
    putchar(' ');
    show(&x32);
    putchar(' ');
    show(&x64);
    printf(" fbld ");
    show(&xb);
    putchar('\n');
  }
}

static void comparisons(void) {
  for (int i = 0; i < NUMBERS; i++) {
    extended x = make(numbers[i].head, numbers[i].mantissa);
    uint16_t examined, tested;
    __asm__ volatile("fldt %2\n\tfxam\n\tfnstsw %0\n\tftst\n\tfnstsw %1\n\tfstp %%st"
                     : "=m"(examined), "=m"(tested)
                     : "m"(x)
                     : "st");
    printf("fxam %04x ftst %04x |", examined & 0x4700, tested & 0x4500);
    for (int j = 0; j < NUMBERS; j++) {
      extended y = make(numbers[j].head, numbers[j].mantissa);
      uint16_t word, word2;
      uint64_t flags;
      __asm__ volatile(
          "fldt %3\n\tfldt %4\n\tfucom\n\tfnstsw %%ax\n\tmovw %%ax, %0\n\tfcom\n\tfnstsw %%ax\n\tmovw %%ax, %1\n\t"
          "fcomi %%st(1), %%st\n\tpushfq\n\tpopq %2\n\tfucompp"
          : "=&r"(word), "=&r"(word2), "=&r"(flags)
          : "m"(y), "m"(x)
          : "st", "st(1)", "ax", "cc");
      printf(" %x%x%x", word >> 8 & 0x45, word2 >> 8 & 0x45, (unsigned)(flags & 0x45));
    }
    putchar('\n');
  }
}

static void conditional_moves(void) {
  for (unsigned flags = 0; flags < 8; flags++) {
    uint64_t loaded = 2 | (flags & 1) | (flags & 2) << 1 | (uint64_t)(flags & 4) << 4; /* CF, PF, ZF */
    double r[8];
#define MOVE(i, cc)                                                                                                    \
  __asm__ volatile("fld1\n\tfldz\n\tpushq %1\n\tpopfq\n\tfcmov" cc " %%st(1), %%st\n\tfstpl %0\n\tfstp %%st"           \
                   : "=m"(r[i])                                                                                        \
                   : "r"(loaded)                                                                                       \
                   : "st", "st(1)", "cc")
    MOVE(0, "b");
    MOVE(1, "e");
    MOVE(2, "be");
    MOVE(3, "u");
    MOVE(4, "nb");
    MOVE(5, "ne");
    MOVE(6, "nbe");
    MOVE(7, "nu");
    printf("fcmov with flags %02llx:", (unsigned long long)loaded);
    for (int i = 0; i < 8; i++)
      printf(" %g", r[i]);
    putchar('\n');
  }
}

static void stack(void) {
  uint16_t s0, s1, s2, s3;
  double values[8];
  __asm__ volatile("fninit");
  printf("after fninit: status %04x", status());
  uint16_t control;
  __asm__ volatile("fnstcw %0" : "=m"(control));
  printf(", control %04x\n", control);
  /* nine loads: the ninth overflows; its register becomes the indefinite NaN */
  __asm__ volatile("fld1\n\tfldl2t\n\tfldl2e\n\tfldpi\n\tfldlg2\n\tfldln2\n\tfldz\n\tfld1\n\tfnstsw %%ax\n\tmovw %%ax, "
                   "%0\n\tfld1\n\tfnstsw %%ax\n\tmovw %%ax, %1"
                   : "=&r"(s0), "=&r"(s1)
                   :
                   : "ax");
  printf("eight loads: %04x, a ninth: %04x\n", s0 & 0x7fff, s1);
  __asm__ volatile("fninit\n\tfstp %%st\n\tfnstsw %%ax\n\tmovw %%ax, %0" : "=r"(s2) : : "ax");
  printf("a store from the empty stack: %04x\n", s2);
  __asm__ volatile("fninit\n\tfldz\n\tfdivrs %1\n\tfnstsw %%ax\n\tmovw %%ax, %0\n\tfstp %%st\n\tfnclex"
                   : "=r"(s3)
                   : "m"(*(float[]){1.0f})
                   : "ax");
  printf("1/0: %04x\n", s3 & 0x7f);
  __asm__ volatile("fninit\n\tfld1\n\tfldpi\n\tfldln2\n\tfxch %%st(2)\n\tfincstp\n\tfdecstp\n\tffree %%st(1)\n\t"
                   "fstpl %0\n\tfincstp\n\tfstpl %1"
                   : "=m"(values[0]), "=m"(values[1]));
  printf("exchange, free, increment: %.17g %.17g\n", values[0], values[1]);
  extended constants[7];
  __asm__ volatile("fninit\n\tfld1\n\tfstpt %0\n\tfldl2t\n\tfstpt %1\n\tfldl2e\n\tfstpt %2\n\tfldpi\n\tfstpt "
                   "%3\n\tfldlg2\n\tfstpt %4\n\tfldln2\n\tfstpt %5\n\tfldz\n\tfstpt %6"
                   : "=m"(constants[0]), "=m"(constants[1]), "=m"(constants[2]), "=m"(constants[3]), "=m"(constants[4]),
                     "=m"(constants[5]), "=m"(constants[6]));
  printf("constants:");
  for (int i = 0; i < 7; i++) {
    putchar(' ');
    show(&constants[i]);
  }
  putchar('\n');
}

static void environment(void) {
  static uint8_t area[512] __attribute__((aligned(16))), saved[108];
  uint32_t words[7];
  __asm__ volatile("fninit\n\tfld1\n\tfldpi\n\tfnstenv %0" : "=m"(words));
  printf("fnstenv: control %04x status %04x tags %04x\n", words[0] & 0xffff, words[1] & 0xffff, words[2] & 0xffff);
  __asm__ volatile("fldenv %0\n\tfnsave %1" : : "m"(words), "m"(saved) : "memory");
  printf("fnsave: st0 ");
  show((const extended *)(saved + 28));
  printf(" st1 ");
  show((const extended *)(saved + 38));
  printf(", after it status %04x\n", status());
  __asm__ volatile("frstor %0\n\tfxsave %1\n\tfninit" : : "m"(saved), "m"(area) : "memory");
  printf("fxsave: control %02x%02x status %02x%02x tags %02x, st0 ", area[1], area[0], area[3], area[2], area[4]);
  show((const extended *)(area + 32));
  printf(", mxcsr %02x%02x\n", area[25], area[24]);
  double first, second;
  __asm__ volatile("fxrstor %2\n\tfstpl %0\n\tfstpl %1" : "=m"(first), "=m"(second) : "m"(area));
  printf("fxrstor: %.17g %.17g\n", first, second);
}

static void exact_functions(void) {
  static const double pairs[][2] = {{5, 3}, {-5, 3}, {5.5, -1.25}, {1e18, 7}, {0.1, 0.03}, {1e300, 3}, {2, 2}, {0, 5}};
  for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    double remainder, remainder1;
    uint16_t word, word1;
    __asm__ volatile("fldl %3\n\tfldl %2\n1:\tfprem\n\tfnstsw %%ax\n\ttestb $4, %%ah\n\tjnz 1b\n\tmovw %%ax, "
                     "%1\n\tfstpl %0\n\tfstp %%st"
                     : "=m"(remainder), "=&r"(word)
                     : "m"(pairs[i][0]), "m"(pairs[i][1])
                     : "ax", "cc", "st", "st(1)");
    __asm__ volatile("fldl %3\n\tfldl %2\n1:\tfprem1\n\tfnstsw %%ax\n\ttestb $4, %%ah\n\tjnz 1b\n\tmovw %%ax, "
                     "%1\n\tfstpl %0\n\tfstp %%st"
                     : "=m"(remainder1), "=&r"(word1)
                     : "m"(pairs[i][0]), "m"(pairs[i][1])
                     : "ax", "cc", "st", "st(1)");
    printf("fprem %g %g: %.17g quotient bits %x, fprem1 %.17g %x\n", pairs[i][0], pairs[i][1], remainder, word & 0x4300,
           remainder1, word1 & 0x4300);
  }
  for (unsigned i = 2; i < 12; i++) {
    extended x = make(numbers[i].head, numbers[i].mantissa), mantissa, exponent, scaled;
    double by = (double)i * 3.7 - 20;
    __asm__ volatile("fldt %2\n\tfxtract\n\tfstpt %0\n\tfstpt %1"
                     : "=m"(mantissa), "=m"(exponent)
                     : "m"(x)
                     : "st", "st(1)");
    __asm__ volatile("fldl %2\n\tfldt %1\n\tfscale\n\tfstpt %0\n\tfstp %%st"
                     : "=m"(scaled)
                     : "m"(x), "m"(by)
                     : "st", "st(1)");
    printf("fxtract ");
    show(&x);
    printf(": ");
    show(&mantissa);
    putchar(' ');
    show(&exponent);
    printf(", fscale by %g: ", by);
    show(&scaled);
    putchar('\n');
  }
}

static void transcendental(void) {
  int wrong = 0;
  for (double x = -3; x <= 3; x += 0.37) {
    double sine, cosine, s2, c2, tangent, one, arc, y = fabs(x) + 0.5, log2, logp, power;
    double small = x / 3.2, tiny = x / 11;
    __asm__ volatile("fldl %2\n\tfsincos\n\tfstpl %1\n\tfstpl %0" : "=m"(sine), "=m"(cosine) : "m"(x) : "st", "st(1)");
    __asm__ volatile("fldl %1\n\tfsin\n\tfstpl %0" : "=m"(s2) : "m"(x) : "st");
    __asm__ volatile("fldl %1\n\tfcos\n\tfstpl %0" : "=m"(c2) : "m"(x) : "st");
    __asm__ volatile("fldl %2\n\tfptan\n\tfstpl %1\n\tfstpl %0" : "=m"(tangent), "=m"(one) : "m"(x) : "st", "st(1)");
    __asm__ volatile("fldl %1\n\tfldl %2\n\tfpatan\n\tfstpl %0" : "=m"(arc) : "m"(x), "m"(y) : "st", "st(1)");
    __asm__ volatile("fldln2\n\tfldl %1\n\tfyl2x\n\tfstpl %0" : "=m"(log2) : "m"(y) : "st", "st(1)");
    __asm__ volatile("fldln2\n\tfldl %1\n\tfyl2xp1\n\tfstpl %0" : "=m"(logp) : "m"(tiny) : "st", "st(1)");
    __asm__ volatile("fldl %1\n\tf2xm1\n\tfstpl %0" : "=m"(power) : "m"(small) : "st");
    wrong += fabs(sine - sin(x)) > 1e-15 || fabs(cosine - cos(x)) > 1e-15 || sine != s2 || cosine != c2;
    wrong += fabs(tangent - tan(x)) > 1e-14 * (1 + fabs(tangent)) || one != 1;
    wrong += fabs(arc - atan2(x, y)) > 1e-15 || fabs(log2 - log(y)) > 1e-15 || fabs(logp - log1p(tiny)) > 1e-15;
    wrong += fabs(power - (exp2(small) - 1)) > 1e-15;
  }
  uint16_t word;
  double far = 1e300, kept;
  __asm__ volatile("fldl %2\n\tfsin\n\tfnstsw %%ax\n\tmovw %%ax, %1\n\tfstpl %0"
                   : "=m"(kept), "=r"(word)
                   : "m"(far)
                   : "ax", "st");
  printf("transcendental functions: %d out of tolerance; out of range: C2 %d, operand kept %d\n", wrong,
         (word & 0x400) != 0, kept == far);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "status") == 0)
    reported = 0x3f;
  formats();
  arithmetic();
  comparisons();
  conditional_moves();
  stack();
  environment();
  exact_functions();
  transcendental();
  return 0;
}
