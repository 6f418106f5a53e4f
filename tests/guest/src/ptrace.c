/*
 * ptrace between guests: a tracer that prints each stop of its tracee. Cases by name, all of them without arguments.
 * Expected (natively): what is printed holds no pids and no addresses.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ptrace-common.h"

static volatile int handled;
static void handler(int s) { handled = s; }

static void signals_body(void) {
  signal(SIGUSR1, handler);
  raise(SIGUSR1);
  raise(SIGUSR2);
  raise(SIGCHLD);
  signal(SIGTERM, SIG_IGN);
  raise(SIGTERM);
  _exit(handled);
}

/* Signals stop the tracee, ignored ones too; the tracer lets them through, drops them, changes them. */
static void signals(void) {
  pid_t p = traced(signals_body);
  int signal = 0;
  for (;;) {
    CHECK(!ptrace(PTRACE_CONT, p, 0, (long)signal));
    int st = wait_for(p);
    if (!WIFSTOPPED(st)) break;
    signal = WSTOPSIG(st);
    if (signal == SIGUSR2) signal = 0;
    if (signal == SIGTERM) signal = SIGUSR1;
  }
  CHECK(waitpid(p, 0, __WALL) == -1 && errno == ECHILD);
}

static void calls_body(void) {
  syscall(SYS_getppid);
  long a = syscall(SYS_getuid);
  long b = syscall(SYS_getpgid, -1);
  long c = syscall(SYS_dup, 1234);
  printf("tracee: %ld %s %ld\n", a, b < 0 ? "getpgid fails" : "getpgid works", c);
  fflush(stdout);
  syscall(SYS_exit_group, 5);
}

static void show_call(pid_t p) {
  struct __ptrace_syscall_info i;
  memset(&i, 0, sizeof i);
  long n = ptrace(0x420e, p, sizeof i, &i);
  printf("  info %ld op %d arch %x", n, i.op, i.arch);
  if (i.op == 1) printf(" nr %llu argument %llx", (unsigned long long)i.entry.nr, i.entry.nr == SYS_getpgid ? (unsigned long long)i.entry.args[0] : 0);
  if (i.op == 2) printf(" is_error %d", i.exit.is_error);
  unsigned long message = 99;
  ptrace(PTRACE_GETEVENTMSG, p, 0, &message);
  printf(" message %lu\n", message);
}

/* Stops of system calls; the tracer changes results, skips a call and makes another one of one. */
static void calls(void) {
  pid_t p = traced(calls_body);
  CHECK(!ptrace(PTRACE_SETOPTIONS, p, 0, PTRACE_O_TRACESYSGOOD));
  int entry = 1;
  for (int n = 0; n < 40; n++) {
    CHECK(!ptrace(PTRACE_SYSCALL, p, 0, 0));
    int st;
    CHECK(waitpid(p, &st, __WALL) == p);
    if (!WIFSTOPPED(st)) { show(p, st); return; }
    if (WSTOPSIG(st) != (SIGTRAP | 0x80)) { show(p, st); continue; }
    struct user_regs_struct r;
    CHECK(!ptrace(PTRACE_GETREGS, p, 0, &r));
    long nr = r.orig_rax;
    int known = nr == SYS_getppid || nr == SYS_getuid || nr == SYS_getpgid || nr == SYS_dup || nr == SYS_exit_group;
    if (known) {
      printf("%s %ld rax %ld\n", entry ? "entry" : "exit", nr, entry ? (long)r.rax : 0);
      show_call(p);
    }
    if (entry && nr == SYS_dup) {
      r.orig_rax = -1;
      r.rax = 4321;
      CHECK(!ptrace(PTRACE_SETREGS, p, 0, &r));
      for (int i = 0; i < 1; i++) {
        CHECK(!ptrace(PTRACE_SYSCALL, p, 0, 0));
        CHECK(waitpid(p, &st, __WALL) == p);
        CHECK(!ptrace(PTRACE_GETREGS, p, 0, &r));
        printf("skipped: orig_rax %ld rax %ld\n", r.orig_rax, r.rax);
      }
      entry = 1;
      continue;
    }
    if (entry && nr == SYS_getpgid) CHECK(!ptrace(PTRACE_POKEUSER, p, offsetof(struct user_regs_struct, rdi), 0));
    if (!entry && nr == SYS_getuid) {
      r.rax = 777;
      CHECK(!ptrace(PTRACE_SETREGS, p, 0, &r));
    }
    entry = !entry;
  }
}

extern char step_start[], step_end[], break_here[];
__asm__(".text\n.globl stepped\nstepped:\nstep_start: mov $5,%eax\n add $7,%eax\n push %rax\n pop %rdx\n mov $39,%eax\n syscall\n lea 1(%rdx),%eax\nstep_end: ret\n"
        ".globl broken\nbroken: mov $1,%eax\nbreak_here: add $1,%eax\n ret\n");
int stepped(void);
int broken(void);

static void steps_body(void) {
  signal(SIGUSR1, handler);
  int r = stepped();
  r += broken();
  raise(SIGUSR1);
  _exit(r + handled);
}

static long poke(pid_t p, void *at, long word) { return ptrace(PTRACE_POKETEXT, p, at, word); }

/* A breakpoint in code of the program, single steps, a step into a handler. */
static void steps(void) {
  pid_t p = traced(steps_body);
  struct user_regs_struct r;
  long word = ptrace(PTRACE_PEEKTEXT, p, step_start, 0);
  CHECK(!poke(p, step_start, (word & ~0xffL) | 0xcc));
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
  CHECK(!ptrace(PTRACE_GETREGS, p, 0, &r));
  printf("break at +%ld orig_rax %ld\n", r.rip - (long)step_start, r.orig_rax);
  CHECK(!poke(p, step_start, word));
  r.rip = (uintptr_t)step_start;
  CHECK(!ptrace(PTRACE_SETREGS, p, 0, &r));
  for (int i = 0; i < 20; i++) {
    CHECK(!ptrace(PTRACE_SINGLESTEP, p, 0, 0));
    int st;
    CHECK(waitpid(p, &st, __WALL) == p);
    siginfo_t si;
    CHECK(!ptrace(PTRACE_GETSIGINFO, p, 0, &si));
    CHECK(!ptrace(PTRACE_GETREGS, p, 0, &r));
    printf("step: %#x code %d at +%ld rax %ld flags %lx\n", st, si.si_code, r.rip - (long)step_start, r.rip == (uintptr_t)step_start + 17 ? 0 : r.rax, r.eflags & 0x100);
    if (r.rip == (uintptr_t)step_end) break;
  }
  word = ptrace(PTRACE_PEEKTEXT, p, break_here, 0);
  CHECK(!poke(p, break_here, (word & ~0xffL) | 0xcc));
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
  CHECK(!ptrace(PTRACE_GETREGS, p, 0, &r));
  printf("break at +%ld rax %ld\n", r.rip - (long)break_here, r.rax);
  CHECK(!poke(p, break_here, word));
  r.rip -= 1;
  r.rax = 100;
  CHECK(!ptrace(PTRACE_SETREGS, p, 0, &r));
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
  CHECK(!ptrace(PTRACE_SINGLESTEP, p, 0, SIGUSR1));
  wait_for(p);
  CHECK(!ptrace(PTRACE_GETREGS, p, 0, &r));
  printf("in the handler: %d rdi %ld\n", r.rip == (uintptr_t)handler, r.rdi);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
}

static void events_body(void) {
  pid_t c = fork();
  if (c == 0) _exit(3);
  int st;
  waitpid(c, &st, 0);
  c = vfork();
  if (c == 0) _exit(4);
  waitpid(c, &st, 0);
  char *const argv[] = {"ptrace", "child", 0};
  execv("/proc/self/exe", argv);
  _exit(9);
}

static void run_events(pid_t p, long options) {
  CHECK(!ptrace(PTRACE_SETOPTIONS, p, 0, options));
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  pid_t other = 0;
  for (;;) {
    int st;
    /* One after the other, so that the order is always the same. */
    pid_t w = waitpid(p, &st, __WALL);
    CHECK(w == p);
    show(p, st);
    if (!WIFSTOPPED(st)) break;
    int event = st >> 16;
    unsigned long message = 0;
    if (event) CHECK(!ptrace(PTRACE_GETEVENTMSG, p, 0, &message));
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
      other = message;
      wait_for(other);
      struct user_regs_struct r;
      CHECK(!ptrace(PTRACE_GETREGS, other, 0, &r));
      printf("child: rax %ld\n", r.rax);
      CHECK(!ptrace(PTRACE_CONT, other, 0, 0));
      if (options & PTRACE_O_TRACEEXIT) {
        wait_for(other);
        CHECK(!ptrace(PTRACE_CONT, other, 0, 0));
      }
      if (event != PTRACE_EVENT_CLONE) wait_for(other);
    } else if (event == PTRACE_EVENT_EXEC) printf("exec from itself: %d\n", (pid_t)message == p);
    else if (event == PTRACE_EVENT_EXIT) printf("exit status %#lx\n", message);
    else if (event == PTRACE_EVENT_VFORK_DONE) printf("vfork done: %d\n", (pid_t)message == other);
    int signal = event || WSTOPSIG(st) == SIGTRAP ? 0 : WSTOPSIG(st);
    CHECK(!ptrace(PTRACE_CONT, p, 0, (long)signal));
  }
}

/* fork, vfork, execve and ends, with all options and with none. */
static void events(void) {
  run_events(traced(events_body), PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
  run_events(traced(events_body), 0);
}

static void *thread_body(void *p) {
  (void)p;
  return 0;
}

static void threads_body(void) {
  pthread_t t;
  pthread_create(&t, 0, thread_body, 0);
  pthread_join(t, 0);
  raise(SIGSTOP);
  _exit(7);
}

/* A thread: its clone, its end, which the tracer waits for. */
static void threads(void) {
  pid_t p = traced(threads_body), other = 0;
  CHECK(!ptrace(PTRACE_SETOPTIONS, p, 0, PTRACE_O_TRACECLONE));
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  int st = wait_for(p);
  CHECK(st >> 16 == PTRACE_EVENT_CLONE);
  unsigned long message;
  CHECK(!ptrace(PTRACE_GETEVENTMSG, p, 0, &message));
  other = message;
  wait_for(other);
  CHECK(!ptrace(PTRACE_CONT, other, 0, 0));
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(other);
  wait_for(p);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
}

static int ready[2];

static pid_t plain(void (*body)(void)) {
  CHECK(!pipe(ready));
  fflush(stdout);
  pid_t p = fork();
  if (p == 0) {
    body();
    _exit(0);
  }
  first = p;
  char c;
  CHECK(read(ready[0], &c, 1) == 1);
  close(ready[0]);
  close(ready[1]);
  return p;
}

static volatile int spin = 1;
static void spins_body(void) {
  write(ready[1], "x", 1);
  while (spin) { }
  _exit(8);
}
static void sleeps_body(void) {
  write(ready[1], "x", 1);
  char c;
  int nothing[2];
  pipe(nothing);
  read(nothing[0], &c, 1);
}

static void tracer_of(pid_t p) {
  char path[64], line[256], state = '?';
  int tracer = -1;
  snprintf(path, sizeof path, "/proc/%d/status", p);
  FILE *f = fopen(path, "r");
  CHECK(f);
  while (fgets(line, sizeof line, f)) {
    sscanf(line, "TracerPid: %d", &tracer);
    sscanf(line, "State: %c", &state);
  }
  fclose(f);
  printf("state %c tracer %s\n", state, tracer == 0 ? "none" : tracer == getpid() ? "me" : "another");
}

/* Attached while it computes, and while it waits; let go again, killed. */
static void attaches(void) {
  pid_t p = plain(spins_body);
  CHECK(!ptrace(PTRACE_ATTACH, p, 0, 0));
  wait_for(p);
  tracer_of(p);
  CHECK(ptrace(PTRACE_ATTACH, p, 0, 0) == -1 && errno == EPERM);
  CHECK(ptrace(PTRACE_PEEKDATA, p, &spin, 0) == 1 || sizeof spin == 4);
  long word = ptrace(PTRACE_PEEKDATA, p, &spin, 0);
  CHECK(!ptrace(PTRACE_POKEDATA, p, &spin, word & ~0xffffffffL));
  CHECK(!ptrace(PTRACE_DETACH, p, 0, 0));
  wait_for(p);
  p = plain(sleeps_body);
  CHECK(!ptrace(PTRACE_SEIZE, p, 0, PTRACE_O_TRACESYSGOOD));
  CHECK(ptrace(PTRACE_PEEKDATA, p, &spin, 0) == -1 && errno == ESRCH);
  CHECK(!ptrace(PTRACE_INTERRUPT, p, 0, 0));
  wait_for(p);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  kill(p, SIGSTOP);
  for (int i = 0; i < 3; i++) {
    int st = wait_for(p);
    if (st >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(st) == SIGSTOP) break;
    CHECK(!ptrace(PTRACE_CONT, p, 0, (long)(st >> 8 == SIGSTOP ? SIGSTOP : 0)));
  }
  CHECK(!ptrace(PTRACE_LISTEN, p, 0, 0));
  tracer_of(p);
  kill(p, SIGCONT);
  wait_for(p);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  CHECK(!ptrace(PTRACE_KILL, p, 0, 0));
  wait_for(p);
}

static void regs_body(void) {
  register double x __asm__("xmm3") = 1.5;
  __asm__ volatile("int3" : "+x"(x));
  _exit((int)(x * 2));
}

/* The registers by their sets, the user area. */
static void registers(void) {
  pid_t p = traced(regs_body);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
  struct user_regs_struct r, s;
  struct iovec v = {&r, sizeof r};
  CHECK(!ptrace(PTRACE_GETREGSET, p, NT_PRSTATUS, &v));
  CHECK(!ptrace(PTRACE_GETREGS, p, 0, &s));
  printf("sets alike: %d, %zu bytes, cs %lx ss %lx\n", !memcmp(&r, &s, sizeof r), v.iov_len, r.cs, r.ss);
  CHECK(ptrace(PTRACE_PEEKUSER, p, offsetof(struct user, regs.rsp), 0) == (long)r.rsp);
  errno = 0;
  CHECK(ptrace(PTRACE_PEEKUSER, p, 3, 0) == -1 && errno == EIO);
  CHECK(ptrace(PTRACE_PEEKUSER, p, 1024, 0) == -1 && errno == EIO);
  struct user_fpregs_struct f;
  CHECK(!ptrace(PTRACE_GETFPREGS, p, 0, &f));
  double x;
  memcpy(&x, &f.xmm_space[12], 8);
  printf("xmm3 %g cwd %x mxcsr %x\n", x, f.cwd, f.mxcsr);
  x = 4.5;
  memcpy(&f.xmm_space[12], &x, 8);
  CHECK(!ptrace(PTRACE_SETFPREGS, p, 0, &f));
  unsigned char area[16384];
  struct iovec w = {area, sizeof area};
  CHECK(!ptrace(PTRACE_GETREGSET, p, NT_X86_XSTATE, &w));
  memcpy(&x, area + 160 + 48, 8);
  printf("xstate xmm3 %g, %d\n", x, w.iov_len >= 576);
  CHECK(!ptrace(PTRACE_SETREGSET, p, NT_X86_XSTATE, &w));
  uint64_t mask = 0;
  CHECK(!ptrace(PTRACE_GETSIGMASK, p, 8, &mask));
  printf("mask %llx\n", (unsigned long long)mask);
  mask = 1 << (SIGUSR1 - 1);
  CHECK(!ptrace(PTRACE_SETSIGMASK, p, 8, &mask));
  CHECK(ptrace(PTRACE_SETOPTIONS, p, 0, 0x8000) == -1 && errno == EINVAL);
  CHECK(ptrace(0x5555, p, 0, 0) == -1 && errno == EIO);
  CHECK(ptrace(PTRACE_PEEKTEXT, p, 8, 0) == -1 && errno == EIO);
  CHECK(ptrace(PTRACE_CONT, p, 0, 500) == -1 && errno == EIO);
  CHECK(ptrace(PTRACE_CONT, getppid(), 0, 0) == -1 && errno == ESRCH);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
}

/* A process that its parent traces stops; the grandparent's wait, a tracer's end. */
static void ends(void) {
  int to[2];
  CHECK(!pipe(to));
  fflush(stdout);
  pid_t tracer = fork();
  if (tracer == 0) {
    pid_t p = fork();
    if (p == 0) {
      ptrace(PTRACE_TRACEME, 0, 0, 0);
      raise(SIGSTOP);
      write(to[1], "went on", 8);
      _exit(0);
    }
    int st;
    waitpid(p, &st, 0);
    _exit(WIFSTOPPED(st) ? 11 : 12);
  }
  first = tracer;
  wait_for(tracer);
  char text[16] = "";
  CHECK(read(to[0], text, 8) == 8);
  printf("%s\n", text);
  tracer = fork();
  if (tracer == 0) {
    pid_t p = fork();
    if (p == 0) {
      ptrace(PTRACE_TRACEME, 0, 0, 0);
      raise(SIGSTOP);
      write(to[1], "survived", 8);
      _exit(0);
    }
    int st;
    waitpid(p, &st, 0);
    ptrace(PTRACE_SETOPTIONS, p, 0, PTRACE_O_EXITKILL);
    _exit(13);
  }
  close(to[1]);
  first = tracer;
  wait_for(tracer);
  printf("read %zd\n", read(to[0], text, 8));
}

/* Somebody else than the parent traces: the parent's wait gets the end after the tracer's. */
static void strangers(void) {
  pid_t p = plain(spins_body);
  int to[2];
  CHECK(!pipe(to));
  fflush(stdout);
  pid_t tracer = fork();
  if (tracer == 0) {
    CHECK(!ptrace(PTRACE_ATTACH, p, 0, 0));
    wait_for(p);
    CHECK(!ptrace(PTRACE_KILL, p, 0, 0) || errno == ESRCH);
    char c;
    read(to[0], &c, 1);
    wait_for(p);
    _exit(0);
  }
  int st;
  CHECK(waitpid(p, &st, WNOHANG) == 0);
  write(to[1], "x", 1);
  CHECK(waitpid(p, &st, 0) == p);
  CHECK(WIFSIGNALED(st));
  int end;
  CHECK(waitpid(tracer, &end, 0) == tracer);
  printf("the parent: killed by %d\n", WTERMSIG(st));
}

struct peek { uint64_t off; uint32_t flags; int32_t nr; };

static long peek_signals(pid_t p, uint64_t off, uint32_t flags, int32_t nr) {
  siginfo_t si[8];
  struct peek a = {off, flags, nr};
  memset(si, 0, sizeof si);
  long n = ptrace(PTRACE_PEEKSIGINFO, p, &a, si);
  printf("off %lld flags %u nr %d: %ld%s\n", (long long)off, flags, nr, n, n < 0 ? strerror(errno) : "");
  for (long i = 0; i < n; i++) printf("  signo %d code %d value %d from %s\n", si[i].si_signo, si[i].si_code, si[i].si_code == SI_QUEUE ? si[i].si_int : 0, name(si[i].si_pid));
  return n;
}

static void pending_body(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, 0);
  raise(SIGSTOP);
  _exit(2);
}

/* What is pending, for the thread and for its process. */
static void peeks(void) {
  pid_t p = traced(pending_body);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
  peek_signals(p, 0, 0, 8);
  peek_signals(p, 0, 1, 8);
  for (int i = 0; i < 5; i++) CHECK(!sigqueue(p, SIGRTMIN + 3 - i % 2, (union sigval){.sival_int = 100 + i}));
  kill(p, SIGUSR1);
  kill(p, SIGUSR1);
  siginfo_t si = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};
  si.si_int = 7;
  CHECK(!syscall(SYS_rt_tgsigqueueinfo, p, p, SIGUSR2, &si));
  syscall(SYS_tgkill, p, p, SIGHUP);
  peek_signals(p, 0, 0, 8);
  peek_signals(p, 0, 1, 8);
  peek_signals(p, 1, 1, 3);
  peek_signals(p, 4, 1, 8);
  peek_signals(p, 6, 1, 8);
  peek_signals(p, -1, 1, 8);
  peek_signals(p, 0, 1, 0);
  peek_signals(p, 0, 1, -1);
  peek_signals(p, 0, 2, 1);
  struct peek a = {0, 1, 2};
  CHECK(ptrace(PTRACE_PEEKSIGINFO, p, &a, 8) == -1 && errno == EFAULT);
  CHECK(ptrace(PTRACE_PEEKSIGINFO, p, 8, &si) == -1 && errno == EFAULT);
  CHECK(!ptrace(PTRACE_CONT, p, 0, 0));
  wait_for(p);
}

static const struct { const char *name; void (*run)(void); } CASES[] = {
  {"signals", signals}, {"calls", calls}, {"steps", steps}, {"events", events}, {"threads", threads},
  {"attaches", attaches}, {"registers", registers}, {"ends", ends}, {"strangers", strangers}, {"peeks", peeks},
};

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "child")) return 42;
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    if (argc > 1 && strcmp(argv[1], CASES[i].name)) continue;
    printf("== %s\n", CASES[i].name);
    CASES[i].run();
  }
  return 0;
}
