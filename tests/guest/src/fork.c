/* Processes: fork's copy of the memory, registers and descriptors; wait4 and waitid; SIGCHLD and its siginfo; signals
   between processes; pipes with EPIPE, EAGAIN and poll; process groups; a forking thread; many forks; a pipeline.
   Prints no process ids. usage: fork [FORKS [STAGES]]. Source: fork(2), wait(2), pipe(7), setpgid(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static int status_of(pid_t pid) {
  int status = -1;
  if (waitpid(pid, &status, 0) != pid)
    return -errno;
  return status;
}

static int counter = 1;
static __thread int own = 5;

static void memory(void) {
  int local = 10;
  char *heap = malloc(100000), *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *high = mmap((void *)0x7e0000000000, 1 << 16, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  strcpy(heap + 90000, "heap");
  strcpy(map + 500000, "mapped");
  strcpy(high + 5000, "high");
  pid_t parent = getpid();
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    int same = local == 10 && counter == 1 && own == 5 && !strcmp(heap + 90000, "heap") &&
               !strcmp(map + 500000, "mapped") && !strcmp(high + 5000, "high") && map[0] == 0 && high[0] == 0;
    local = counter = own = 77;
    strcpy(heap + 90000, "HEAP");
    strcpy(map + 500000, "MAPPED");
    strcpy(high + 5000, "HIGH");
    char *more = malloc(300000);
    memset(more, 1, 300000);
    munmap(map, 4096);
    _exit(same && getppid() == parent && getpid() != parent ? 42 : 1);
  }
  int status = status_of(pid);
  printf("fork: child saw the memory as it was %s; the parent's is unchanged %s\n", yes(status == 42 << 8),
         yes(local == 10 && counter == 1 && own == 5 && !strcmp(heap + 90000, "heap") && map[0] == 0 &&
             !strcmp(map + 500000, "mapped") && !strcmp(high + 5000, "high")));
}

static void file_offsets(void) {
  FILE *file = tmpfile();
  int fd = fileno(file);
  write(fd, "0123456789", 10);
  lseek(fd, 2, SEEK_SET);
  char c = 0;
  pid_t pid = fork();
  if (pid == 0) {
    read(fd, &c, 1);
    close(fd);
    _exit(c);
  }
  int status = status_of(pid);
  read(fd, &c, 1);
  printf("descriptors: the child read %c, the parent then %c\n", WEXITSTATUS(status), c);
  fclose(file);
}

static void waits(void) {
  int status = 0;
  pid_t none = wait(&status);
  printf("no child: wait %d ECHILD %s\n", none, yes(errno == ECHILD));
  int go[2];
  pipe(go);
  pid_t pid = fork();
  if (pid == 0) {
    char c;
    raise(SIGSTOP);
    read(go[0], &c, 1);
    _exit(3);
  }
  siginfo_t info = {0};
  printf("WNOHANG: %d\n", waitpid(pid + 0, &status, WNOHANG));
  waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT);
  printf("waitid: stopped %s by SIGSTOP %s\n", yes(info.si_code == CLD_STOPPED), yes(info.si_status == SIGSTOP));
  waitpid(pid, &status, WUNTRACED);
  printf("WUNTRACED: %s\n", yes(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP));
  kill(pid, SIGCONT);
  waitpid(pid, &status, WCONTINUED);
  printf("WCONTINUED: %s\n", yes(WIFCONTINUED(status)));
  write(go[1], "x", 1);
  memset(&info, 0, sizeof info);
  waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
  printf("waitid: exited %s, status %d, pid %s\n", yes(info.si_code == CLD_EXITED), info.si_status,
         yes(info.si_pid == pid));
  struct rusage usage;
  printf("wait4: %s", yes(wait4(pid, &status, 0, &usage) == pid));
  printf(", status %x, again ECHILD %s\n", status, yes(waitpid(pid, &status, 0) == -1 && errno == ECHILD));
  pid = fork();
  if (pid == 0)
    for (;;)
      pause();
  kill(pid, SIGTERM);
  status = status_of(pid);
  printf("killed: %s by %d\n", yes(WIFSIGNALED(status)), WTERMSIG(status));
  pid = fork();
  if (pid == 0)
    *(volatile int *)(uintptr_t)counter = 1;
  status = status_of(pid);
  printf("crashed: %s by %d\n", yes(WIFSIGNALED(status)), WTERMSIG(status));
  signal(SIGCHLD, SIG_IGN);
  pid = fork();
  if (pid == 0)
    _exit(9);
  none = wait(&status);
  printf("SIGCHLD ignored: wait gives %d, ECHILD %s\n", none, yes(errno == ECHILD));
  signal(SIGCHLD, SIG_DFL);
}

static volatile sig_atomic_t chld_count, chld_code, chld_status, chld_from;

static void on_chld(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  chld_count++;
  chld_code = info->si_code;
  chld_status = info->si_status;
  chld_from = info->si_pid;
}

static void sigchld(void) {
  struct sigaction action = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO};
  sigaction(SIGCHLD, &action, NULL);
  sigset_t chld, old;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, &old);
  pid_t pid = fork();
  if (pid == 0)
    _exit(21);
  sigdelset(&old, SIGCHLD);
  while (chld_count == 0)
    sigsuspend(&old);
  printf("SIGCHLD: %d, code %s, status %d, pid %s, waited %s\n", chld_count, yes(chld_code == CLD_EXITED), chld_status,
         yes(chld_from == pid), yes(status_of(pid) == 21 << 8));
  sigprocmask(SIG_SETMASK, &old, NULL);
  signal(SIGCHLD, SIG_DFL);
}

static void pipes(void) {
  int to[2], from[2];
  pipe(to);
  pipe(from);
  pid_t pid = fork();
  if (pid == 0) {
    close(to[1]);
    close(from[0]);
    char buffer[1000];
    long sum = 0, n;
    while ((n = read(to[0], buffer, sizeof buffer)) > 0)
      for (long i = 0; i < n; i++)
        sum += (unsigned char)buffer[i];
    write(from[1], &sum, sizeof sum);
    _exit(0);
  }
  close(to[0]);
  close(from[1]);
  static unsigned char data[300000];
  long expected = 0, sum = 0;
  for (int i = 0; i < (int)sizeof data; i++)
    expected += data[i] = i * 7;
  printf("300,000 bytes through a pipe: written %ld", (long)write(to[1], data, sizeof data));
  close(to[1]);
  read(from[0], &sum, sizeof sum);
  printf(", sum right %s, end of file %ld\n", yes(sum == expected), (long)read(from[0], &sum, 1));
  status_of(pid);

  pipe2(to, O_NONBLOCK);
  long n, total = 0;
  while ((n = write(to[1], data, 4096)) > 0)
    total += n;
  struct pollfd poll_in = {to[0], POLLIN, 0}, poll_out = {to[1], POLLOUT, 0};
  printf("O_NONBLOCK: full at %ld with EAGAIN %s; readable %d, writable %d\n", total, yes(errno == EAGAIN),
         poll(&poll_in, 1, 0), poll(&poll_out, 1, 0));
  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    nanosleep(&(struct timespec){0, 30000000}, NULL);
    for (long i = 0; i < total; i += n)
      n = read(to[0], data, sizeof data);
    _exit(0);
  }
  int polled = poll(&poll_out, 1, 10000);
  printf("poll waits for the other process: %d POLLOUT %s\n", polled, yes(poll_out.revents == POLLOUT));
  status_of(pid);
  close(to[0]);
  poll(&poll_out, 1, 0);
  printf("no reader: POLLERR %s", yes(poll_out.revents & POLLERR));
  signal(SIGPIPE, SIG_IGN);
  printf(", EPIPE %s", yes(write(to[1], "x", 1) == -1 && errno == EPIPE));
  signal(SIGPIPE, SIG_DFL);
  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    write(to[1], "x", 1);
    _exit(1);
  }
  int status = status_of(pid);
  printf(", SIGPIPE %s\n", yes(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE));
  close(to[1]);
}

static void groups(void) {
  int ready[2], status;
  pipe(ready);
  pid_t a = fork();
  if (a == 0) {
    setpgid(0, 0);
    write(ready[1], "a", 1);
    for (;;)
      pause();
  }
  char c;
  read(ready[0], &c, 1);
  pid_t b = fork();
  if (b == 0) {
    setpgid(0, a);
    write(ready[1], "b", 1);
    for (;;)
      pause();
  }
  read(ready[0], &c, 1);
  printf("groups: %s %s, ours is another %s\n", yes(getpgid(a) == a), yes(getpgid(b) == a), yes(getpgrp() != a));
  kill(-a, SIGUSR1);
  int killed = 0;
  while (waitpid(-a, &status, 0) > 0)
    killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1;
  printf("a signal to the group ended %d\n", killed);
  pid_t pid = fork();
  if (pid == 0)
    _exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid() && setsid() == -1 ? 0 : 1);
  printf("setsid: %s\n", yes(status_of(pid) == 0));
  close(ready[0]);
  close(ready[1]);
}

static void *forker(void *argument) {
  own = 8;
  pid_t pid = fork();
  if (pid == 0)
    _exit(own == 8 && counter == 1 ? 11 : 1);
  *(int *)argument = status_of(pid);
  return NULL;
}

static void *spinner(void *argument) {
  while (!*(volatile int *)argument)
    ;
  return NULL;
}

static void threads(void) {
  int stop = 0, results[4] = {0};
  pthread_t spin, forkers[4];
  pthread_create(&spin, NULL, spinner, &stop);
  for (int i = 0; i < 4; i++)
    pthread_create(&forkers[i], NULL, forker, &results[i]);
  for (int i = 0; i < 4; i++)
    pthread_join(forkers[i], NULL);
  stop = 1;
  pthread_join(spin, NULL);
  printf("threads that fork: %d %d %d %d\n", results[0] >> 8, results[1] >> 8, results[2] >> 8, results[3] >> 8);
}

static void many(int count) {
  int sum = 0, expected = 0;
  for (int i = 0; i < count; i++) {
    pid_t pid = fork();
    if (pid == 0)
      _exit(i & 0x7f);
    int status = status_of(pid);
    sum += WEXITSTATUS(status);
    expected += i & 0x7f;
  }
  printf("forks in turn: %s\n", yes(sum == expected));
}

static void pipeline(int stages) {
  int first[2], input;
  pipe(first);
  input = first[0];
  for (int i = 0; i < stages; i++) {
    int next[2];
    pipe(next);
    if (fork() == 0) {
      close(next[0]);
      close(first[1]);
      char buffer[512];
      for (long n; (n = read(input, buffer, sizeof buffer)) > 0;) {
        for (long k = 0; k < n; k++)
          buffer[k]++;
        for (long done = 0; done < n;)
          done += write(next[1], buffer + done, n - done);
      }
      _exit(0);
    }
    close(next[1]);
    close(input);
    input = next[0];
  }
  write(first[1], "0123456789", 10);
  close(first[1]);
  char result[32] = "";
  long n, length = 0;
  while ((n = read(input, result + length, sizeof result - 1 - length)) > 0)
    length += n;
  int ended = 0;
  while (wait(NULL) > 0)
    ended++;
  printf("a pipeline: [%s], %s ended\n", result, yes(ended == stages));
}

int main(int argc, char **argv) {
  memory();
  file_offsets();
  waits();
  sigchld();
  pipes();
  groups();
  threads();
  many(argc > 1 ? atoi(argv[1]) : 20);
  pipeline(argc > 2 ? atoi(argv[2]) : 16);
  return 0;
}
