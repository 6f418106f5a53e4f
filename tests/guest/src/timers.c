/* timer_create and setitimer: signals, values, overruns, threads, CPU clocks, fork and exec. Compared with the native run; times are shown as yes or no. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

typedef int kernel_timer;

static int create(int clock, struct sigevent *e, kernel_timer *t) { return syscall(SYS_timer_create, clock, e, t); }
static int settime(kernel_timer t, int flags, int64_t value, int64_t interval, struct itimerspec *old) {
  struct itimerspec s = {.it_value = {value / 1000000000, value % 1000000000}, .it_interval = {interval / 1000000000, interval % 1000000000}};
  return syscall(SYS_timer_settime, t, flags, &s, old);
}
static int gettime(kernel_timer t, struct itimerspec *s) { return syscall(SYS_timer_gettime, t, s); }
static int overrun(kernel_timer t) { return syscall(SYS_timer_getoverrun, t); }
static int delete_timer(kernel_timer t) { return syscall(SYS_timer_delete, t); }

static const char *err(long r) {
  static char text[2][16];
  static int turn;
  char *b = text[turn ^= 1];
  if (r < 0) snprintf(b, sizeof text[0], "errno %d", errno);
  return r < 0 ? b : "ok";
}

static int64_t now(int clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static volatile sig_atomic_t count, code, value, id_seen, overruns;
static volatile pid_t taker;
static void handler(int sig, siginfo_t *i, void *c) {
  (void)sig, (void)c;
  code = i->si_code, value = i->si_value.sival_int, id_seen = i->si_timerid, overruns = i->si_overrun;
  taker = syscall(SYS_gettid);
  count++;
}

static void catch (int sig) {
  struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(sig, &sa, NULL);
}

static void wait_for(int n) {
  sigset_t block, old;
  sigfillset(&block);
  sigprocmask(SIG_BLOCK, &block, &old);
  while (count < n) sigsuspend(&old);
  sigprocmask(SIG_SETMASK, &old, NULL);
}

static void errors(void) {
  kernel_timer t;
  struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 0};
  printf("signo 0 %s", err(create(CLOCK_MONOTONIC, &e, &t)));
  e.sigev_signo = 65;
  printf(", 65 %s", err(create(CLOCK_MONOTONIC, &e, &t)));
  e.sigev_signo = SIGUSR1, e.sigev_notify = 77;
  printf(", notify %s", err(create(CLOCK_MONOTONIC, &e, &t)));
  e.sigev_notify = SIGEV_SIGNAL | SIGEV_THREAD_ID, e.sigev_notify_thread_id = 1;
  printf(", thread %s\n", err(create(CLOCK_MONOTONIC, &e, &t)));
  printf("clock 77 %s, raw %s", err(create(77, NULL, &t)), err(create(CLOCK_MONOTONIC_RAW, NULL, &t)));
  printf(", coarse %s, fault %s\n", err(create(CLOCK_REALTIME_COARSE, NULL, &t)), err(create(CLOCK_REALTIME, NULL, (void *)16)));
  struct itimerspec s;
  printf("no timer: set %s", err(settime(999, 0, 0, 0, NULL)));
  printf(" get %s", err(gettime(999, &s)));
  printf(" overrun %s delete %s\n", err(overrun(999)), err(delete_timer(999)));
  printf("create %s", err(create(CLOCK_REALTIME, NULL, &t)));
  printf(", nsec %s", err(settime(t, 0, -1, 0, NULL)));
  s.it_value.tv_nsec = 1000000000;
  printf(", nsec %s", err(syscall(SYS_timer_settime, t, 0, &s, NULL)));
  printf(", null %s\n", err(syscall(SYS_timer_settime, t, 0, NULL, NULL)));
  printf("delete %s", err(delete_timer(t)));
  printf(" %s\n", err(delete_timer(t)));
}

static void signals(void) {
  kernel_timer t, u;
  struct itimerspec s;
  catch (SIGALRM), catch (SIGUSR1), catch (SIGRTMIN);
  create(CLOCK_REALTIME, NULL, &t); /* SIGALRM, and its id as the value */
  count = 0;
  settime(t, 0, 5000000, 0, NULL);
  wait_for(1);
  printf("default: code %d value %d id %d\n", code, value == t, id_seen == t);
  gettime(t, &s);
  printf("left %d\n", (int)(s.it_value.tv_sec + s.it_value.tv_nsec));
  struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 4711};
  create(CLOCK_MONOTONIC, &e, &u);
  count = 0;
  int64_t start = now(CLOCK_MONOTONIC);
  settime(u, TIMER_ABSTIME, start + 10000000, 5000000, NULL);
  wait_for(3);
  printf("interval: late %d value %d id %d\n", now(CLOCK_MONOTONIC) - start >= 20000000, value, id_seen == u);
  settime(u, 0, 1000000000000, 3000000000, &s);
  printf("old interval %ld\n", (long)s.it_interval.tv_nsec);
  gettime(u, &s);
  printf("armed %d %d\n", s.it_value.tv_sec > 900 && s.it_value.tv_sec <= 1000, (int)s.it_interval.tv_sec);
  /* overruns: the signal is blocked for some expirations */
  sigset_t m;
  sigemptyset(&m), sigaddset(&m, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &m, NULL);
  settime(u, 0, 2000000, 2000000, NULL);
  start = now(CLOCK_MONOTONIC);
  while (now(CLOCK_MONOTONIC) - start < 40000000) {}
  siginfo_t i;
  sigtimedwait(&m, &i, NULL);
  printf("overruns %d, same %d\n", i.si_overrun >= 5, overrun(u) == i.si_overrun);
  settime(u, 0, 0, 0, NULL);
  printf("disarmed: %s\n", err(sigtimedwait(&m, &i, &(struct timespec){0, 30000000})));
  settime(u, 0, 1000000, 0, NULL);
  while (sigpending(&m), !sigismember(&m, SIGRTMIN)) {}
  delete_timer(u);
  sigemptyset(&m), sigaddset(&m, SIGRTMIN);
  sigprocmask(SIG_UNBLOCK, &m, NULL);
  /* none: time passes, nothing is sent */
  e.sigev_notify = SIGEV_NONE;
  create(CLOCK_MONOTONIC, &e, &u);
  count = 0;
  settime(u, 0, 1000000, 0, NULL);
  start = now(CLOCK_MONOTONIC);
  while (now(CLOCK_MONOTONIC) - start < 3000000) {}
  gettime(u, &s);
  printf("none: left %d, signals %d\n", (int)(s.it_value.tv_sec + s.it_value.tv_nsec), count);
  /* ignored, then not */
  signal(SIGUSR1, SIG_IGN);
  e.sigev_notify = SIGEV_SIGNAL, e.sigev_signo = SIGUSR1;
  create(CLOCK_MONOTONIC, &e, &u);
  settime(u, 0, 1000000, 1000000, NULL);
  usleep(5000);
  count = 0;
  catch (SIGUSR1);
  wait_for(2);
  printf("after ignore\n");
  delete_timer(t), delete_timer(u);
}

static volatile pid_t second;
static volatile int stop;
static void *thread(void *arg) {
  (void)arg;
  second = syscall(SYS_gettid);
  while (!stop) usleep(1000);
  return NULL;
}

static void threads(void) {
  pthread_t p;
  kernel_timer t;
  pthread_create(&p, NULL, thread, NULL);
  while (second == 0) usleep(1000);
  struct sigevent e = {.sigev_notify = SIGEV_SIGNAL | SIGEV_THREAD_ID, .sigev_signo = SIGUSR1, .sigev_notify_thread_id = second};
  count = 0;
  printf("create %s\n", err(create(CLOCK_MONOTONIC, &e, &t)));
  settime(t, 0, 1000000, 1000000, NULL);
  while (count < 3) usleep(1000);
  printf("by the thread %d\n", taker == second);
  stop = 1;
  pthread_join(p, NULL);
  count = 0;
  usleep(5000);
  count = 0;
  usleep(5000);
  printf("thread is gone: %d\n", count);
  delete_timer(t);
}

static void burn(int64_t ns) {
  int64_t until = now(CLOCK_PROCESS_CPUTIME_ID) + ns;
  while (now(CLOCK_PROCESS_CPUTIME_ID) < until) {}
}

static void cpu(void) {
  kernel_timer t;
  struct itimerval v = {.it_value.tv_usec = 10000, .it_interval.tv_usec = 10000}, old, zero = {0};
  catch (SIGPROF), catch (SIGVTALRM);
  count = 0;
  printf("prof %s\n", err(setitimer(ITIMER_PROF, &v, NULL)));
  while (count < 2) {}
  setitimer(ITIMER_PROF, &zero, &old);
  printf("ticks, interval %d code %d\n", (int)old.it_interval.tv_usec, code);
  count = 0;
  printf("virtual %s\n", err(setitimer(ITIMER_VIRTUAL, &v, NULL)));
  while (count < 2) {}
  setitimer(ITIMER_VIRTUAL, &zero, NULL);
  getitimer(ITIMER_VIRTUAL, &old);
  printf("off %d\n", (int)(old.it_value.tv_sec + old.it_value.tv_usec));
  struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  printf("cpu timers %s", err(create(CLOCK_THREAD_CPUTIME_ID, &e, &t)));
  delete_timer(t);
  printf(" %s\n", err(create(CLOCK_PROCESS_CPUTIME_ID, &e, &t)));
  count = 0;
  int64_t start = now(CLOCK_PROCESS_CPUTIME_ID);
  settime(t, TIMER_ABSTIME, start + 20000000, 0, NULL);
  while (count < 1) {}
  printf("used %d\n", now(CLOCK_PROCESS_CPUTIME_ID) - start >= 15000000);
  delete_timer(t);
  /* another process's clock */
  pid_t child = fork();
  if (child == 0) {
    for (;;) {}
  }
  clockid_t c;
  printf("clock of child %d", clock_getcpuclockid(child, &c));
  while (now(c) < 20000000) usleep(1000);
  printf(" runs\n");
  kill(child, SIGKILL);
  wait(NULL);
  int64_t before = now(CLOCK_THREAD_CPUTIME_ID);
  burn(5000000);
  printf("burnt %d\n", now(CLOCK_THREAD_CPUTIME_ID) > before);
  printf("sleep on own %d\n", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &(struct timespec){0, 1}, NULL));
}

static void inheritance(char **argv) {
  kernel_timer t;
  catch (SIGUSR1);
  struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  create(CLOCK_MONOTONIC, &e, &t);
  settime(t, 0, 1000000000000, 0, NULL);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    struct itimerspec s;
    printf("in child: %s", err(gettime(t, &s)));
    printf(", create %s\n", err(create(CLOCK_MONOTONIC, &e, &t)));
    fflush(stdout);
    settime(t, 0, 1000000000000, 0, NULL);
    execl("/proc/self/exe", argv[0], "exec", NULL);
    _exit(9);
  }
  waitpid(child, NULL, 0);
  printf("deleted %s\n", err(delete_timer(t)));
}

int main(int argc, char **argv) {
  (void)argc;
  if (argv[1] != NULL) {
    struct itimerspec s;
    printf("after exec: %s\n", err(gettime(0, &s)));
    return 0;
  }
  errors(), signals(), threads(), cpu(), inheritance(argv);
  return 0;
}
