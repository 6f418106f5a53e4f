/* clone's flags one by one, with raw system calls: the TID words, CLONE_SETTLS, CLONE_FILES and CLONE_FS shared or not,
   CLONE_THREAD with exit of one thread only, clone3, and the ways of waiting: WNOHANG, waitid, __WCLONE, ECHILD.
   Every child shares the address space (CLONE_VM). Source: clone(2), wait(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK = 65536 };

static char stacks[4][STACK] __attribute__((aligned(16)));
static int parent_word, child_word, seen_pid, seen_tid, seen_parent, opened;
static volatile int go, done;

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static int note_ids(void *arg) {
  seen_pid = (int)syscall(SYS_getpid);
  seen_tid = (int)syscall(SYS_gettid);
  seen_parent = (int)syscall(SYS_getppid);
  return (int)(intptr_t)arg;
}

static int open_and_change(void *arg) {
  (void)arg;
  opened = (int)syscall(SYS_open, "/dev/null", O_RDWR, 0);
  syscall(SYS_chdir, "/");
  syscall(SYS_umask, 0123);
  return 0;
}

static int wait_for_go(void *arg) {
  while (!go) {
    struct timespec pause = {0, 1000000};
    syscall(SYS_nanosleep, &pause, NULL);
  }
  done = 1;
  return (int)(intptr_t)arg;
}

static int killed(void *arg) {
  (void)arg;
  syscall(SYS_kill, (int)syscall(SYS_getpid), SIGKILL);
  return 1;
}

static long start(int (*fn)(void *), int flags, intptr_t arg, int stack) {
  return clone(fn, stacks[stack] + STACK, CLONE_VM | flags, (void *)arg, &parent_word, NULL, &child_word);
}

static void tid_words(void) {
  int status = 0;
  parent_word = child_word = -1;
  long pid = start(note_ids, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 17, 0);
  int parent_seen = parent_word == pid;
  long got = waitpid((pid_t)pid, &status, 0);
  printf("parent's word is the pid %s, child's word %s; waited %s, exit status %d\n", yes(parent_seen),
         yes(child_word == pid), yes(got == pid), WEXITSTATUS(status));
  printf("child: its own pid %s, tid the same %s, parent %s\n", yes(seen_pid == pid), yes(seen_tid == pid),
         yes(seen_parent == getpid()));
  child_word = 12345;
  pid = start(note_ids, CLONE_CHILD_CLEARTID | SIGCHLD, 300, 0);
  waitpid((pid_t)pid, &status, 0);
  printf("CLONE_CHILD_CLEARTID: word %d, status 300 as %d\n", child_word, WEXITSTATUS(status));
  printf("again: ECHILD %s\n", yes(waitpid((pid_t)pid, &status, 0) == -1 && errno == ECHILD));
}

static void sharing(void) {
  char before[4096], after[4096];
  int status;
  mode_t mask = umask(022);
  getcwd(before, sizeof before);
  long pid = start(open_and_change, SIGCHLD, 0, 0);
  waitpid((pid_t)pid, &status, 0);
  getcwd(after, sizeof after);
  printf("without CLONE_FS and CLONE_FILES: directory kept %s, umask kept %s, descriptor unknown %s\n",
         yes(strcmp(before, after) == 0), yes(umask(022) == 022), yes(fcntl(opened, F_GETFD) == -1 && errno == EBADF));
  pid = start(open_and_change, CLONE_FS | CLONE_FILES | SIGCHLD, 0, 0);
  waitpid((pid_t)pid, &status, 0);
  getcwd(after, sizeof after);
  printf("with them: directory %s, umask %03o, descriptor known %s\n", after, (unsigned)umask(022),
         yes(fcntl(opened, F_GETFD) != -1));
  close(opened);
  if (chdir(before) != 0)
    puts("chdir failed");
  umask(mask);
}

static void waiting(void) {
  int status = 0;
  siginfo_t info;
  go = done = 0;
  long pid = start(wait_for_go, SIGCHLD, 5, 0);
  printf("WNOHANG while it runs: %d; ", (int)waitpid((pid_t)pid, &status, WNOHANG));
  go = 1;
  memset(&info, 0, sizeof info);
  int result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
  printf("waitid %d: pid %s, CLD_EXITED %s, status %d; ", result, yes(info.si_pid == pid),
         yes(info.si_code == CLD_EXITED), info.si_status);
  printf("still there: %s\n", yes(waitpid(-1, &status, 0) == pid && WEXITSTATUS(status) == 5));
  /* an exit signal other than SIGCHLD makes a "clone" child */
  pid = start(note_ids, 0, 9, 0);
  int plain = waitpid((pid_t)pid, &status, 0) == -1 && errno == ECHILD;
  printf("exit signal 0: waitpid ECHILD %s, with __WCLONE %s, ", yes(plain),
         yes(waitpid((pid_t)pid, &status, __WCLONE) == pid));
  pid = start(note_ids, 0, 9, 0);
  printf("with __WALL %s\n", yes(waitpid((pid_t)pid, &status, __WALL) == pid));
  pid = start(killed, SIGCHLD, 0, 0);
  waitpid((pid_t)pid, &status, 0);
  printf("killed: WIFSIGNALED %s, signal %d\n", yes(WIFSIGNALED(status)), WTERMSIG(status));
}

/* A thread by raw clone that ends by exit of one thread: the word is cleared and woken. */
static void thread_by_hand(void) {
  child_word = 1;
  long tid = start(note_ids,
                   CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID |
                       CLONE_CHILD_SETTID | CLONE_PARENT_SETTID,
                   0, 1);
  int word;
  while ((word = __atomic_load_n(&child_word, __ATOMIC_SEQ_CST)) != 0)
    syscall(SYS_futex, &child_word, 0, word, NULL, NULL, 0);
  printf("thread: pid is the process's %s, tid its own %s, no child to wait for %s\n", yes(seen_pid == getpid()),
         yes(seen_tid == tid && tid != getpid()), yes(waitpid(-1, NULL, __WALL) == -1 && errno == ECHILD));
}

struct arguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static void by_clone3(void) {
  static struct arguments arguments;
  int status = 0, result_word = -1;
  arguments.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_PARENT_SETTID;
  arguments.exit_signal = SIGCHLD;
  arguments.stack = (uint64_t)stacks[2];
  arguments.stack_size = STACK;
  arguments.parent_tid = (uint64_t)&result_word;
  long pid = SYS_clone3;
  /* The child has a stack of its own, so it may only use registers until it leaves. */
  __asm__ volatile("syscall\n\ttestq %%rax, %%rax\n\tjnz 1f\n\tmovl $33, %%edi\n\tmovl $60, %%eax\n\tsyscall\n1:"
                   : "+a"(pid)
                   : "D"(&arguments), "S"(sizeof arguments)
                   : "rcx", "r11", "memory", "cc");
  long got = waitpid((pid_t)pid, &status, 0);
  printf("clone3: waited %s, parent's word %s, exit status %d\n", yes(pid > 0 && got == pid), yes(result_word == pid),
         WEXITSTATUS(status));
  arguments.exit_signal = 1000;
  printf("bad exit signal: EINVAL %s, short structure: EINVAL %s\n",
         yes(syscall(SYS_clone3, &arguments, sizeof arguments) == -1 && errno == EINVAL),
         yes(syscall(SYS_clone3, &arguments, 8) == -1 && errno == EINVAL));
  printf("CLONE_THREAD without CLONE_SIGHAND: EINVAL %s, CLONE_SIGHAND without CLONE_VM: EINVAL %s\n",
         yes(syscall(SYS_clone, CLONE_VM | CLONE_THREAD, stacks[3] + STACK, 0, 0, 0) == -1 && errno == EINVAL),
         yes(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, stacks[3] + STACK, 0, 0, 0) == -1 && errno == EINVAL));
}

static volatile int child_signals;
static void on_child(int signal) { child_signals += signal == SIGCHLD; }

int main(void) {
  int status;
  tid_words();
  sharing();
  waiting();
  thread_by_hand();
  by_clone3();
  signal(SIGCHLD, on_child);
  long pid = start(note_ids, SIGCHLD, 0, 0);
  while (waitpid((pid_t)pid, &status, 0) == -1 && errno == EINTR)
    ;
  printf("SIGCHLD handler ran: %d\n", child_signals);
  signal(SIGCHLD, SIG_IGN);
  pid = start(note_ids, SIGCHLD, 0, 0);
  printf("ignored: ECHILD once it is gone %s\n", yes(waitpid((pid_t)pid, &status, 0) == -1 && errno == ECHILD));
  return 0;
}
