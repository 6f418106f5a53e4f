/* MMX, SSE and SSE2 instruction by instruction over edge values: one line an instruction, with a hash of its results;
   conversions under each rounding mode; comparisons; MXCSR flags; loads, stores and shuffles. NaN results are those
   that the SDM defines (the first operand's, quieted; the default NaN for invalid operations). RCPPS and RSQRTPS are
   checked to their tolerance only. usage: sse2 [NAME]: with a name, every case of that instruction is printed.
   Source: Intel SDM volume 1, chapters 9 to 11; volume 2. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef union {
  uint64_t q[2];
  uint32_t d[4];
  uint16_t w[8];
  float f[4];
  double x[2];
} xmm __attribute__((aligned(16)));

struct io {
  xmm a, b;
  uint64_t general; /* a result in a general register, or the flags */
};

typedef void instruction(struct io *io);

/* xmm1 = a, xmm2 = b; the result is xmm1. */
#define OP(name, text)                                                                                                 \
  static void op_##name(struct io *io) {                                                                               \
    __asm__ volatile("movdqa %0, %%xmm1\n\tmovdqa %1, %%xmm2\n\t" text "\n\tmovdqa %%xmm1, %0"                         \
                     : "+m"(io->a)                                                                                     \
                     : "m"(io->b)                                                                                      \
                     : "xmm1", "xmm2");                                                                                \
  }
#define SIMPLE(name) OP(name, #name " %%xmm2, %%xmm1")
#define FROM_MEMORY(name) OP(name##_m, #name " %1, %%xmm1")
/* The result is a general register, r8. */
#define TO_GENERAL(name, text)                                                                                         \
  static void op_##name(struct io *io) {                                                                               \
    __asm__ volatile("movdqa %1, %%xmm1\n\tmovdqa %2, %%xmm2\n\tmovq $-1, %%r8\n\t" text "\n\tmovq %%r8, %0"           \
                     : "=r"(io->general)                                                                               \
                     : "m"(io->a), "m"(io->b)                                                                          \
                     : "xmm1", "xmm2", "r8", "cc");                                                                    \
  }
/* MMX: mm1 = low half of a, mm2 = low half of b. */
#define MMX(name, text)                                                                                                \
  static void op_mmx_##name(struct io *io) {                                                                           \
    __asm__ volatile("movq %0, %%mm1\n\tmovq %1, %%mm2\n\t" text "\n\tmovq %%mm1, %0\n\temms"                          \
                     : "+m"(io->a.q[0])                                                                                \
                     : "m"(io->b.q[0])                                                                                 \
                     : "mm1", "mm2");                                                                                  \
  }
#define SIMPLE_MMX(name) MMX(name, #name " %%mm2, %%mm1")

#define INTEGER_OPS(X)                                                                                                 \
  X(paddb)                                                                                                             \
  X(paddw) X(paddd) X(paddq) X(psubb) X(psubw) X(psubd) X(psubq) X(paddsb) X(paddsw) X(paddusb) X(paddusw) X(psubsb)   \
      X(psubsw) X(psubusb) X(psubusw) X(pmullw) X(pmulhw) X(pmulhuw) X(pmuludq) X(pmaddwd) X(pavgb) X(pavgw) X(pminub) \
          X(pminsw) X(pmaxub) X(pmaxsw) X(psadbw) X(pand) X(pandn) X(por) X(pxor) X(pcmpeqb) X(pcmpeqw) X(pcmpeqd)     \
              X(pcmpgtb) X(pcmpgtw) X(pcmpgtd) X(packsswb) X(packssdw) X(packuswb) X(punpcklbw) X(punpcklwd)           \
                  X(punpckldq) X(punpckhbw) X(punpckhwd) X(punpckhdq) X(psllw) X(pslld) X(psllq) X(psrlw) X(psrld)     \
                      X(psrlq) X(psraw) X(psrad)
#define XMM_OPS(X)                                                                                                     \
  X(punpcklqdq)                                                                                                        \
  X(punpckhqdq) X(movsd) X(movss) X(movlhps) X(movhlps) X(unpcklps) X(unpckhps) X(unpcklpd) X(unpckhpd) X(andps)       \
      X(andnps) X(orps) X(xorps) X(andpd) X(andnpd) X(orpd) X(xorpd) X(movapd) X(movups) X(movq)
#define FLOAT_OPS(X)                                                                                                   \
  X(addps)                                                                                                             \
  X(addss) X(subps) X(subss) X(mulps) X(mulss) X(divps) X(divss) X(minps) X(minss) X(maxps) X(maxss) X(sqrtps)         \
      X(sqrtss) X(addpd) X(addsd) X(subpd) X(subsd) X(mulpd) X(mulsd) X(divpd) X(divsd) X(minpd) X(minsd) X(maxpd)     \
          X(maxsd) X(sqrtpd) X(sqrtsd) X(cvtps2pd) X(cvtss2sd) X(cvtpd2ps) X(cvtsd2ss) X(cvtdq2ps) X(cvtdq2pd)         \
              X(cvtps2dq) X(cvttps2dq) X(cvtpd2dq) X(cvttpd2dq) X(cmpeqps) X(cmpltps) X(cmpleps) X(cmpunordps)         \
                  X(cmpneqps) X(cmpnltps) X(cmpnleps) X(cmpordps) X(cmpeqsd) X(cmpltsd) X(cmplesd) X(cmpunordsd)       \
                      X(cmpneqsd) X(cmpnltsd) X(cmpnlesd) X(cmpordsd) X(cmpltpd) X(cmpneqpd) X(cmpless) X(cmpordss)

INTEGER_OPS(SIMPLE)
INTEGER_OPS(SIMPLE_MMX)
XMM_OPS(SIMPLE)
FLOAT_OPS(SIMPLE)
FROM_MEMORY(addss)
FROM_MEMORY(addsd)
FROM_MEMORY(mulps)
FROM_MEMORY(paddq)
FROM_MEMORY(movsd)
FROM_MEMORY(movss)
FROM_MEMORY(movq)
FROM_MEMORY(movd)
FROM_MEMORY(movlps)
FROM_MEMORY(movhps)
FROM_MEMORY(cvtsi2sdl)
FROM_MEMORY(cvtsi2ssl)
FROM_MEMORY(cvtsi2sdq)
FROM_MEMORY(cvtsi2ssq)
FROM_MEMORY(unpcklps)
FROM_MEMORY(pcmpeqb)
FROM_MEMORY(cvtps2pd)
FROM_MEMORY(cvtdq2pd)
OP(pshufd_1b, "pshufd $0x1b, %%xmm2, %%xmm1")
OP(pshufd_4e, "pshufd $0x4e, %1, %%xmm1")
OP(pshuflw_93, "pshuflw $0x93, %%xmm2, %%xmm1")
OP(pshufhw_39, "pshufhw $0x39, %%xmm2, %%xmm1")
OP(shufps_c6, "shufps $0xc6, %%xmm2, %%xmm1")
OP(shufpd_2, "shufpd $2, %%xmm2, %%xmm1")
OP(shufpd_1, "shufpd $1, %%xmm2, %%xmm1")
OP(pslldq_3, "pslldq $3, %%xmm1")
OP(psrldq_5, "psrldq $5, %%xmm1")
OP(pslldq_16, "pslldq $16, %%xmm1")
OP(psllw_3, "psllw $3, %%xmm1")
OP(psrad_31, "psrad $31, %%xmm1")
OP(psrlq_17, "psrlq $17, %%xmm1")
OP(psraw_200, "psraw $200, %%xmm1")
OP(pslld_32, "pslld $32, %%xmm1")
OP(pinsrw_5, "movq %%xmm2, %%r8\n\tpinsrw $5, %%r8d, %%xmm1")
OP(pinsrw_13, "pinsrw $13, %1, %%xmm1")
OP(movd_in, "movq %%xmm2, %%r8\n\tmovd %%r8d, %%xmm1")
OP(movq_in, "movq %%xmm2, %%r8\n\tmovq %%r8, %%xmm1")
OP(cvtsi2sd_64, "movq %%xmm2, %%r8\n\tcvtsi2sdq %%r8, %%xmm1")
OP(cvtsi2ss_32, "movq %%xmm2, %%r8\n\tcvtsi2ssl %%r8d, %%xmm1")
OP(cvtpi2ps_, "movq %1, %%mm2\n\tcvtpi2ps %%mm2, %%xmm1\n\temms")
OP(cvtpi2pd_, "movq %1, %%mm2\n\tcvtpi2pd %%mm2, %%xmm1\n\temms")
OP(movq2dq_, "movq %1, %%mm2\n\tmovq2dq %%mm2, %%xmm1\n\temms")
OP(xor_self, "pxor %%xmm1, %%xmm1")
OP(ones_self, "pcmpeqd %%xmm1, %%xmm1")
OP(store_parts, "movlps %%xmm2, %0\n\tmovhps %%xmm2, %0\n\tmovdqa %0, %%xmm1")
OP(store_ss, "movss %%xmm2, %0\n\tmovsd %%xmm2, %H0\n\tmovdqa %0, %%xmm1")
OP(store_u, "movdqu %%xmm2, %0\n\tmovntdq %%xmm2, %0\n\tmovaps %0, %%xmm1")
TO_GENERAL(pmovmskb, "pmovmskb %%xmm1, %%r8d")
TO_GENERAL(movmskps, "movmskps %%xmm1, %%r8d")
TO_GENERAL(movmskpd, "movmskpd %%xmm1, %%r8d")
TO_GENERAL(pextrw_6, "pextrw $6, %%xmm1, %%r8d")
TO_GENERAL(movd_out, "movd %%xmm1, %%r8d")
TO_GENERAL(movq_out, "movq %%xmm1, %%r8")
TO_GENERAL(cvtsd2si_32, "cvtsd2si %%xmm1, %%r8d")
TO_GENERAL(cvtsd2si_64, "cvtsd2si %%xmm1, %%r8")
TO_GENERAL(cvttsd2si_32, "cvttsd2si %%xmm1, %%r8d")
TO_GENERAL(cvttsd2si_64, "cvttsd2si %%xmm1, %%r8")
TO_GENERAL(cvtss2si_32, "cvtss2si %%xmm1, %%r8d")
TO_GENERAL(cvtss2si_64, "cvtss2si %%xmm1, %%r8")
TO_GENERAL(cvttss2si_32, "cvttss2si %%xmm1, %%r8d")
TO_GENERAL(cvttss2si_64, "cvttss2si %2, %%r8")
TO_GENERAL(cvtps2pi_, "cvtps2pi %%xmm1, %%mm1\n\tmovq %%mm1, %%r8\n\temms")
TO_GENERAL(cvttpd2pi_, "cvttpd2pi %%xmm1, %%mm1\n\tmovq %%mm1, %%r8\n\temms")
TO_GENERAL(movdq2q_, "movdq2q %%xmm1, %%mm1\n\tmovq %%mm1, %%r8\n\temms")
TO_GENERAL(ucomisd_, "ucomisd %%xmm2, %%xmm1\n\tpushfq\n\tpopq %%r8\n\tandq $0x8d5, %%r8")
TO_GENERAL(comisd_, "comisd %%xmm2, %%xmm1\n\tpushfq\n\tpopq %%r8\n\tandq $0x8d5, %%r8")
TO_GENERAL(ucomiss_, "ucomiss %2, %%xmm1\n\tpushfq\n\tpopq %%r8\n\tandq $0x8d5, %%r8")
TO_GENERAL(comiss_, "comiss %%xmm2, %%xmm1\n\tpushfq\n\tpopq %%r8\n\tandq $0x8d5, %%r8")
MMX(pshufw_1b, "pshufw $0x1b, %%mm2, %%mm1")
MMX(psllq_7, "psllq $7, %%mm1")
MMX(psraw_9, "psraw $9, %%mm1")
MMX(pinsrw_2, "movl $0x12345, %%eax\n\tpinsrw $2, %%eax, %%mm1")
MMX(movd_, "movd %1, %%mm1")

struct row {
  const char *name;
  instruction *fn;
};

#define NAME_ROW(name) {#name, op_##name},
#define MMX_ROW(name) {"mmx " #name, op_mmx_##name},

static const struct row integer_rows[] = {
    INTEGER_OPS(NAME_ROW) INTEGER_OPS(MMX_ROW) XMM_OPS(NAME_ROW) NAME_ROW(paddq_m) NAME_ROW(movsd_m) NAME_ROW(movss_m)
        NAME_ROW(movq_m) NAME_ROW(movd_m) NAME_ROW(movlps_m) NAME_ROW(movhps_m) NAME_ROW(unpcklps_m) NAME_ROW(pcmpeqb_m)
            NAME_ROW(pshufd_1b) NAME_ROW(pshufd_4e) NAME_ROW(pshuflw_93) NAME_ROW(pshufhw_39) NAME_ROW(shufps_c6)
                NAME_ROW(shufpd_2) NAME_ROW(shufpd_1) NAME_ROW(pslldq_3) NAME_ROW(psrldq_5) NAME_ROW(pslldq_16)
                    NAME_ROW(psllw_3) NAME_ROW(psrad_31) NAME_ROW(psrlq_17) NAME_ROW(psraw_200) NAME_ROW(pslld_32)
                        NAME_ROW(pinsrw_5) NAME_ROW(pinsrw_13) NAME_ROW(movd_in) NAME_ROW(movq_in) NAME_ROW(movq2dq_)
                            NAME_ROW(xor_self) NAME_ROW(ones_self) NAME_ROW(store_parts) NAME_ROW(store_ss)
                                NAME_ROW(store_u) NAME_ROW(pmovmskb) NAME_ROW(movmskps) NAME_ROW(movmskpd)
                                    NAME_ROW(pextrw_6) NAME_ROW(movd_out) NAME_ROW(movq_out) NAME_ROW(movdq2q_)
                                        MMX_ROW(pshufw_1b) MMX_ROW(psllq_7) MMX_ROW(psraw_9) MMX_ROW(pinsrw_2)
                                            MMX_ROW(movd_)};
static const struct row float_rows[] = {
    FLOAT_OPS(NAME_ROW) NAME_ROW(addss_m) NAME_ROW(addsd_m) NAME_ROW(mulps_m) NAME_ROW(cvtsi2sdl_m)
        NAME_ROW(cvtsi2ssl_m) NAME_ROW(cvtsi2sdq_m) NAME_ROW(cvtsi2ssq_m) NAME_ROW(cvtps2pd_m) NAME_ROW(cvtdq2pd_m)
            NAME_ROW(cvtsi2sd_64) NAME_ROW(cvtsi2ss_32) NAME_ROW(cvtpi2ps_) NAME_ROW(cvtpi2pd_) NAME_ROW(cvtsd2si_32)
                NAME_ROW(cvtsd2si_64) NAME_ROW(cvttsd2si_32) NAME_ROW(cvttsd2si_64) NAME_ROW(cvtss2si_32)
                    NAME_ROW(cvtss2si_64) NAME_ROW(cvttss2si_32) NAME_ROW(cvttss2si_64) NAME_ROW(cvtps2pi_)
                        NAME_ROW(cvttpd2pi_) NAME_ROW(ucomisd_) NAME_ROW(comisd_) NAME_ROW(ucomiss_) NAME_ROW(comiss_)};

static const uint64_t integers[][2] = {{0, 0},
                                       {~(uint64_t)0, ~(uint64_t)0},
                                       {0x0102030405060708, 0x090a0b0c0d0e0f10},
                                       {0x7f80ff007fff8000, 0x7fffffff80000000},
                                       {0x8000000000000001, 0x7fffffffffffffff},
                                       {3, 0xfedcba9876543210},
                                       {0x00ff00ff00ff00ff, 0xff00ff00ff00ff00},
                                       {15, 0x8001800180018001},
                                       {17, 0x123456789abcdef0},
                                       {40, 0x55aa55aa55aa55aa}};

/* Doubles in the first half of the list; pairs of floats in the second. */
static const uint64_t floats[][2] = {
    {0x3ff0000000000000, 0x4000000000000000}, {0, 0x8000000000000000},
    {0x7ff0000000000000, 0xfff0000000000000}, {0x7ff8000000000123, 0x3fd5555555555555},
    {0x7ff4000000000123, 0xfff8000000000777}, {0x0000000000000001, 0x800fffffffffffff},
    {0x7fefffffffffffff, 0x0010000000000000}, {0x41dfffffffc00000, 0xc1e0000000200000},
    {0x43dfffffffffffff, 0xc3e0000000000000}, {0x3fe0000000000000, 0xbff8000000000000},
    {0x400921fb54442d18, 0xc00921fb54442d18}, {0x3f8000003fc00000, 0x40490fdbc0490fdb},
    {0x0000000080000000, 0x7f800000ff800000}, {0x7fc00123ffc00456, 0x7fa001233f800000},
    {0x0000000100000001, 0x007fffff80000001}, {0x7f7fffff00800000, 0x4f000000cf000000},
    {0x3effffff3f000000, 0xbf0000004b800001}, {0x5f0000005effffff, 0xdf00000041200000}};
enum { INTEGERS = sizeof integers / sizeof *integers, FLOATS = sizeof floats / sizeof *floats };

static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
  return hash ^ hash >> 29;
}

static void set_mxcsr(uint32_t value) { __asm__ volatile("ldmxcsr %0" : : "m"(value)); }
static uint32_t get_mxcsr(void) {
  uint32_t value;
  __asm__ volatile("stmxcsr %0" : "=m"(value));
  return value;
}

static void run(const struct row *row, const uint64_t (*values)[2], int number, uint32_t mxcsr, const char *mode,
                int flags, int verbose) {
  uint64_t hash = 1;
  for (int i = 0; i < number; i++)
    for (int j = 0; j < number; j++) {
      struct io io = {.general = 0};
      memcpy(&io.a, values[i], 16);
      memcpy(&io.b, values[j], 16);
      set_mxcsr(mxcsr);
      row->fn(&io);
      uint32_t after = flags ? get_mxcsr() & 0x3f : 0;
      set_mxcsr(0x1f80);
      hash = mix(mix(mix(mix(hash, io.a.q[0]), io.a.q[1]), io.general), after);
      if (verbose)
        printf("%s%s %016llx:%016llx %016llx:%016llx -> %016llx:%016llx %016llx %02x\n", row->name, mode,
               (unsigned long long)values[i][1], (unsigned long long)values[i][0], (unsigned long long)values[j][1],
               (unsigned long long)values[j][0], (unsigned long long)io.a.q[1], (unsigned long long)io.a.q[0],
               (unsigned long long)io.general, after);
    }
  printf("%s%s: %016llx\n", row->name, mode, (unsigned long long)hash);
}

static void estimates(void) {
  int wrong = 0;
  for (float x = 0.001f; x < 1e6f; x *= 1.7f) {
    xmm in = {.f = {x, x * 2, x * 3, x * 5}}, reciprocal, root, scalar = {.q = {5, 7}};
    __asm__ volatile("rcpps %2, %0\n\trsqrtps %2, %1" : "=&x"(reciprocal), "=&x"(root) : "m"(in));
    __asm__ volatile("movdqa %0, %%xmm1\n\trcpss %1, %%xmm1\n\tmovdqa %%xmm1, %0" : "+m"(scalar) : "m"(in) : "xmm1");
    for (int i = 0; i < 4; i++) {
      wrong += fabsf(reciprocal.f[i] * in.f[i] - 1) > 1.5f / 4096;
      wrong += fabsf(root.f[i] * sqrtf(in.f[i]) - 1) > 1.5f / 4096;
    }
    wrong += fabsf(scalar.f[0] * x - 1) > 1.5f / 4096 || scalar.d[1] != 0 || scalar.q[1] != 7;
  }
  printf("rcpps, rsqrtps: %d out of tolerance\n", wrong);
}

/* maskmovdqu, movntq, movnti, prefetch, fences, and a conversion whose exception flag sticks. */
static void others(void) {
  static xmm target = {.q = {0x1111111111111111, 0x2222222222222222}};
  xmm data = {.q = {0x0102030405060708, 0x090a0b0c0d0e0f10}}, mask = {.q = {0x8000800080008000, 0x00ff00ff00ff00ff}};
  __asm__ volatile("movdqa %1, %%xmm1\n\tmovdqa %2, %%xmm2\n\tmaskmovdqu %%xmm2, %%xmm1"
                   : "+m"(target)
                   : "m"(data), "m"(mask), "D"(&target)
                   : "xmm1", "xmm2");
  printf("maskmovdqu: %016llx %016llx\n", (unsigned long long)target.q[0], (unsigned long long)target.q[1]);
  __asm__ volatile("movq %1, %%mm1\n\tmovntq %%mm1, %0\n\temms\n\tmovntiq %2, %H0\n\tsfence\n\tlfence\n\tmfence\n\t"
                   "prefetcht0 %0\n\tprefetchnta %0\n\tclflush %0"
                   : "+m"(target)
                   : "m"(data.q[0]), "r"((uint64_t)77)
                   : "mm1", "memory");
  printf("movntq, movnti: %016llx %llu\n", (unsigned long long)target.q[0], (unsigned long long)target.q[1]);
  set_mxcsr(0x1f80);
  volatile float one = 1, three = 3, zero = 0;
  volatile float kept = one / three;
  kept = one / zero;
  (void)kept;
  printf("sticky flags: %02x, MXCSR at first %04x\n", get_mxcsr() & 0x3f, 0x1f80);
  set_mxcsr(0x9fc0); /* flush to zero, denormals are zero */
  volatile float tiny = 1e-38f, small;
  small = tiny / 100;
  uint32_t bits;
  memcpy(&bits, (const void *)&small, 4);
  printf("flush to zero: %08x\n", bits);
  set_mxcsr(0x1f80);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    uint32_t mxcsr;
  } modes[] = {{"", 0x1f80}, {" down", 0x3f80}, {" up", 0x5f80}, {" to zero", 0x7f80}};
  const char *only = argc > 1 && strcmp(argv[1], "status") != 0 ? argv[1] : NULL;
  int flags = argc > 1 && strcmp(argv[1], "status") == 0; /* with "status", the exception flags are hashed too */
  for (unsigned i = 0; i < sizeof integer_rows / sizeof *integer_rows; i++)
    if (only == NULL || strcmp(only, integer_rows[i].name) == 0)
      run(&integer_rows[i], integers, INTEGERS, 0x1f80, "", 0, only != NULL);
  for (unsigned mode = 0; mode < 4; mode++)
    for (unsigned i = 0; i < sizeof float_rows / sizeof *float_rows; i++)
      if (only == NULL || strcmp(only, float_rows[i].name) == 0)
        run(&float_rows[i], floats, FLOATS, modes[mode].mxcsr, modes[mode].name, flags, only != NULL);
  if (only == NULL) {
    estimates();
    others();
  }
  return 0;
}
