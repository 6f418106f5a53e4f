/* Seccomp filters, and small calls between pipes and processes: tee, vmsplice, kcmp. Compared with the native run. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* linux/filter.h, seccomp.h and audit.h, which a C library's headers alone do not have */
struct sock_filter {
  uint16_t code;
  uint8_t jt, jf;
  uint32_t k;
};
struct sock_fprog {
  uint16_t len;
  struct sock_filter *filter;
};
struct seccomp_data {
  int nr;
  uint32_t arch;
  uint64_t instruction_pointer, args[6];
};
#define BPF_STMT(code, k) {(unsigned short)(code), 0, 0, k}
#define BPF_JUMP(code, k, jt, jf) {(unsigned short)(code), jt, jf, k}
enum { BPF_LD = 0, BPF_ST = 2, BPF_ALU = 4, BPF_JMP = 5, BPF_RET = 6, BPF_W = 0, BPF_B = 0x10, BPF_ABS = 0x20, BPF_K = 0, BPF_DIV = 0x30, BPF_JA = 0, BPF_JEQ = 0x10 };
enum { SECCOMP_SET_MODE_STRICT, SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL, SECCOMP_MODE_STRICT = 1, SECCOMP_FILTER_FLAG_TSYNC = 1 };
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#define SECCOMP_RET_KILL_THREAD 0u
#define SECCOMP_RET_TRAP 0x30000u
#define SECCOMP_RET_ERRNO 0x50000u
#define SECCOMP_RET_TRACE 0x7ff00000u
#define SECCOMP_RET_ALLOW 0x7fff0000u
#define AUDIT_ARCH_X86_64 0xc000003eu

static const char *err(long r) {
  static char text[2][16];
  static int turn;
  char *b = text[turn ^= 1];
  if (r < 0) snprintf(b, sizeof text[0], "errno %d", errno);
  return r < 0 ? b : "ok";
}

static long install(struct sock_filter *f, int n, unsigned flags) {
  struct sock_fprog p = {.len = n, .filter = f};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

/* What `nr` gets, if its first argument is `arg` (or -1: any); all others are allowed. */
static long refuse(int nr, int arg, unsigned what, unsigned flags) {
  struct sock_filter f[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arg, 0, arg == -1 ? 0 : 1),
      BPF_STMT(BPF_RET | BPF_K, what),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return install(f, sizeof f / sizeof *f, flags);
}

static void end(int status, const char *name) {
  printf("%s: ", name);
  if (WIFEXITED(status)) printf("exit %d\n", WEXITSTATUS(status));
  else printf("signal %d\n", WTERMSIG(status));
}

/* Runs `fn` in a child. */
static void in_child(const char *name, void (*fn)(void)) {
  fflush(stdout);
  pid_t p = fork();
  if (p == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    fn();
    fflush(stdout);
    _exit(0);
  }
  int status;
  waitpid(p, &status, 0);
  end(status, name);
}

static void invalid(void) {
  struct sock_filter ok = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_filter no_ret[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
  struct sock_filter far[] = {BPF_STMT(BPF_JMP | BPF_JA, 5), ok};
  struct sock_filter odd[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ok};
  struct sock_filter past[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ok};
  struct sock_filter byte[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ok};
  struct sock_filter zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ok};
  struct sock_filter mem[] = {BPF_STMT(BPF_ST, 16), ok};
  printf("no ret %s, far %s", err(install(no_ret, 1, 0)), err(install(far, 2, 0)));
  printf(", odd %s, past %s", err(install(odd, 2, 0)), err(install(past, 2, 0)));
  printf(", byte %s, zero %s", err(install(byte, 2, 0)), err(install(zero, 2, 0)));
  printf(", mem %s, none %s", err(install(mem, 2, 0)), err(install(&ok, 0, 0)));
  printf(", flags %s, fault %s\n", err(install(&ok, 1, 0x100)), err(install((void *)16, 1, 0)));
  printf("op %s, mode %d\n", err(syscall(SYS_seccomp, 77, 0, 0)), prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
  uint32_t actions[] = {SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW, 0x12340000};
  for (int i = 0; i < 3; i++) printf("avail %s\n", err(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i])));
}

static void errnos(void) {
  printf("install %s\n", err(refuse(SYS_getppid, -1, SECCOMP_RET_ERRNO | 77, 0)));
  printf("mode %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
  printf("getppid %s\n", err(syscall(SYS_getppid)));
  printf("dup 5 %s\n", err(refuse(SYS_dup, 5, SECCOMP_RET_ERRNO | 78, 0)));
  int fd = dup(1);
  printf("dup 1 %s", err(fd));
  printf(", dup 5 %s, getppid %s\n", err(dup(5)), err(syscall(SYS_getppid)));
  refuse(SYS_getppid, -1, SECCOMP_RET_ALLOW, 0);
  printf("strictest %s", err(syscall(SYS_getppid)));
  refuse(SYS_getpgrp, -1, SECCOMP_RET_TRACE, 0);
  printf(", trace %s", err(syscall(SYS_getpgrp)));
  refuse(SYS_getpgrp, -1, SECCOMP_RET_ERRNO, 0);
  printf(", errno 0 %ld\n", syscall(SYS_getpgrp));
  fflush(stdout);
  if (fork() == 0) {
    printf("in a child %s\n", err(syscall(SYS_getppid)));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  execl("/proc/self/exe", "seccomp", "exec", NULL);
}

static volatile int trapped;
static void on_sigsys(int sig, siginfo_t *i, void *c) {
  (void)c;
  if (sig == SIGSYS && i->si_syscall == SYS_getppid && i->si_arch == AUDIT_ARCH_X86_64 && i->si_errno == 9 && i->si_code == 1) trapped++;
}

static void trap(void) {
  struct sigaction sa = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
  sigaction(SIGSYS, &sa, NULL);
  refuse(SYS_getppid, -1, SECCOMP_RET_TRAP | 9, 0);
  long r = syscall(SYS_getppid);
  printf("trapped %d, result is the number %d\n", trapped, r == SYS_getppid);
}

static void kill_process(void) {
  signal(SIGSYS, SIG_IGN);
  refuse(SYS_getppid, -1, SECCOMP_RET_KILL_PROCESS, 0);
  syscall(SYS_getppid);
}

static volatile pid_t doomed;
static void *killed_thread(void *arg) {
  doomed = syscall(SYS_gettid);
  refuse(SYS_getppid, -1, SECCOMP_RET_KILL_THREAD, 0);
  syscall(SYS_getppid);
  _exit(3);
  return arg;
}

/* Not joined: the C library does not learn of its end. */
static void kill_thread(void) {
  pthread_t p;
  pthread_create(&p, NULL, killed_thread, NULL);
  while (doomed == 0) usleep(1000);
  while (syscall(SYS_tgkill, getpid(), doomed, 0) == 0) usleep(1000);
  printf("others go on\n");
}

static void strict(void) {
  printf("strict %s\n", err(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0)));
  fflush(stdout);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
  (void)!write(1, "written\n", 8);
  syscall(SYS_getpid);
}

static pthread_barrier_t barrier;
static void *synced(void *arg) {
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  *(long *)arg = syscall(SYS_getppid) < 0 ? errno : 0;
  return NULL;
}

static void tsync(void) {
  pthread_t p;
  long got = -1;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&p, NULL, synced, &got);
  pthread_barrier_wait(&barrier);
  printf("tsync %ld\n", refuse(SYS_getppid, -1, SECCOMP_RET_ERRNO | 55, SECCOMP_FILTER_FLAG_TSYNC));
  pthread_barrier_wait(&barrier);
  pthread_join(p, NULL);
  printf("the other got %ld\n", got);
}

static void pipes(void) {
  int p[2], q[2];
  char b[64] = {0};
  (void)!pipe(p), (void)!pipe2(q, O_NONBLOCK);
  struct iovec v[2] = {{"abc", 3}, {"defg", 4}};
  printf("vmsplice %d", (int)vmsplice(p[1], v, 2, 0));
  printf(", tee %d", (int)tee(p[0], q[1], 5, 0));
  printf(", again %d", (int)tee(p[0], q[1], 100, 0));
  printf(", read %d", (int)read(q[0], b, sizeof b));
  printf(" %s", b);
  memset(b, 0, sizeof b);
  printf(", source %d", (int)read(p[0], b, sizeof b));
  printf(" %s\n", b);
  printf("same %s, wrong end %s", err(tee(p[0], p[1], 1, 0)), err(tee(p[1], q[1], 1, 0)));
  int null = open("/dev/null", O_RDWR);
  printf(", not a pipe %s, flags %s", err(tee(null, q[1], 1, 0)), err(tee(p[0], q[1], 1, 0x100)));
  printf(", empty %s", err(tee(p[0], q[1], 1, SPLICE_F_NONBLOCK)));
  printf(", vmsplice %s\n", err(vmsplice(null, v, 2, 0)));
  close(p[1]);
  printf("end %d\n", (int)tee(p[0], q[1], 1, 0));
  pid_t me = getpid();
  int d = dup(q[0]);
  printf("kcmp %d %d", (int)syscall(SYS_kcmp, me, me, 0, d, q[0]), (int)syscall(SYS_kcmp, me, me, 0, d, q[1]) > 0);
  printf(" %s", err(syscall(SYS_kcmp, me, me, 0, d, 999)));
  printf(" %s", err(syscall(SYS_kcmp, me, me, 99, 0, 0)));
  printf(" %d %d\n", (int)syscall(SYS_kcmp, me, me, 1, 0, 0), (int)syscall(SYS_kcmp, me, me, 2, 0, 0));
}

int main(int argc, char **argv) {
  if (argc > 1) {
    printf("after %s %s\n", argv[1], err(syscall(SYS_getppid)));
    return 0;
  }
  in_child("invalid", invalid);
  in_child("errnos", errnos);
  in_child("trap", trap);
  in_child("kill process", kill_process);
  in_child("kill thread", kill_thread);
  in_child("strict", strict);
  in_child("tsync", tsync);
  pipes();
  return 0;
}
