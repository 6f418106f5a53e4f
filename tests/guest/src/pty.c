/* Pseudo-terminals: the line discipline (editing, echo, signals' characters, flow control, output processing), canonical and
   noncanonical reads, packet mode, window size, TIOCGPTPEER, hangup of either side. Prints no numbers of terminals.
   Source: pty(7), termios(3), ioctl_tty(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#ifndef TIOCGPKT
#define TIOCGPKT 0x80045438
#endif

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static const char *result(long n) {
  static char text[4][32];
  static int turn;
  char *t = text[turn++ & 3];
  snprintf(t, 32, n < 0 ? "errno %ld" : "%ld", n < 0 ? (long)errno : n);
  return t;
}

static void show(const char *what, const char *bytes, long n) {
  printf("%s", what);
  if (n < 0) {
    printf(" errno %d", errno);
    return;
  }
  printf(" \"");
  for (long i = 0; i < n; i++) {
    unsigned char c = bytes[i];
    if (c == '\n')
      printf("\\n");
    else if (c == '\r')
      printf("\\r");
    else if (c == '\b')
      printf("\\b");
    else if (c < 32 || c > 126)
      printf("\\x%02x", c);
    else
      putchar(c);
  }
  putchar('"');
}

static int master, slave;

static void open_pair(void) {
  master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) || unlockpt(master)) {
    printf("no pair: errno %d\n", errno);
    exit(1);
  }
  slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  if (slave < 0) {
    printf("no slave: errno %d\n", errno);
    exit(1);
  }
}

static void close_pair(void) {
  close(slave);
  close(master);
}

/* Reads from the master up to a mark that the slave writes. */
static void show_output(void) {
  static char buffer[65536];
  long n = 0;
  struct termios modes, plain;
  tcgetattr(slave, &modes);
  plain = modes;
  plain.c_oflag &= ~OPOST;
  tcsetattr(slave, TCSANOW, &plain);
  write(slave, "\1END\2", 5);
  while (n < 5 || memcmp(buffer + n - 5, "\1END\2", 5) != 0) {
    long k = read(master, buffer + n, sizeof buffer - n);
    if (k <= 0)
      break;
    n += k;
  }
  tcsetattr(slave, TCSANOW, &modes);
  show(" shown", buffer, n - 5);
}

struct discipline {
  const char *name;
  tcflag_t in_on, in_off, out_on, out_off, local_on, local_off;
  const char *typed;
};

static const struct discipline disciplines[] = {
    {"line", 0, 0, 0, 0, 0, 0, "hello\n"},
    {"return is newline", 0, 0, 0, 0, 0, 0, "hello\r"},
    {"return without ICRNL", 0, ICRNL, 0, 0, 0, 0, "he\rllo\n"},
    {"IGNCR", IGNCR, 0, 0, 0, 0, 0, "he\rllo\n"},
    {"INLCR ICRNL", INLCR, 0, 0, 0, 0, 0, "one\ntwo\r"},
    {"erase", 0, 0, 0, 0, 0, 0, "helpp\x7f\x7flo\n"},
    {"erase beyond", 0, 0, 0, 0, 0, 0, "ab\x7f\x7f\x7f\x7f" "c\n"},
    {"erase a control character", 0, 0, 0, 0, 0, 0, "a\x01\x02\x7f" "b\n"},
    {"erase without ECHOE", 0, 0, 0, 0, 0, ECHOE, "abc\x7f\x7f" "d\n"},
    {"erase a tab", 0, 0, 0, 0, 0, 0, "ab\tc\x7f\x7f" "d\n"},
    {"erase two tabs", 0, 0, 0, 0, 0, 0, "\ta\t\x7f\x7f\x7f" "d\n"},
    {"kill", 0, 0, 0, 0, 0, 0, "hello\x15" "bye\n"},
    {"kill without ECHOKE", 0, 0, 0, 0, 0, ECHOKE, "hello\x15" "bye\n"},
    {"kill without ECHOK ECHOKE", 0, 0, 0, 0, 0, ECHOKE | ECHOK, "hello\x15" "bye\n"},
    {"word erase", 0, 0, 0, 0, 0, 0, "one two_3  \x17" "four\n"},
    {"word erase, punctuation", 0, 0, 0, 0, 0, 0, "one,two...\x17" "x\n"},
    {"word erase without IEXTEN", 0, 0, 0, 0, 0, IEXTEN, "one two\x17\n"},
    {"literal next", 0, 0, 0, 0, 0, 0, "a\x16\x03" "b\x16\x7f" "c\n"},
    {"reprint", 0, 0, 0, 0, 0, 0, "abc\x12" "d\n"},
    {"ECHOPRT", 0, 0, 0, 0, ECHOPRT, 0, "abcd\x7f\x7f" "e\n"},
    {"ECHOPRT kill", 0, 0, 0, 0, ECHOPRT, ECHOKE, "abcd\x15" "e\n"},
    {"no ECHO", 0, 0, 0, 0, 0, ECHO, "secret\x7fT\n"},
    {"ECHONL", 0, 0, 0, 0, ECHONL, ECHO, "secret\n"},
    {"no ECHOCTL", 0, 0, 0, 0, 0, ECHOCTL, "a\x01\x7f\x02" "b\n"},
    {"UTF-8 erase", IUTF8, 0, 0, 0, 0, 0, "a\xc3\xa4\xe2\x82\xac\x7f\x7f" "b\n"},
    {"UTF-8 erase without IUTF8", 0, 0, 0, 0, 0, 0, "a\xc3\xa4\x7f" "b\n"},
    {"end of file in a line", 0, 0, 0, 0, 0, 0, "abc\x04"},
    {"ISTRIP", ISTRIP, 0, 0, 0, 0, 0, "\xe1\xe2\n"},
    {"IUCLC", IUCLC, 0, 0, 0, 0, 0, "HeLLo\n"},
    {"PARMRK", PARMRK, 0, 0, 0, 0, 0, "a\xff" "b\n"},
    {"no ONLCR", 0, 0, 0, ONLCR, 0, 0, "hello\n"},
    {"OLCUC", 0, 0, OLCUC, 0, 0, 0, "hello\n"},
    {"no OPOST", 0, 0, 0, OPOST, 0, 0, "hello\n"},
    {"XTABS", 0, 0, TAB3, 0, 0, 0, "a\tbcd\te\n"},
    {"signals without ISIG", 0, 0, 0, 0, 0, ISIG, "a\x03" "b\x1c" "c\x1a\n"},
    {"interrupt flushes", 0, 0, 0, 0, 0, 0, "lost\x03" "kept\n"},
    {"interrupt with NOFLSH", 0, 0, 0, 0, NOFLSH, 0, "kept\x03" "too\n"},
    {"quit and suspend", 0, 0, 0, 0, 0, 0, "a\x1c" "b\x1a" "c\n"},
    {"stop and start", 0, 0, 0, 0, 0, 0, "a\x13\x11" "b\n"},
    {"no IXON", 0, IXON, 0, 0, 0, 0, "a\x13\x11" "b\n"},
    {"raw", 0, ICRNL | IXON, 0, OPOST, 0, ICANON | ECHO | ISIG | IEXTEN, "a\x03\x7f\r\n\x04" "b"},
    {"raw with ECHO", 0, 0, 0, 0, 0, ICANON, "ab\x7f\x04\n"},
};

static void line_discipline(void) {
  for (unsigned i = 0; i < sizeof disciplines / sizeof *disciplines; i++) {
    const struct discipline *d = &disciplines[i];
    struct termios t;
    char buffer[256];
    open_pair();
    tcgetattr(slave, &t);
    t.c_iflag = (t.c_iflag | d->in_on) & ~d->in_off;
    t.c_oflag = (t.c_oflag | d->out_on) & ~d->out_off;
    t.c_lflag = (t.c_lflag | d->local_on) & ~d->local_off;
    tcsetattr(slave, TCSANOW, &t);
    printf("%s:", d->name);
    write(master, d->typed, strlen(d->typed));
    struct pollfd p = {slave, POLLIN, 0};
    poll(&p, 1, 2000);
    int waiting = -1;
    ioctl(slave, FIONREAD, &waiting);
    show(" read", buffer, read(slave, buffer, sizeof buffer));
    printf(" of %d", waiting);
    show_output();
    putchar('\n');
    close_pair();
  }
}

static void output(void) {
  static const struct {
    const char *name;
    tcflag_t on, off;
  } modes[] = {{"usual", 0, 0}, {"OCRNL", OCRNL, 0}, {"ONOCR", ONOCR, 0}, {"ONLRET", ONLRET, ONLCR}, {"XTABS", TAB3, 0}};
  for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
    struct termios t;
    open_pair();
    tcgetattr(slave, &t);
    t.c_oflag = (t.c_oflag | modes[i].on) & ~modes[i].off;
    tcsetattr(slave, TCSANOW, &t);
    printf("output %s: wrote %s", modes[i].name, result(write(slave, "\rab\tc\r\n\b\rx\n\ty", 13)));
    show_output();
    putchar('\n');
    close_pair();
  }
}

static void reads(void) {
  char b[64];
  struct termios t;
  open_pair();
  write(master, "first\nsecond\nthi", 16);
  struct pollfd p = {slave, POLLIN, 0};
  poll(&p, 1, 2000);
  show("lines:", b, read(slave, b, 3));
  show(",", b, read(slave, b, 64));
  show(",", b, read(slave, b, 64));
  write(master, "rd\x04\x04", 4);
  poll(&p, 1, 2000);
  show(",", b, read(slave, b, 64));
  show(", end of file", b, read(slave, b, 64));
  write(master, "partial", 7);
  int flags = fcntl(slave, F_GETFL);
  fcntl(slave, F_SETFL, flags | O_NONBLOCK);
  show(", no line", b, read(slave, b, 64));
  printf(", poll %d\n", poll(&p, 1, 0));
  fcntl(slave, F_SETFL, flags);

  tcgetattr(slave, &t);
  t.c_lflag &= ~(ICANON | ECHO);
  t.c_cc[VMIN] = 1;
  t.c_cc[VTIME] = 0;
  tcsetattr(slave, TCSANOW, &t);
  show("to noncanonical:", b, read(slave, b, 64));
  t.c_cc[VMIN] = 0;
  tcsetattr(slave, TCSANOW, &t);
  show(", MIN 0 TIME 0", b, read(slave, b, 64));
  printf(" poll %d", poll(&p, 1, 0));
  t.c_cc[VTIME] = 1;
  tcsetattr(slave, TCSANOW, &t);
  show(", TIME 1", b, read(slave, b, 64));
  t.c_cc[VMIN] = 4;
  tcsetattr(slave, TCSANOW, &t);
  write(master, "abc", 3);
  show(", MIN 4 TIME 1", b, read(slave, b, 64));
  t.c_cc[VTIME] = 0;
  tcsetattr(slave, TCSANOW, &t);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 4; i++)
      write(master, "0123" + i, 1);
    _exit(0);
  }
  show(", MIN 4", b, read(slave, b, 64));
  waitpid(pid, NULL, 0);
  putchar('\n');
  fcntl(slave, F_SETFL, flags | O_NONBLOCK);
  while (read(slave, b, 64) > 0)
    ;
  fcntl(slave, F_SETFL, flags);
  t.c_cc[VMIN] = 1;
  tcsetattr(slave, TCSANOW, &t);
  write(master, "typed\nahead", 11);
  poll(&p, 1, 2000);
  t.c_lflag |= ICANON;
  tcsetattr(slave, TCSANOW, &t);
  show("to canonical:", b, read(slave, b, 64));
  write(master, "flushed\n", 8);
  poll(&p, 1, 2000);
  tcsetattr(slave, TCSAFLUSH, &t);
  printf(", after TCSAFLUSH poll %d", poll(&p, 1, 0));
  write(master, "flushed\n", 8);
  poll(&p, 1, 2000);
  printf(", tcflush %s", result(tcflush(slave, TCIFLUSH)));
  printf(" poll %d\n", poll(&p, 1, 0));
  close_pair();
}

static void modes(void) {
  struct termios t;
  struct winsize w = {1, 2, 3, 4};
  struct stat st, st2;
  int number = -1, lock = -1;
  master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  printf("ptmx: number %s", yes(ioctl(master, TIOCGPTN, &number) == 0 && number >= 0));
  char name[64], link[64];
  snprintf(name, sizeof name, "/dev/pts/%d", number);
  printf(", name %s", yes(strcmp(ptsname(master), name) == 0));
  printf(", locked slave %s", result(open(name, O_RDWR | O_NOCTTY)));
  printf(", unlock %s", result(unlockpt(master)));
  ioctl(master, 0x80045439, &lock);
  printf(", lock %d\n", lock);
  slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  snprintf(link, sizeof link, "/proc/self/fd/%d", slave);
  char target[64] = "";
  readlink(link, target, 63);
  fstat(slave, &st);
  stat(name, &st2);
  printf("peer: open %s, cloexec %d, link %s, same file %s, character device %d major %d, isatty %d %d\n", yes(slave >= 0),
         fcntl(slave, F_GETFD), yes(strcmp(target, name) == 0),
         yes(st.st_ino == st2.st_ino && st.st_dev == st2.st_dev && st.st_rdev == st2.st_rdev), S_ISCHR(st.st_mode),
         (int)(st.st_rdev >> 8), isatty(slave), isatty(master));
  printf("ttyname %s\n", yes(ttyname(slave) != NULL && strcmp(ttyname(slave), name) == 0));
  tcgetattr(slave, &t);
  printf("modes: %o %o %o %o line %d chars", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, t.c_line);
  for (int i = 0; i < 17; i++)
    printf(" %d", t.c_cc[i]);
  printf(" speed %d\n", (int)cfgetospeed(&t));
  t.c_lflag &= ~ECHO;
  t.c_cflag = (t.c_cflag & ~(CSIZE | CBAUD)) | CS7 | PARENB | B9600;
  printf("set by the master: %s", result(tcsetattr(master, TCSANOW, &t)));
  memset(&t, 0, sizeof t);
  tcgetattr(slave, &t);
  printf(" %o %o\n", t.c_cflag, t.c_lflag);
  printf("size: %s", result(ioctl(slave, TIOCGWINSZ, &w)));
  printf(" %d %d %d %d", w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel);
  w = (struct winsize){24, 80, 640, 480};
  printf(", set %s", result(ioctl(master, TIOCSWINSZ, &w)));
  memset(&w, 0, sizeof w);
  ioctl(slave, TIOCGWINSZ, &w);
  printf(" %d %d %d %d\n", w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel);
  int out = -1, pgrp = -1;
  printf("queue %s", result(ioctl(slave, TIOCOUTQ, &out)));
  printf(" %d, drain %s", out, result(tcdrain(slave)));
  printf(", break %s", result(tcsendbreak(slave, 0)));
  printf(", group %s", result(ioctl(slave, TIOCGPGRP, &pgrp)));
  printf(", of the master %s", result(ioctl(master, TIOCGPGRP, &pgrp)));
  printf(" %d", pgrp);
  printf(", session %s", result(ioctl(slave, TIOCGSID, &pgrp)));
  printf(", unknown %s", result(ioctl(slave, 0x54ff, &pgrp)));
  printf(", seek %s\n", result(lseek(slave, 0, SEEK_SET)));
  close_pair();
}

static void packets(void) {
  char b[64];
  int on = 1, got = -1;
  struct termios t;
  open_pair();
  printf("packets: slave %s", result(ioctl(slave, TIOCPKT, &on)));
  printf(", master %s", result(ioctl(master, TIOCPKT, &on)));
  ioctl(master, TIOCGPKT, &got);
  printf(" %d", got);
  write(slave, "data", 4);
  show(", data", b, read(master, b, 64));
  tcflush(slave, TCIFLUSH);
  struct pollfd p = {master, POLLIN | POLLPRI, 0};
  printf(", poll %d", poll(&p, 1, 0));
  printf(" %x", p.revents);
  show(" flush", b, read(master, b, 64));
  tcgetattr(slave, &t);
  t.c_iflag &= ~IXON;
  tcsetattr(slave, TCSANOW, &t);
  show(", no flow control", b, read(master, b, 64));
  t.c_iflag |= IXON;
  tcsetattr(slave, TCSANOW, &t);
  show(", flow control", b, read(master, b, 64));
  write(master, "\x13", 1);
  poll(&p, 1, 2000);
  show(", stop", b, read(master, b, 64));
  write(master, "\x11", 1);
  poll(&p, 1, 2000);
  show(", start", b, read(master, b, 64));
  putchar('\n');
  close_pair();
}

static void closing(void) {
  char b[64];
  open_pair();
  char name[64];
  strcpy(name, ptsname(master));
  struct pollfd p = {master, POLLIN | POLLOUT, 0}, q = {slave, POLLIN | POLLOUT, 0};
  printf("open: poll %x", (poll(&p, 1, 0), p.revents));
  printf(" %x", (poll(&q, 1, 0), q.revents));
  write(slave, "rest\n", 5);
  close(slave);
  printf(", slave closed: poll %x", (poll(&p, 1, 0), p.revents));
  show(" read", b, read(master, b, 64));
  show(",", b, read(master, b, 64));
  slave = open(name, O_RDWR | O_NOCTTY);
  printf(", again: open %s poll %x", yes(slave >= 0), (poll(&p, 1, 0), p.revents));
  fcntl(master, F_SETFL, O_NONBLOCK);
  show(" read", b, read(master, b, 64));
  write(master, "unread\n", 7);
  q.fd = slave;
  poll(&q, 1, 2000);
  close(master);
  printf("\nmaster closed: poll %x", (poll(&q, 1, 0), q.revents));
  show(" read", b, read(slave, b, 64));
  show(" write", b, write(slave, "x", 1));
  struct termios t;
  printf(" modes %s", result(tcgetattr(slave, &t)));
  printf(" open %s\n", result(open(name, O_RDWR | O_NOCTTY)));
  close(slave);
}

static void full(void) {
  static char block[1000];
  long total = 0, n;
  memset(block, 'x', sizeof block);
  open_pair();
  fcntl(slave, F_SETFL, O_NONBLOCK);
  while ((n = write(slave, block, sizeof block)) > 0)
    total += n;
  struct pollfd q = {slave, POLLOUT, 0};
  printf("full: some thousand bytes %s, then %s", yes(total > 3000), result(n));
  printf(", poll %d", poll(&q, 1, 0));
  fcntl(slave, F_SETFL, 0);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 100; i++)
      write(slave, block, sizeof block);
    _exit(0);
  }
  long left = total + 100000;
  while (left > 0) {
    n = read(master, block, sizeof block);
    if (n <= 0)
      break;
    left -= n;
  }
  waitpid(pid, NULL, 0);
  printf(", all of it read %s\n", yes(left == 0));
  close_pair();
}

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  setsid();
  modes();
  line_discipline();
  output();
  reads();
  packets();
  closing();
  full();
  return 0;
}
