// Calls that few programs make: futexes of Linux 6.7, process_madvise, move_pages; what epoll_wait does where it can't store; mq_notify and close.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FUTEX_WAKE2 = 454, FUTEX_WAIT2, FUTEX_REQUEUE2, SIZE_U32 = 2, PRIVATE = 128 };
struct waitv { uint64_t value, addr; uint32_t flags, reserved; };

static void result(const char *title, long r) {
  if (r < 0) printf("%s: %s\n", title, strerror(errno));
  else printf("%s: %ld\n", title, r);
}

static uint32_t word, other;

static void *waiter(void *unused) {
  (void)unused;
  while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
    syscall(FUTEX_WAIT2, &word, 0ul, 0xfffffffful, SIZE_U32 | PRIVATE, NULL, CLOCK_MONOTONIC);
  return NULL;
}

static void *moved(void *unused) {
  (void)unused;
  return (void *)syscall(FUTEX_WAIT2, &other, 7ul, 1ul, SIZE_U32 | PRIVATE, NULL, CLOCK_MONOTONIC);
}

static void futexes(void) {
  struct timespec past = {0, 1}, bad = {0, -1};
  result("wait, other value", syscall(FUTEX_WAIT2, &word, 1ul, 1ul, SIZE_U32, NULL, CLOCK_MONOTONIC));
  result("wait, time is up", syscall(FUTEX_WAIT2, &word, 0ul, 1ul, SIZE_U32, &past, CLOCK_MONOTONIC));
  result("wait, bad time", syscall(FUTEX_WAIT2, &word, 0ul, 1ul, SIZE_U32, &bad, CLOCK_MONOTONIC));
  result("wait, bad clock", syscall(FUTEX_WAIT2, &word, 0ul, 1ul, SIZE_U32, &past, 5));
  result("wait, no bits", syscall(FUTEX_WAIT2, &word, 0ul, 0ul, SIZE_U32, &past, CLOCK_MONOTONIC));
  result("wait, wide value", syscall(FUTEX_WAIT2, &word, 1ul << 40, 1ul, SIZE_U32, &past, CLOCK_MONOTONIC));
  result("wait, not aligned", syscall(FUTEX_WAIT2, (char *)&word + 1, 0ul, 1ul, SIZE_U32, &past, CLOCK_MONOTONIC));
  result("wait, bad flags", syscall(FUTEX_WAIT2, &word, 0ul, 1ul, 64, &past, CLOCK_MONOTONIC));
  result("wake nobody", syscall(FUTEX_WAKE2, &word, 1ul, 1, SIZE_U32));
  result("wake, bad flags", syscall(FUTEX_WAKE2, &word, 1ul, 1, 64));
  pthread_t t;
  pthread_create(&t, NULL, waiter, NULL);
  __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
  syscall(FUTEX_WAKE2, &word, 1ul, 1, SIZE_U32 | PRIVATE);
  pthread_join(t, NULL);
  other = 7;
  pthread_create(&t, NULL, moved, NULL);
  struct waitv two[2] = {{7, (uintptr_t)&other, SIZE_U32 | PRIVATE, 0}, {0, (uintptr_t)&word, SIZE_U32 | PRIVATE, 0}};
  long n;
  while ((n = syscall(FUTEX_REQUEUE2, two, 0, 0, 1)) == 0) sched_yield();
  result("moved", n);
  result("woken", syscall(FUTEX_WAKE2, &word, 1ul, 1, SIZE_U32 | PRIVATE));
  void *r;
  pthread_join(t, &r);
  printf("moved thread %ld\n", (long)r);
  two[0].value = 8;
  result("requeue, other value", syscall(FUTEX_REQUEUE2, two, 0, 0, 1));
  result("requeue, flags", syscall(FUTEX_REQUEUE2, two, 1, 0, 1));
}

static void memory(void) {
  int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
  char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  p[0] = p[4096] = 1;
  struct iovec v[2] = {{p, 4096}, {p + 4096, 8192}};
  result("process_madvise", syscall(SYS_process_madvise, pidfd, v, 2, MADV_WILLNEED, 0));
  result("flags", syscall(SYS_process_madvise, pidfd, v, 2, MADV_WILLNEED, 1));
  result("no pidfd", syscall(SYS_process_madvise, 1, v, 2, MADV_WILLNEED, 0));
  result("bad vector", syscall(SYS_process_madvise, pidfd, (void *)8, 2, MADV_WILLNEED, 0));
  void *pages[2] = {p, p + 4096};
  int status[2] = {9, 9};
  result("move_pages", syscall(SYS_move_pages, 0, 2ul, pages, NULL, status, 0));
  printf("%d %d\n", status[0], status[1]);
  result("bad flags", syscall(SYS_move_pages, 0, 2ul, pages, NULL, status, 77));
}

static void edges(void) {
  int ep = epoll_create1(0), fd = eventfd(0, 0);
  struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = 5};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
  result("nothing, bad address", syscall(SYS_epoll_wait, ep, 8l, 1, 0));
  eventfd_write(fd, 1);
  result("event, bad address", syscall(SYS_epoll_wait, ep, 8l, 1, -1));
  result("still there", epoll_wait(ep, &e, 1, 0));
  result("and gone", epoll_wait(ep, &e, 1, 0));
}

static volatile sig_atomic_t told;
static void tell(int signal) { told = signal; }

static void queues(void) {
  struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 16};
  char name[64];
  snprintf(name, sizeof name, "/lift64-small-%d", (int)getpid());
  signal(SIGUSR1, tell);
  mqd_t q = mq_open(name, O_CREAT | O_RDWR, 0600, &attr), again = mq_open(name, O_RDWR);
  struct sigevent how = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  result("notify", mq_notify(q, &how));
  result("twice", mq_notify(again, &how));
  mq_close(again);
  result("after close", mq_notify(q, &how));
  close(dup(q));
  mq_send(q, "x", 1, 0);
  printf("told %d\n", told);
  mq_close(q);
  mq_unlink(name);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  futexes();
  memory();
  edges();
  queues();
  return 0;
}
