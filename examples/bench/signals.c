/* Benchmark: rate of signals. KIND raise: a signal that the thread sends itself, its handler and sigreturn; fault: a
   load of an unmapped page, which the handler leaves by siglongjmp; repair: a store to a read-only page, which the
   handler makes writable. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static volatile uint64_t handled;
static sigjmp_buf out;
static char *page;
static enum { RAISE, FAULT, REPAIR } kind;

static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  handled += (uint64_t)signal;
  if (kind == FAULT)
    siglongjmp(out, 1);
  if (kind == REPAIR)
    mprotect((char *)((uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE);
}

static void __attribute__((noinline)) fault_once(void) {
  if (sigsetjmp(out, 1) == 0)
    handled += (uint64_t) * (volatile char *)page;
}

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 100;
  if (argc > 2)
    kind = strcmp(argv[2], "fault") == 0 ? FAULT : strcmp(argv[2], "repair") == 0 ? REPAIR : RAISE;
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  page = mmap(NULL, PAGE, kind == FAULT ? PROT_NONE : PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int r = 0; r < repeat; r++)
    for (int i = 0; i < 50; i++) {
      if (kind == RAISE) {
        raise(SIGUSR1);
      } else if (kind == FAULT) {
        fault_once();
      } else {
        *(volatile char *)page = (char)i;
        mprotect(page, PAGE, PROT_READ);
      }
    }
  printf("signals %s %d: %llu\n", argc > 2 ? argv[2] : "raise", repeat, (unsigned long long)handled);
  return 0;
}
