/* epoll: level, edge, oneshot, exclusive, nested, errors, descriptors that are closed or duplicated, several waiters. Compared with the native run. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *err(long r) {
  static char text[2][16];
  static int turn;
  char *b = text[turn ^= 1];
  if (r < 0) snprintf(b, sizeof text[0], "errno %d", errno);
  return r < 0 ? b : "ok";
}

static long ctl(int ep, int op, int fd, uint32_t events, uint64_t data) {
  struct epoll_event e = {.events = events, .data.u64 = data};
  return epoll_ctl(ep, op, fd, &e);
}

static void show(const char *what, int ep, int most, int timeout) {
  struct epoll_event e[64];
  int n = epoll_wait(ep, e, most, timeout);
  printf("%s: %d", what, n);
  if (n < 0) printf(" %s", err(n));
  for (int i = 0; i < n; i++) printf(" [%llx %x]", (unsigned long long)e[i].data.u64, e[i].events);
  printf("\n");
}

static void drain(int fd) {
  char b[65536];
  (void)!read(fd, b, sizeof b);
}

static void errors(void) {
  int ep = epoll_create1(EPOLL_CLOEXEC), p[2];
  (void)!pipe(p);
  int file = open("/proc/self/exe", O_RDONLY), dir = open("/", O_RDONLY), null = open("/dev/null", O_RDWR);
  printf("create -1 %s\n", err(epoll_create(0)));
  printf("create1 bad %s\n", err(epoll_create1(12345)));
  printf("cloexec %d\n", fcntl(ep, F_GETFD));
  printf("file %s\n", err(ctl(ep, EPOLL_CTL_ADD, file, EPOLLIN, 1)));
  printf("dir %s\n", err(ctl(ep, EPOLL_CTL_ADD, dir, EPOLLIN, 1)));
  printf("null %s\n", err(ctl(ep, EPOLL_CTL_ADD, null, EPOLLIN, 1)));
  printf("self %s\n", err(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 1)));
  printf("closed %s\n", err(ctl(ep, EPOLL_CTL_ADD, 999, EPOLLIN, 1)));
  printf("bad ep %s\n", err(ctl(999, EPOLL_CTL_ADD, p[0], EPOLLIN, 1)));
  printf("no ep %s\n", err(ctl(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 1)));
  printf("op %s\n", err(ctl(ep, 77, p[0], EPOLLIN, 1)));
  printf("mod %s\n", err(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 1)));
  printf("del %s\n", err(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL)));
  printf("null event %s\n", err(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], NULL)));
  printf("add %s\n", err(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1)));
  printf("again %s\n", err(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1)));
  printf("del %s\n", err(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL)));
  printf("excl mod %s\n", err(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 1)));
  printf("excl oneshot %s\n", err(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1)));
  printf("excl %s\n", err(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 1)));
  printf("mod of excl %s\n", err(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 1)));
  struct epoll_event e;
  printf("wait 0 %s\n", err(epoll_wait(ep, &e, 0, 0)));
  printf("wait -1 %s\n", err(syscall(SYS_epoll_wait, ep, &e, -1, 0)));
  printf("wait no ep %s\n", err(epoll_wait(p[0], &e, 1, 0)));
  printf("wait bad %s\n", err(epoll_wait(999, &e, 1, 0)));
  printf("read %s\n", err(read(ep, &e, sizeof e)));
  (void)!write(p[1], "x", 1);
  printf("fault %s\n", err(syscall(SYS_epoll_wait, ep, 16, 1, 0)));
  show("still", ep, 4, 0);
  close(ep), close(p[0]), close(p[1]), close(file), close(dir), close(null);
}

static void modes(void) {
  int ep = epoll_create1(0), p[2];
  (void)!pipe(p);
  ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
  ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 2);
  show("level out", ep, 8, 0);
  (void)!write(p[1], "abc", 3);
  show("level both", ep, 8, 0);
  show("level again", ep, 8, 0);
  ctl(ep, EPOLL_CTL_MOD, p[1], 0, 2);
  show("mod 0", ep, 8, 0);
  drain(p[0]);
  show("drained", ep, 8, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 3);
  show("edge none", ep, 8, 0);
  (void)!write(p[1], "abc", 3);
  show("edge", ep, 8, 0);
  show("edge no more", ep, 8, 0);
  char c;
  (void)!read(p[0], &c, 1);
  show("edge after read", ep, 8, 0);
  (void)!write(p[1], "d", 1);
  show("edge after write", ep, 8, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 4);
  show("edge after mod", ep, 8, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 5);
  show("oneshot", ep, 8, 0);
  show("oneshot off", ep, 8, 0);
  (void)!write(p[1], "e", 1);
  show("oneshot still off", ep, 8, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 6);
  show("oneshot rearmed", ep, 8, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLRDHUP, 7);
  close(p[1]);
  show("hup", ep, 8, 0);
  drain(p[0]);
  show("hup drained", ep, 8, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], 0, 8);
  show("hup unasked", ep, 8, 0);
  close(p[0]);
  show("closed", ep, 8, 0);
  (void)!pipe(p);
  ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET, 9);
  show("out edge", ep, 8, 0);
  show("out edge no more", ep, 8, 0);
  fcntl(p[1], F_SETFL, O_NONBLOCK);
  char block[4096] = {0};
  while (write(p[1], block, sizeof block) > 0) {}
  show("full", ep, 8, 0);
  drain(p[0]);
  show("room", ep, 8, 0);
  close(p[0]);
  show("err", ep, 8, 0);
  close(p[1]);
  int ev = eventfd(0, EFD_NONBLOCK);
  ctl(ep, EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLET, 10);
  eventfd_write(ev, 1);
  show("eventfd", ep, 8, 0);
  eventfd_write(ev, 1);
  show("eventfd again", ep, 8, 0);
  eventfd_t v;
  eventfd_read(ev, &v);
  printf("value %d\n", (int)v);
  show("eventfd read", ep, 8, 0);
  ctl(ep, EPOLL_CTL_MOD, ev, EPOLLIN | EPOLLOUT | EPOLLET, 11);
  show("eventfd out", ep, 8, 0);
  eventfd_write(ev, 1);
  show("eventfd both", ep, 8, 0);
  close(ev), close(ep);
}

static void closing(void) {
  int ep = epoll_create1(0), p[2], q[2];
  (void)!pipe(p);
  ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
  int d = dup(p[0]);
  printf("dup %s\n", err(ctl(ep, EPOLL_CTL_ADD, d, EPOLLIN, 2)));
  (void)!write(p[1], "x", 1);
  show("two", ep, 8, 0);
  close(p[0]);
  show("one closed", ep, 8, 0);
  printf("mod of closed %s\n", err(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 3)));
  (void)!pipe(q); /* takes the number */
  printf("same number %d %s\n", q[0] == p[0], err(ctl(ep, EPOLL_CTL_MOD, q[0], EPOLLIN, 3)));
  printf("add %s\n", err(ctl(ep, EPOLL_CTL_ADD, q[0], EPOLLIN, 4)));
  close(d);
  show("all closed", ep, 8, 0);
  (void)!write(q[1], "y", 1);
  show("other", ep, 8, 0);
  close(q[0]), close(q[1]), close(p[1]), close(ep);
}

static void fairness(void) {
  int ep = epoll_create1(0), p[5][2];
  for (int i = 0; i < 5; i++) {
    (void)!pipe(p[i]);
    ctl(ep, EPOLL_CTL_ADD, p[i][0], EPOLLIN, i);
    (void)!write(p[i][1], "x", 1);
  }
  for (int i = 0; i < 5; i++) show("rotates", ep, 2, 0);
  for (int i = 0; i < 5; i++) close(p[i][0]), close(p[i][1]);
  close(ep);
}

static void nested(void) {
  int ep[8], p[2];
  (void)!pipe(p);
  for (int i = 0; i < 8; i++) ep[i] = epoll_create1(0);
  for (int i = 0; i < 7; i++) printf("nest %d %s\n", i, err(ctl(ep[i + 1], EPOLL_CTL_ADD, ep[i], EPOLLIN, i)));
  printf("circle %s\n", err(ctl(ep[0], EPOLL_CTL_ADD, ep[1], EPOLLIN, 9)));
  ctl(ep[0], EPOLL_CTL_ADD, p[0], EPOLLIN, 77);
  show("outer none", ep[2], 8, 0);
  (void)!write(p[1], "x", 1);
  show("outer", ep[2], 8, 0);
  show("middle", ep[1], 8, 0);
  show("inner", ep[0], 8, 0);
  struct pollfd pf = {.fd = ep[2], .events = POLLIN};
  printf("poll %d", poll(&pf, 1, 0));
  printf(" %x\n", pf.revents);
  drain(p[0]);
  printf("poll %d", poll(&pf, 1, 0));
  printf(" %x\n", pf.revents);
  show("outer drained", ep[2], 8, 0);
  int e = epoll_create1(0), f = epoll_create1(0);
  ctl(e, EPOLL_CTL_ADD, f, EPOLLIN | EPOLLET, 5);
  ctl(f, EPOLL_CTL_ADD, p[0], EPOLLIN, 6);
  (void)!write(p[1], "x", 1);
  show("edge of inner", e, 8, 0);
  show("edge of inner again", e, 8, 0);
  close(e), close(f);
  for (int i = 0; i < 8; i++) close(ep[i]);
  close(p[0]), close(p[1]);
}

static void on_alarm(int sig) { (void)sig; }

static void waiting(void) {
  int ep = epoll_create1(0), p[2];
  (void)!pipe(p);
  ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
  show("timeout", ep, 8, 20);
  if (fork() == 0) {
    (void)!write(p[1], "x", 1);
    _exit(0);
  }
  show("from child", ep, 8, -1);
  wait(NULL);
  drain(p[0]);
  if (fork() == 0) { /* the instance is shared */
    epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL);
    ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 2);
    _exit(0);
  }
  wait(NULL);
  show("changed by child", ep, 8, -1);
  epoll_ctl(ep, EPOLL_CTL_DEL, p[1], NULL);
  struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &sa, NULL);
  alarm(1);
  show("interrupted", ep, 8, -1);
  sigset_t all, none;
  sigfillset(&all), sigemptyset(&none);
  sigprocmask(SIG_BLOCK, &all, NULL);
  raise(SIGALRM);
  struct epoll_event e;
  printf("pwait %s\n", err(epoll_pwait(ep, &e, 1, 0, &none)));
  raise(SIGALRM);
  printf("pwait %s\n", err(epoll_pwait(ep, &e, 1, 1000, &none)));
  struct timespec ts = {0, 1000000};
  printf("pwait2 %ld\n", syscall(SYS_epoll_pwait2, ep, &e, 1, &ts, NULL, 8));
  ts.tv_nsec = -1;
  printf("pwait2 %s\n", err(syscall(SYS_epoll_pwait2, ep, &e, 1, &ts, NULL, 8)));
  close(ep), close(p[0]), close(p[1]);
}

enum { THREADS = 4, EVENTS = 200 };
static int ep, ev, got[THREADS];

static void *worker(void *arg) {
  long me = (long)arg;
  struct epoll_event e;
  for (;;) {
    if (epoll_wait(ep, &e, 1, -1) != 1) return (void *)1;
    if (e.data.u64 == 1) return NULL; /* stop: level-triggered, so that all see it */
    eventfd_t v;
    if (eventfd_read(ev, &v) == 0) __atomic_add_fetch(&got[me], (int)v, __ATOMIC_SEQ_CST);
  }
}

static void threads(void) {
  int stop = eventfd(0, 0);
  ep = epoll_create1(0), ev = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
  ctl(ep, EPOLL_CTL_ADD, ev, EPOLLIN, 0);
  pthread_t t[THREADS];
  for (long i = 0; i < THREADS; i++) pthread_create(&t[i], NULL, worker, (void *)i);
  for (int i = 0; i < EVENTS; i++) eventfd_write(ev, 1);
  int sum;
  do {
    sum = 0;
    for (int i = 0; i < THREADS; i++) sum += __atomic_load_n(&got[i], __ATOMIC_SEQ_CST);
    sched_yield();
  } while (sum < EVENTS);
  ctl(ep, EPOLL_CTL_ADD, stop, EPOLLIN, 1);
  eventfd_write(stop, 1);
  for (int i = 0; i < THREADS; i++) pthread_join(t[i], NULL);
  printf("threads got %d\n", sum);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  errors(), modes(), closing(), fairness(), nested(), waiting(), threads();
  return 0;
}
