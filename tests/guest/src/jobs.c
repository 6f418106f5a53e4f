/* Job control on a pseudo-terminal: controlling terminals, foreground process groups, reads and writes from the background, the terminal's
   signals, stops and continuations as wait reports them, orphaned process groups, the end of a session leader, hangup.
   Prints no process ids. Source: credentials(7), tty(4), ioctl_tty(2), setpgid(2), wait(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int out;

/* One line at a time to the output, from whatever process. */
static void say(const char *format, ...) {
  char line[512];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  write(out, line, n);
}

static const char *result(long n) {
  static char text[4][32];
  static int turn;
  char *t = text[turn++ & 3];
  snprintf(t, 32, n < 0 ? "errno %ld" : "%ld", n < 0 ? (long)errno : n);
  return t;
}

static const char *status_text(int status) {
  static char text[4][48];
  static int turn;
  char *t = text[turn++ & 3];
  if (WIFEXITED(status))
    snprintf(t, 48, "exited %d", WEXITSTATUS(status));
  else if (WIFSIGNALED(status))
    snprintf(t, 48, "killed by %d", WTERMSIG(status));
  else if (WIFSTOPPED(status))
    snprintf(t, 48, "stopped by %d", WSTOPSIG(status));
  else if (WIFCONTINUED(status))
    snprintf(t, 48, "continued");
  return t;
}

static const char *wait_for(pid_t pid) {
  int status = -1;
  pid_t got = waitpid(pid, &status, WUNTRACED | WCONTINUED);
  return got < 0 ? result(got) : status_text(status);
}

static int master, slave;
static char name[64];

static void open_pair(void) {
  master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  grantpt(master);
  unlockpt(master);
  strcpy(name, ptsname(master));
}

static void new_group(pid_t pid) { setpgid(pid, pid); }

/* Runs `body` as the leader of a session whose controlling terminal is the slave of a fresh pair; the parent keeps the master. */
static void session(const char *title, void (*body)(void)) {
  open_pair();
  say("%s\n", title);
  int ready[2];
  pipe(ready);
  pid_t leader = fork();
  if (leader == 0) {
    setsid();
    slave = open(name, O_RDWR);
    body();
    _exit(0);
  }
  close(ready[1]);
  close(ready[0]);
  int status;
  waitpid(leader, &status, 0);
  say("  the leader: %s\n", status_text(status));
  close(master);
}

static void set_foreground(pid_t group) {
  signal(SIGTTOU, SIG_IGN);
  tcsetpgrp(slave, group);
  signal(SIGTTOU, SIG_DFL);
}

static pid_t start(void (*body)(void), int foreground) {
  pid_t pid = fork();
  if (pid == 0) {
    new_group(0);
    if (foreground)
      set_foreground(getpid());
    body();
    _exit(0);
  }
  new_group(pid);
  if (foreground)
    set_foreground(pid);
  return pid;
}

/* ---- */

static void controlling(void) {
  say("  opened: group is mine %d, session is mine %d\n", tcgetpgrp(slave) == getpid(), tcgetsid(slave) == getpid());
  int tty = open("/dev/tty", O_RDWR);
  say("  /dev/tty: open %s, the same size and group %d\n", tty >= 0 ? "yes" : "no", tcgetpgrp(tty) == getpid());
  say("  TIOCSCTTY again %s\n", result(ioctl(slave, TIOCSCTTY, 0)));
  say("  group of nobody %s, of another session %s, negative %s\n", result(tcsetpgrp(slave, 0x3fffff)),
      result(tcsetpgrp(slave, getppid())), result(ioctl(slave, TIOCSPGRP, &(int){-5})));
  int other = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  grantpt(other);
  unlockpt(other);
  int second = open(ptsname(other), O_RDWR);
  say("  a second terminal: group %s, TIOCSCTTY %s\n", result(tcgetpgrp(second)), result(ioctl(second, TIOCSCTTY, 0)));
  signal(SIGHUP, SIG_IGN);
  say("  TIOCNOTTY %s", result(ioctl(slave, TIOCNOTTY)));
  say(", then /dev/tty %s", result(open("/dev/tty", O_RDWR)));
  say(", group %s\n", result(tcgetpgrp(slave)));
  say("  TIOCSCTTY of the second %s\n", result(ioctl(second, TIOCSCTTY, 0)));
  say("  group is mine %d\n", tcgetpgrp(second) == getpid());
  pid_t pid = fork();
  if (pid == 0) {
    say("  a child: group %d, setsid %d", tcgetpgrp(second) == getppid(), setsid() == getpid());
    say(", then group %s, TIOCSCTTY of a terminal in use %s\n", result(tcgetpgrp(second)),
        result(ioctl(second, TIOCSCTTY, 0)));
    _exit(0);
  }
  waitpid(pid, NULL, 0);
}

static void read_line(void) {
  char b[16];
  long n = read(slave, b, sizeof b);
  say("  read %s\n", result(n));
}

static void ignoring_read(void) {
  signal(SIGTTIN, SIG_IGN);
  read_line();
}

static void write_line(void) { say("  wrote %s\n", result(write(slave, "text\n", 5))); }

static void change_modes(void) {
  struct termios t;
  tcgetattr(slave, &t);
  say("  changed modes %s\n", result(tcsetattr(slave, TCSANOW, &t)));
}

/* Until the parent has seen that this process continues: it would see the end alone, were that first. */
static int seen[2];

static void await_seen(void) {
  char c;
  read(seen[0], &c, 1);
}

static void write_and_await(void) {
  write_line();
  await_seen();
}

static void change_and_await(void) {
  change_modes();
  await_seen();
}

static void blocking_change(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTTOU);
  sigprocmask(SIG_BLOCK, &set, NULL);
  change_modes();
}

static void continue_to_end(pid_t pid) {
  kill(-pid, SIGCONT);
  const char *first = wait_for(pid);
  write(seen[1], "s", 1);
  const char *second = wait_for(pid);
  say("  SIGCONT: %s, then %s\n", first, second);
}

static void background(void) {
  pipe(seen);
  pid_t pid = start(read_line, 0);
  say("  read in the background: %s\n", wait_for(pid));
  set_foreground(pid);
  kill(-pid, SIGCONT);
  say("  in the foreground: %s\n", wait_for(pid));
  write(master, "line\n", 5);
  say("  then %s\n", wait_for(pid));
  set_foreground(getpid());

  pid = start(ignoring_read, 0);
  say("  read with SIGTTIN ignored: %s\n", wait_for(pid));
  pid = start(write_line, 0);
  say("  write without TOSTOP: %s\n", wait_for(pid));
  struct termios t;
  tcgetattr(slave, &t);
  t.c_lflag |= TOSTOP;
  tcsetattr(slave, TCSANOW, &t);
  pid = start(write_and_await, 0);
  say("  write with TOSTOP: %s\n", wait_for(pid));
  t.c_lflag &= ~TOSTOP;
  tcsetattr(slave, TCSANOW, &t);
  continue_to_end(pid);
  pid = start(change_and_await, 0);
  say("  tcsetattr: %s\n", wait_for(pid));
  set_foreground(pid);
  continue_to_end(pid);
  set_foreground(getpid());
  pid = start(blocking_change, 0);
  say("  tcsetattr with SIGTTOU blocked: %s\n", wait_for(pid));
}

static void sleep_on(void) {
  for (;;)
    pause();
}

static void count_then_pause(void) {
  pid_t pid = fork();
  if (pid == 0)
    sleep_on();
  int status;
  waitpid(pid, &status, 0);
  say("  the member: %s\n", status_text(status));
  _exit(3);
}

static volatile sig_atomic_t caught;
static void note(int signal) { caught = signal; }

static void keys(void) {
  pid_t pid = start(sleep_on, 1);
  write(master, "\3", 1);
  say("  ^C: %s\n", wait_for(pid));
  pid = start(sleep_on, 1);
  write(master, "\x1c", 1);
  int status;
  waitpid(pid, &status, 0);
  say("  ^\\: killed by %d\n", WTERMSIG(status));
  pid = start(sleep_on, 1);
  write(master, "\x1a", 1);
  say("  ^Z: %s\n", wait_for(pid));
  kill(-pid, SIGCONT);
  say("  SIGCONT: %s\n", wait_for(pid));
  write(master, "\x1a", 1);
  say("  ^Z again: %s\n", wait_for(pid));
  siginfo_t info;
  memset(&info, 0, sizeof info);
  kill(-pid, SIGCONT);
  int n = waitid(P_PID, pid, &info, WCONTINUED | WNOWAIT);
  say("  waitid WNOWAIT %d: code %d status %d\n", n, info.si_code, info.si_status);
  say("  and %s\n", wait_for(pid));
  kill(-pid, SIGKILL);
  say("  SIGKILL: %s\n", wait_for(pid));

  pid = start(count_then_pause, 1);
  while (tcgetpgrp(slave) != pid)
    ;
  /* The member may not be there yet: both or none of them take it. */
  usleep(0);
  kill(-pid, SIGSTOP);
  say("  SIGSTOP to the group: %s\n", wait_for(pid));
  kill(-pid, SIGKILL);
  say("  SIGKILL to the group: %s\n", wait_for(pid));

  set_foreground(getpid());
  struct sigaction a = {.sa_handler = note};
  sigaction(SIGINT, &a, NULL);
  sigaction(SIGWINCH, &a, NULL);
  write(master, "\3", 1);
  while (!caught)
    ;
  say("  the leader caught %d\n", caught);
  caught = 0;
  struct winsize w = {30, 100, 0, 0};
  ioctl(master, TIOCSWINSZ, &w);
  while (!caught)
    ;
  say("  window size: caught %d\n", caught);
  caught = 0;
  ioctl(master, TIOCSWINSZ, &w);
  ioctl(master, 0x40045436, SIGINT);
  while (!caught)
    ;
  say("  the same size, then TIOCSIG: caught %d\n", caught);
}

static int told[2];

static void stop_forever(void) {
  signal(SIGHUP, SIG_DFL);
  raise(SIGSTOP);
  for (;;)
    pause();
}

static void hupped(int signal) {
  caught++;
  char c = signal == SIGHUP ? 'H' : 'C';
  write(told[1], &c, 1);
}

static void stop_and_tell(void) {
  struct sigaction a = {.sa_handler = hupped};
  sigaction(SIGHUP, &a, NULL);
  sigaction(SIGCONT, &a, NULL);
  raise(SIGSTOP);
  for (;;)
    pause();
}

static void show_told(const char *what) {
  char b[8];
  int n = 0;
  while (n < 2 && read(told[0], b + n, 1) == 1)
    n++;
  say("  %s: %s%s\n", what, memchr(b, 'H', n) ? "SIGHUP " : "", memchr(b, 'C', n) ? "SIGCONT" : "");
}

/* The middle process exits, and its child goes to a process outside of the session: the child's group is an orphan. */
static void orphan(void) {
  pid_t pid, middle = fork();
  if (middle == 0) {
    pid = start(stop_and_tell, 0);
    waitpid(pid, NULL, WUNTRACED);
    write(told[1], &pid, sizeof pid);
    _exit(0);
  }
  read(told[0], &pid, sizeof pid);
  waitpid(middle, NULL, 0);
  show_told("an orphaned stopped group gets");
  kill(pid, SIGKILL);

  middle = fork();
  if (middle == 0) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
      new_group(0);
      while (getppid() == parent)
        ;
      char b[4];
      say("  an orphan's read in the background: %s\n", result(read(slave, b, 4)));
      raise(SIGTSTP);
      say("  SIGTSTP does nothing to it\n");
      write(told[1], "r", 1);
      _exit(7);
    }
    new_group(child);
    _exit(0);
  }
  waitpid(middle, NULL, 0);
  char c;
  read(told[0], &c, 1);
}

/* Outside of the session: the foreground group gets SIGHUP when the leader exits. */
static void leader_exit(void) {
  open_pair();
  pid_t leader = fork();
  if (leader == 0) {
    setsid();
    slave = open(name, O_RDWR);
    pid_t pid = start(sleep_on, 1);
    while (tcgetpgrp(slave) != pid)
      ;
    write(told[1], &pid, sizeof pid);
    _exit(5);
  }
  pid_t pid;
  read(told[0], &pid, sizeof pid);
  say("the leader exits: %s\n", wait_for(leader));
  say("  its foreground process: %s\n", wait_for(pid));
  close(master);
}

static void hangup(void) {
  open_pair();
  pid_t leader = fork();
  if (leader == 0) {
    close(master);
    setsid();
    slave = open(name, O_RDWR);
    pid_t pid = start(sleep_on, 1);
    while (tcgetpgrp(slave) != pid)
      ;
    struct sigaction a = {.sa_handler = hupped};
    sigaction(SIGHUP, &a, NULL);
    sigaction(SIGCONT, &a, NULL);
    caught = 0;
    write(told[1], "r", 1);
    /* The terminal is the session's no more once both signals have come. */
    while (tcgetpgrp(slave) >= 0 || caught < 2)
      ;
    say("  the leader's group %s, /dev/tty %s\n", result(tcgetpgrp(slave)), result(open("/dev/tty", O_RDWR)));
    char b[4];
    say("  its read %s, its write %s\n", result(read(slave, b, 4)), result(write(slave, "x", 1)));
    write(told[1], &pid, sizeof pid);
    _exit(6);
  }
  char c;
  read(told[0], &c, 1);
  say("the master closes\n");
  close(master);
  const char *end = wait_for(leader);
  show_told("the leader got");
  pid_t pid;
  read(told[0], &pid, sizeof pid);
  say("  the leader %s\n", end);
  say("  its foreground process: %s\n", wait_for(pid));
}

static void waits(void) {
  siginfo_t info;
  int status;
  pid_t pid = start(stop_forever, 0);
  say("waits: stopped %d", waitid(P_PGID, pid, &info, WSTOPPED | WNOWAIT));
  say(" code %d status %d", info.si_code, info.si_status);
  say(", once more %d", waitid(P_PID, pid, &info, WSTOPPED));
  memset(&info, 0, sizeof info);
  say(", no more %d pid %d", waitid(P_PID, pid, &info, WSTOPPED | WNOHANG), info.si_pid);
  say(", wait4 with nothing %d", (int)waitpid(pid, &status, WNOHANG | WUNTRACED));
  kill(pid, SIGCONT);
  say(", continued %d", waitid(P_ALL, 0, &info, WCONTINUED));
  say(" code %d status %d", info.si_code, info.si_status);
  kill(pid, SIGTERM);
  say(", exit unseen by WSTOPPED %s", result(waitid(P_PID, pid, &info, WEXITED | WNOWAIT)));
  say(" %s", result(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG)));
  say(", killed %d", waitid(P_PID, pid, &info, WEXITED));
  say(" code %d status %d", info.si_code, info.si_status);
  say(", gone %s", result(waitid(P_PID, pid, &info, WEXITED)));
  say(", no options %s", result(waitid(P_PID, pid, &info, 0)));
  say(", bad options %s\n", result(waitpid(-1, &status, 0x100)));
}

int main(void) {
  out = dup(1);
  signal(SIGTTOU, SIG_DFL);
  waits();
  session("controlling terminal", controlling);
  session("background", background);
  session("keys", keys);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pipe(told);
  session("orphans", orphan);
  leader_exit();
  hangup();
  return 0;
}
