/* timerfd, signalfd, pidfd: reads, readiness, errors, siginfo, children. Compared with the native run; times are shown as yes or no. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

static const char *err(long r) {
  static char text[2][16];
  static int turn;
  char *b = text[turn ^= 1];
  if (r < 0) snprintf(b, sizeof text[0], "errno %d", errno);
  return r < 0 ? b : "ok";
}

static int ready(int fd, int ms) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, ms) < 0 ? -1 : p.revents;
}

static int64_t now(int clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct itimerspec spec(int64_t value, int64_t interval) {
  struct itimerspec s = {.it_value = {value / 1000000000, value % 1000000000}, .it_interval = {interval / 1000000000, interval % 1000000000}};
  return s;
}

static void timers(void) {
  printf("create %s\n", err(timerfd_create(99, 0)));
  printf("create %s\n", err(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0)));
  printf("create %s\n", err(timerfd_create(CLOCK_MONOTONIC, 1)));
  int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
  for (int i = 0; i < 3; i++) {
    int fd = timerfd_create(clocks[i], TFD_NONBLOCK | TFD_CLOEXEC);
    uint64_t n = 0;
    printf("clock %d: flags %d %x, read %s", clocks[i], fcntl(fd, F_GETFD), fcntl(fd, F_GETFL) & O_NONBLOCK, err(read(fd, &n, 8)));
    struct itimerspec s = spec(1000000000000, 0), old;
    timerfd_settime(fd, 0, &s, NULL);
    timerfd_gettime(fd, &old);
    printf(", armed %d, ready %x", old.it_value.tv_sec > 900 && old.it_value.tv_sec < 1000, ready(fd, 0));
    s = spec(20000000, 0);
    int64_t start = now(clocks[i]);
    timerfd_settime(fd, 0, &s, NULL);
    printf(", ready %x", ready(fd, 60000));
    printf(", late %d", now(clocks[i]) - start >= 20000000);
    printf(", read %s", err(read(fd, &n, 8)));
    printf(" %llu, again %s", (unsigned long long)n, err(read(fd, &n, 8)));
    timerfd_gettime(fd, &old);
    printf(", left %d\n", (int)old.it_value.tv_nsec);
    s = spec(start + 30000000, 0); /* absolute */
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, NULL);
    fcntl(fd, F_SETFL, 0);
    printf("absolute %s", err(read(fd, &n, 8)));
    printf(" %d\n", now(clocks[i]) - start >= 30000000);
    s = spec(1, 0);
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, NULL);
    printf("past %s", err(read(fd, &n, 8)));
    printf(" %d\n", (int)n);
    close(fd);
  }
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), ep = epoll_create1(0);
  uint64_t n;
  struct itimerspec s = spec(5000000, 5000000), old, zero = {0};
  struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u32 = 1};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
  timerfd_settime(fd, 0, &s, NULL);
  printf("edge %d\n", epoll_wait(ep, &e, 1, 60000));
  printf("edge before the read %d\n", epoll_wait(ep, &e, 1, 20));
  printf("read %s\n", err(read(fd, &n, 8)));
  printf("edge after the read %d\n", epoll_wait(ep, &e, 1, 60000));
  e.events = EPOLLIN;
  epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e);
  for (int i = 0; i < 3; i++) printf("level %d\n", epoll_wait(ep, &e, 1, 5000));
  poll(NULL, 0, 20);
  printf("read %s", err(read(fd, &n, 8)));
  printf(" %d, short %s\n", n >= 3, err(read(fd, &n, 7)));
  timerfd_settime(fd, 0, &zero, &old);
  printf("old %d %ld\n", old.it_value.tv_nsec > 0, (long)old.it_interval.tv_nsec);
  printf("after %x %s\n", ready(fd, 20), err(read(fd, &n, 8)));
  s.it_value.tv_nsec = 1000000000;
  printf("nsec %s\n", err(timerfd_settime(fd, 0, &s, NULL)));
  printf("flags %s\n", err(timerfd_settime(fd, 4, &zero, NULL)));
  printf("cancel %s\n", err(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &zero, NULL)));
  printf("other fd %s %s\n", err(timerfd_settime(ep, 0, &zero, NULL)), err(timerfd_gettime(999, &old)));
  printf("write %s, seek %s\n", err(write(fd, &n, 8)), err(lseek(fd, 0, SEEK_SET)));
  /* a wait that another thread's settime shortens: here a child's, which shares the description */
  s = spec(3600000000000, 0);
  timerfd_settime(fd, 0, &s, NULL);
  fflush(stdout);
  if (fork() == 0) {
    s = spec(1000000, 0);
    timerfd_settime(fd, 0, &s, NULL);
    _exit(0);
  }
  printf("shortened %d\n", epoll_wait(ep, &e, 1, 10000));
  wait(NULL);
  close(fd), close(ep);
}

static int take(int fd, struct signalfd_siginfo *s) {
  memset(s, 0, sizeof *s);
  return read(fd, s, sizeof *s);
}

static void *blocked_reader(void *arg) {
  struct signalfd_siginfo s;
  int n = take(*(int *)arg, &s);
  printf("thread read %d signal %u\n", n, s.ssi_signo);
  return NULL;
}

static void signals(void) {
  sigset_t m;
  sigemptyset(&m);
  printf("bad fd %s\n", err(signalfd(999, &m, 0)));
  printf("not one %s\n", err(signalfd(0, &m, 0)));
  printf("flags %s\n", err(signalfd(-1, &m, 1)));
  sigaddset(&m, SIGUSR1), sigaddset(&m, SIGUSR2), sigaddset(&m, SIGCHLD), sigaddset(&m, SIGRTMIN), sigaddset(&m, SIGKILL);
  sigprocmask(SIG_BLOCK, &m, NULL);
  int fd = signalfd(-1, &m, SFD_NONBLOCK | SFD_CLOEXEC);
  struct signalfd_siginfo s, many[4];
  printf("empty %s, ready %x\n", err(take(fd, &s)), ready(fd, 0));
  raise(SIGUSR2), raise(SIGUSR1), raise(SIGUSR1);
  printf("ready %x\n", ready(fd, 0));
  int n = take(fd, &s);
  printf("took %d: signal %u code %d own pid %d\n", n, s.ssi_signo, s.ssi_code, s.ssi_pid == (unsigned)getpid());
  printf("short %s\n", err(read(fd, &s, 100)));
  sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 42});
  sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 43});
  n = read(fd, many, sizeof many);
  printf("many %d:", n);
  for (int i = 0; i < n / 128; i++) printf(" %u %d %d", many[i].ssi_signo == (unsigned)SIGRTMIN ? 0 : many[i].ssi_signo, many[i].ssi_code, many[i].ssi_int);
  printf("\n");
  kill(getpid(), SIGUSR1);
  n = take(fd, &s);
  printf("kill: %d code %d uid %d\n", n, s.ssi_code, s.ssi_uid == getuid());
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    /* what is pending is the reader's own */
    printf("in child: %s", err(take(fd, &s)));
    raise(SIGUSR1);
    printf(" %d\n", take(fd, &s));
    fflush(stdout);
    _exit(3);
  }
  printf("child ready %x\n", ready(fd, 10000));
  n = take(fd, &s);
  printf("child: %d signal %u code %d pid %d status %d\n", n, s.ssi_signo, s.ssi_code, s.ssi_pid == (unsigned)child, s.ssi_status);
  wait(NULL);
  int ep = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
  printf("epoll %d", epoll_wait(ep, &e, 1, 0));
  raise(SIGUSR2);
  printf(" %d", epoll_wait(ep, &e, 1, 0));
  take(fd, &s);
  printf(" %d\n", epoll_wait(ep, &e, 1, 0));
  sigemptyset(&m), sigaddset(&m, SIGUSR2);
  printf("mask %d\n", signalfd(fd, &m, 0) == fd);
  raise(SIGUSR1);
  printf("not in mask %s\n", err(take(fd, &s)));
  raise(SIGUSR2);
  n = take(fd, &s);
  printf("in mask %d %u\n", n, s.ssi_signo);
  fcntl(fd, F_SETFL, 0);
  pthread_t t;
  fflush(stdout);
  pthread_create(&t, NULL, blocked_reader, &fd);
  kill(getpid(), SIGUSR2);
  pthread_join(t, NULL);
  sigaddset(&m, SIGUSR1);
  sigtimedwait(&m, NULL, &(struct timespec){0, 0});
  close(fd), close(ep);
}

static int pidfd_open_(pid_t p, unsigned flags) { return syscall(434, p, flags); }

static void processes(void) {
  sigset_t m;
  sigemptyset(&m), sigaddset(&m, SIGCHLD);
  sigprocmask(SIG_UNBLOCK, &m, NULL);
  printf("open %s", err(pidfd_open_(-1, 0)));
  printf(" %s", err(pidfd_open_(0x3fffff, 0)));
  printf(" %s\n", err(pidfd_open_(getpid(), 1)));
  int gate[2];
  (void)!pipe(gate);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    char c;
    close(gate[1]);
    (void)!read(gate[0], &c, 1);
    _exit(7);
  }
  int fd = pidfd_open_(child, 0), ep = epoll_create1(0);
  printf("cloexec %d, ready %x, read %s\n", fcntl(fd, F_GETFD), ready(fd, 0), err(read(fd, &m, 8)));
  struct epoll_event e = {.events = EPOLLIN};
  printf("add %s", err(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e)));
  printf(" %d\n", epoll_wait(ep, &e, 1, 0));
  siginfo_t info = {0};
  printf("nohang %s %d\n", err(waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG)), info.si_pid);
  int copy = syscall(438, fd, gate[0], 0);
  printf("getfd %s, cloexec %d", err(copy), fcntl(copy, F_GETFD));
  printf(", bad %s", err(syscall(438, fd, 999, 0)));
  printf(" %s\n", err(syscall(438, fd, gate[0], 1)));
  printf("signal 0 %s", err(syscall(424, fd, 0, NULL, 0)));
  printf(", bad %s", err(syscall(424, gate[0], 0, NULL, 0)));
  printf(", bad %s\n", err(syscall(424, fd, 99, NULL, 0)));
  close(gate[1]);
  printf("ends %d", epoll_wait(ep, &e, 1, 10000));
  printf(" %x\n", ready(fd, 0) & POLLIN);
  printf("zombie signal %s\n", err(syscall(424, fd, SIGTERM, NULL, 0)));
  printf("waitid %s:", err(waitid(P_PIDFD, fd, &info, WEXITED)));
  printf(" %d %d", info.si_pid == child, info.si_status);
  printf(", again %s\n", err(waitid(P_PIDFD, fd, &info, WEXITED)));
  printf("reaped: ready %x, signal %s", ready(fd, 0) & POLLIN, err(syscall(424, fd, SIGTERM, NULL, 0)));
  printf(", open %s\n", err(pidfd_open_(child, 0)));
  close(fd), close(ep), close(gate[0]), close(copy);

  int pidfd = -1;
  child = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
  if (child == 0) {
    for (;;) pause();
  }
  printf("clone: cloexec %d, nonblock %s", fcntl(pidfd, F_GETFD), err(fcntl(pidfd, F_SETFL, O_NONBLOCK)));
  printf(", waitid %s\n", err(waitid(P_PIDFD, pidfd, &info, WEXITED)));
  printf("kill %s", err(syscall(424, pidfd, SIGKILL, NULL, 0)));
  printf(", ready %x", ready(pidfd, 10000) & POLLIN);
  printf(", waitid %s", err(waitid(P_PIDFD, pidfd, &info, WEXITED)));
  printf(" %d %d\n", info.si_code, info.si_status);
  printf("not a pidfd %s\n", err(waitid(P_PIDFD, 0, &info, WEXITED)));
  close(pidfd);
}

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 65536);
  timers(), fflush(stdout);
  signals(), fflush(stdout);
  processes(), fflush(stdout);
  return 0;
}
