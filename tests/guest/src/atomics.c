/* Locked instructions at every width, aligned and not, within a cache line, across lines and across pages: first alone
   (results and flags), then by four threads at once (no update may be lost).
   Source: Intel SDM volume 3, "Locked Atomic Operations"; volume 2, LOCK, XADD, CMPXCHG, CMPXCHG8B/16B. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { THREADS = 4, LINE = 64, PAGE = 4096, FLAGS = 0x8d5 };

static uint8_t *pages; /* four pages */

static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
  return hash ^ hash >> 29;
}

/* One locked instruction on *p with operand b (in RDX) and RAX = a; returns a hash of memory, registers and flags. */
#define LOCKED(name, text, mask)                                                                                       \
  static uint64_t name(uint8_t *p, uint64_t a, uint64_t b) {                                                           \
    uint64_t flags;                                                                                                    \
    __asm__ volatile("pushq $0x8d7\n\tpopfq\n\t" text "\n\tpushfq\n\tpopq %0"                                          \
                     : "=r"(flags), "+a"(a), "+d"(b)                                                                   \
                     : "D"(p)                                                                                          \
                     : "cc", "memory");                                                                                \
    return mix(mix(mix(1, a), b), flags & (mask));                                                                     \
  }
#define LOCKED_ALL(op, mask)                                                                                           \
  LOCKED(op##_b, "lock " #op "b %%dl, (%%rdi)", mask)                                                                  \
  LOCKED(op##_w, "lock " #op "w %%dx, (%%rdi)", mask)                                                                  \
  LOCKED(op##_l, "lock " #op "l %%edx, (%%rdi)", mask)                                                                 \
  LOCKED(op##_q, "lock " #op "q %%rdx, (%%rdi)", mask)
#define LOCKED_UNARY(op)                                                                                               \
  LOCKED(op##_b, "lock " #op "b (%%rdi)", FLAGS)                                                                       \
  LOCKED(op##_w, "lock " #op "w (%%rdi)", FLAGS)                                                                       \
  LOCKED(op##_l, "lock " #op "l (%%rdi)", FLAGS)                                                                       \
  LOCKED(op##_q, "lock " #op "q (%%rdi)", FLAGS)
LOCKED_ALL(add, FLAGS)
LOCKED_ALL(adc, FLAGS)
LOCKED_ALL(sub, FLAGS)
LOCKED_ALL(sbb, FLAGS)
LOCKED_ALL(and, FLAGS & ~16)
LOCKED_ALL(or, FLAGS & ~16)
LOCKED_ALL(xor, FLAGS & ~16)
LOCKED_ALL(xadd, FLAGS)
LOCKED_ALL(cmpxchg, FLAGS)
LOCKED_UNARY(inc)
LOCKED_UNARY(dec)
LOCKED_UNARY(neg)
LOCKED_UNARY(not )
LOCKED(xchg_b, "xchgb %%dl, (%%rdi)", FLAGS)
LOCKED(xchg_w, "xchgw %%dx, (%%rdi)", FLAGS)
LOCKED(xchg_l, "xchgl %%edx, (%%rdi)", FLAGS)
LOCKED(xchg_q, "xchgq %%rdx, (%%rdi)", FLAGS)
LOCKED(bts_w, "lock btsw $13, (%%rdi)", 65)
LOCKED(bts_l, "lock btsl $29, (%%rdi)", 65)
LOCKED(bts_q, "lock btsq $61, (%%rdi)", 65)
LOCKED(btr_l, "andl $31, %%edx\n\tlock btrl %%edx, (%%rdi)", 1)
LOCKED(btc_q, "andl $63, %%edx\n\tlock btcq %%rdx, (%%rdi)", 1)
LOCKED(btc_w, "lock btcw $3, (%%rdi)", 65)
LOCKED(add_i, "lock addl $0x12345678, (%%rdi)", FLAGS)
LOCKED(add_s, "lock addq $-2, (%%rdi)", FLAGS)

#define ALL_ROWS(op)                                                                                                   \
  {#op "b", op##_b, 1}, {#op "w", op##_w, 2}, {#op "l", op##_l, 4}, { #op "q", op##_q, 8 }
static const struct {
  const char *name;
  uint64_t (*fn)(uint8_t *p, uint64_t a, uint64_t b);
  int width;
} rows[] = {ALL_ROWS(add),          ALL_ROWS(adc),        ALL_ROWS(sub),      ALL_ROWS(sbb),      ALL_ROWS(and),
            ALL_ROWS(or),           ALL_ROWS(xor),        ALL_ROWS(xadd),     ALL_ROWS(cmpxchg),  ALL_ROWS(inc),
            ALL_ROWS(dec),          ALL_ROWS(neg),        ALL_ROWS(not ),     ALL_ROWS(xchg),     {"btsw", bts_w, 2},
            {"btsl", bts_l, 4},     {"btsq", bts_q, 8},   {"btrl", btr_l, 4}, {"btcq", btc_q, 8}, {"btcw", btc_w, 2},
            {"addl i32", add_i, 4}, {"addq i8", add_s, 8}};

static const uint64_t values[] = {0,
                                  1,
                                  0x7f,
                                  0x80,
                                  0xff,
                                  0x7fff,
                                  0x8000,
                                  0xffff,
                                  0x12345678,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  0x123456789abcdef0,
                                  0x7fffffffffffffff,
                                  0x8000000000000000,
                                  ~(uint64_t)0};
enum { VALUES = sizeof values / sizeof *values };

/* Places relative to the start of the second page. */
static const struct {
  const char *name;
  int offset;
} places[] = {{"aligned", 64}, {"unaligned", 64 + 3}, {"across lines", 128 - 1}, {"across pages", PAGE - 1}};

static void alone(void) {
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
    printf("%-9s", rows[i].name);
    for (unsigned place = 0; place < 4; place++) {
      uint8_t *p = pages + PAGE + places[place].offset;
      uint64_t hash = 1;
      /* Locked accesses across lines may be slow by design (split lock mitigation): fewer of them. */
      int step = place < 2 ? 1 : 5;
      for (int a = 0; a < VALUES; a += step)
        for (int b = 0; b < VALUES; b += step) {
          memset(p - 16, 0x5a, 48);
          memcpy(p, &values[a], 8);
          hash = mix(hash, rows[i].fn(p, values[(a + b) % 3 ? b : a], values[b]));
          for (int j = -16; j < 32; j += 8) {
            uint64_t word;
            memcpy(&word, p + j, 8);
            hash = mix(hash, word);
          }
        }
      printf(" %016llx", (unsigned long long)hash);
    }
    putchar('\n');
  }
}

/* cmpxchg8b and cmpxchg16b: equal, and each half different. */
static void pairs(void) {
  static uint64_t quads[4] __attribute__((aligned(16)));
  for (int equal = 0; equal < 4; equal++) {
    uint64_t word = 0x1111111122222222;
    uint32_t a = equal & 1 ? 0x22222222 : 5, d = equal & 2 ? 0x11111111 : 6;
    uint8_t zf;
    memcpy((uint8_t *)quads + 4, &word, 8);
    __asm__ volatile("lock cmpxchg8b 4(%3)\n\tsetz %0"
                     : "=q"(zf), "+a"(a), "+d"(d)
                     : "r"(quads), "b"(0x33333333), "c"(0x44444444)
                     : "cc", "memory");
    memcpy(&word, (uint8_t *)quads + 4, 8);
    printf("cmpxchg8b  %d: zf %d, %llx, %08x:%08x\n", equal, zf, (unsigned long long)word, d, a);
  }
  for (int equal = 0; equal < 4; equal++) {
    uint64_t a = equal & 1 ? 0x1122334455667788 : 5, d = equal & 2 ? 0x99aabbccddeeff00 : 6;
    uint8_t zf;
    quads[0] = 0x1122334455667788;
    quads[1] = 0x99aabbccddeeff00;
    __asm__ volatile("lock cmpxchg16b (%3)\n\tsetz %0"
                     : "=q"(zf), "+a"(a), "+d"(d)
                     : "r"(quads), "b"((uint64_t)0x0102030405060708), "c"((uint64_t)0x1112131415161718)
                     : "cc", "memory");
    printf("cmpxchg16b %d: zf %d, %016llx:%016llx, %016llx:%016llx\n", equal, zf, (unsigned long long)quads[1],
           (unsigned long long)quads[0], (unsigned long long)d, (unsigned long long)a);
  }
}

/* --- four threads ---------------------------------------------------------------------------------------------- */

struct shared {
  uint8_t counters[5 * LINE]; /* byte, word, dword and qword counters, also unaligned ones */
  uint64_t wide[2] __attribute__((aligned(16)));
  uint32_t bits[64] __attribute__((aligned(LINE)));
  uint32_t lock __attribute__((aligned(LINE)));
  uint64_t guarded;
  uint64_t sum;
  uint64_t tickets;
} __attribute__((aligned(LINE)));

static struct shared shared;
static int turns, split_turns;
static pthread_barrier_t start;

static void *hammer(void *arg) {
  int id = (int)(intptr_t)arg;
  uint8_t *c = shared.counters;
  pthread_barrier_wait(&start);
  for (int i = 0; i < turns; i++) {
    __asm__ volatile("lock incb (%0)\n\t"
                     "lock addw $1, 8(%0)\n\t"
                     "lock addl $1, 16(%0)\n\t"
                     "lock incq 24(%0)\n\t"
                     "lock subw $1, 33(%0)\n\t"
                     "lock addl $3, 42(%0)\n\t"
                     "lock addq $5, 49(%0)"
                     :
                     : "r"(c)
                     : "cc", "memory");
    uint64_t one = 1;
    __asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(shared.tickets) : : "cc", "memory");
    __atomic_fetch_add(&shared.sum, one, __ATOMIC_SEQ_CST); /* the sum of all tickets: each was handed out once */
    /* a compare-and-swap loop of 16 bytes: the halves go up together */
    uint64_t a = 0, d = 0;
    uint8_t done = 0;
    while (!done)
      __asm__ volatile("lock cmpxchg16b (%3)\n\tsetz %0"
                       : "=q"(done), "+a"(a), "+d"(d)
                       : "r"(shared.wide), "b"(a + 1), "c"(d + 3)
                       : "cc", "memory");
    /* a spin lock by xchg around a plain counter */
    uint32_t taken;
    do {
      taken = 1;
      __asm__ volatile("xchgl %0, %1" : "+r"(taken), "+m"(shared.lock) : : "memory");
      if (taken)
        sched_yield();
    } while (taken);
    shared.guarded++;
    __asm__ volatile("movl $0, %0" : "=m"(shared.lock) : : "memory");
    /* every thread flips its own bit of one word; and, or and xor beside each other */
    __asm__ volatile("lock btcl %1, %0" : "+m"(shared.bits[0]) : "r"(id * 7 + 1) : "cc", "memory");
    __asm__ volatile("lock xorl %1, %0"
                     : "+m"(shared.bits[16])
                     : "r"(1u << (id * 8) | 1u << (id * 8 + 5))
                     : "cc", "memory");
  }
  for (int i = 0; i < split_turns; i++)
    __asm__ volatile("lock addl $1, %c1-2(%0)\n\t"
                     "lock incq %c2-3(%0)\n\t"
                     "lock addw $1, %c3-1(%0)"
                     :
                     : "r"(c), "i"(2 * LINE), "i"(3 * LINE), "i"(4 * LINE)
                     : "cc", "memory");
  return NULL;
}

static unsigned long long counter(int offset, int width) {
  uint64_t value = 0;
  memcpy(&value, shared.counters + offset, (size_t)width);
  return value;
}

static void together(void) {
  pthread_t threads[THREADS];
  pthread_barrier_init(&start, NULL, THREADS);
  for (intptr_t i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, hammer, (void *)i) != 0)
      exit(1);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  printf("counters: byte %llu, word %llu, dword %llu, qword %llu\n", counter(0, 1), counter(8, 2), counter(16, 4),
         counter(24, 8));
  printf("unaligned: word %llu, dword %llu, qword %llu\n", counter(33, 2), counter(42, 4), counter(49, 8));
  printf("across lines: word %llu, dword %llu, qword %llu\n", counter(4 * LINE - 1, 2), counter(2 * LINE - 2, 4),
         counter(3 * LINE - 3, 8));
  printf("tickets %llu, their sum %llu\n", (unsigned long long)shared.tickets, (unsigned long long)shared.sum);
  printf("cmpxchg16b: %llu and %llu\n", (unsigned long long)shared.wide[0], (unsigned long long)shared.wide[1]);
  printf("under a spin lock: %llu\n", (unsigned long long)shared.guarded);
  printf("bits: %08x %08x\n", shared.bits[0], shared.bits[16]);
}

int main(int argc, char **argv) {
  turns = argc > 1 ? atoi(argv[1]) : 5001;
  split_turns = argc > 2 ? atoi(argv[2]) : 200;
  pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED)
    return 1;
  alone();
  pairs();
  together();
  return 0;
}
