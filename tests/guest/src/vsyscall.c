// The vsyscall page: gettimeofday, time and getcpu at fixed addresses; what is not an entry, reads and bad pointers fault.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

static sigjmp_buf env;
static void on_fault(int signal) { siglongjmp(env, signal); }

static long (*const get_time)(struct timeval *, void *) = (void *)0xffffffffff600000;
static long (*const seconds)(long *) = (void *)0xffffffffff600400;
static long (*const cpu)(unsigned *, unsigned *, void *) = (void *)0xffffffffff600800;
static long (*const between)(long *) = (void *)0xffffffffff600404;

#define FAULT(what, action)                   \
  do {                                        \
    int s = sigsetjmp(env, 1);                \
    if (s) printf("%s: signal %d\n", what, s); \
    else {                                    \
      action;                                 \
      printf("%s: no signal\n", what);        \
    }                                         \
  } while (0)

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  signal(SIGSEGV, on_fault);
  signal(SIGILL, on_fault);
  struct timeval tv = {0, -1};
  time_t before = time(0);
  printf("gettimeofday %ld ", get_time(&tv, 0));
  printf("%d\n", tv.tv_sec >= before && tv.tv_sec <= before + 60 && tv.tv_usec >= 0 && tv.tv_usec < 1000000);
  long stored = 0, given = seconds(&stored);
  printf("time %d %d\n", given >= before && given <= before + 60, stored == given);
  unsigned c = -1, n = -1;
  printf("getcpu %ld ", cpu(&c, &n, 0));
  printf("%d\n", c < 4096 && n < 4096);
  long last = 0, falls = 0;
  for (int i = 0; i < 20000; i++) {
    long now = seconds(0);
    if (now + 1 < last) falls++;
    last = now;
  }
  printf("backwards %ld\n", falls);
  FAULT("between", between(0));
  FAULT("store", seconds((long *)8));
  FAULT("read", (void)*(volatile long *)0xffffffffff600000);
  FAULT("after", seconds(0));
  return 0;
}
