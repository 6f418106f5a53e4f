/* The vDSO: it is there, its functions are found by the C library, and their clocks agree with the system calls' and do
 * not go back. Source: man 7 vdso, clock_gettime(2). */
#define _GNU_SOURCE
#include <elf.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 20000 };

static int64_t ns(const struct timespec *t) { return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec; }

static int64_t by_call(clockid_t clock) {
  struct timespec t;
  syscall(SYS_clock_gettime, clock, &t);
  return ns(&t);
}

static int64_t by_library(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return ns(&t);
}

/* Coarse clocks stand still for up to a tick, 10 ms. */
static void between(const char *name, clockid_t clock, int64_t slack) {
  int bad = 0;
  int64_t last = 0;
  for (int i = 0; i < ROUNDS; i++) {
    int64_t before = by_call(clock), now = by_library(clock), after = by_call(clock);
    if (now < before - slack || now > after + slack || now < last)
      bad++;
    last = now;
  }
  printf("%s: %s\n", name, bad == 0 ? "between two system calls" : "WRONG");
}

static int64_t tv_ns(const struct timeval *t) { return (int64_t)t->tv_sec * 1000000000 + t->tv_usec * 1000; }

static void others(void) {
  int bad = 0;
  for (int i = 0; i < ROUNDS; i++) {
    struct timeval tv;
    int64_t before = by_call(CLOCK_REALTIME);
    gettimeofday(&tv, NULL);
    time_t seconds = time(NULL);
    int64_t after = by_call(CLOCK_REALTIME);
    if (tv_ns(&tv) < before - 1000 || tv_ns(&tv) > after)
      bad++;
    /* Linux's time() is that of the last tick. */
    if (seconds < (before - 10000000) / 1000000000 || seconds > after / 1000000000)
      bad++;
  }
  struct timespec t;
  printf("gettimeofday, time: %s; clock 99: %d; CPU clock %d; getcpu %s\n", bad == 0 ? "right" : "WRONG",
         clock_gettime(99, &t), clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), sched_getcpu() >= 0 ? "right" : "WRONG");
}

int main(void) {
  const unsigned char *image = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
  printf("image: %s\n", image != NULL && memcmp(image, ELFMAG, SELFMAG) == 0 ? "ELF" : "NONE");
  char line[300];
  int named = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
    named += strstr(line, "[vdso]") != NULL;
  printf("maps: %d\n", named);
  between("realtime", CLOCK_REALTIME, 0);
  between("monotonic", CLOCK_MONOTONIC, 0);
  between("realtime coarse", CLOCK_REALTIME_COARSE, 10000000);
  between("boot time", CLOCK_BOOTTIME, 0);
  others();
  fflush(stdout);
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    between("in a child", CLOCK_REALTIME, 0);
    fflush(stdout);
    _exit(5);
  }
  waitpid(child, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  return 0;
}
