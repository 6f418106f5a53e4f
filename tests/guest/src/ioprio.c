// Priorities of input and output: what is set, what is refused, what a child and a group have.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESS = 1, PGRP = 2, NONE = 0, BE = 2 << 13, IDLE = 3 << 13 };

static void get(const char *what, int which, int who) {
  long r = syscall(SYS_ioprio_get, which, who);
  printf("%s: %lx %d\n", what, r, r < 0 ? errno : 0);
}

static void set(int which, int who, int ioprio) {
  long r = syscall(SYS_ioprio_set, which, who, ioprio);
  printf("set %x: %ld %d, ", ioprio, r, r < 0 ? errno : 0);
  get("now", PROCESS, 0);
}

int main(void) {
  setpgid(0, 0);
  get("none", PROCESS, 0);
  get("of a group", PGRP, 0);
  get("no such kind", 0, 0);
  get("no such kind", 4, 0);
  get("no such process", PROCESS, 99999999);
  set(PROCESS, 0, BE | 3);
  set(PROCESS, getpid(), BE | 7);
  set(PROCESS, 0, IDLE);
  set(PROCESS, 0, NONE);
  set(PROCESS, 0, NONE | 4);
  set(PROCESS, 0, 4 << 13);
  set(PROCESS, 0, 7 << 13);
  set(5, 0, BE);
  set(PROCESS, 99999999, BE);
  setpriority(PRIO_PROCESS, 0, 10);
  get("with a nice value", PROCESS, 0);
  get("of a group with it", PGRP, 0);
  set(PROCESS, 0, BE | 5);
  fflush(stdout);
  if (fork() == 0) {
    get("a child's", PROCESS, 0);
    set(PROCESS, 0, BE | 1);
    get("the best of the group", PGRP, 0);
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  get("the parent's", PROCESS, 0);
  /* A lower nice value is for root, or for RLIMIT_NICE to allow; another user's process is not to be touched. */
  fflush(stdout);
  if (fork() == 0) {
    if (geteuid() == 0)
      setreuid(65534, 65534);
    printf("unprivileged: 12 %d", setpriority(PRIO_PROCESS, 0, 12) ? errno : 0);
    printf(", the same %d", setpriority(PRIO_PROCESS, 0, 12) ? errno : 0);
    printf(", 11 %d", setpriority(PRIO_PROCESS, 0, 11) ? errno : 0);
    printf(", of none %d\n", setpriority(PRIO_PROCESS, 999999, 19) ? errno : 0);
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  return 0;
}
