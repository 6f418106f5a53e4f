/* Two children made by clone(2), without a thread library.
   Each runs in the parent's address space on its own stack, writes ten lines and returns; the parent reaps both.
   Once the bug hunt that started lift64: a translator that advances the pc too late runs the child's clone again.
   Source: clone(2), waitpid(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 16384, LINES = 10 };

struct job {
  const char *name;
  long pause_ms;
};

static int child(void *arg) {
  const struct job *job = arg;
  for (int line = 1; line <= LINES; line++) {
    char text[64];
    int length = snprintf(text, sizeof text, "child %s: line %d of %d\n", job->name, line, LINES);
    if (write(STDOUT_FILENO, text, (size_t)length) != length)
      return 1;
    struct timespec pause = {.tv_sec = 0, .tv_nsec = job->pause_ms * 1000000};
    nanosleep(&pause, NULL);
  }
  return 0;
}

static pid_t start(char *stack, struct job *job) {
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD;
  pid_t pid = clone(child, stack + STACK_BYTES, flags, job);
  if (pid == -1) {
    perror("clone");
    exit(1);
  }
  return pid;
}

static int reap(pid_t pid) {
  int status = 0;
  pid_t got;
  do {
    got = waitpid(pid, &status, 0);
    if (got == -1 && errno != EINTR) {
      perror("waitpid");
      exit(1);
    }
  } while (got != pid);
  return status;
}

int main(void) {
  struct job jobs[2] = {{"A", 100}, {"B", 120}};
  char *stack1 = malloc(STACK_BYTES);
  char *stack2 = malloc(STACK_BYTES);
  if (stack1 == NULL || stack2 == NULL)
    return 1;

  pid_t pid1 = start(stack1, &jobs[0]);
  pid_t pid2 = start(stack2, &jobs[1]);

  printf("status1=0x%x\n", (unsigned)reap(pid1));
  printf("status2=0x%x\n", (unsigned)reap(pid2));
  puts("End of clone test.");
  free(stack1);
  free(stack2);
  return 0;
}
