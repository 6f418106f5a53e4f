/* Runs integer instructions on the host processor. In (stdin): records { u8 length, u8 code[CODE_SIZE - 1], struct
 * state }. Out (stdout): struct state of each after it. The instructions see every register of their state, rsp among
 * them, fs base 0x400000, gs base GS_BASE, and the pages below; they are put at state.rip. A signal ends them: it is reported with the
 * registers and memory as it found them, so that what is left undone at a fault can be compared too. Source: SDM 2A 2.2
 * (64-bit mode); man 2 sigaction (ucontext). Layout: tests/support/integer-state.ts. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA ((uint8_t *)0x10000000)
#define CODE ((uint8_t *)0x20000000)
#define CODE_BYTES (1 << 20)
#define GS_BASE 0x300000
#define CODE_SIZE 64
#define MEMORY_SIZE 768

struct state {
  uint64_t gpr[16];
  uint64_t rflags, rip;
  uint32_t signal, code;
  uint64_t address;
  uint8_t memory[MEMORY_SIZE];
};
struct record {
  uint8_t length, code[CODE_SIZE - 1];
  struct state state;
};

/* Pages of DATA, by number: 0 and 1 can be written, 2 be read, 4 be written; 3 and 5 are not mapped. */
static const struct {
  int page, protection;
} pages[] = {{0, PROT_READ | PROT_WRITE}, {1, PROT_READ | PROT_WRITE}, {2, PROT_READ}, {4, PROT_READ | PROT_WRITE}};
/* The windows that a state's memory holds, one after another. */
static const struct { size_t offset, size; } windows[] = {{0x0f80, 256}, {0x1f80, 256}, {0x4000, 128}, {0x4f80, 128}};

struct state *current;
uint64_t host_rsp, host_fs, guest_rax;
void *entry;
static sigjmp_buf fault;

/* Loads the registers of *current, jumps to entry; the code there jumps to come_back. */
void run_guest(void);
void come_back(void);
__asm__(".text\n"
        "run_guest:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n  pushfq\n"
        "  mov %rsp, host_rsp(%rip)\n"
        "  rdfsbase %rax\n  mov %rax, host_fs(%rip)\n  mov $0x400000, %eax\n  wrfsbase %rax\n"
        "  mov current(%rip), %rax\n"
        "  pushq 128(%rax)\n  popfq\n"
        "  mov 8(%rax), %rcx\n  mov 16(%rax), %rdx\n  mov 24(%rax), %rbx\n  mov 32(%rax), %rsp\n  mov 40(%rax), %rbp\n"
        "  mov 48(%rax), %rsi\n  mov 56(%rax), %rdi\n  mov 64(%rax), %r8\n  mov 72(%rax), %r9\n"
        "  mov 80(%rax), %r10\n  mov 88(%rax), %r11\n  mov 96(%rax), %r12\n  mov 104(%rax), %r13\n"
        "  mov 112(%rax), %r14\n  mov 120(%rax), %r15\n  mov 0(%rax), %rax\n"
        "  jmp *entry(%rip)\n"
        "come_back:\n"
        "  mov %rax, guest_rax(%rip)\n"
        "  mov $0, %eax\n  mov %eax, %fs\n  mov host_fs(%rip), %rax\n  wrfsbase %rax\n"
        "  mov current(%rip), %rax\n"
        "  mov %rcx, 8(%rax)\n  mov %rdx, 16(%rax)\n  mov %rbx, 24(%rax)\n  mov %rsp, 32(%rax)\n  mov %rbp, 40(%rax)\n"
        "  mov %rsi, 48(%rax)\n  mov %rdi, 56(%rax)\n  mov %r8, 64(%rax)\n  mov %r9, 72(%rax)\n"
        "  mov %r10, 80(%rax)\n  mov %r11, 88(%rax)\n  mov %r12, 96(%rax)\n  mov %r13, 104(%rax)\n"
        "  mov %r14, 112(%rax)\n  mov %r15, 120(%rax)\n"
        "  mov host_rsp(%rip), %rsp\n"
        "  pushfq\n  popq 128(%rax)\n"
        "  mov guest_rax(%rip), %rcx\n  mov %rcx, 0(%rax)\n"
        "  popfq\n  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
        "  ret\n");

static void on_signal(int number, siginfo_t *info, void *context) {
  /* The C library's thread pointer first. */
  __asm__ volatile("mov %0, %%fs\n wrfsbase %1" : : "r"(0), "r"(host_fs));
  static const int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++)
    current->gpr[i] = (uint64_t)registers[order[i]];
  current->rflags = (uint64_t)registers[REG_EFL];
  current->rip = (uint64_t)registers[REG_RIP];
  current->signal = (uint32_t)number;
  current->code = (uint32_t)info->si_code;
  current->address = (uint64_t)info->si_addr;
  siglongjmp(fault, 1);
}

static void put(uint8_t *at, const uint8_t *code, size_t length) {
  static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *0(%rip) */
  uintptr_t back = (uintptr_t)come_back;
  memcpy(at, code, length);
  memcpy(at + length, jump, sizeof jump);
  memcpy(at + length + sizeof jump, &back, sizeof back);
}

/* Maps what `pages` says and clears it; `protect`: with its final protections. */
static void protect(int final) {
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
    mprotect(DATA + 4096 * pages[i].page, 4096, final ? pages[i].protection : PROT_READ | PROT_WRITE);
}

static void copy_windows(struct state *s, int in) {
  uint8_t *at = s->memory;
  for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
    if (in)
      memcpy(DATA + windows[i].offset, at, windows[i].size);
    else
      memcpy(at, DATA + windows[i].offset, windows[i].size);
    at += windows[i].size;
  }
}

static void must(void *got, void *want) {
  if (got == want)
    return;
  perror("mmap");
  _exit(1);
}

int main(void) {
  struct record r;
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
  static uint8_t stack[65536];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  sigaltstack(&alternative, NULL);
  for (int i = 0, list[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP}; i < 5; i++)
    sigaction(list[i], &action, NULL);
  must(mmap(CODE, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0), CODE);
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
    must(mmap(DATA + 4096 * pages[i].page, 4096, PROT_READ | PROT_WRITE, flags, -1, 0), DATA + 4096 * pages[i].page);
  while (fread(&r, sizeof r, 1, stdin) == 1) {
    __asm__ volatile("mov %0, %%ds\n mov %0, %%es\n mov %0, %%gs" : : "r"(0));
    syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE);
    uint64_t end = r.state.rip + r.length;
    current = &r.state;
    entry = (void *)r.state.rip;
    put(entry, r.code, r.length);
    protect(0);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
      memset(DATA + 4096 * pages[i].page, 0, 4096);
    copy_windows(&r.state, 1);
    protect(1);
    if (sigsetjmp(fault, 1) == 0) {
      run_guest();
      r.state.rip = end;
    }
    copy_windows(&r.state, 0);
    fwrite(&r.state, sizeof r.state, 1, stdout);
  }
  return 0;
}
