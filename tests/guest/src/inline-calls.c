/* Small functions that a translator may take for part of their callers, and what tells them apart: return addresses that change, longjmp, faults and signals within
   them, code that is rewritten while its caller runs, jumps to other functions in the place of returns, deep recursion. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

enum { PAGE = 4096, ROUNDS = 400000 };

/* Adds to the return address when its argument is odd: a `mov $1, %al` behind the call is left out then. */
uint64_t skip_odd(uint64_t rounds);
__asm__(".pushsection .text\n"
        "skipper: test $1, %dil\n\tje 1f\n\taddq $2, (%rsp)\n1:\tret\n"
        ".globl skip_odd\n.type skip_odd, @function\n"
        "skip_odd: xor %edx, %edx\n"
        "2:\txor %eax, %eax\n\tcall skipper\n\tmov $1, %al\n\tadd %rax, %rdx\n\tdec %rdi\n\tjne 2b\n"
        "\tmov %rdx, %rax\n\tret\n.popsection");

static jmp_buf out;
static void __attribute__((noinline)) throw_seventh(unsigned i) {
  if (i % 7 == 0)
    longjmp(out, 3);
  __asm__ volatile("");
}
static unsigned __attribute__((noinline)) caught(unsigned i) {
  int thrown = setjmp(out);
  if (thrown != 0)
    return (unsigned)thrown;
  throw_seventh(i);
  return 1;
}

/* The load is at the function's start, so that rsp is what the call left. */
uint64_t load_word(const uint64_t *p, uint64_t one);
__asm__(".pushsection .text\n.globl load_word\n.type load_word, @function\n"
        "load_word: lea 5(%rsi), %r10\n"
        "load_insn: mov (%rdi), %rax\n\tadd %r10, %rax\n\tret\n.popsection");
extern const uint8_t load_insn[];
static volatile uint64_t at_fault[5];
static void on_segv(int signal, siginfo_t *info, void *context) {
  greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)signal;
  at_fault[0] += g[REG_RIP] == (greg_t)load_insn;
  at_fault[1] += (uint64_t)g[REG_R10];
  at_fault[2] += (uint64_t)g[REG_RSI];
  at_fault[3] += info->si_addr == (void *)g[REG_RDI];
  /* The return address on the stack leads to behind the call of 5 bytes, e8. */
  const uint8_t *back = *(uint8_t **)g[REG_RSP];
  at_fault[4] += back[-5] == 0xe8;
  g[REG_RAX] = 1000;
  g[REG_RIP] += 3;
}
static uint64_t __attribute__((noinline)) faults(const uint64_t *good, const uint64_t *bad) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < ROUNDS; i++)
    sum += load_word(i % 10000 == 9999 ? bad : good, i);
  return sum;
}

/* A loop of one call: the signal finds it in the function or around it. */
static volatile sig_atomic_t alarms;
static void on_alarm(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
  alarms++;
}
static uint64_t __attribute__((noinline)) step(uint64_t x) { return x * 6364136223846793005u + 1442695040888963407u; }
static int __attribute__((noinline)) interrupted(void) {
  struct itimerval every = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
  uint64_t x = 1, y = 1;
  alarms = 0;
  setitimer(ITIMER_REAL, &every, NULL);
  while (alarms < 5) {
    x = step(x);
    y = y * 6364136223846793005u + 1442695040888963407u;
    if (x != y)
      return 0;
  }
  setitimer(ITIMER_REAL, &never, NULL);
  return 1;
}

/* A caller on one page, the function that it calls on the next: loop: mov %edi, %eax; call next page; add %rax, %rbx; [store]; dec %edi; jne. */
static uint64_t generated(uint8_t *code, uint32_t rounds, uint32_t every) {
  uint8_t caller[] = {0x53, 0x31, 0xdb,                   /* push %rbx; xor %ebx, %ebx */
                      0xe8, 0, 0, 0, 0,                   /* loop: call function */
                      0x48, 0x01, 0xc3,                   /* add %rax, %rbx */
                      0x85, 0xf7, 0x75, 0x02,             /* test %esi, %edi; jne over the store */
                      0x89, 0x3a,                         /* mov %edi, (%rdx) */
                      0xff, 0xcf, 0x75, 0xee,             /* dec %edi; jne loop */
                      0x48, 0x89, 0xd8, 0x5b, 0xc3};      /* mov %rbx, %rax; pop %rbx; ret */
  static const uint8_t function[] = {0xb8, 1, 0, 0, 0, 0xc3}; /* mov $1, %eax; ret */
  int32_t distance = PAGE - 8;
  memcpy(caller + 4, &distance, 4);
  memcpy(code, caller, sizeof caller);
  memcpy(code + PAGE, function, sizeof function);
  uint64_t (*run)(uint32_t, uint32_t, uint8_t *) = (uint64_t(*)(uint32_t, uint32_t, uint8_t *))(void *)code;
  uint64_t sum = run(rounds, every, code + PAGE + 1);
  /* W^X from now on: the function is replaced, and called by a loop that has run before. */
  mprotect(code + PAGE, PAGE, PROT_READ | PROT_WRITE);
  code[PAGE + 1] = 77;
  memset(code + PAGE + 2, 0, 3);
  mprotect(code + PAGE, PAGE, PROT_READ | PROT_EXEC);
  return sum * 31 + run(rounds, 0xffffffff, NULL);
}

static unsigned __attribute__((noinline)) weight(unsigned n) { return n % 5 + 1; }
static unsigned __attribute__((noinline)) deep(unsigned n) {
  unsigned w = weight(n);
  return n == 0 ? w : deep(n - 1) * 3 + w;
}

/* Ends with a jump to another function, which returns in its place. */
static unsigned __attribute__((noinline)) elsewhere(unsigned a, unsigned b) {
  unsigned sum = a;
  while (b-- > 0)
    sum = sum * 5 + (sum >> 3);
  return sum;
}
static unsigned __attribute__((noinline)) through(unsigned a) { return elsewhere(a + 1, a % 4); }
static unsigned __attribute__((noinline)) through_pointer(unsigned (*f)(unsigned, unsigned), unsigned a) {
  return f(a + 2, a % 3);
}
static unsigned __attribute__((noinline)) other(unsigned a, unsigned b) { return a ^ b << 3; }

static void all(void) {
  printf("skipped: %llu\n", (unsigned long long)skip_odd(ROUNDS));

  uint64_t sum = 0;
  for (unsigned i = 0; i < ROUNDS; i++)
    sum = sum * 3 + caught(i);
  printf("thrown: %016llx\n", (unsigned long long)sum);

  struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  uint64_t word = 3;
  void *bad = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sum = faults(&word, bad);
  printf("faults: %llu, at the load %llu, r10 %llu, rsi %llu, address %llu, call %llu\n", (unsigned long long)sum,
         (unsigned long long)at_fault[0], (unsigned long long)at_fault[1], (unsigned long long)at_fault[2],
         (unsigned long long)at_fault[3], (unsigned long long)at_fault[4]);

  action.sa_sigaction = on_alarm;
  sigaction(SIGALRM, &action, NULL);
  printf("interrupted: %s\n", interrupted() ? "right" : "WRONG");

  uint8_t *code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("rewritten: %llu", (unsigned long long)generated(code, ROUNDS, 0x7fff));
  mprotect(code, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
  printf(" %llu\n", (unsigned long long)generated(code, ROUNDS, 0xffff));

  unsigned mixed = 0;
  for (unsigned i = 0; i < 50; i++)
    mixed = mixed * 7 + deep(20000 + i);
  printf("deep: %08x\n", mixed);

  for (unsigned i = 0; i < ROUNDS; i++)
    mixed = mixed * 7 + through(i) + through_pointer(i % 1000 == 0 ? other : elsewhere, i);
  printf("elsewhere: %08x\n", mixed);
}

/* Twice, so that the second time all of it is hot. */
int main(void) {
  all();
  all();
  return 0;
}
