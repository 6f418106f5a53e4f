/* POSIX message queues: order, limits, errors, waiting, notification, poll. Compared with the native run. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static volatile int told, value;
static void on_signal(int sig, siginfo_t *i, void *c) {
  (void)sig, (void)c;
  told = i->si_code, value = i->si_value.sival_int;
}

static void receive(mqd_t q) {
  char b[128] = {0};
  unsigned priority = 0;
  long n = mq_receive(q, b, sizeof b, &priority);
  printf("received %ld %s priority %u", n, b, priority);
  printf("%s\n", n < 0 ? err(n) : "");
}

int main(void) {
  char name[64], other[300];
  snprintf(name, sizeof name, "/lift64-test-%d", getpid());
  struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 100}, now;
  printf("none %s", err(mq_open(name, O_RDWR)));
  printf(", unlink %s", err(mq_unlink(name)));
  attr.mq_msgsize = 0;
  printf(", attr %s\n", err(mq_open(name, O_RDWR | O_CREAT, 0600, &attr)));
  attr.mq_msgsize = 100;
  memset(other, 'x', sizeof other), other[0] = '/', other[299] = 0;
  printf("long %s", err(mq_open(other, O_RDWR | O_CREAT, 0600, &attr)));
  printf(", slash %s\n", err(mq_open("/a/b", O_RDWR | O_CREAT, 0600, &attr)));
  mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
  printf("create %s", err(q));
  printf(", again %s\n", err(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr)));
  printf("low %s", err(mq_send(q, "low", 3, 1)));
  printf(" high %s", err(mq_send(q, "high", 4, 9)));
  printf(" low2 %s", err(mq_send(q, "low2", 4, 1)));
  printf(" empty %s\n", err(mq_send(q, "", 0, 0)));
  mq_getattr(q, &now);
  printf("attr %ld %ld %ld %ld\n", now.mq_flags, now.mq_maxmsg, now.mq_msgsize, now.mq_curmsgs);
  struct pollfd p = {.fd = q, .events = POLLIN | POLLOUT};
  poll(&p, 1, 0);
  printf("full %x", p.revents);
  struct timespec past = {1, 0}, bad = {1, 1000000000};
  printf(", timed %s", err(mq_timedsend(q, "x", 1, 0, &past)));
  printf(", bad time %s", err(mq_timedsend(q, "x", 1, 0, &bad)));
  printf(", long %s", err(mq_send(q, other, 101, 0)));
  printf(", priority %s\n", err(mq_send(q, "x", 1, 32768)));
  char small[8];
  printf("small buffer %s\n", err(mq_receive(q, small, sizeof small, NULL)));
  for (int i = 0; i < 4; i++) receive(q);
  poll(&p, 1, 0);
  printf("empty %x\n", p.revents);
  attr.mq_flags = O_NONBLOCK;
  printf("nonblock %s", err(mq_setattr(q, &attr, &now)));
  printf(" was %ld, ", now.mq_flags);
  receive(q);
  attr.mq_flags = 0;
  mq_setattr(q, &attr, NULL);
  mqd_t r = mq_open(name, O_RDONLY), w = mq_open(name, O_WRONLY);
  printf("read only %s", err(mq_send(r, "x", 1, 0)));
  printf(", write only %s\n", err(mq_receive(w, other, sizeof other, NULL)));
  fflush(stdout);
  if (fork() == 0) {
    mq_send(w, "child", 5, 2);
    _exit(0);
  }
  receive(q);
  wait(NULL);
  struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &sa, NULL);
  struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
  printf("notify %s", err(mq_notify(q, &e)));
  printf(", again %s\n", err(mq_notify(q, &e)));
  mq_send(w, "tell", 4, 0);
  printf("told %d %d\n", told, value);
  told = 0;
  receive(q);
  mq_send(w, "once", 4, 0);
  printf("told %d\n", told);
  receive(q);
  printf("off %s\n", err(mq_notify(q, NULL)));
  printf("unlink %s", err(mq_unlink(name)));
  printf(", gone %s, ", err(mq_open(name, O_RDWR)));
  mq_send(w, "still", 5, 0);
  receive(q);
  printf("close %s", err(mq_close(q)));
  printf(" %s\n", err(mq_close(q)));
  return 0;
}
