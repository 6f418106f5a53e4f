/* Results and flags of the integer instructions, at every width, over edge values and incoming flags.
   Each line is one instruction: how many cases, a hash of the results, a hash of the flags. Flags (and results) that
   the SDM leaves undefined are masked out, so that any x86-64 CPU prints the same.
   usage: flags [NAME]: with a name, every case of that instruction is printed.
   Source: Intel SDM volume 2, "Flags Affected" of each instruction; volume 1, appendix A. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { CF = 1, PF = 4, AF = 16, ZF = 64, SF = 128, OF = 2048, ALL = CF | PF | AF | ZF | SF | OF };

struct io {
  uint64_t a, b, c; /* operands */
  uint64_t flags;   /* in and out */
  uint64_t r0, r1;  /* results */
};

typedef void instruction(struct io *io);

enum kind {
  PLAIN,     /* all flags defined */
  LOGIC,     /* AF undefined */
  SHIFT,     /* shl, shr: by the count in b; CF undefined from the width on */
  SHIFT_SAR, /* sar: CF always defined */
  ROTATE,    /* rol, ror: SF ZF AF PF unchanged */
  ROTATE_CF, /* rcl, rcr */
  DOUBLE,    /* shld, shrd */
  MULTIPLY,  /* CF and OF only */
  DIVIDE,    /* no flag defined; operands made so that the quotient fits */
  NO_FLAGS,  /* no flag defined */
  BIT_TEST,  /* CF; ZF unchanged */
  BIT_SCAN   /* ZF; no result where the source is 0 */
};

struct row {
  const char *name;
  instruction *fn;
  int width; /* bits; negative for a signed division */
  enum kind kind;
  unsigned by; /* the constant count of a shift or rotate; 0: the count is in b */
};

/* Runs TEXT with %0 = a (in and out), %2 = b and the flags loaded, and keeps the flags after it. */
#define BINARY(name, text)                                                                                             \
  static void name(struct io *io) {                                                                                    \
    uint64_t a = io->a, f = io->flags;                                                                                 \
    __asm__ volatile("pushq %1\n\tpopfq\n\t" text "\n\tpushfq\n\tpopq %1" : "+&r"(a), "+&r"(f) : "r"(io->b) : "cc");   \
    io->r0 = a;                                                                                                        \
    io->r1 = 0;                                                                                                        \
    io->flags = f;                                                                                                     \
  }

/* The same with the destination in memory: %0 is io->r0. */
#define TO_MEMORY(name, text)                                                                                          \
  static void name(struct io *io) {                                                                                    \
    uint64_t f = io->flags;                                                                                            \
    io->r0 = io->a;                                                                                                    \
    __asm__ volatile("pushq %1\n\tpopfq\n\t" text "\n\tpushfq\n\tpopq %1"                                              \
                     : "+m"(io->r0), "+&r"(f)                                                                          \
                     : "r"(io->b)                                                                                      \
                     : "cc", "memory");                                                                                \
    io->r1 = 0;                                                                                                        \
    io->flags = f;                                                                                                     \
  }

/* The same with the source in memory: %2 is io->b. */
#define FROM_MEMORY(name, text)                                                                                        \
  static void name(struct io *io) {                                                                                    \
    uint64_t a = io->a, f = io->flags;                                                                                 \
    __asm__ volatile("pushq %1\n\tpopfq\n\t" text "\n\tpushfq\n\tpopq %1" : "+&r"(a), "+&r"(f) : "m"(io->b) : "cc");   \
    io->r0 = a;                                                                                                        \
    io->r1 = 0;                                                                                                        \
    io->flags = f;                                                                                                     \
  }

/* The count in CL: %0 = a, %3 = c. */
#define BY_CL(name, text)                                                                                              \
  static void name(struct io *io) {                                                                                    \
    uint64_t a = io->a, f = io->flags;                                                                                 \
    __asm__ volatile("pushq %1\n\tpopfq\n\t" text "\n\tpushfq\n\tpopq %1"                                              \
                     : "+&r"(a), "+&r"(f)                                                                              \
                     : "c"(io->b), "r"(io->c)                                                                          \
                     : "cc");                                                                                          \
    io->r0 = a;                                                                                                        \
    io->r1 = 0;                                                                                                        \
    io->flags = f;                                                                                                     \
  }

/* RAX = a, RDX = c, operand b; both are results. */
#define WIDE(name, text)                                                                                               \
  static void name(struct io *io) {                                                                                    \
    uint64_t a = io->a, d = io->c, f = io->flags;                                                                      \
    __asm__ volatile("pushq %2\n\tpopfq\n\t" text "\n\tpushfq\n\tpopq %2"                                              \
                     : "+&a"(a), "+&d"(d), "+&r"(f)                                                                    \
                     : "r"(io->b)                                                                                      \
                     : "cc");                                                                                          \
    io->r0 = a;                                                                                                        \
    io->r1 = d;                                                                                                        \
    io->flags = f;                                                                                                     \
  }

#define ARITHMETIC(op)                                                                                                 \
  BINARY(op##_8, #op "b %b2, %b0")                                                                                     \
  BINARY(op##_16, #op "w %w2, %w0")                                                                                    \
  BINARY(op##_32, #op "l %k2, %k0")                                                                                    \
  BINARY(op##_64, #op "q %q2, %q0")                                                                                    \
  TO_MEMORY(op##_m8, #op "b %b2, %0")                                                                                  \
  TO_MEMORY(op##_m16, #op "w %w2, %0")                                                                                 \
  TO_MEMORY(op##_m32, #op "l %k2, %0")                                                                                 \
  TO_MEMORY(op##_m64, #op "q %q2, %0")                                                                                 \
  BINARY(op##_i8, #op "b $0x85, %b0")                                                                                  \
  BINARY(op##_i16, #op "w $0x8123, %w0")                                                                               \
  BINARY(op##_i32, #op "l $0x80000001, %k0")                                                                           \
  BINARY(op##_i64, #op "q $-0x7fffff00, %q0")                                                                          \
  BINARY(op##_s16, #op "w $-3, %w0")                                                                                   \
  BINARY(op##_s32, #op "l $-3, %k0")                                                                                   \
  BINARY(op##_s64, #op "q $-3, %q0")

#define LOADED(op)                                                                                                     \
  FROM_MEMORY(op##_r8, #op "b %2, %b0")                                                                                \
  FROM_MEMORY(op##_r16, #op "w %2, %w0")                                                                               \
  FROM_MEMORY(op##_r32, #op "l %2, %k0")                                                                               \
  FROM_MEMORY(op##_r64, #op "q %2, %q0")

#define ARITHMETIC_ROWS(op, kind)                                                                                      \
  {#op "8", op##_8, 8, kind}, {#op "16", op##_16, 16, kind}, {#op "32", op##_32, 32, kind},                            \
      {#op "64", op##_64, 64, kind}, {#op "8m", op##_m8, 8, kind}, {#op "16m", op##_m16, 16, kind},                    \
      {#op "32m", op##_m32, 32, kind}, {#op "64m", op##_m64, 64, kind}, {#op "8i", op##_i8, 8, kind},                  \
      {#op "16i", op##_i16, 16, kind}, {#op "32i", op##_i32, 32, kind}, {#op "64i", op##_i64, 64, kind},               \
      {#op "16s", op##_s16, 16, kind}, {#op "32s", op##_s32, 32, kind}, {#op "64s", op##_s64, 64, kind},
#define LOADED_ROWS(op, kind)                                                                                          \
  {#op "8r", op##_r8, 8, kind}, {#op "16r", op##_r16, 16, kind}, {#op "32r", op##_r32, 32, kind},                      \
      {#op "64r", op##_r64, 64, kind},

ARITHMETIC(add)
ARITHMETIC(or)
ARITHMETIC(adc)
ARITHMETIC(sbb)
ARITHMETIC(and)
ARITHMETIC(sub)
ARITHMETIC(xor)
ARITHMETIC(cmp)
ARITHMETIC(test)
LOADED(add)
LOADED(or)
LOADED(adc)
LOADED(sbb)
LOADED(and)
LOADED(sub)
LOADED(xor)
LOADED(cmp)

#define UNARY(op)                                                                                                      \
  BINARY(op##_8, #op "b %b0")                                                                                          \
  BINARY(op##_16, #op "w %w0")                                                                                         \
  BINARY(op##_32, #op "l %k0")                                                                                         \
  BINARY(op##_64, #op "q %q0")                                                                                         \
  TO_MEMORY(op##_m8, #op "b %0")                                                                                       \
  TO_MEMORY(op##_m16, #op "w %0")                                                                                      \
  TO_MEMORY(op##_m32, #op "l %0")                                                                                      \
  TO_MEMORY(op##_m64, #op "q %0")
#define UNARY_ROWS(op)                                                                                                 \
  {#op "8", op##_8, 8, PLAIN}, {#op "16", op##_16, 16, PLAIN}, {#op "32", op##_32, 32, PLAIN},                         \
      {#op "64", op##_64, 64, PLAIN}, {#op "8m", op##_m8, 8, PLAIN}, {#op "16m", op##_m16, 16, PLAIN},                 \
      {#op "32m", op##_m32, 32, PLAIN}, {#op "64m", op##_m64, 64, PLAIN},

UNARY(inc)
UNARY(dec)
UNARY(neg)
UNARY(not )

#define SHIFTED(op)                                                                                                    \
  BY_CL(op##_8, #op "b %%cl, %b0")                                                                                     \
  BY_CL(op##_16, #op "w %%cl, %w0")                                                                                    \
  BY_CL(op##_32, #op "l %%cl, %k0")                                                                                    \
  BY_CL(op##_64, #op "q %%cl, %q0")                                                                                    \
  BINARY(op##_1_8, #op "b $1, %b0")                                                                                    \
  BINARY(op##_1_16, #op "w $1, %w0")                                                                                   \
  BINARY(op##_1_32, #op "l $1, %k0")                                                                                   \
  BINARY(op##_1_64, #op "q $1, %q0")                                                                                   \
  BINARY(op##_5_8, #op "b $5, %b0")                                                                                    \
  BINARY(op##_5_16, #op "w $5, %w0")                                                                                   \
  BINARY(op##_5_32, #op "l $5, %k0")                                                                                   \
  BINARY(op##_5_64, #op "q $5, %q0")
#define SHIFTED_ROWS(op, kind)                                                                                         \
  {#op "8", op##_8, 8, kind}, {#op "16", op##_16, 16, kind}, {#op "32", op##_32, 32, kind},                            \
      {#op "64", op##_64, 64, kind}, {#op "8by1", op##_1_8, 8, kind, 1}, {#op "16by1", op##_1_16, 16, kind, 1},        \
      {#op "32by1", op##_1_32, 32, kind, 1}, {#op "64by1", op##_1_64, 64, kind, 1},                                    \
      {#op "8by5", op##_5_8, 8, kind, 5}, {#op "16by5", op##_5_16, 16, kind, 5},                                       \
      {#op "32by5", op##_5_32, 32, kind, 5}, {#op "64by5", op##_5_64, 64, kind, 5},

SHIFTED(shl)
SHIFTED(shr)
SHIFTED(sar)
SHIFTED(rol)
SHIFTED(ror)
SHIFTED(rcl)
SHIFTED(rcr)

BY_CL(shld_16, "shldw %%cl, %w3, %w0")
BY_CL(shld_32, "shldl %%cl, %k3, %k0")
BY_CL(shld_64, "shldq %%cl, %q3, %q0")
BY_CL(shrd_16, "shrdw %%cl, %w3, %w0")
BY_CL(shrd_32, "shrdl %%cl, %k3, %k0")
BY_CL(shrd_64, "shrdq %%cl, %q3, %q0")

WIDE(mul_8, "mulb %b3")
WIDE(mul_16, "mulw %w3")
WIDE(mul_32, "mull %k3")
WIDE(mul_64, "mulq %q3")
WIDE(imul_8, "imulb %b3")
WIDE(imul_16, "imulw %w3")
WIDE(imul_32, "imull %k3")
WIDE(imul_64, "imulq %q3")
BINARY(imul2_16, "imulw %w2, %w0")
BINARY(imul2_32, "imull %k2, %k0")
BINARY(imul2_64, "imulq %q2, %q0")
BINARY(imul3_16, "imulw $-0x123, %w2, %w0")
BINARY(imul3_32, "imull $0x12345, %k2, %k0")
BINARY(imul3_64, "imulq $-0x1234567, %q2, %q0")
BINARY(imul3_s32, "imull $-7, %k2, %k0")
BINARY(imul3_s64, "imulq $100, %q2, %q0")
WIDE(div_8, "divb %b3")
WIDE(div_16, "divw %w3")
WIDE(div_32, "divl %k3")
WIDE(div_64, "divq %q3")
WIDE(idiv_8, "idivb %b3")
WIDE(idiv_16, "idivw %w3")
WIDE(idiv_32, "idivl %k3")
WIDE(idiv_64, "idivq %q3")

BINARY(bt_16, "btw %w2, %w0")
BINARY(bt_32, "btl %k2, %k0")
BINARY(bt_64, "btq %q2, %q0")
BINARY(bts_16, "btsw %w2, %w0")
BINARY(bts_32, "btsl %k2, %k0")
BINARY(bts_64, "btsq %q2, %q0")
BINARY(btr_16, "btrw %w2, %w0")
BINARY(btr_32, "btrl %k2, %k0")
BINARY(btr_64, "btrq %q2, %q0")
BINARY(btc_16, "btcw %w2, %w0")
BINARY(btc_32, "btcl %k2, %k0")
BINARY(btc_64, "btcq %q2, %q0")
BINARY(bt_i64, "btq $37, %q0")
BINARY(bts_i32, "btsl $31, %k0")
BINARY(btc_i16, "btcw $18, %w0") /* the immediate is taken modulo the width */
BINARY(bsf_16, "bsfw %w2, %w0")
BINARY(bsf_32, "bsfl %k2, %k0")
BINARY(bsf_64, "bsfq %q2, %q0")
BINARY(bsr_16, "bsrw %w2, %w0")
BINARY(bsr_32, "bsrl %k2, %k0")
BINARY(bsr_64, "bsrq %q2, %q0")

BINARY(bswap_32, "bswapl %k0")
BINARY(bswap_64, "bswapq %q0")
BINARY(movzx_8_16, "movzbw %b2, %w0")
BINARY(movzx_8_32, "movzbl %b2, %k0")
BINARY(movzx_8_64, "movzbq %b2, %q0")
BINARY(movzx_16_32, "movzwl %w2, %k0")
BINARY(movzx_16_64, "movzwq %w2, %q0")
BINARY(movsx_8_16, "movsbw %b2, %w0")
BINARY(movsx_8_32, "movsbl %b2, %k0")
BINARY(movsx_8_64, "movsbq %b2, %q0")
BINARY(movsx_16_32, "movswl %w2, %k0")
BINARY(movsx_16_64, "movswq %w2, %q0")
BINARY(movsx_32_64, "movslq %k2, %q0")
BINARY(mov_8, "movb %b2, %b0")
BINARY(mov_16, "movw %w2, %w0")
BINARY(mov_32, "movl %k2, %k0")
BINARY(mov_i8, "movb $0x91, %b0")
BINARY(mov_i16, "movw $0x9123, %w0")
BINARY(mov_i32, "movl $0x91234567, %k0")
BINARY(mov_s64, "movq $-0x71234567, %q0")
BINARY(mov_i64, "movabsq $0x9123456789abcdef, %q0")
BINARY(lea_1, "leaq 5(%q2,%q0,8), %q0")
BINARY(lea_2, "leal -9(%q2,%q0,4), %k0")
BINARY(lea_3, "leaw 0x7777(%q0,%q2,2), %w0")
BINARY(lea_4, "leaq 0x40(,%q2,8), %q0")
BINARY(lea_5, "leaq 1(%k2,%k0,2), %q0") /* 32-bit addressing */
WIDE(cbw_, "cbtw")
WIDE(cwde_, "cwtl")
WIDE(cdqe_, "cltq")
WIDE(cwd_, "cwtd")
WIDE(cdq_, "cltd")
WIDE(cqo_, "cqto")
WIDE(lahf_, "lahf")
WIDE(sahf_, "sahf")
BINARY(stc_, "stc")
BINARY(clc_, "clc")
BINARY(cmc_, "cmc")

/* The high byte registers, mixed with low ones. */
WIDE(add_high, "addb %%dl, %%ah")
WIDE(sub_high, "subb %%ah, %%dh")
WIDE(mov_high, "movb %%dh, %%al")
WIDE(xchg_high, "xchgb %%ah, %%dl")
WIDE(movzx_high, "movzbl %%dh, %%eax")
WIDE(inc_high, "incb %%dh")
WIDE(shl_high, "shlb $3, %%ah")
WIDE(test_high, "testb %%ah, %%dh")
WIDE(mul_high, "mulb %%dh")

/* xadd, xchg, cmpxchg: registers and memory. */
WIDE(xadd_8, "xaddb %%dl, %%al")
WIDE(xadd_16, "xaddw %%dx, %%ax")
WIDE(xadd_32, "xaddl %%edx, %%eax")
WIDE(xadd_64, "xaddq %%rdx, %%rax")
WIDE(xchg_8, "xchgb %%dl, %%al")
WIDE(xchg_16, "xchgw %%dx, %%ax")
WIDE(xchg_32, "xchgl %%edx, %%eax")
WIDE(xchg_64, "xchgq %%rdx, %%rax")
WIDE(cmpxchg_8, "cmpxchgb %b3, %%dl")
WIDE(cmpxchg_16, "cmpxchgw %w3, %%dx")
WIDE(cmpxchg_32, "cmpxchgl %k3, %%edx")
WIDE(cmpxchg_64, "cmpxchgq %q3, %%rdx")

/* Carry and overflow chains: flags that one instruction leaves and another takes. */
WIDE(chain_add, "addq %q3, %%rax\n\tadcq %q3, %%rdx")
WIDE(chain_sub, "subl %k3, %%eax\n\tsbbl %k3, %%edx")
WIDE(chain_inc, "addl %k3, %%eax\n\tincl %%edx\n\tadcl $0, %%eax")
WIDE(chain_shift, "addb %b3, %%al\n\tshlb $0, %%dl\n\tadcb $0, %%dl") /* a count of 0 keeps the flags */
WIDE(chain_mov, "cmpw %w3, %%ax\n\tmovw %%dx, %%ax\n\tleaw 1(%%rdx), %%dx\n\trclw $1, %%dx")
WIDE(chain_not, "cmpq %q3, %%rax\n\tnotq %%rdx\n\tsbbq %%rax, %%rax")

/* Conditions: each as setcc, cmovcc and jcc after the loaded flags. r1 gathers the branches. */
#define CONDITION(cc)                                                                                                  \
  static void cond_##cc(struct io *io) {                                                                               \
    uint64_t set = io->a, m16 = io->a, m32 = io->a, m64 = io->a, taken = 5, f = io->flags;                             \
    __asm__ volatile("pushq %5\n\tpopfq\n\t"                                                                           \
                     "set" #cc " %b0\n\t"                                                                              \
                     "cmov" #cc "w %w6, %w1\n\t"                                                                       \
                     "cmov" #cc "l %k6, %k2\n\t"                                                                       \
                     "cmov" #cc "q %q6, %q3\n\t"                                                                       \
                     "j" #cc " 1f\n\t"                                                                                 \
                     "movl $7, %k4\n"                                                                                  \
                     "1:\tpushfq\n\tpopq %5"                                                                           \
                     : "+&r"(set), "+&r"(m16), "+&r"(m32), "+&r"(m64), "+&r"(taken), "+&r"(f)                          \
                     : "r"(io->b)                                                                                      \
                     : "cc");                                                                                          \
    io->r0 = set + m16 * 3 + m32 * 5 + m64 * 7;                                                                        \
    io->r1 = taken;                                                                                                    \
    io->flags = f;                                                                                                     \
  }
CONDITION(o)
CONDITION(no)
CONDITION(b)
CONDITION(ae)
CONDITION(e)
CONDITION(ne)
CONDITION(be)
CONDITION(a)
CONDITION(s)
CONDITION(ns)
CONDITION(p)
CONDITION(np)
CONDITION(l)
CONDITION(ge)
CONDITION(le)
CONDITION(g)

/* Conditions fused with a comparison of each width. */
#define COMPARED(cc, suffix, part)                                                                                     \
  BINARY(after_##cc##_##suffix, "cmp" #suffix " %" part "2, %" part "0\n\tset" #cc " %b0")
#define COMPARED_ALL(cc) COMPARED(cc, b, "b") COMPARED(cc, w, "w") COMPARED(cc, l, "k") COMPARED(cc, q, "q")
COMPARED_ALL(b)
COMPARED_ALL(be)
COMPARED_ALL(l)
COMPARED_ALL(le)
COMPARED_ALL(e)
COMPARED_ALL(s)
COMPARED_ALL(o)
COMPARED_ALL(p)
#define COMPARED_ROWS(cc)                                                                                              \
  {"cmp8-" #cc, after_##cc##_b, 8, PLAIN}, {"cmp16-" #cc, after_##cc##_w, 16, PLAIN},                                  \
      {"cmp32-" #cc, after_##cc##_l, 32, PLAIN}, {"cmp64-" #cc, after_##cc##_q, 64, PLAIN},

/* loop, loope, loopne, jrcxz, jecxz: the count in rcx, turns in r1. */
#define LOOP(name, text)                                                                                               \
  static void name(struct io *io) {                                                                                    \
    uint64_t count = io->b & 31, turns = 0, f = io->flags;                                                             \
    __asm__ volatile("pushq %2\n\tpopfq\n\t" text "\n\tpushfq\n\tpopq %2"                                              \
                     : "+&c"(count), "+&r"(turns), "+&r"(f)                                                            \
                     : "r"(io->a)                                                                                      \
                     : "cc");                                                                                          \
    io->r0 = count;                                                                                                    \
    io->r1 = turns;                                                                                                    \
    io->flags = f;                                                                                                     \
  }
LOOP(loop_, "orq $1, %%rcx\n1:\tleaq 1(%1), %1\n\tloop 1b")
LOOP(loopne_, "orq $1, %%rcx\n1:\tleaq 1(%1), %1\n\tcmpq $3, %1\n\tloopne 1b")
LOOP(loope_, "orq $1, %%rcx\n1:\tleaq 1(%1), %1\n\tcmpq $0, %3\n\tloope 1b")
LOOP(jrcxz_, "jrcxz 1f\n\tmovl $9, %k1\n1:")
LOOP(jecxz_, "movl %k3, %%ecx\n\tbtsq $40, %%rcx\n\tjecxz 1f\n\tmovl $9, %k1\n1:")

static const struct row rows[] = {
    ARITHMETIC_ROWS(add, PLAIN) ARITHMETIC_ROWS(or, LOGIC) ARITHMETIC_ROWS(adc, PLAIN) ARITHMETIC_ROWS(sbb, PLAIN)
        ARITHMETIC_ROWS(and, LOGIC) ARITHMETIC_ROWS(sub, PLAIN) ARITHMETIC_ROWS(xor, LOGIC) ARITHMETIC_ROWS(cmp, PLAIN)
            ARITHMETIC_ROWS(test, LOGIC) LOADED_ROWS(add, PLAIN) LOADED_ROWS(or, LOGIC) LOADED_ROWS(adc, PLAIN)
                LOADED_ROWS(sbb, PLAIN) LOADED_ROWS(and, LOGIC) LOADED_ROWS(sub, PLAIN) LOADED_ROWS(xor, LOGIC)
                    LOADED_ROWS(cmp, PLAIN) UNARY_ROWS(inc) UNARY_ROWS(dec) UNARY_ROWS(neg) UNARY_ROWS(not )
                        SHIFTED_ROWS(shl, SHIFT) SHIFTED_ROWS(shr, SHIFT) SHIFTED_ROWS(sar, SHIFT_SAR)
                            SHIFTED_ROWS(rol, ROTATE) SHIFTED_ROWS(ror, ROTATE) SHIFTED_ROWS(rcl, ROTATE_CF)
                                SHIFTED_ROWS(rcr, ROTATE_CF){"shld16", shld_16, 16, DOUBLE},
    {"shld32", shld_32, 32, DOUBLE},
    {"shld64", shld_64, 64, DOUBLE},
    {"shrd16", shrd_16, 16, DOUBLE},
    {"shrd32", shrd_32, 32, DOUBLE},
    {"shrd64", shrd_64, 64, DOUBLE},
    {"mul8", mul_8, 8, MULTIPLY},
    {"mul16", mul_16, 16, MULTIPLY},
    {"mul32", mul_32, 32, MULTIPLY},
    {"mul64", mul_64, 64, MULTIPLY},
    {"imul8", imul_8, 8, MULTIPLY},
    {"imul16", imul_16, 16, MULTIPLY},
    {"imul32", imul_32, 32, MULTIPLY},
    {"imul64", imul_64, 64, MULTIPLY},
    {"imul2-16", imul2_16, 16, MULTIPLY},
    {"imul2-32", imul2_32, 32, MULTIPLY},
    {"imul2-64", imul2_64, 64, MULTIPLY},
    {"imul3-16", imul3_16, 16, MULTIPLY},
    {"imul3-32", imul3_32, 32, MULTIPLY},
    {"imul3-64", imul3_64, 64, MULTIPLY},
    {"imul3-32s", imul3_s32, 32, MULTIPLY},
    {"imul3-64s", imul3_s64, 64, MULTIPLY},
    {"div8", div_8, 8, DIVIDE},
    {"div16", div_16, 16, DIVIDE},
    {"div32", div_32, 32, DIVIDE},
    {"div64", div_64, 64, DIVIDE},
    {"idiv8", idiv_8, -8, DIVIDE},
    {"idiv16", idiv_16, -16, DIVIDE},
    {"idiv32", idiv_32, -32, DIVIDE},
    {"idiv64", idiv_64, -64, DIVIDE},
    {"bt16", bt_16, 16, BIT_TEST},
    {"bt32", bt_32, 32, BIT_TEST},
    {"bt64", bt_64, 64, BIT_TEST},
    {"bts16", bts_16, 16, BIT_TEST},
    {"bts32", bts_32, 32, BIT_TEST},
    {"bts64", bts_64, 64, BIT_TEST},
    {"btr16", btr_16, 16, BIT_TEST},
    {"btr32", btr_32, 32, BIT_TEST},
    {"btr64", btr_64, 64, BIT_TEST},
    {"btc16", btc_16, 16, BIT_TEST},
    {"btc32", btc_32, 32, BIT_TEST},
    {"btc64", btc_64, 64, BIT_TEST},
    {"bt64i", bt_i64, 64, BIT_TEST},
    {"bts32i", bts_i32, 32, BIT_TEST},
    {"btc16i", btc_i16, 16, BIT_TEST},
    {"bsf16", bsf_16, 16, BIT_SCAN},
    {"bsf32", bsf_32, 32, BIT_SCAN},
    {"bsf64", bsf_64, 64, BIT_SCAN},
    {"bsr16", bsr_16, 16, BIT_SCAN},
    {"bsr32", bsr_32, 32, BIT_SCAN},
    {"bsr64", bsr_64, 64, BIT_SCAN},
    {"bswap32", bswap_32, 32, PLAIN},
    {"bswap64", bswap_64, 64, PLAIN},
    {"movzx8-16", movzx_8_16, 8, PLAIN},
    {"movzx8-32", movzx_8_32, 8, PLAIN},
    {"movzx8-64", movzx_8_64, 8, PLAIN},
    {"movzx16-32", movzx_16_32, 16, PLAIN},
    {"movzx16-64", movzx_16_64, 16, PLAIN},
    {"movsx8-16", movsx_8_16, 8, PLAIN},
    {"movsx8-32", movsx_8_32, 8, PLAIN},
    {"movsx8-64", movsx_8_64, 8, PLAIN},
    {"movsx16-32", movsx_16_32, 16, PLAIN},
    {"movsx16-64", movsx_16_64, 16, PLAIN},
    {"movsx32-64", movsx_32_64, 32, PLAIN},
    {"mov8", mov_8, 8, PLAIN},
    {"mov16", mov_16, 16, PLAIN},
    {"mov32", mov_32, 32, PLAIN},
    {"mov8i", mov_i8, 8, PLAIN},
    {"mov16i", mov_i16, 16, PLAIN},
    {"mov32i", mov_i32, 32, PLAIN},
    {"mov64s", mov_s64, 64, PLAIN},
    {"mov64i", mov_i64, 64, PLAIN},
    {"lea1", lea_1, 64, PLAIN},
    {"lea2", lea_2, 64, PLAIN},
    {"lea3", lea_3, 64, PLAIN},
    {"lea4", lea_4, 64, PLAIN},
    {"lea5", lea_5, 64, PLAIN},
    {"cbw", cbw_, 8, PLAIN},
    {"cwde", cwde_, 16, PLAIN},
    {"cdqe", cdqe_, 32, PLAIN},
    {"cwd", cwd_, 16, PLAIN},
    {"cdq", cdq_, 32, PLAIN},
    {"cqo", cqo_, 64, PLAIN},
    {"lahf", lahf_, 8, PLAIN},
    {"sahf", sahf_, 16, PLAIN},
    {"stc", stc_, 8, PLAIN},
    {"clc", clc_, 8, PLAIN},
    {"cmc", cmc_, 8, PLAIN},
    {"add-high", add_high, 16, PLAIN},
    {"sub-high", sub_high, 16, PLAIN},
    {"mov-high", mov_high, 16, PLAIN},
    {"xchg-high", xchg_high, 16, PLAIN},
    {"movzx-high", movzx_high, 16, PLAIN},
    {"inc-high", inc_high, 16, PLAIN},
    {"shl-high", shl_high, 16, NO_FLAGS},
    {"test-high", test_high, 16, LOGIC},
    {"mul-high", mul_high, 16, MULTIPLY},
    {"xadd8", xadd_8, 8, PLAIN},
    {"xadd16", xadd_16, 16, PLAIN},
    {"xadd32", xadd_32, 32, PLAIN},
    {"xadd64", xadd_64, 64, PLAIN},
    {"xchg8", xchg_8, 8, PLAIN},
    {"xchg16", xchg_16, 16, PLAIN},
    {"xchg32", xchg_32, 32, PLAIN},
    {"xchg64", xchg_64, 64, PLAIN},
    {"cmpxchg8", cmpxchg_8, 8, PLAIN},
    {"cmpxchg16", cmpxchg_16, 16, PLAIN},
    {"cmpxchg32", cmpxchg_32, 32, PLAIN},
    {"cmpxchg64", cmpxchg_64, 64, PLAIN},
    {"chain-add", chain_add, 64, PLAIN},
    {"chain-sub", chain_sub, 32, PLAIN},
    {"chain-inc", chain_inc, 32, PLAIN},
    {"chain-shift", chain_shift, 8, PLAIN},
    {"chain-mov", chain_mov, 16, PLAIN},
    {"chain-not", chain_not, 64, PLAIN},
    {"cond-o", cond_o, 64, PLAIN},
    {"cond-no", cond_no, 64, PLAIN},
    {"cond-b", cond_b, 64, PLAIN},
    {"cond-ae", cond_ae, 64, PLAIN},
    {"cond-e", cond_e, 64, PLAIN},
    {"cond-ne", cond_ne, 64, PLAIN},
    {"cond-be", cond_be, 64, PLAIN},
    {"cond-a", cond_a, 64, PLAIN},
    {"cond-s", cond_s, 64, PLAIN},
    {"cond-ns", cond_ns, 64, PLAIN},
    {"cond-p", cond_p, 64, PLAIN},
    {"cond-np", cond_np, 64, PLAIN},
    {"cond-l", cond_l, 64, PLAIN},
    {"cond-ge", cond_ge, 64, PLAIN},
    {"cond-le", cond_le, 64, PLAIN},
    {"cond-g", cond_g, 64, PLAIN},
    COMPARED_ROWS(b) COMPARED_ROWS(be) COMPARED_ROWS(l) COMPARED_ROWS(le) COMPARED_ROWS(e) COMPARED_ROWS(s)
        COMPARED_ROWS(o) COMPARED_ROWS(p){"loop", loop_, 64, PLAIN},
    {"loopne", loopne_, 64, PLAIN},
    {"loope", loope_, 64, PLAIN},
    {"jrcxz", jrcxz_, 64, PLAIN},
    {"jecxz", jecxz_, 64, PLAIN},
};

static const uint64_t values[] = {0,
                                  1,
                                  2,
                                  3,
                                  0xf,
                                  0x10,
                                  0x7e,
                                  0x7f,
                                  0x80,
                                  0x81,
                                  0xfe,
                                  0xff,
                                  0x100,
                                  0x7fff,
                                  0x8000,
                                  0x8001,
                                  0xffff,
                                  0x10000,
                                  0x12345678,
                                  0x7fffffff,
                                  0x80000000,
                                  0x80000001,
                                  0xfffffffe,
                                  0xffffffff,
                                  0x100000000,
                                  0x123456789abcdef0,
                                  0x7fffffffffffffff,
                                  0x8000000000000000,
                                  0x8000000000000001,
                                  0xa5a5a5a5a5a5a5a5,
                                  0xfffffffffffffffe,
                                  0xffffffffffffffff};
static const uint64_t counts[] = {0,  1,  2,  3,  4,  5,  7,  8,  9,  10, 15, 16, 17, 18, 23, 24, 25,  26,
                                  30, 31, 32, 33, 34, 40, 47, 48, 49, 62, 63, 64, 65, 66, 95, 96, 127, 255};
/* The last ones: every flag but one. */
static const uint64_t incoming[] = {0, CF, ALL, ZF | OF, SF | PF, AF, ALL & ~CF};

enum { VALUES = sizeof values / sizeof *values, COUNTS = sizeof counts / sizeof *counts };

/* Which flags of this case are defined. */
static uint64_t defined(const struct row *row, int width, uint64_t b) {
  unsigned count = row->by ? row->by : (unsigned)(b & (width == 64 ? 63 : 31));
  unsigned bits = (unsigned)width;
  switch (row->kind) {
  case PLAIN:
    return ALL;
  case LOGIC:
    return ALL & ~AF;
  case SHIFT:
    if (count >= bits)
      return ALL & ~AF & ~OF & ~CF;
    return count == 0 ? ALL : count == 1 ? ALL & ~AF : ALL & ~AF & ~OF;
  case SHIFT_SAR:
  case DOUBLE:
    return count == 0 ? ALL : count == 1 ? ALL & ~AF : ALL & ~AF & ~OF;
  case ROTATE:
  case ROTATE_CF:
    return count <= 1 ? ALL : ALL & ~OF;
  case MULTIPLY:
    return CF | OF;
  case DIVIDE:
  case NO_FLAGS:
    return 0;
  case BIT_TEST:
    return CF | ZF;
  case BIT_SCAN:
    return ZF;
  }
  return 0;
}

static uint64_t low(uint64_t value, int width) { return width == 64 ? value : value & (((uint64_t)1 << width) - 1); }

/* Makes the operands of a division that fits: 0 if there is none for this pair. */
static int make_dividend(struct io *io, int width, int is_signed, uint64_t quotient, uint64_t divisor, uint64_t seed) {
  unsigned shift = 64 - (unsigned)width;
  __int128 q, d, r;
  if (is_signed) {
    q = (int64_t)(quotient << shift) >> shift;
    d = (int64_t)(divisor << shift) >> shift;
  } else {
    q = low(quotient, width);
    d = low(divisor, width);
  }
  if (d == 0)
    return 0;
  __int128 size = d < 0 ? -d : d;
  r = (__int128)(seed % (uint64_t)size);
  if (is_signed && (q == 0 ? seed & 1 : (q < 0) != (d < 0)))
    r = -r;
  unsigned __int128 dividend = (unsigned __int128)(q * d) + (unsigned __int128)r;
  if (!is_signed)
    dividend = (unsigned __int128)q * (unsigned __int128)d + (unsigned __int128)r;
  if (width == 8) {
    io->a = 0xabcdef0123450000u | (uint16_t)dividend;
    io->c = 0x1122334455667788;
  } else {
    io->a = low((uint64_t)dividend, width) | (width < 32 ? 0xabcdef0100000000u : 0);
    io->c = low((uint64_t)(dividend >> width), width) | (width < 32 ? 0x1122334400000000u : 0);
  }
  io->b = divisor;
  return 1;
}

static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
  return hash ^ hash >> 29;
}

static void run(const struct row *row, int verbose) {
  uint64_t results = 1, flags = 1;
  long cases = 0;
  int by_count = row->kind == SHIFT || row->kind == SHIFT_SAR || row->kind == ROTATE || row->kind == ROTATE_CF ||
                 row->kind == DOUBLE;
  int width = row->width < 0 ? -row->width : row->width;
  for (int i = 0; i < VALUES; i++)
    for (int j = 0; j < (by_count ? COUNTS : VALUES); j++)
      for (unsigned k = 0; k < sizeof incoming / sizeof *incoming; k++) {
        struct io io = {0};
        io.a = low(values[i], width) | (width < 64 ? 0xc3c3c3c3c3c3c3c3u << width : 0);
        io.b = by_count ? counts[j] : values[j];
        io.c = values[(i * 7 + j * 3) % VALUES];
        io.flags = incoming[k] | 2;
        if (row->kind == DIVIDE &&
            !make_dividend(&io, width, row->width < 0, values[i], values[j], values[(i + j) % VALUES]))
          continue;
        /* shld and shrd of 16 bits by more than 16 leave everything undefined */
        if (row->kind == DOUBLE && width == 16 && (io.b & 31) > 16)
          continue;
        struct io before = io;
        row->fn(&io);
        uint64_t kept = io.flags & defined(row, width, before.b);
        int no_result = row->kind == BIT_SCAN && low(before.b, width) == 0;
        results = mix(mix(results, no_result ? 0 : io.r0), io.r1);
        flags = mix(flags, kept);
        cases++;
        if (verbose)
          printf("%s a=%016llx b=%016llx c=%016llx flags=%03llx -> %016llx %016llx %03llx\n", row->name,
                 (unsigned long long)before.a, (unsigned long long)before.b, (unsigned long long)before.c,
                 (unsigned long long)before.flags, no_result ? 0ull : (unsigned long long)io.r0,
                 (unsigned long long)io.r1, (unsigned long long)kept);
      }
  printf("%-12s %5ld cases, results %016llx, flags %016llx\n", row->name, cases, (unsigned long long)results,
         (unsigned long long)flags);
}

/* Bit strings in memory: the bit offset may lie far outside of the operand, on either side. */
static void bit_strings(void) {
  static uint64_t words[64];
  uint64_t hash = 1;
  for (int64_t offset = -1500; offset < 1500; offset += 13) {
    uint8_t was;
    int64_t value = offset;
    __asm__ volatile("btsq %2, %1\n\tsetc %0" : "=q"(was), "+m"(words[32]) : "r"(value) : "cc", "memory");
    hash = mix(hash, was);
    int32_t small = (int32_t)offset;
    __asm__ volatile("btcl %2, %1\n\tsetc %0"
                     : "=q"(was), "+m"(*(uint32_t *)&words[32])
                     : "r"(small + 5)
                     : "cc", "memory");
    hash = mix(hash, was);
    int16_t tiny = (int16_t)(offset / 2);
    __asm__ volatile("btrw %2, %1\n\tsetc %0" : "=q"(was), "+m"(*(uint16_t *)&words[32]) : "r"(tiny) : "cc", "memory");
    hash = mix(hash, was);
    __asm__ volatile("btw %2, %1\n\tsetc %0" : "=q"(was) : "m"(*(uint16_t *)&words[30]), "r"(tiny) : "cc", "memory");
    hash = mix(hash, was);
  }
  for (int i = 0; i < 64; i++)
    hash = mix(hash, words[i]);
  printf("bit strings  %016llx\n", (unsigned long long)hash);
}

/* Stack instructions: push of each immediate and width, pop to memory, enter and leave, pushf and popf of 16 bits. */
static void stack_instructions(void) {
  uint64_t slots[4] = {0, 0, 0, 0}, moved, popped = 0;
  __asm__ volatile("movq %%rsp, %%rbx\n\t"
                   "pushq $-5\n\t"
                   "pushq $0x7fffffff\n\t"
                   "pushw $0x1234\n\t"
                   "pushw %%ax\n\t"
                   "popw 8(%%rdi)\n\t"
                   "addq $2, %%rsp\n\t"
                   "popq 16(%%rdi)\n\t"
                   "popq 24(%%rdi)\n\t"
                   "subq %%rsp, %%rbx"
                   : "=&b"(moved)
                   : "a"(0xabcdef), "D"(slots)
                   : "memory", "cc");
  printf("push, pop    %llx %llx %llx %llx\n", (unsigned long long)slots[1], (unsigned long long)slots[2],
         (unsigned long long)slots[3], (unsigned long long)moved);
  uint64_t distance, inner, after;
  __asm__ volatile("movq %%rbp, %%r8\n\tmovq %%rsp, %%r9\n\t"
                   "enter $48, $0\n\t"
                   "movq %%r9, %0\n\tsubq %%rsp, %0\n\t"
                   "movq (%%rbp), %1\n\tsubq %%r8, %1\n\t"
                   "leave\n\t"
                   "movq %%r9, %2\n\tsubq %%rsp, %2\n\tsubq %%rbp, %%r8\n\taddq %%r8, %2"
                   : "=&r"(distance), "=&r"(inner), "=&r"(after)
                   :
                   : "r8", "r9", "memory", "cc");
  printf("enter, leave %llu %llu %llu\n", (unsigned long long)distance, (unsigned long long)inner,
         (unsigned long long)after);
  __asm__ volatile("pushw $0x8d5\n\tpopfw\n\tpushfw\n\tmovzwl (%%rsp), %k0\n\taddq $2, %%rsp"
                   : "=r"(popped)
                   :
                   : "memory", "cc");
  printf("pushfw       %llx\n", (unsigned long long)(popped & ALL));
  /* pop to an address that uses rsp takes rsp after the pop; push rsp pushes the old one */
  uint64_t old, pushed, target;
  __asm__ volatile("movq %%rsp, %0\n\tpushq %%rsp\n\tpopq %1\n\t"
                   "subq $32, %%rsp\n\tmovq $77, (%%rsp)\n\tpopq 8(%%rsp)\n\tmovq 8(%%rsp), %2\n\taddq $24, %%rsp"
                   : "=&r"(old), "=&r"(pushed), "=&r"(target)
                   :
                   : "memory", "cc");
  printf("push rsp     %s, pop 8(rsp) %llu\n", old == pushed ? "old value" : "another value",
         (unsigned long long)target);
  uint8_t table[256], index = 200;
  for (int i = 0; i < 256; i++)
    table[i] = (uint8_t)(i * 3);
  __asm__ volatile("xlatb" : "+a"(index) : "b"(table) : "memory");
  printf("xlat         %u\n", index);
}

int main(int argc, char **argv) {
  const char *only = argc > 1 ? argv[1] : NULL;
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
    if (only == NULL || strcmp(only, rows[i].name) == 0)
      run(&rows[i], only != NULL);
  if (only == NULL) {
    bit_strings();
    stack_instructions();
  }
  return 0;
}
