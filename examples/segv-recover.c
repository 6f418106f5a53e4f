/* Faults that a program survives: a SIGSEGV handler looks at siginfo and ucontext and leaves by siglongjmp, or
   repairs the cause and lets the instruction run again. Addresses are compared, never printed.
   Source: sigaction(2) (si_addr, si_code), sigsetjmp(3), Intel SDM volume 3, interrupt 14 (error code). */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096 };

static sigjmp_buf escape;
static volatile sig_atomic_t faults, signal_number, code, trap, error;
static uint64_t address, fault_rip, fault_rsp, cr2;
static uint64_t registers[23];

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static const char *code_name(void) {
  if (signal_number == SIGSEGV && code == SEGV_MAPERR)
    return "SEGV_MAPERR";
  if (signal_number == SIGSEGV && code == SEGV_ACCERR)
    return "SEGV_ACCERR";
  if (signal_number == SIGSEGV && code == SI_KERNEL)
    return "SI_KERNEL";
  return "another code";
}

static void on_fault(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  faults++;
  signal_number = signal;
  code = info->si_code;
  address = (uint64_t)info->si_addr;
  fault_rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
  fault_rsp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP];
  trap = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
  error = (int)uc->uc_mcontext.gregs[REG_ERR];
  cr2 = (uint64_t)uc->uc_mcontext.gregs[REG_CR2];
  for (int i = 0; i < 23; i++)
    registers[i] = (uint64_t)uc->uc_mcontext.gregs[i];
  siglongjmp(escape, 1);
}

static void install(void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigaction(SIGSEGV, &action, NULL);
}

/* The instructions that fault, each under a label so that the handler's rip can be compared. */
void load_here(void), store_here(void), rmw_here(void), push_here(void);
int do_load(const volatile void *p);
void do_store(volatile void *p, int value);
void do_rmw(volatile void *p);
void do_push(volatile void *stack);
__asm__(".pushsection .text\n"
        ".type do_load, @function\ndo_load:\n\tmov $1, %eax\nload_here:\n\tmov (%rdi), %eax\n\tret\n"
        ".type do_store, @function\ndo_store:\nstore_here:\n\tmov %esi, (%rdi)\n\tret\n"
        ".type do_rmw, @function\ndo_rmw:\n\tstc\nrmw_here:\n\tadcl $5, (%rdi)\n\tret\n"
        ".type do_push, @function\ndo_push:\n\tmov %rsp, %rax\n\tmov %rdi, %rsp\n"
        "push_here:\n\tpush %rax\n\tmov %rax, %rsp\n\tret\n"
        ".popsection");

static void report(const char *what, const volatile void *expected, void (*where)(void)) {
  printf("%-34s %s, si_addr matches: %s, rip matches: %s, trapno %d, err %d, cr2 %s\n", what, code_name(),
         yes(address == (uint64_t)expected), yes(fault_rip == (uint64_t)where), trap, error,
         yes(cr2 == (uint64_t)expected));
}

static void try_load(const char *what, const volatile void *p) {
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    printf("%-34s read %d\n", what, do_load(p));
  else
    report(what, p, load_here);
}

static void try_store(const char *what, volatile void *p) {
  faults = 0;
  if (sigsetjmp(escape, 1) == 0) {
    do_store(p, 77);
    printf("%-34s stored\n", what);
  } else
    report(what, p, store_here);
}

static volatile char *page_to_open;
static volatile sig_atomic_t repairs;

static void repair(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  volatile char *page = (volatile char *)((uint64_t)info->si_addr & ~(uint64_t)(PAGE - 1));
  repairs++;
  if (page != page_to_open || mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE) != 0)
    siglongjmp(escape, 2);
}

static void step_over(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  (void)signal;
  (void)info;
  uc->uc_mcontext.gregs[REG_RIP] += 2; /* mov (%rdi), %eax has two bytes */
  uc->uc_mcontext.gregs[REG_RAX] = 4321;
}

static int overflow_depth;
static volatile int bottom = -1; /* never reached */
static char *alternate;

__attribute__((noinline)) static int recurse(int n) {
  volatile char frame[1024];
  frame[0] = (char)n;
  overflow_depth = n;
  return n == bottom ? 0 : recurse(n + 1) + frame[0];
}

int main(void) {
  volatile char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED)
    return 1;
  install(on_fault, 0);

  munmap((void *)(p + 7 * PAGE), PAGE);
  try_load("load, page 0", (void *)8);
  try_load("load, unmapped page", p + 7 * PAGE + 24);
  try_store("store, unmapped page", p + 7 * PAGE + 28);

  mprotect((void *)(p + 2 * PAGE), PAGE, PROT_NONE);
  try_load("load, PROT_NONE", p + 2 * PAGE + 12);
  try_store("store, PROT_NONE", p + 2 * PAGE + 4092);

  do_store(p + 4 * PAGE + 8, 33);
  mprotect((void *)(p + 4 * PAGE), PAGE, PROT_READ);
  try_load("load, read-only page", p + 4 * PAGE + 8);
  try_store("store, read-only page", p + 4 * PAGE + 8);
  try_load("load again, unchanged", p + 4 * PAGE + 8);

  /* An access that crosses into a bad page: si_addr is the first byte that is bad, and no byte is stored. */
  try_load("load at the end of a good page", p + 2 * PAGE - 4);
  memset((void *)(p + 2 * PAGE - 4), 0x11, 4);
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    do_store(p + 2 * PAGE - 2, -1);
  printf("store across into PROT_NONE:       %s, si_addr is the bad page's start: %s, bytes before it unchanged: %s\n",
         code_name(), yes(address == (uint64_t)(p + 2 * PAGE)),
         yes(p[2 * PAGE - 2] == 0x11 && p[2 * PAGE - 1] == 0x11));

  /* A non-canonical address raises a general protection fault, which has no address. */
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    do_load((void *)0x0123456789abcdefull);
  printf("non-canonical address:             %s, si_addr is 0: %s, trapno %d, err %d\n", code_name(), yes(address == 0),
         (int)trap, (int)error);
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    do_load((void *)0x00007ffffffff000ull);
  printf("last page of the user half:        %s, si_addr matches: %s\n", code_name(),
         yes(address == 0x00007ffffffff000ull));

  /* A read-modify-write and a push leave registers and flags as they were before the instruction. */
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    do_rmw(p + 4 * PAGE);
  report("adc to a read-only page", p + 4 * PAGE, rmw_here);
  printf("  carry still set: %s, rdi still there: %s\n", yes(registers[REG_EFL] & 1),
         yes(registers[REG_RDI] == (uint64_t)(p + 4 * PAGE)));
  static char handler_stack[65536];
  stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack, .ss_flags = 0};
  sigaltstack(&stack, NULL);
  install(on_fault, SA_ONSTACK);
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    do_push(p + 3 * PAGE); /* pushes onto the PROT_NONE page below */
  report("push onto PROT_NONE", p + 3 * PAGE - 8, push_here);
  printf("  rsp unchanged by it: %s\n", yes(fault_rsp == (uint64_t)(p + 3 * PAGE)));

  /* Calling what is not code. */
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    ((void (*)(void))(p + PAGE))();
  printf("jump to a page without PROT_EXEC:  %s, si_addr and rip are the target: %s, err has the fetch bit: %s\n",
         code_name(), yes(address == (uint64_t)(p + PAGE) && fault_rip == address), yes(error & 16));
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    ((void (*)(void))(p + 7 * PAGE))();
  printf("jump to an unmapped page:          %s, si_addr and rip are the target: %s\n", code_name(),
         yes(address == (uint64_t)(p + 7 * PAGE) && fault_rip == address));

  /* The stack runs out; the handler runs on its own one. The stack is a small mapping between guard pages. */
  char *small = mmap(NULL, 18 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(small + PAGE, 16 * PAGE, PROT_READ | PROT_WRITE);
  alternate = small + 17 * PAGE;
  faults = 0;
  if (sigsetjmp(escape, 1) == 0)
    __asm__ volatile("mov %%rsp, %%rbx\n\tmov %1, %%rsp\n\tcall *%0\n\tmov %%rbx, %%rsp"
                     :
                     : "r"(recurse), "r"(alternate), "D"(0)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
  printf("stack overflow:                    %s, in the guard page: %s, depth over 40: %s\n", code_name(),
         yes(address >= (uint64_t)small && address < (uint64_t)small + PAGE), yes(overflow_depth > 40));

  /* Repairing the cause: the instruction runs again and succeeds. */
  install(repair, 0);
  if (sigsetjmp(escape, 1) == 0) {
    for (int i = 0; i < 5; i++) {
      page_to_open = p + 5 * PAGE;
      mprotect((void *)page_to_open, PAGE, i % 2 ? PROT_NONE : PROT_READ);
      do_store(p + 5 * PAGE + 4 * i, 100 + i);
    }
    int sum = 0;
    for (int i = 0; i < 5; i++)
      sum += do_load(p + 5 * PAGE + 4 * i);
    printf("repaired by mprotect in the handler: %d times, sum %d\n", (int)repairs, sum);
  } else
    puts("the repair failed");

  /* Skipping the instruction by changing rip, and giving its result in rax. */
  install(step_over, 0);
  printf("stepped over by the handler: %d\n", do_load((void *)16));

  /* Faults in number, in a loop that is hot. */
  install(on_fault, 0);
  volatile int loops = 0, caught = 0;
  while (loops < 2000) {
    loops++;
    if (sigsetjmp(escape, 1) == 0)
      do_store(loops % 2 ? p + 2 * PAGE : p + 6 * PAGE, loops);
    else
      caught++;
  }
  printf("%d stores, %d faults caught\n", loops, caught);
  return 0;
}
