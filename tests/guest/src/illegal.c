/* Runs the bytes of each argument (hexadecimal) as one instruction and says what became of it: an exception and where, or that the processor went on.
   Registers are harmless: rcx is 0, the others point to a block of memory. Source: sigaction(2); Intel SDM volume 3, "Interrupt 6". */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf escape;
static volatile int number, code;
static volatile uint64_t rip, address;

static void on_signal(int signal, siginfo_t *info, void *context) {
  number = signal;
  code = info->si_code;
  address = (uint64_t)info->si_addr;
  rip = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
  siglongjmp(escape, 1);
}

int main(int argc, char **argv) {
  static uint8_t block[8192] __attribute__((aligned(4096)));
  static const int signals[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
    sigaction(signals[i], &action, NULL);
  uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return 1;
  for (int i = 1; i < argc; i++) {
    unsigned length = 0;
    for (const char *p = argv[i]; p[0] && p[1]; p += 2)
      page[length++] = (uint8_t)strtoul((char[]){p[0], p[1], 0}, NULL, 16);
    memset(page + length, 0x90, 16);
    page[length + 16] = 0xc3;
    number = 0;
    if (sigsetjmp(escape, 1) == 0)
      __asm__ volatile("call *%0"
                       :
                       : "r"(page), "a"(block), "b"(block), "c"(0), "d"(block), "S"(block), "D"(block)
                       : "r8", "r9", "r10", "r11", "cc", "memory", "xmm0", "xmm1", "xmm2");
    if (number == 0)
      printf("%s went on\n", argv[i]);
    else
      printf("%s signal %d, code %d, rip %s, si_addr %s\n", argv[i], number, code,
             rip == (uint64_t)page ? "at it" : "elsewhere", address == (uint64_t)page ? "at it" : "elsewhere");
  }
  return 0;
}
