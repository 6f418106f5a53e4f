/* Runs x87 instructions on this host's processor and writes what they did: the oracle of tests/unit/x87-vectors.test.ts.
   In: arguments SEED COUNT (cases an instruction form). Out: records of 104 bytes on stdout, as `struct record` says.
   Each case loads the whole state by FRSTOR, runs one instruction and saves the state by FNSAVE.
   Source: Intel SDM volume 1, chapter 8; volume 2, appendix A, tables. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct __attribute__((packed)) ext {
  uint64_t sig;
  uint16_t se;
};

struct __attribute__((packed)) state {
  uint16_t cw, sw;
  /* One bit a physical register: 1 empty. */
  uint8_t empty;
  /* EFLAGS: low byte, OF, and what the instruction wrote to AX. */
  uint8_t flags, of;
  uint8_t pad;
};

struct __attribute__((packed)) record {
  uint8_t length, code[7];
  struct state in;
  struct ext st0, st1;
  uint8_t mem[12];
  struct state out;
  /* The registers that were ST7, ST0 and ST1 before. */
  struct ext out7, out0, out1;
  uint8_t out_mem[10];
  uint16_t ax;
  uint8_t pad[6];
};
_Static_assert(sizeof(struct record) == 104, "record");

struct __attribute__((packed)) image {
  uint32_t cw, sw, tw, fip, fcs, fdp, fds;
  struct ext st[8];
};

static uint64_t rng_state;
static uint64_t rnd(void) {
  uint64_t z = (rng_state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
static unsigned below(unsigned n) { return (unsigned)((rnd() >> 32) * n >> 32); }
static int one_in(unsigned n) { return below(n) == 0; }

static const struct ext edges[] = {
    {0, 0x0000},                  /* 0 */
    {0x8000000000000000, 0x3fff}, /* 1 */
    {0xc000000000000000, 0x3fff}, /* 1.5 */
    {0x8000000000000000, 0x4000}, /* 2 */
    {0x8000000000000000, 0x3ffe}, /* 0.5 */
    {0xa000000000000000, 0x4000}, /* 2.5 */
    {0xaaaaaaaaaaaaaaab, 0x3ffd}, /* 1/3 */
    {0xffffffffffffffff, 0x3ffe}, /* just below 1 */
    {0x8000000000000001, 0x3fff}, /* just above 1 */
    {0xc90fdaa22168c235, 0x4000}, /* pi */
    {0xc90fdaa22168c235, 0x3fff}, /* pi/2 */
    {0xc90fdaa22168c235, 0x3ffe}, /* pi/4 */
    {0xb504f333f9de6484, 0x3ffe}, /* sqrt(1/2) */
    {0x95f619980c4336f7, 0x3ffd}, /* 1 - sqrt(1/2) */
    {0xfffe000000000000, 0x400d}, /* 2^15 - 1 */
    {0xffff000000000000, 0x400d}, /* 2^15 - 1/2 */
    {0x8000000000000000, 0x400e}, /* 2^15 */
    {0xfffffffe00000000, 0x401d}, /* 2^31 - 1 */
    {0xffffffff00000000, 0x401d}, /* 2^31 - 1/2 */
    {0x8000000080000000, 0x401e}, /* 2^31 + 1/2 */
    {0x8000000000000000, 0x401e}, /* 2^31 */
    {0xffffffffffffffff, 0x403d}, /* 2^63 - 1/2 */
    {0xfffffffffffffffe, 0x403d}, /* 2^63 - 1 */
    {0x8000000000000000, 0x403e}, /* 2^63 */
    {0xffffffffffffffff, 0x403e}, /* 2^64 - 1 */
    {0xde0b6b3a763ffff0, 0x403a}, /* 10^18 - 1 */
    {0xde0b6b3a763ffff8, 0x403a}, /* 10^18 - 1/2 */
    {0xde0b6b3a76400000, 0x403a}, /* 10^18 */
    {0xffffffffffffffff, 0x7ffe}, /* largest */
    {0x8000000000000000, 0x7ffe},
    {0x8000000000000000, 0x0001}, /* smallest normal */
    {0xffffffffffffffff, 0x0001},
    {0x8000000000000001, 0x0002},
    {0x0000000000000001, 0x0000}, /* smallest denormal */
    {0x7fffffffffffffff, 0x0000}, /* largest denormal */
    {0x4000000000000001, 0x0000},
    {0x00000000ffffffff, 0x0000},
    {0x8000000000000000, 0x0000}, /* pseudo-denormals */
    {0xc000000000000001, 0x0000},
    {0x8000000000000000, 0x7fff}, /* infinity */
    {0xc000000000000000, 0x7fff}, /* quiet NaNs */
    {0xc000000000000001, 0x7fff},
    {0xffffffffffffffff, 0x7fff},
    {0xe123456789abcdef, 0x7fff},
    {0x8000000000000001, 0x7fff}, /* signalling NaNs */
    {0xbfffffffffffffff, 0x7fff},
    {0xa123456789abcdef, 0x7fff},
    {0x0000000000000000, 0x7fff}, /* pseudo-infinity */
    {0x4000000000000000, 0x7fff}, /* pseudo-NaNs */
    {0x0000000000000001, 0x7fff},
    {0x7fffffffffffffff, 0x3fff}, /* unnormals */
    {0x4000000000000000, 0x7ffe},
    {0x0000000000000000, 0x3fff},
    {0x0000000000000001, 0x0001},
    {0xfffffffffffffc00, 0x3ffe}, /* half a unit of double below 1 */
    {0xffffff8000000000, 0x3ffe}, /* half a unit of float below 1 */
    {0xffffff7fffffffff, 0x407e}, /* about the largest float */
    {0xffffff8000000000, 0x407e},
    {0xfffffffffffffbff, 0x43fe}, /* about the largest double */
    {0xfffffffffffffc00, 0x43fe},
    {0xffffff0000000000, 0x3f80}, /* about the smallest normal float */
    {0xffffff8000000000, 0x3f80},
    {0xfffffffffffff800, 0x3c00}, /* about the smallest normal double */
    {0xfffffffffffffc00, 0x3c00},
};
enum { EDGES = sizeof edges / sizeof *edges };

static uint64_t random_sig(void) {
  uint64_t s;
  switch (below(6)) {
  case 0:
    s = (uint64_t)1 << below(64) | (uint64_t)1 << below(64);
    break;
  case 1:
    s = ~(uint64_t)0 << below(64);
    break;
  case 2: /* near a half step of double or float */
    s = (rnd() & (one_in(2) ? ~(uint64_t)0x7ff : ~(uint64_t)0xffffffffff)) + (one_in(2) ? 0x400 : 0x8000000000) +
        below(3) - 1;
    break;
  default:
    s = rnd();
  }
  return s | 0x8000000000000000;
}

static struct ext random_ext(void) {
  struct ext x;
  if (one_in(3)) {
    x = edges[below(EDGES)];
    x.se |= below(2) << 15;
    return x;
  }
  x.sig = random_sig();
  switch (below(8)) {
  case 0:
    x.se = below(0x8000);
    if (one_in(8))
      x.sig = rnd();
    break;
  case 1: /* about the range of float and double */
    x.se = (one_in(2) ? 0x3f81 : 0x3c01) + below(70) - 60;
    break;
  case 2:
    x.se = (one_in(2) ? 0x407f : 0x43ff) + below(5) - 3;
    break;
  case 3:
    x.se = one_in(2) ? below(70) : 0x7fff - below(70);
    if (x.se == 0 || x.se == 0x7fff)
      x.sig = rnd();
    break;
  case 4:
    x.se = 0x3fff + below(70);
    break;
  default:
    x.se = 0x3fff + below(8) - 4;
  }
  x.se |= below(2) << 15;
  return x;
}

/* A second operand that has something to do with the first. */
static struct ext related(struct ext a) {
  if (one_in(2))
    return random_ext();
  struct ext x = {random_sig(), 0};
  switch (below(4)) {
  case 0:
    x.sig = a.sig + below(3) - 1;
    x.se = a.se & 0x7fff;
    break;
  case 1: /* product or quotient near the end of the range */
    x.se = ((one_in(2) ? 0x7ffe : 0) + 0x3fff - (a.se & 0x7fff) + below(5) - 2) & 0x7fff;
    break;
  case 2:
    x.se = ((a.se & 0x7fff) - 0x3fff + (one_in(2) ? 0x7ffe : 0) + below(70) - 68) & 0x7fff;
    break;
  default:
    x.se = ((a.se & 0x7fff) + below(140) - 70) & 0x7fff;
  }
  if (x.se == 0 || x.se == 0x7fff || one_in(50))
    x.sig = rnd();
  x.se |= below(2) << 15;
  return x;
}

/* Arguments of the transcendental instructions: mostly within their ranges. */
static struct ext in_range(int low, int high) {
  struct ext x = {random_sig(), (uint16_t)(0x3fff + low + (int)below((unsigned)(high - low)))};
  x.se |= below(2) << 15;
  return x;
}

enum kind { NONE, F32, F64, F80, I16, I32, I64, BCD, M16 };

static void put(uint8_t *p, uint64_t v, int bytes) { memcpy(p, &v, (size_t)bytes); }

static void random_memory(uint8_t *p, enum kind kind) {
  static const uint32_t f32[] = {0,          0x3f800000, 0x7f800000, 0x7fc00000, 0x7fc00001, 0x7f800001, 0x7fbfffff,
                                 0x7fffffff, 0x00000001, 0x007fffff, 0x00400000, 0x00800000, 0x7f7fffff, 0x40490fdb};
  static const uint64_t f64[] = {0,
                                 0x3ff0000000000000,
                                 0x7ff0000000000000,
                                 0x7ff8000000000000,
                                 0x7ff8000000000001,
                                 0x7ff0000000000001,
                                 0x7ff7ffffffffffff,
                                 0x7fffffffffffffff,
                                 1,
                                 0x000fffffffffffff,
                                 0x0008000000000000,
                                 0x0010000000000000,
                                 0x7fefffffffffffff,
                                 0x400921fb54442d18};
  for (int i = 0; i < 12; i++)
    p[i] = (uint8_t)rnd();
  switch (kind) {
  case F32:
    if (one_in(2))
      put(p, f32[below(sizeof f32 / sizeof *f32)] | below(2) << 31, 4);
    else if (one_in(2))
      put(p, (rnd() & 0x807fffff) | (0x3f800000 + (below(8) << 23)), 4);
    break;
  case F64:
    if (one_in(2))
      put(p, f64[below(sizeof f64 / sizeof *f64)] | (uint64_t)below(2) << 63, 8);
    else if (one_in(2))
      put(p, (rnd() & 0x800fffffffffffff) | (0x3ff0000000000000 + ((uint64_t)below(8) << 52)), 8);
    break;
  case F80: {
    struct ext x = random_ext();
    memcpy(p, &x, 10);
    break;
  }
  case I16:
  case I32:
  case I64:
    if (one_in(3)) {
      int bytes = kind == I16 ? 2 : kind == I32 ? 4 : 8;
      uint64_t least = (uint64_t)1 << (8 * bytes - 1);
      uint64_t list[] = {0, 1, ~(uint64_t)0, least, least - 1, least + 1, 2, 10, 3};
      put(p, list[below(9)], bytes);
    }
    break;
  case BCD:
    for (int i = 0; i < 9; i++)
      p[i] = (uint8_t)(one_in(4) ? 0 : one_in(4) ? 0x99 : below(10) << 4 | below(10));
    p[9] = (uint8_t)(below(2) << 7);
    break;
  case M16: /* a control word */
    put(p, 0x0040 | (rnd() & 0x0f3f), 2);
    break;
  default:;
  }
}

/* What the forms with a memory operand access; NONE: not a form to run here. */
static const enum kind memory_kind[8][8] = {
    {F32, F32, F32, F32, F32, F32, F32, F32}, {F32, NONE, F32, F32, NONE, M16, NONE, M16},
    {I32, I32, I32, I32, I32, I32, I32, I32}, {I32, I32, I32, I32, NONE, F80, NONE, F80},
    {F64, F64, F64, F64, F64, F64, F64, F64}, {F64, I64, F64, F64, NONE, NONE, NONE, M16},
    {I16, I16, I16, I16, I16, I16, I16, I16}, {I16, I16, I16, I16, BCD, I64, BCD, I64},
};

/* Register forms that are no instruction. */
static int reserved(int op, int modrm) {
  switch (op) {
  case 1:
    return (modrm > 0xd0 && modrm < 0xd8) || modrm == 0xe2 || modrm == 0xe3 || modrm == 0xe6 || modrm == 0xe7 ||
           modrm == 0xef;
  case 2:
    return modrm >= 0xe0 && modrm != 0xe9;
  case 3:
    return modrm == 0xe5 || modrm == 0xe6 || modrm == 0xe7 || modrm >= 0xf8;
  case 5:
    return modrm >= 0xf0;
  case 6:
    return modrm >= 0xd8 && modrm < 0xe0 && modrm != 0xd9;
  case 7:
    return (modrm > 0xe0 && modrm < 0xe8) || modrm >= 0xf8;
  default:
    return 0;
  }
}

static uint8_t *buffer;

static void execute(struct record *r) {
  static const uint8_t head[] = {0xdd, 0x27, 0x51, 0x9d};
  static const uint8_t tail[] = {0xdd, 0x32, 0x9c, 0x59, 0x49, 0x89, 0x08, 0x49, 0x89, 0x40, 0x08, 0xc3};
  static struct image in, out;
  static uint8_t mem[16];
  uint64_t result[2];
  uint8_t *p = buffer;
  memcpy(p, head, sizeof head);
  p += sizeof head;
  memcpy(p, r->code, r->length);
  p += r->length;
  memcpy(p, tail, sizeof tail);
  int top = r->in.sw >> 11 & 7;
  memset(&in, 0, sizeof in);
  in.cw = 0xffff0000 | r->in.cw;
  in.sw = 0xffff0000 | r->in.sw;
  for (int i = 0; i < 8; i++) {
    if (r->in.empty >> i & 1)
      in.tw |= 3u << (2 * i);
    in.st[i] = i == 0 ? r->st0 : i == 1 ? r->st1 : (struct ext){0x8000000000000000 + (uint64_t)i, (uint16_t)(0x4000 + i)};
  }
  memcpy(mem, r->mem, sizeof r->mem);
  uint64_t flags = (uint64_t)0x202 | r->in.flags | (uint64_t)r->in.of << 11;
  void *code = buffer;
  __asm__ volatile("movq %[flags], %%rcx\n\tmovq %[result], %%r8\n\txorl %%eax, %%eax\n\tsubq $128, %%rsp\n\tcall *%[code]\n\taddq $128, %%rsp\n\tcld"
                   :
                   : [flags] "r"(flags), [result] "r"(result), [code] "r"(code), "D"(&in), "S"(mem), "d"(&out)
                   : "rcx", "rax", "r8", "memory", "cc");
  r->out.cw = (uint16_t)out.cw;
  r->out.sw = (uint16_t)out.sw;
  r->out.empty = 0;
  for (int i = 0; i < 8; i++)
    r->out.empty |= (uint8_t)(((out.tw >> (2 * i) & 3) == 3) << i);
  r->out.flags = (uint8_t)(result[0] & 0xd5);
  r->out.of = result[0] >> 11 & 1;
  r->ax = (uint16_t)result[1];
  int moved = ((out.sw >> 11 & 7) - top) & 7;
  r->out7 = out.st[(7 - moved) & 7];
  r->out0 = out.st[(8 - moved) & 7];
  r->out1 = out.st[(9 - moved) & 7];
  memcpy(r->out_mem, mem, 10);
}

static void random_state(struct record *r) {
  /* Precision 01 is reserved. */
  static const uint16_t precisions[] = {0x300, 0x300, 0x300, 0x200, 0x000};
  uint16_t cw = 0x0040 | precisions[below(5)] | (uint16_t)(below(4) << 10);
  cw |= one_in(3) ? rnd() & 0x3f : 0x3f;
  uint16_t sw = rnd() & 0x7f00;
  /* No exception is pending. */
  if (one_in(2))
    sw |= rnd() & 0x7f & (cw | 0x40);
  int top = below(8);
  r->in.cw = cw;
  r->in.sw = (uint16_t)((sw & ~0x3800) | top << 11);
  r->in.empty = (uint8_t)(1u << ((top + 7) & 7));
  if (one_in(16))
    r->in.empty = (uint8_t)rnd();
  r->in.flags = rnd() & 0xd5;
  r->in.of = rnd() & 1;
}

static void random_operands(struct record *r, enum kind kind) {
  int op = r->code[0], modrm = r->code[1];
  r->st0 = random_ext();
  r->st1 = related(r->st0);
  random_memory(r->mem, kind);
  if (op != 0xd9 || modrm < 0xf0 || one_in(5))
    return;
  switch (modrm) {
  case 0xf0: /* f2xm1 */
    r->st0 = in_range(-70, 0);
    break;
  case 0xf1: /* fyl2x */
    r->st0 = one_in(2) ? in_range(-3, 3) : in_range(-0x3000, 0x3000);
    r->st0.se &= 0x7fff;
    r->st1 = in_range(-20, 20);
    break;
  case 0xf9: /* fyl2xp1 */
    r->st0 = in_range(-70, -2);
    r->st1 = in_range(-20, 20);
    break;
  case 0xf2:
  case 0xfb:
  case 0xfe:
  case 0xff: /* fptan, fsincos, fsin, fcos */
    r->st0 = one_in(2) ? in_range(-70, 4) : in_range(0, 64);
    break;
  case 0xf3: /* fpatan */
    r->st0 = in_range(-20, 20);
    r->st1 = in_range(-20, 20);
    break;
  case 0xf5:
  case 0xf8: /* fprem1, fprem */
    r->st1 = (struct ext){random_sig(), (uint16_t)(((r->st0.se & 0x7fff) - below(one_in(2) ? 8 : 200)) & 0x7fff)};
    r->st1.se |= below(2) << 15;
    break;
  case 0xfd: /* fscale */
    r->st1 = in_range(-2, 16);
    break;
  default:;
  }
}

static void run_form(const uint8_t *code, enum kind kind, unsigned count) {
  for (unsigned n = 0; n < count; n++) {
    struct record r;
    memset(&r, 0, sizeof r);
    r.length = 2;
    memcpy(r.code, code, 2);
    random_state(&r);
    random_operands(&r, kind);
    execute(&r);
    fwrite(&r, sizeof r, 1, stdout);
  }
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: x87 SEED COUNT [OPCODE]\n");
    return 2;
  }
  rng_state = strtoull(argv[1], NULL, 0);
  unsigned count = (unsigned)atoi(argv[2]);
  unsigned only = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 16) : 0;
  buffer = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (buffer == MAP_FAILED) {
    perror("mmap");
    return 1;
  }
  for (int op = 0; op < 8; op++) {
    for (int reg = 0; reg < 8; reg++) {
      uint8_t code[2] = {(uint8_t)(0xd8 + op), (uint8_t)(reg << 3 | 6)};
      if (memory_kind[op][reg] != NONE && (only == 0 || only == (unsigned)(code[0] << 8 | code[1])))
        run_form(code, memory_kind[op][reg], count);
    }
    for (int modrm = 0xc0; modrm < 0x100; modrm++) {
      uint8_t code[2] = {(uint8_t)(0xd8 + op), (uint8_t)modrm};
      if (reserved(op, modrm) || (only != 0 && only != (unsigned)(code[0] << 8 | modrm)))
        continue;
      /* D9 D0 and D9 E0 and above: the low bits are no register. Else ST1 most of the time, the others sometimes. */
      int plain = (op == 1 && modrm >= 0xd0 && modrm < 0xd8) || (op == 1 && modrm >= 0xe0) ||
                  (op == 3 && modrm >= 0xe0 && modrm < 0xe8) || (op == 2 && modrm == 0xe9) ||
                  (op == 6 && modrm == 0xd9) || (op == 7 && modrm == 0xe0);
      int rm = modrm & 7;
      run_form(code, NONE, plain || rm == 1 ? count : rm == 0 ? count / 4 : rm == 7 ? count / 8 : 0);
    }
  }
  return 0;
}
