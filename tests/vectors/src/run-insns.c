/* Runs instructions on the host processor. In (stdin): records { u8 length, u8 code[CODE_SIZE - 1], struct state }. Out (stdout): struct state of each after it.
 * The instructions see every register of its state but rsp, and MEMORY_SIZE bytes at MEMORY, half of them on one page, half on the next, which `closed` takes away. The x87, MMX and SSE
 * registers are an FXSAVE image; the upper halves of ymm stand behind the memory, and are left alone on a processor without AVX.
 * A signal ends them: it is reported with registers and memory as it found them, so that what is left undone at a fault can be compared too.
 * Source: SDM 2A, FXSAVE (image), 2A 2.2 (64-bit mode). Layout: tests/support/insn-state.ts. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define PAGES ((uint8_t *)0x10000000)
#define MEMORY (PAGES + 0xfe0)
#define MEMORY_SIZE 64
#define CODE_SIZE 160
/* Of the XSAVE area in a signal frame: XSTATE_BV, upper halves of ymm. */
#define XSTATE_BV 512
#define YMMH_OFFSET 576

struct state {
  uint64_t gpr[16];
  uint64_t rflags;
  uint32_t signal, code;
  uint8_t fxsave[512];
  uint8_t memory[MEMORY_SIZE];
  uint8_t ymmh[256];
  uint64_t address;
  uint8_t closed, pad[7];
};
struct record {
  uint8_t length, code[CODE_SIZE - 1];
  struct state state;
};

struct state *current;
uint64_t host_rsp, guest_rax, has_avx;
uint8_t fx[512] __attribute__((aligned(16))), host_fx[512] __attribute__((aligned(16)));
void *code_page;
static sigjmp_buf fault;

/* Upper half n of ymm and its place in struct state, in %rax. */
#define LOAD(n) "  vinsertf128 $1, 720+16*" #n "(%rax), %ymm" #n ", %ymm" #n "\n"
#define STORE(n) "  vextractf128 $1, %ymm" #n ", 720+16*" #n "(%rax)\n"
#define UPPER_HALVES(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)

/* Loads current->gpr, rflags and fx, jumps to code_page; the code there jumps to come_back. */
void run_guest(void);
void come_back(void);
__asm__(
    ".text\n"
    "run_guest:\n"
    "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n  pushfq\n"
    "  fxsave64 host_fx(%rip)\n"
    "  mov %rsp, host_rsp(%rip)\n"
    "  fxrstor64 fx(%rip)\n"
    "  mov current(%rip), %rax\n"
    "  cmpq $0, has_avx(%rip)\n  je 1f\n" UPPER_HALVES(LOAD) "1:\n"
    "  pushq 128(%rax)\n  popfq\n"
    "  mov 8(%rax), %rcx\n  mov 16(%rax), %rdx\n  mov 24(%rax), %rbx\n  mov 40(%rax), %rbp\n"
    "  mov 48(%rax), %rsi\n  mov 56(%rax), %rdi\n  mov 64(%rax), %r8\n  mov 72(%rax), %r9\n"
    "  mov 80(%rax), %r10\n  mov 88(%rax), %r11\n  mov 96(%rax), %r12\n  mov 104(%rax), %r13\n"
    "  mov 112(%rax), %r14\n  mov 120(%rax), %r15\n  mov 0(%rax), %rax\n"
    "  jmp *code_page(%rip)\n"
    "come_back:\n"
    "  mov %rax, guest_rax(%rip)\n"
    "  mov current(%rip), %rax\n"
    "  mov %rcx, 8(%rax)\n  mov %rdx, 16(%rax)\n  mov %rbx, 24(%rax)\n  mov %rbp, 40(%rax)\n"
    "  mov %rsi, 48(%rax)\n  mov %rdi, 56(%rax)\n  mov %r8, 64(%rax)\n  mov %r9, 72(%rax)\n"
    "  mov %r10, 80(%rax)\n  mov %r11, 88(%rax)\n  mov %r12, 96(%rax)\n  mov %r13, 104(%rax)\n"
    "  mov %r14, 112(%rax)\n  mov %r15, 120(%rax)\n"
    "  mov host_rsp(%rip), %rsp\n"
    "  pushfq\n  popq 128(%rax)\n"
    "  mov guest_rax(%rip), %rcx\n  mov %rcx, 0(%rax)\n"
    "  cmpq $0, has_avx(%rip)\n  je 1f\n" UPPER_HALVES(STORE) "  vzeroupper\n1:\n"
    "  fxsave64 fx(%rip)\n"
    "  fxrstor64 host_fx(%rip)\n"
    "  popfq\n  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
    "  ret\n");

static void on_signal(int number, siginfo_t *info, void *context) {
  static const int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  const mcontext_t *registers = &((ucontext_t *)context)->uc_mcontext;
  const uint8_t *area = (const uint8_t *)registers->fpregs;
  for (int i = 0; i < 16; i++)
    if (order[i] != REG_RSP) current->gpr[i] = (uint64_t)registers->gregs[order[i]];
  current->rflags = (uint64_t)registers->gregs[REG_EFL];
  memcpy(fx, area, sizeof fx);
  if (has_avx) {
    memset(current->ymmh, 0, sizeof current->ymmh);
    if (area[XSTATE_BV] & 4) memcpy(current->ymmh, area + YMMH_OFFSET, sizeof current->ymmh);
  }
  current->signal = (uint32_t)number;
  current->code = (uint32_t)info->si_code;
  /* An address within the instructions is told from their start. */
  current->address = (uint64_t)info->si_addr;
  if (current->address - (uint64_t)code_page < 4096) current->address -= (uint64_t)code_page;
  siglongjmp(fault, 1);
}

static void put(uint8_t *at, const uint8_t *code, size_t length) {
  static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *0(%rip) */
  uintptr_t back = (uintptr_t)come_back;
  memcpy(at, code, length);
  memcpy(at + length, jump, sizeof jump);
  memcpy(at + length + sizeof jump, &back, sizeof back);
}

int main(void) {
  has_avx = __builtin_cpu_supports("avx") != 0;
  struct record r;
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
  static uint8_t stack[65536];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternative, NULL);
  for (int i = 0, list[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP}; i < 5; i++) sigaction(list[i], &action, NULL);
  code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mmap(PAGES, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != PAGES) {
    perror("mmap");
    return 1;
  }
  while (fread(&r, sizeof r, 1, stdin) == 1) {
    current = &r.state;
    put(code_page, r.code, r.length);
    memcpy(MEMORY, r.state.memory, MEMORY_SIZE);
    memcpy(fx, r.state.fxsave, sizeof fx);
    if (r.state.closed) mprotect(PAGES + 4096, 4096, PROT_NONE);
    if (sigsetjmp(fault, 1) == 0)
      run_guest();
    else
      __asm__ volatile("fxrstor64 host_fx(%rip)");
    if (r.state.closed) mprotect(PAGES + 4096, 4096, PROT_READ | PROT_WRITE);
    memcpy(r.state.fxsave, fx, sizeof fx);
    memcpy(r.state.memory, MEMORY, MEMORY_SIZE);
    fwrite(&r.state, sizeof r.state, 1, stdout);
  }
  return 0;
}
