/* System calls in hot code, which is compiled and goes on behind them in place: unless a signal is taken, the code behind
   the call is another one now, or the page that it uses is gone. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { HOT = 4000, PAGE = 4096 };

#define CALL(result, nr, a, b, c)                                                                                      \
  __asm__ volatile("syscall" : "=a"(result) : "a"((long)(nr)), "D"((long)(a)), "S"((long)(b)), "d"((long)(c)) : "rcx", "r11", "memory")

/* ------------------------------------------------------------------ registers and flags */

static void registers(void) {
  uint64_t bad = 0;
  for (int i = 0; i < HOT; i++) {
    long rax = SYS_getpid;
    uint64_t rcx, r11, flags, here;
    __asm__ volatile("lea 1f(%%rip), %[here]\n\t"
                     "cmp %[i], %[i]\n\t"
                     "syscall\n"
                     "1:\tpushf\n\t"
                     "pop %[flags]"
                     : "+a"(rax), "=c"(rcx), [here] "=&b"(here), [flags] "=&S"(flags)
                     : [i] "D"((long)i)
                     : "r11", "memory", "cc");
    __asm__ volatile("mov $39, %%eax\n\tmov $7, %%r11\n\tsyscall\n\tmov %%r11, %0" : "=&d"(r11) : : "rax", "rcx", "r11", "memory");
    bad += rax != getpid() || rcx != here || (flags & 0x8d5) != 0x44 || (r11 & 0x202) != 0x202;
  }
  printf("registers: %d wrong\n", (int)bad);
}

/* ------------------------------------------------------------------ signals */

static volatile int taken;
static sigjmp_buf out;

static void count(int sig, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  (void)info;
  taken++;
  if (sig == SIGUSR1)
    uc->uc_mcontext.gregs[REG_R12] += 5;
  else
    siglongjmp(out, taken);
}

static void signals(void) {
  struct sigaction sa = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGUSR1, &sa, NULL);
  sigaction(SIGUSR2, &sa, NULL);
  long pid = getpid(), sum = 0, late = 0;
  for (int i = 0; i < HOT; i++) {
    register long r12 __asm__("r12") = i;
    long rax = SYS_kill;
    __asm__ volatile("syscall" : "+a"(rax), "+r"(r12) : "D"(pid), "S"((long)(i % 4 == 0 ? SIGUSR1 : 0)) : "rcx", "r11", "memory");
    late += taken != i / 4 + 1;
    sum += r12;
  }
  printf("signals: %d taken, %ld late, sum %ld\n", taken, late, sum);
  taken = 0;
  for (volatile int i = 0; i < HOT; i++) {
    if (sigsetjmp(out, 1) != 0)
      continue;
    long rax;
    CALL(rax, SYS_kill, pid, i % 8 == 0 ? SIGUSR2 : 0, 0);
    (void)rax;
  }
  printf("signals: %d jumped out\n", taken);
}

/* ------------------------------------------------------------------ permissions */

static char *volatile page;
static volatile int faults;

static void repair(int sig, siginfo_t *info, void *context) {
  (void)sig;
  (void)context;
  faults += (char *)info->si_addr == page + 8;
  mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static void permissions(void) {
  struct sigaction sa = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &sa, NULL);
  page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long failed = 0;
  for (int i = 0; i < HOT; i++) {
    char *p = page;
    long rax;
    ((volatile char *)p)[8]++;
    CALL(rax, SYS_mprotect, p, PAGE, i % 16 == 0 ? PROT_READ : PROT_READ | PROT_WRITE);
    ((volatile char *)p)[8]++;
    failed += rax != 0;
  }
  printf("permissions: %d faults, %ld failed, last %d\n", faults, failed, page[8]);
}

/* ------------------------------------------------------------------ code that changes during the call */

/* long f(int fd, void *to, long size) { read(fd, to, size); return IMMEDIATE; } */
static const unsigned char reader[] = {0x31, 0xc0,                   /* xor %eax, %eax */
                                       0x0f, 0x05,                   /* syscall */
                                       0xb8, 1,    0,    0, 0,       /* mov $1, %eax */
                                       0xc3};
enum { IMMEDIATE = 5 };
typedef long (*read_fn)(int, void *, long);

static void *code_page(void) {
  void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(p, reader, sizeof reader);
  return p;
}

static void own_code(void) {
  int ends[2];
  unsigned char *code = code_page();
  read_fn f = (read_fn)code;
  uint32_t value = 77;
  long sum = 0;
  if (pipe(ends) != 0)
    return;
  for (int i = 0; i < HOT; i++)
    sum += f(ends[0], code + IMMEDIATE, 0);
  if (write(ends[1], &value, sizeof value) != sizeof value)
    return;
  long changed = f(ends[0], code + IMMEDIATE, 4);
  printf("own code: %ld, then %ld\n", sum, changed);
}

static unsigned char *shared_code;
static int wake[2];

static void *rewrite(void *arg) {
  usleep(20000);
  shared_code[IMMEDIATE] = 99;
  if (write(wake[1], "x", 1) != 1)
    return arg;
  return NULL;
}

static void others_code(void) {
  pthread_t thread;
  char byte;
  shared_code = code_page();
  read_fn f = (read_fn)shared_code;
  long sum = 0;
  if (pipe(wake) != 0)
    return;
  for (int i = 0; i < HOT; i++)
    sum += f(wake[0], &byte, 0);
  pthread_create(&thread, NULL, rewrite, NULL);
  long changed = f(wake[0], &byte, 1);
  pthread_join(thread, NULL);
  printf("others' code: %ld, then %ld\n", sum, changed);
}

/* ------------------------------------------------------------------ processes */

static void forks(void) {
  long good = 0;
  for (int i = 0; i < HOT; i++) {
    long rax;
    CALL(rax, i % (HOT / 4) == HOT / 4 - 1 ? SYS_fork : SYS_getppid, 0, 0, 0);
    if (i % (HOT / 4) != HOT / 4 - 1)
      continue;
    if (rax == 0)
      _exit(i / (HOT / 4) + 10);
    int status;
    waitpid((pid_t)rax, &status, 0);
    good += WEXITSTATUS(status);
  }
  printf("forks: %ld\n", good);
}

int main(void) {
  registers();
  signals();
  permissions();
  own_code();
  others_code();
  fflush(stdout);
  forks();
  return 0;
}
