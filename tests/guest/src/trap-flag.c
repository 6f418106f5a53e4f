/* The trap flag: a SIGTRAP after each instruction. What each step finds: where rip stands, RF and TF, what is left of a REP.
   Source: Intel SDM volume 3, 17.3.1.4 (single-step exception); the native run is the reference. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

enum { TF = 0x100, RF = 0x10000, MOST = 400 };

struct step {
  uint64_t rip, rcx, flags;
  int signal, code, trap, at;
};
static struct step steps[MOST];
static volatile unsigned count;

static void on_signal(int signal, siginfo_t *info, void *context) {
  greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (count < MOST) {
    struct step *s = &steps[count++];
    s->rip = (uint64_t)g[REG_RIP];
    s->rcx = (uint64_t)g[REG_RCX];
    s->flags = (uint64_t)g[REG_EFL];
    s->signal = signal;
    s->code = info->si_code;
    s->trap = (int)g[REG_TRAPNO];
    s->at = info->si_addr == (void *)g[REG_RIP];
  }
  if (count >= MOST)
    g[REG_EFL] &= ~(greg_t)TF;
  if (signal == SIGILL)
    g[REG_RIP] += 2;
}

/* Runs `text` with the trap flag set by POPF before it, and cleared by POPF behind it. */
#define STEPPED(name, text)                                                                                            \
  void name(void *buffer);                                                                                             \
  __asm__(".pushsection .text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n\tpush %rbx\n\tpush "         \
          "%rbp\n\tmov %rdi, %rbx\n\tpushfq\n\torl $0x100, (%rsp)\n\tpopfq\n\t" text                                   \
          "\n\tpushfq\n\tandl $~0x100, (%rsp)\n\tpopfq\n\tnop\n\tpop %rbp\n\tpop %rbx\n\tret\n.popsection")

STEPPED(nothing, "");
STEPPED(plain, "nop\n\tmov $5, %ecx\n\tadd $7, %ecx");
STEPPED(loops, "mov $3, %ecx\n1:\tdec %ecx\n\tjnz 1b\n\tjecxz 2f\n\tnop\n2:\tloop 3f\n3:\tnop");
STEPPED(calls, "call 1f\n\tjmp 2f\n1:\tlea 3f(%rip), %rcx\n\tret\n2:\tjmp *%rcx\n\tnop\n3:\tnop");
STEPPED(rep_3, "mov %rbx, %rdi\n\tlea 64(%rbx), %rsi\n\tmov $3, %ecx\n\trep movsb\n\tnop");
STEPPED(rep_0, "xor %ecx, %ecx\n\trep stosb\n\tnop");
STEPPED(rep_stos_4, "mov %rbx, %rdi\n\tmov $4, %ecx\n\trep stosq\n\tnop");
STEPPED(repne_scas, "mov %rbx, %rdi\n\tmov $20, %ecx\n\tmov $1, %eax\n\trepne scasb\n\tnop");
STEPPED(system_call, "mov $39, %eax\n\tsyscall\n\tnop\n\tnop");
STEPPED(pushes_flags, "xor %ecx, %ecx\n\tpushfq\n\tpop %rcx\n\tnop");
STEPPED(breakpoint, "nop\n\tint3\n\tnop");
STEPPED(undefined, "nop\n\tud2\n\tnop");
STEPPED(returns, "lea 1f(%rip), %rcx\n\tmov %rsp, %rax\n\tpushq $0x2b\n\tpush %rax\n\tpushfq\n\tpushq $0x33\n\tpush "
                 "%rcx\n\tiretq\n\tnop\n1:\tnop");
STEPPED(identifies, "xor %eax, %eax\n\tpush %rbx\n\tcpuid\n\tpop %rbx\n\tnop");
STEPPED(loads_ss, "nop\n\tmov %ss, %ecx\n\tmov %ecx, %ss\n\tnop\n\tnop\n\tmov %ecx, %ss\n\tmov %ecx, %ss\n\tnop\n\tnop");
STEPPED(stores_code, "nop\n\tmovb $0x90, (%rbx)\n\tlock incl (%rbx)\n\txchg %ecx, (%rbx)");

static void show(const char *name, void (*fn)(void *)) {
  static uint8_t buffer[256] __attribute__((aligned(64)));
  memset(buffer, 0, sizeof buffer);
  buffer[5] = 1;
  count = 0;
  fn(buffer);
  printf("%s: %u steps\n", name, count);
  for (unsigned i = 0; i < count; i++) {
    const struct step *s = &steps[i];
    printf("  %s code %d trapno %d at rip %d, rip +%lld%s%s", s->signal == SIGTRAP ? "SIGTRAP" : strsignal(s->signal), s->code,
           s->trap, s->at, (long long)(s->rip - (uint64_t)fn), s->flags & RF ? " RF" : "", s->flags & TF ? " TF" : "");
    if (s->rcx < 1000)
      printf(" rcx %d", (int)s->rcx);
    printf("\n");
  }
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGTRAP, &action, NULL);
  sigaction(SIGILL, &action, NULL);
#define SHOW(name) show(#name, name)
  SHOW(nothing);
  SHOW(plain);
  SHOW(loops);
  SHOW(calls);
  SHOW(rep_3);
  SHOW(rep_0);
  SHOW(rep_stos_4);
  SHOW(repne_scas);
  SHOW(system_call);
  SHOW(pushes_flags);
  SHOW(breakpoint);
  SHOW(undefined);
  SHOW(returns);
  SHOW(identifies);
  SHOW(loads_ss);
  SHOW(stores_code);
  return 0;
}
