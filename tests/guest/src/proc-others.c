/* What /proc says of another process: a child that sleeps, one that is stopped, one that is a zombie, a thread. Nothing that is printed depends on ids. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[1 << 16];

static const char *content(pid_t pid, const char *name) {
  char path[128];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return strerror(errno);
  ssize_t n = read(fd, text, sizeof text - 1);
  text[n < 0 ? 0 : n] = 0;
  close(fd);
  for (ssize_t i = 0; i + 1 < n; i++)
    if (text[i] == 0) text[i] = '|';
  return text;
}

static const char *line(pid_t pid, const char *name, const char *start) {
  static char found[512];
  char *at = strstr((char *)content(pid, name), start);
  if (at == NULL) return "(none)";
  snprintf(found, sizeof found, "%.*s", (int)strcspn(at, "\n"), at);
  return found;
}

static char state(pid_t pid) {
  char *end = strrchr((char *)content(pid, "stat"), ')');
  return end ? end[2] : '?';
}

static void wait_for(pid_t pid, char wanted) {
  for (int i = 0; i < 20000 && state(pid) != wanted; i++) usleep(500);
  printf("state %c\n", state(pid));
}

static const char *target(pid_t pid, const char *name) {
  static char to[512];
  char path[128];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  ssize_t n = readlink(path, to, sizeof to - 1);
  if (n < 0) return strerror(errno);
  to[n] = 0;
  return to;
}

static int entries(pid_t pid, const char *name) {
  char path[128];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  DIR *d = opendir(path);
  int n = 0;
  if (d == NULL) return -errno;
  for (struct dirent *e; (e = readdir(d)) != NULL;) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

static void *sleeper(void *unused) {
  prctl(PR_SET_NAME, "a thread");
  for (;;) pause();
  return unused;
}

static void child(int ready, const char *directory) {
  pthread_t thread;
  signal(SIGUSR1, SIG_IGN);
  prctl(PR_SET_NAME, "the child (x)");
  setpgid(0, 0);
  chdir(directory);
  struct rlimit limit = {77, 99};
  setrlimit(RLIMIT_NOFILE, &limit);
  umask(027);
  pthread_create(&thread, NULL, sleeper, NULL);
  write(ready, "x", 1);
  for (;;) pause();
}

int main(int argc, char **argv) {
  (void)argc;
  int ready[2], null = open("/dev/null", O_RDWR);
  char byte, path[128];
  struct stat a, b;
  pipe(ready);
  setpriority(PRIO_PROCESS, 0, 5);
  pid_t pid = fork();
  if (pid == 0) child(ready[1], "/usr/bin");
  read(ready[0], &byte, 1);
  wait_for(pid, 'S');
  printf("comm %s", content(pid, "comm"));
  const char *words = content(pid, "cmdline");
  printf("cmdline %s\n", strrchr(words, '/') ? strrchr(words, '/') + 1 : words);
  printf("environ %d\n", strstr(content(pid, "environ"), "PATH=") != NULL);
  printf("%s\n", line(pid, "status", "Umask"));
  printf("%s\n", line(pid, "status", "Threads"));
  printf("%s\n", line(pid, "status", "SigIgn"));
  printf("%s\n", line(pid, "limits", "Max open files"));
  printf("ppid %d pgrp %d\n", atoi(line(pid, "status", "PPid:") + 5) == getpid(), getpgid(pid) == pid);
  long numbers[32] = {0};
  char *at = strrchr((char *)content(pid, "stat"), ')') + 3;
  for (int i = 3; i < 25 && at; i++) numbers[i] = strtol(at, &at, 10);
  printf("stat: parent %d group %d session %d nice %ld threads %ld\n", numbers[3] == getpid(), numbers[4] == pid,
    numbers[5] == getsid(0), numbers[18], numbers[19]);
  printf("cwd %s, root %s, exe like mine %d\n", target(pid, "cwd"), target(pid, "root"), 0 == strcmp(target(pid, "exe"), realpath(argv[0], NULL)));
  snprintf(path, sizeof path, "fd/%d", null);
  printf("fd %s, tasks %d\n", target(pid, path), entries(pid, "task"));
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, null);
  printf("same file %d\n", stat(path, &a) == 0 && fstat(null, &b) == 0 && a.st_ino == b.st_ino);
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, ready[1]);
  int again = open(path, O_WRONLY);
  printf("its pipe %d", (int)write(again, "y", 1));
  printf(" %d\n", (int)read(ready[0], &byte, 1));
  printf("maps %d smaps %d\n", strstr(content(pid, "maps"), "[stack]") != NULL, strstr(content(pid, "smaps"), "Rss:") != NULL);
  snprintf(path, sizeof path, "/proc/%d/cwd/env", pid);
  printf("through cwd %d\n", access(path, X_OK));
  kill(pid, SIGSTOP);
  wait_for(pid, 'T');
  kill(pid, SIGCONT);
  kill(pid, SIGKILL);
  /* Its threads have ended, too, by then. */
  siginfo_t info;
  waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
  wait_for(pid, 'Z');
  printf("zombie: cmdline '%s', %s", content(pid, "cmdline"), content(pid, "comm"));
  printf("exe: %s, fds %d\n", target(pid, "exe"), entries(pid, "fd"));
  waitpid(pid, NULL, 0);
  printf("gone: %s\n", content(pid, "stat"));
  int self = 0;
  DIR *d = opendir("/proc");
  for (struct dirent *e; (e = readdir(d)) != NULL;) self += atoi(e->d_name) == getpid();
  printf("listed %d\n", self);
  return 0;
}
