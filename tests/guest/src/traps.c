/* Handlers for the exceptions that are no page faults: SIGFPE, SIGILL, SIGTRAP, SIGSEGV of a protection fault, SIGBUS.
   Each reports si_code, where rip stands, and trapno; and goes on behind the instruction by changing rip.
   Source: sigaction(2), Intel SDM volume 3, "Exception and interrupt reference". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096 };

static sigjmp_buf escape;
static int number, code, trap;
static uint64_t address, rip, eax, edx, flags;

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static void on_trap(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  number = signal;
  code = info->si_code;
  address = (uint64_t)info->si_addr;
  rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
  eax = (uint64_t)uc->uc_mcontext.gregs[REG_RAX];
  edx = (uint64_t)uc->uc_mcontext.gregs[REG_RDX];
  flags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL];
  trap = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
  siglongjmp(escape, 1);
}

static const char *code_name(void) {
  switch (number) {
  case SIGFPE:
    return code == FPE_INTDIV   ? "SIGFPE FPE_INTDIV"
           : code == FPE_FLTDIV ? "SIGFPE FPE_FLTDIV"
           : code == FPE_FLTINV ? "SIGFPE FPE_FLTINV"
                                : "SIGFPE another";
  case SIGILL:
    return code == ILL_ILLOPN ? "SIGILL ILL_ILLOPN" : code == ILL_ILLOPC ? "SIGILL ILL_ILLOPC" : "SIGILL another";
  case SIGTRAP:
    return code == SI_KERNEL    ? "SIGTRAP SI_KERNEL"
           : code == TRAP_BRKPT ? "SIGTRAP TRAP_BRKPT"
           : code == TRAP_TRACE ? "SIGTRAP TRAP_TRACE"
                                : "SIGTRAP another";
  case SIGSEGV:
    return code == SI_KERNEL ? "SIGSEGV SI_KERNEL" : "SIGSEGV another";
  case SIGBUS:
    return code == BUS_ADRERR ? "SIGBUS BUS_ADRERR" : "SIGBUS another";
  default:
    return "no signal";
  }
}

/* Each entry is a function that stops at the instruction under the second label. */
#define STOPS(name, before, text)                                                                                      \
  void name(uint64_t a, uint64_t b);                                                                                   \
  void name##_at(void);                                                                                                \
  void name##_end(void);                                                                                               \
  __asm__(".pushsection .text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n\t"                           \
          "mov %rdi, %rax\n\t" before "\n" #name "_at:\n\t" text "\n" #name "_end:\n\tret\n.popsection")

STOPS(div_zero, "xor %edx, %edx", "div %rsi");
STOPS(div_overflow, "mov $5, %edx", "div %rsi");
STOPS(idiv_minimum, "cqo", "idiv %rsi");
STOPS(div_zero_8, "nop", "div %sil");
STOPS(div_overflow_8, "mov $0x7fff, %eax", "div %sil");
STOPS(idiv_overflow_8, "mov $0x4080, %eax", "idiv %sil");
STOPS(idiv_32, "cltd", "idiv %esi");
STOPS(undefined_2, "stc", "ud2");
STOPS(undefined_1, "nop", ".byte 0x0f, 0xb9, 0xc0");
STOPS(undefined_0, "nop", ".byte 0x0f, 0xff, 0xc0");
STOPS(locked_register, "nop", ".byte 0xf0, 0x01, 0xc8");
STOPS(locked_mov, "nop", ".byte 0xf0, 0x48, 0x89, 0x04, 0x24");
STOPS(push_es, "nop", ".byte 0x06");
STOPS(break_3, "nop", "int3");
STOPS(break_cd, "nop", ".byte 0xcd, 0x03");
STOPS(halts, "nop", "hlt");
STOPS(clears_if, "nop", "cli");
STOPS(reads_port, "nop", "inb $0x60, %al");
STOPS(int_bad, "nop", "int $0x20");
STOPS(reads_msr, "nop", "rdmsr");
STOPS(reads_cr, "nop", "mov %cr0, %rax");
STOPS(misaligned, "add $1, %rax", "movaps (%rax), %xmm0");
STOPS(misaligned_op, "add $4, %rax", "addps (%rax), %xmm0");
STOPS(misaligned_16b, "add $8, %rax\n\tmov %rax, %r8", "lock cmpxchg16b (%r8)");
STOPS(too_long, "nop",
      ".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90");

static const struct {
  const char *name;
  void (*fn)(uint64_t a, uint64_t b);
  void (*at)(void), (*end)(void);
  uint64_t a, b;
} rows[] = {
#define ROW(name, a, b)                                                                                                \
  { #name, name, name##_at, name##_end, a, b }
    ROW(div_zero, 10, 0),
    ROW(div_overflow, 10, 5),
    ROW(idiv_minimum, 0x8000000000000000, (uint64_t)-1),
    ROW(div_zero_8, 77, 0x100),
    ROW(div_overflow_8, 0, 0x7f),
    ROW(idiv_overflow_8, 0, 0x80),
    ROW(idiv_32, 0x80000000, 0xffffffff),
    ROW(undefined_2, 1, 2),
    ROW(undefined_1, 1, 2),
    ROW(undefined_0, 1, 2),
    ROW(locked_register, 1, 2),
    ROW(locked_mov, 1, 2),
    ROW(push_es, 1, 2),
    ROW(break_3, 1, 2),
    ROW(break_cd, 1, 2),
    ROW(halts, 1, 2),
    ROW(clears_if, 1, 2),
    ROW(reads_port, 1, 2),
    ROW(int_bad, 1, 2),
    ROW(reads_msr, 1, 2),
    ROW(reads_cr, 1, 2),
    ROW(too_long, 1, 2),
};

static void stop(const char *name, void (*fn)(uint64_t, uint64_t), void (*at)(void), void (*end)(void), uint64_t a,
                 uint64_t b) {
  number = 0;
  if (sigsetjmp(escape, 1) == 0)
    fn(a, b);
  const char *where = rip == (uint64_t)at ? "at the instruction" : rip == (uint64_t)end ? "behind it" : "elsewhere";
  const char *reported = address == (uint64_t)at    ? "the instruction"
                         : address == (uint64_t)end ? "behind it"
                         : address == 0             ? "0"
                                                    : "elsewhere";
  printf("%-15s %s, rip %s, si_addr %s, trapno %d\n", name, number ? code_name() : "no signal", number ? where : "-",
         number ? reported : "-", number ? trap : -1);
}

static int go_on_count;

static void go_on(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  (void)info;
  go_on_count++;
  if (signal == SIGILL)
    uc->uc_mcontext.gregs[REG_RIP] += 2; /* over ud2 */
  if (signal == SIGFPE)
    uc->uc_mcontext.gregs[REG_RCX] = 3; /* another divisor: the instruction runs again */
}

static void install(void (*handler)(int, siginfo_t *, void *)) {
  static const int all[] = {SIGFPE, SIGILL, SIGTRAP, SIGSEGV, SIGBUS};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    sigaction(all[i], &action, NULL);
}

/* The trap flag: one SIGTRAP after each instruction, until the handler clears the flag again. */
static int steps;
static uint64_t first_step;

static void on_step(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  (void)signal;
  code = info->si_code;
  if (steps++ == 0)
    first_step = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
  if (steps >= 20)
    uc->uc_mcontext.gregs[REG_EFL] &= ~(int64_t)0x100;
}

void stepped(void), stepped_from(void);
__asm__(".pushsection .text\n.globl stepped\n.type stepped, @function\nstepped:\n\tpushfq\n\torl $0x100, "
        "(%rsp)\n\tpopfq\n\tnop\n"
        "stepped_from:\n\tnop\n\tmov $3, %ecx\n1:\tdec %ecx\n\tjnz 1b\n\tpushfq\n\tandl $~0x100, "
        "(%rsp)\n\tpopfq\n\tret\n.popsection");

int main(int argc, char **argv) {
  static uint8_t block[64] __attribute__((aligned(64)));
  setvbuf(stdout, NULL, _IOLBF, 0);
  install(on_trap);
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
    stop(rows[i].name, rows[i].fn, rows[i].at, rows[i].end, rows[i].a, rows[i].b);
  stop("misaligned", misaligned, misaligned_at, misaligned_end, (uint64_t)block, 0);
  stop("misaligned_op", misaligned_op, misaligned_op_at, misaligned_op_end, (uint64_t)block, 0);
  stop("misaligned_16b", misaligned_16b, misaligned_16b_at, misaligned_16b_end, (uint64_t)block, 0);

  stop("div_overflow", div_overflow, div_overflow_at, div_overflow_end, 10, 5);
  printf("operands unchanged: %s\n", yes(eax == 10 && edx == 5));
  stop("undefined_2", undefined_2, undefined_2_at, undefined_2_end, 1, 2);
  printf("carry in the frame: %s, resume flag as the kernel sets it: %s\n", yes(flags & 1), yes(flags & 0x10000));

  /* A file mapping beyond the file's end. */
  if (argc > 1) {
    int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0 && write(fd, "short", 5) == 5) {
      volatile char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
      printf("file mapping: first page %c, rest of it %d\n", p[0], p[100]);
      number = 0;
      if (sigsetjmp(escape, 1) == 0)
        printf("second page %d\n", p[PAGE + 5]);
      printf("beyond its end: %s, si_addr matches: %s\n", number ? code_name() : "no signal",
             yes(address == (uint64_t)(p + PAGE + 5)));
      munmap((void *)p, 2 * PAGE);
    }
    close(fd);
    unlink(argv[1]);
  }

  install(go_on);
  for (int i = 0; i < 3; i++)
    __asm__ volatile("ud2");
  printf("went on behind %d illegal instructions\n", go_on_count);
  uint64_t quotient = 100, remainder = 0, divisor = 0;
  __asm__ volatile("divq %2" : "+a"(quotient), "+d"(remainder), "+c"(divisor) : : "cc");
  printf("divided again by %llu: %llu rest %llu\n", (unsigned long long)divisor, (unsigned long long)quotient,
         (unsigned long long)remainder);

  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_step;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGTRAP, &action, NULL);
  stepped();
  printf("trap flag: %d steps, the first one stands behind the instruction after popf: %s, TRAP_TRACE %s\n", steps,
         yes(first_step == (uint64_t)stepped_from), yes(code == TRAP_TRACE));
  return 0;
}
