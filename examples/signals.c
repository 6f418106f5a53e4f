/* Signal delivery as a program sees it: siginfo and ucontext in handlers, changed registers, masks and nesting, the
   alternate stack, EINTR and SA_RESTART on blocked calls, signals to a thread in a busy loop. Each line says only what
   must hold on every run. Source: signal(7), sigaction(2), sigaltstack(2), sigreturn(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags, int blocked) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigemptyset(&action.sa_mask);
  if (blocked)
    sigaddset(&action.sa_mask, blocked);
  if (sigaction(signal, &action, NULL) != 0)
    perror("sigaction");
}

static void block(int how, int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(how, &set, NULL);
}

/* --- siginfo --------------------------------------------------------------------------------------------------- */

static siginfo_t seen;
static volatile sig_atomic_t calls;

static void remember(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  seen = *info;
  calls++;
}

static void siginfo_part(void) {
  install(SIGUSR1, remember, 0, 0);
  raise(SIGUSR1);
  printf("raise: calls %d, signo %d, SI_TKILL %s, from this process %s\n", (int)calls, seen.si_signo,
         yes(seen.si_code == SI_TKILL), yes(seen.si_pid == getpid()));
  kill(getpid(), SIGUSR1);
  printf("kill: calls %d, SI_USER %s, uid right %s\n", (int)calls, yes(seen.si_code == SI_USER),
         yes(seen.si_uid == getuid()));
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
  printf("tgkill: calls %d\n", (int)calls);
  union sigval value = {.sival_ptr = (void *)0x123456789abcdefull};
  sigqueue(getpid(), SIGUSR1, value);
  printf("sigqueue: calls %d, SI_QUEUE %s, value %llx\n", (int)calls, yes(seen.si_code == SI_QUEUE),
         (unsigned long long)(uintptr_t)seen.si_value.sival_ptr);
  int none = kill(getpid(), 0);
  int invalid = kill(getpid(), 65);
  printf("kill with signal 0: %d, with signal 65: %d, EINVAL %s\n", none, invalid, yes(errno == EINVAL));
}

/* --- ucontext -------------------------------------------------------------------------------------------------- */

static uint64_t context_rbx, handler_flags, context_flags;
static int syscall_before_rip;
static uint8_t context_xmm[16];

static void edit_context(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  (void)signal;
  (void)info;
  const uint8_t *rip = (const uint8_t *)uc->uc_mcontext.gregs[REG_RIP];
  syscall_before_rip = rip[-2] == 0x0f && rip[-1] == 0x05;
  context_rbx = (uint64_t)uc->uc_mcontext.gregs[REG_RBX];
  context_flags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL];
  uc->uc_mcontext.gregs[REG_RBX] = 0x4242;
  if (uc->uc_mcontext.fpregs != NULL)
    memcpy(context_xmm, (const uint8_t *)uc->uc_mcontext.fpregs + 160 + 6 * 16, 16); /* FXSAVE's XMM6 */
  __asm__ volatile("pushfq; popq %0; pxor %%xmm6, %%xmm6" : "=r"(handler_flags) : : "xmm6", "cc");
}

static void ucontext_part(void) {
  install(SIGUSR2, edit_context, 0, 0);
  uint64_t rbx = 0x1111, flags = 0, rax = SYS_tgkill;
  uint64_t xmm_in[2] = {0x0123456789abcdefull, 0xfedcba9876543210ull}, xmm_out[2] = {0, 0};
  uint64_t pid = (uint64_t)getpid(), tid = (uint64_t)syscall(SYS_gettid);
  /* The flags are set to CF, PF, AF, ZF, SF, DF and OF before the system call that brings the signal. */
  __asm__ volatile("movdqu (%[in]), %%xmm6\n\t"
                   "pushq $0xcd5\n\t"
                   "popfq\n\t"
                   "syscall\n\t"
                   "pushfq\n\t"
                   "popq %[flags]\n\t"
                   "cld\n\t"
                   "movdqu %%xmm6, (%[out])"
                   : "+a"(rax), "+b"(rbx), [flags] "=&r"(flags)
                   : "D"(pid), "S"(tid), "d"((uint64_t)SIGUSR2), [in] "r"(xmm_in), [out] "r"(xmm_out)
                   : "rcx", "r11", "xmm6", "memory", "cc");
  printf("ucontext: rip stands after a syscall instruction %s, rax after it %d\n", yes(syscall_before_rip), (int)rax);
  printf("ucontext: rbx seen %llx, rbx after the handler %llx\n", (unsigned long long)context_rbx,
         (unsigned long long)rbx);
  printf("ucontext: flags seen %03llx, in the handler DF %d, after it %03llx\n",
         (unsigned long long)(context_flags & 0xcd5), (int)(handler_flags >> 10 & 1),
         (unsigned long long)(flags & 0xcd5));
  printf("ucontext: xmm6 seen %s, restored %s\n", yes(memcmp(context_xmm, xmm_in, 16) == 0),
         yes(memcmp(xmm_out, xmm_in, 16) == 0));
}

/* --- masks and nesting ----------------------------------------------------------------------------------------- */

static char trace[64];
static int depth;

static void note(char mark) {
  size_t end = strlen(trace);
  if (end + 1 < sizeof trace)
    trace[end] = mark;
}

static void nested(int signal, siginfo_t *info, void *context) {
  sigset_t pending;
  (void)info;
  (void)context;
  note(signal == SIGUSR1 ? '(' : '[');
  if (signal == SIGUSR1) {
    raise(SIGUSR2);
    sigpending(&pending);
    note(sigismember(&pending, SIGUSR2) ? 'p' : '-');
  }
  note(signal == SIGUSR1 ? ')' : ']');
}

static void again(int signal, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  note('<');
  if (++depth < 3)
    raise(signal);
  note('>');
}

static void mask_part(void) {
  install(SIGUSR2, nested, 0, 0);
  install(SIGUSR1, nested, 0, SIGUSR2);
  raise(SIGUSR1);
  printf("SIGUSR2 in sa_mask: %s\n", trace);

  memset(trace, 0, sizeof trace);
  install(SIGUSR1, nested, 0, 0);
  raise(SIGUSR1);
  printf("SIGUSR2 not in sa_mask: %s\n", trace);

  memset(trace, 0, sizeof trace);
  install(SIGUSR1, again, 0, 0);
  depth = 0;
  raise(SIGUSR1);
  printf("raised in its own handler: %s\n", trace);

  memset(trace, 0, sizeof trace);
  install(SIGUSR1, again, SA_NODEFER, 0);
  depth = 0;
  raise(SIGUSR1);
  printf("the same with SA_NODEFER: %s\n", trace);

  calls = 0;
  install(SIGUSR1, remember, 0, 0);
  block(SIG_BLOCK, SIGUSR1);
  for (int i = 0; i < 3; i++)
    raise(SIGUSR1);
  int before = (int)calls;
  block(SIG_UNBLOCK, SIGUSR1);
  printf("raised 3 times while blocked: %d calls before, %d after\n", before, (int)calls);

  calls = 0;
  install(SIGUSR1, remember, (int)SA_RESETHAND, 0);
  raise(SIGUSR1);
  struct sigaction now;
  sigaction(SIGUSR1, NULL, &now);
  printf("SA_RESETHAND: calls %d, default again %s\n", (int)calls, yes(now.sa_handler == SIG_DFL));
  signal(SIGUSR1, SIG_IGN);
  printf("ignored: raise gives %d\n", raise(SIGUSR1));
  struct sigaction bad = {.sa_handler = SIG_IGN};
  printf("SIGKILL can't be caught: %s\n", yes(sigaction(SIGKILL, &bad, NULL) == -1 && errno == EINVAL));
}

/* --- alternate stack ------------------------------------------------------------------------------------------- */

static char *alternate;
static int on_alternate, flags_inside, change_error;

static void where(int signal, siginfo_t *info, void *context) {
  char here;
  stack_t now, other;
  (void)signal;
  (void)info;
  (void)context;
  on_alternate = &here >= alternate && &here < alternate + SIGSTKSZ;
  sigaltstack(NULL, &now);
  flags_inside = now.ss_flags;
  other = now;
  other.ss_flags = 0;
  change_error = sigaltstack(&other, NULL) == -1 ? errno : 0;
}

static void altstack_part(void) {
  alternate = malloc(SIGSTKSZ);
  stack_t stack = {.ss_sp = alternate, .ss_size = SIGSTKSZ, .ss_flags = 0}, now;
  sigaltstack(&stack, NULL);
  install(SIGUSR1, where, SA_ONSTACK, 0);
  raise(SIGUSR1);
  sigaltstack(NULL, &now);
  printf("SA_ONSTACK: on it %s, SS_ONSTACK inside %s, changing it there EPERM %s, flags after %d\n", yes(on_alternate),
         yes(flags_inside == SS_ONSTACK), yes(change_error == EPERM), now.ss_flags);
  install(SIGUSR1, where, 0, 0);
  raise(SIGUSR1);
  printf("without SA_ONSTACK: on it %s\n", yes(on_alternate));
  stack.ss_size = 1024;
  printf("too small a stack: ENOMEM %s\n", yes(sigaltstack(&stack, NULL) == -1 && errno == ENOMEM));
  stack.ss_flags = SS_DISABLE;
  sigaltstack(&stack, NULL);
}

/* --- blocked calls --------------------------------------------------------------------------------------------- */

struct sender {
  pthread_t target;
  int enough;   /* stop once the handler ran this many times; 0: go on until told */
  int write_to; /* then write one byte here; -1: don't */
};

static volatile int told_to_stop;

static void *send_signals(void *arg) {
  struct sender *sender = arg;
  struct timespec pause = {.tv_sec = 0, .tv_nsec = 40000000};
  do {
    nanosleep(&pause, NULL);
    if (!told_to_stop)
      pthread_kill(sender->target, SIGUSR1);
  } while (!told_to_stop && (sender->enough == 0 || calls < sender->enough));
  nanosleep(&pause, NULL);
  if (sender->write_to >= 0 && write(sender->write_to, "x", 1) != 1)
    perror("write");
  return NULL;
}

static pthread_t start_sender(struct sender *sender) {
  pthread_t thread;
  sigset_t all, old;
  calls = 0;
  told_to_stop = 0;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  if (pthread_create(&thread, NULL, send_signals, sender) != 0)
    exit(1);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return thread;
}

static void blocking_part(void) {
  int ends[2];
  char byte = 0;
  if (pipe(ends) != 0)
    exit(1);

  install(SIGUSR1, remember, 0, 0);
  struct sender endless = {pthread_self(), 0, -1};
  pthread_t thread = start_sender(&endless);
  errno = 0;
  ssize_t got = read(ends[0], &byte, 1);
  int error = errno;
  told_to_stop = 1;
  pthread_join(thread, NULL);
  printf("read without SA_RESTART: %d, EINTR %s, handler ran %s\n", (int)got, yes(error == EINTR), yes(calls > 0));

  install(SIGUSR1, remember, SA_RESTART, 0);
  struct sender three = {pthread_self(), 3, ends[1]};
  thread = start_sender(&three);
  got = read(ends[0], &byte, 1);
  pthread_join(thread, NULL);
  printf("read with SA_RESTART: %d, byte %c, handler ran at least 3 times %s\n", (int)got, byte, yes(calls >= 3));

  thread = start_sender(&endless);
  struct timespec wish = {.tv_sec = 20, .tv_nsec = 0}, rest = {0, 0};
  int result = nanosleep(&wish, &rest);
  error = errno;
  told_to_stop = 1;
  pthread_join(thread, NULL);
  printf("nanosleep: %d, EINTR %s, rest between 0 and 20 s %s\n", result, yes(error == EINTR),
         yes(rest.tv_sec >= 0 && rest.tv_sec < 20));

  block(SIG_BLOCK, SIGUSR1);
  thread = start_sender(&endless);
  sigset_t set, old;
  pthread_sigmask(SIG_BLOCK, NULL, &old);
  set = old;
  sigdelset(&set, SIGUSR1);
  result = sigsuspend(&set);
  error = errno;
  int ran = calls > 0;
  told_to_stop = 1;
  pthread_join(thread, NULL);
  pthread_sigmask(SIG_BLOCK, NULL, &old);
  printf("sigsuspend: %d, EINTR %s, handler ran %s, mask back %s\n", result, yes(error == EINTR), yes(ran),
         yes(sigismember(&old, SIGUSR1) == 1));

  struct timespec none = {0, 0};
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  while (sigtimedwait(&set, NULL, &none) == SIGUSR1)
    ;
  raise(SIGUSR1);
  siginfo_t info;
  calls = 0;
  result = sigtimedwait(&set, &info, &none);
  printf("sigtimedwait: %d, from this process %s, no handler %s\n", result, yes(info.si_pid == getpid()),
         yes(calls == 0));
  result = sigtimedwait(&set, &info, &none);
  printf("sigtimedwait with nothing pending: %d, EAGAIN %s\n", result, yes(errno == EAGAIN));
  block(SIG_UNBLOCK, SIGUSR1);
  close(ends[0]);
  close(ends[1]);
}

/* --- a busy loop ----------------------------------------------------------------------------------------------- */

static volatile int spinning;
static int let_go;

static void release(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  __atomic_store_n(&let_go, 1, __ATOMIC_RELAXED);
}

static void *spin(void *arg) {
  unsigned long turns = 0;
  spinning = 1;
  while (!__atomic_load_n(&let_go, __ATOMIC_RELAXED))
    turns++;
  return turns > 0 ? arg : NULL;
}

static void busy_part(void) {
  pthread_t thread;
  void *result;
  install(SIGUSR1, release, 0, 0);
  if (pthread_create(&thread, NULL, spin, &let_go) != 0)
    exit(1);
  while (!spinning)
    usleep(1000);
  usleep(20000);
  pthread_kill(thread, SIGUSR1);
  pthread_join(thread, &result);
  printf("a signal reaches a thread in a busy loop: %s\n", yes(result == &let_go));
}

/* --- broken pipe ----------------------------------------------------------------------------------------------- */

static void pipe_part(void) {
  int ends[2];
  calls = 0;
  install(SIGPIPE, remember, 0, 0);
  if (pipe(ends) != 0)
    exit(1);
  close(ends[0]);
  ssize_t done = write(ends[1], "x", 1);
  printf("write to a pipe without reader: %d, EPIPE %s, SIGPIPE calls %d\n", (int)done, yes(errno == EPIPE),
         (int)calls);
  close(ends[1]);
}

int main(void) {
  siginfo_part();
  ucontext_part();
  mask_part();
  altstack_part();
  blocking_part();
  busy_part();
  pipe_part();
  puts("End of signal test.");
  return 0;
}
