/* What the programs that trace have in common: a tracee, which the tracer's stops are printed of. */
#pragma once
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(e) do { if (!(e)) { printf("line %d: %s: %s\n", __LINE__, #e, strerror(errno)); exit(1); } } while (0)

static pid_t first;

static const char *name(pid_t p) { return p == first ? "first" : "other"; }

static void show(pid_t p, int st) {
  if (WIFEXITED(st)) printf("%s: exited %d\n", name(p), WEXITSTATUS(st));
  else if (WIFSIGNALED(st)) printf("%s: killed by %d\n", name(p), WTERMSIG(st));
  else if (WIFSTOPPED(st)) {
    siginfo_t si;
    int has = ptrace(PTRACE_GETSIGINFO, p, 0, &si);
    printf("%s: stopped %#x", name(p), st >> 8);
    if (has == 0) printf(" signo %d code %#x", si.si_signo, si.si_code);
    else printf(" no siginfo (%d)", errno);
    printf("\n");
  } else printf("%s: %#x\n", name(p), st);
  fflush(stdout);
}

static int wait_for(pid_t p) {
  int st;
  CHECK(waitpid(p, &st, __WALL) == p);
  show(p, st);
  return st;
}

static pid_t traced(void (*body)(void)) {
  fflush(stdout);
  pid_t p = fork();
  if (p == 0) {
    CHECK(!ptrace(PTRACE_TRACEME, 0, 0, 0));
    raise(SIGSTOP);
    body();
    _exit(0);
  }
  first = p;
  wait_for(p);
  return p;
}

