/* Ways to die by an uncaught signal, one a run: fatal KIND. The line before it is written, so it must be seen.
   Source: signal(7), default actions; Intel SDM volume 3, chapter "Interrupt and exception handling". */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile int zero = 0;

static void read_null(void) { zero = *(volatile int *)(uintptr_t)zero; }
static void write_text(void) { *(volatile char *)(uintptr_t)read_null = 0; }
static void run_data(void) {
  static char data[16] = {(char)0xc3};
  ((void (*)(void))(void *)data)();
}
static void jump_wild(void) { ((void (*)(void))(uintptr_t)0x10)(); }
static void non_canonical(void) { zero = *(volatile int *)0x8000000000000000; }
static void divide_by_zero(void) { __asm__ volatile("cltd\n\tidivl %0" : : "m"(zero), "a"(7) : "edx", "cc"); }
static void divide_overflow(void) {
  __asm__ volatile("cltd\n\tidivl %0" : : "r"(-1), "a"(-2147483647 - 1) : "edx", "cc");
}
static void illegal(void) { __asm__ volatile("ud2"); }
static void illegal_prefix(void) { __asm__ volatile(".byte 0xf0, 0x90"); } /* LOCK on an instruction without memory */
static void illegal_64(void) { __asm__ volatile(".byte 0x06"); }           /* PUSH ES does not exist in 64-bit mode */
static void privileged(void) { __asm__ volatile("cli"); }
static void halt(void) { __asm__ volatile("hlt"); }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void kill_self(void) { kill(getpid(), SIGTERM); }
static void real_time(void) { raise(SIGRTMIN); }
static void user_signal(void) { raise(SIGUSR2); }
static void kill_9(void) { kill(getpid(), SIGKILL); }
static void closed_pipe(void) {
  int ends[2];
  if (pipe(ends) == 0) {
    close(ends[0]);
    if (write(ends[1], "x", 1) == -1)
      puts("EPIPE without SIGPIPE?");
  }
}
static void stack_overflow(void) {
  volatile char frame[65536];
  frame[0] = 1;
  if (zero == 0)
    stack_overflow();
  frame[1] = frame[0];
}
/* A fault while SIGSEGV is blocked, or ignored, kills all the same. */
static void blocked_fault(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  sigprocmask(SIG_BLOCK, &set, NULL);
  read_null();
}
static void ignored_fault(void) {
  signal(SIGSEGV, SIG_IGN);
  read_null();
}
static void handler_faults(int number) {
  (void)number;
  read_null();
}
static void fault_in_handler(void) {
  signal(SIGSEGV, handler_faults);
  read_null();
}
/* A handler on a stack that has run out can't be entered. */
static void no_stack_for_handler(void) {
  signal(SIGSEGV, handler_faults);
  stack_overflow();
}

static const struct {
  const char *name;
  void (*die)(void);
} kinds[] = {{"read-null", read_null},
             {"write-text", write_text},
             {"run-data", run_data},
             {"jump-wild", jump_wild},
             {"non-canonical", non_canonical},
             {"divide-by-zero", divide_by_zero},
             {"divide-overflow", divide_overflow},
             {"illegal", illegal},
             {"illegal-prefix", illegal_prefix},
             {"illegal-64", illegal_64},
             {"privileged", privileged},
             {"halt", halt},
             {"breakpoint", breakpoint},
             {"abort", abort},
             {"kill-self", kill_self},
             {"kill-9", kill_9},
             {"real-time", real_time},
             {"user-signal", user_signal},
             {"closed-pipe", closed_pipe},
             {"stack-overflow", stack_overflow},
             {"blocked-fault", blocked_fault},
             {"ignored-fault", ignored_fault},
             {"fault-in-handler", fault_in_handler},
             {"no-stack-for-handler", no_stack_for_handler}};

int main(int argc, char **argv) {
  for (unsigned i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(argv[1], kinds[i].name) == 0) {
      printf("about to die: %s\n", argv[1]);
      fflush(stdout);
      kinds[i].die();
      puts("still alive");
      return 1;
    }
  fputs("usage: fatal KIND\n", stderr);
  return 2;
}
