/* Unix sockets: pairs, names, connections, messages with descriptors and credentials, options, poll. Prints what each call gives; no address or number of the machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name_of(int e) {
  static char other[32];
  switch (e) {
    case 0: return "ok";
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case EINTR: return "EINTR";
    case EBADF: return "EBADF";
    case EAGAIN: return "EAGAIN";
    case EACCES: return "EACCES";
    case EFAULT: return "EFAULT";
    case EINVAL: return "EINVAL";
    case EPIPE: return "EPIPE";
    case ENOTSOCK: return "ENOTSOCK";
    case EDESTADDRREQ: return "EDESTADDRREQ";
    case EMSGSIZE: return "EMSGSIZE";
    case EPROTOTYPE: return "EPROTOTYPE";
    case ENOPROTOOPT: return "ENOPROTOOPT";
    case EPROTONOSUPPORT: return "EPROTONOSUPPORT";
    case ESOCKTNOSUPPORT: return "ESOCKTNOSUPPORT";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    case EAFNOSUPPORT: return "EAFNOSUPPORT";
    case EADDRINUSE: return "EADDRINUSE";
    case ECONNRESET: return "ECONNRESET";
    case EISCONN: return "EISCONN";
    case ENOTCONN: return "ENOTCONN";
    case ECONNREFUSED: return "ECONNREFUSED";
    default: snprintf(other, sizeof other, "errno %d", e); return other;
  }
}

/* Prints a call's result: a count as it is, a failure by name. */
static long say(const char *what, long r) {
  if (r < 0) printf("  %s: %s\n", what, name_of(errno));
  else printf("  %s: %ld\n", what, r);
  return r;
}
/* A descriptor is there or not; its number is not said. */
static int fd(const char *what, int r) {
  printf("  %s: %s\n", what, r < 0 ? name_of(errno) : "ok");
  return r;
}
static void events(const char *what, int f) {
  struct pollfd p = {f, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};
  int n = poll(&p, 1, 0);
  printf("  %s: %d%s%s%s%s%s\n", what, n, p.revents & POLLIN ? " in" : "", p.revents & POLLOUT ? " out" : "",
         p.revents & POLLRDHUP ? " rdhup" : "", p.revents & POLLHUP ? " hup" : "", p.revents & POLLERR ? " err" : "");
}
static int option(int f, int name) {
  int v = -1;
  socklen_t n = sizeof v;
  return getsockopt(f, SOL_SOCKET, name, &v, &n) < 0 ? -errno : v;
}
static socklen_t address(struct sockaddr_un *a, const char *path) {
  memset(a, 0, sizeof *a);
  a->sun_family = AF_UNIX;
  if (path[0] == '@') {
    memcpy(a->sun_path + 1, path + 1, strlen(path) - 1);
    return offsetof(struct sockaddr_un, sun_path) + strlen(path);
  }
  strcpy(a->sun_path, path);
  return offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
}
static const char *shown(const struct sockaddr_un *a) {
  return a->sun_path[0] == '/' ? strrchr(a->sun_path, '/') : a->sun_path + 1;
}
static void names(const char *what, int f) {
  struct sockaddr_un a;
  socklen_t n = sizeof a;
  memset(&a, 0, sizeof a);
  if (getsockname(f, (void *)&a, &n) < 0) printf("  %s: own %s", what, name_of(errno));
  else printf("  %s: own %u %s%s", what, n, a.sun_path[0] == 0 && n > 3 ? "@" : "", shown(&a));
  n = sizeof a;
  memset(&a, 0, sizeof a);
  if (getpeername(f, (void *)&a, &n) < 0) printf(", peer %s\n", name_of(errno));
  else printf(", peer %u %s%s\n", n, a.sun_path[0] == 0 && n > 3 ? "@" : "", shown(&a));
}

static void pairs(void) {
  static const struct { const char *name; int type; } types[] = {{"stream", SOCK_STREAM}, {"dgram", SOCK_DGRAM}, {"seqpacket", SOCK_SEQPACKET}};
  for (int i = 0; i < 3; i++) {
    int s[2];
    char b[64] = "";
    printf("pair of %s\n", types[i].name);
    say("socketpair", socketpair(AF_UNIX, types[i].type, 0, s));
    printf("  type %d domain %d protocol %d listening %d\n", option(s[0], SO_TYPE), option(s[0], SO_DOMAIN), option(s[0], SO_PROTOCOL), option(s[0], SO_ACCEPTCONN));
    names("names", s[0]);
    events("at first", s[0]);
    say("write", write(s[0], "hello", 5));
    say("send", send(s[0], " world", 6, 0));
    int n = -1;
    say("FIONREAD", ioctl(s[1], FIONREAD, &n));
    printf("  bytes %d\n", n);
    events("with data", s[1]);
    say("peek", recv(s[1], b, 4, MSG_PEEK));
    say("trunc", recv(s[1], b, 3, MSG_TRUNC | MSG_PEEK));
    say("read", read(s[1], b, sizeof b));
    printf("  got %.*s\n", 11, b);
    say("nothing more?", recv(s[1], b, sizeof b, MSG_DONTWAIT));
    say("empty", send(s[0], "", 0, 0));
    say("empty received", recv(s[1], b, sizeof b, MSG_DONTWAIT));
    say("sendto", sendto(s[0], "x", 1, 0, (struct sockaddr *)"\1\0@", 3));
    say("shutdown", shutdown(s[0], SHUT_WR));
    events("after shutdown of the other", s[1]);
    events("after own shutdown", s[0]);
    say("send after shutdown", send(s[0], "x", 1, MSG_NOSIGNAL));
    say("read at the end", recv(s[1], b, sizeof b, MSG_DONTWAIT));
    say("read at the end", recv(s[1], b, sizeof b, MSG_DONTWAIT));
    say("send back", send(s[1], "back", 4, 0));
    say("close", close(s[0]));
    events("after close of the other", s[1]);
    printf("  SO_ERROR %s\n", name_of(option(s[1], SO_ERROR)));
    say("send to closed", send(s[1], "x", 1, MSG_NOSIGNAL));
    say("send to closed", send(s[1], "x", 1, MSG_NOSIGNAL));
    say("read from closed", recv(s[1], b, sizeof b, MSG_DONTWAIT));
    close(s[1]);
  }
}

static void connections(const char *path, int type) {
  struct sockaddr_un a;
  socklen_t n = address(&a, path);
  char b[64];
  printf("connections at %s, type %d\n", path[0] == '@' ? path : "a path", type);
  int l = fd("socket", socket(AF_UNIX, type, 0));
  events("fresh", l);
  say("listen unbound", listen(l, 1));
  int c = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  printf("  flags %d %d\n", fcntl(c, F_GETFD), (fcntl(c, F_GETFL) & O_NONBLOCK) != 0);
  say("connect to nobody", connect(c, (void *)&a, n));
  say("bind", bind(l, (void *)&a, n));
  say("bind again", bind(l, (void *)&a, n));
  say("connect before listen", connect(c, (void *)&a, n));
  int other = socket(AF_UNIX, type, 0);
  say("bind of another", bind(other, (void *)&a, n));
  if (path[0] != '@') {
    struct stat st;
    say("stat", stat(path, &st));
    printf("  mode %o\n", st.st_mode);
    say("open", open(path, O_RDWR));
  }
  say("accept before listen", accept(l, 0, 0));
  say("listen", listen(l, 1));
  say("listen again", listen(l, 1));
  printf("  listening %d\n", option(l, SO_ACCEPTCONN));
  events("listening", l);
  int d = socket(AF_UNIX, SOCK_DGRAM, 0);
  say("connect of a datagram socket", connect(d, (void *)&a, n));
  close(d);
  say("connect", connect(c, (void *)&a, n));
  say("connect again", connect(c, (void *)&a, n));
  names("client", c);
  events("client", c);
  events("listener", l);
  say("send before accept", send(c, "early", 5, 0));
  struct sockaddr_un from;
  socklen_t m = sizeof from;
  int s = fd("accept4", accept4(l, (void *)&from, &m, SOCK_NONBLOCK));
  printf("  from %u bytes, nonblock %d\n", m, (fcntl(s, F_GETFL) & O_NONBLOCK) != 0);
  names("server", s);
  say("receive", recv(s, b, sizeof b, 0));
  struct ucred u = {0};
  socklen_t k = sizeof u;
  say("SO_PEERCRED", getsockopt(s, SOL_SOCKET, SO_PEERCRED, &u, &k));
  printf("  peer is me %d, uid %d, gid %d\n", u.pid == getpid(), u.uid == getuid(), u.gid == getgid());
  /* The queue takes one more than the backlog. */
  int q[4];
  for (int i = 0; i < 4; i++) {
    q[i] = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    say("connect to the queue", connect(q[i], (void *)&a, n));
  }
  say("accept", accept(l, 0, 0) >= 0 ? 0 : -1);
  say("connect to the queue", connect(q[2], (void *)&a, n));
  close(l);
  say("send to one that was not accepted", send(q[1], "x", 1, MSG_NOSIGNAL));
  say("its error", recv(q[1], b, sizeof b, 0));
  say("connect to the closed", connect(q[3], (void *)&a, n));
  say("client still sends", send(c, "still", 5, 0));
  say("server receives", recv(s, b, sizeof b, 0));
  say("unread", send(c, "unread", 6, 0));
  close(s);
  events("client after a close with unread data", c);
  say("error once", recv(c, b, sizeof b, 0));
  say("then the end", recv(c, b, sizeof b, 0));
  close(c);
  if (path[0] != '@') {
    say("bind to the file that is left", bind(other, (void *)&a, n));
    say("unlink", unlink(path));
    say("bind", bind(other, (void *)&a, n));
    unlink(path);
  }
  close(other);
  for (int i = 0; i < 4; i++) close(q[i]);
}

static void datagrams(void) {
  struct sockaddr_un a, b, from;
  char buf[64];
  printf("datagrams\n");
  int x = socket(AF_UNIX, SOCK_DGRAM, 0), y = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), z = socket(AF_UNIX, SOCK_DGRAM, 0);
  socklen_t na = address(&a, "@lift64-dgram-a"), nb = address(&b, "@lift64-dgram-b"), n;
  say("bind", bind(x, (void *)&a, na));
  say("bind in use", bind(y, (void *)&a, na));
  say("bind", bind(y, (void *)&b, nb));
  say("send without a peer", send(x, "1", 1, 0));
  say("sendto", sendto(x, "one", 3, 0, (void *)&b, nb));
  say("sendto from an unbound one", sendto(z, "two", 3, 0, (void *)&b, nb));
  for (int i = 0; i < 3; i++) {
    n = sizeof from;
    memset(&from, 0, sizeof from);
    say("recvfrom", recvfrom(y, buf, sizeof buf, 0, (void *)&from, &n));
    printf("  from %u %s\n", n, from.sun_path + 1);
    if (i == 1) n = 0;
  }
  say("connect", connect(z, (void *)&b, nb));
  names("connected", z);
  say("send", send(z, "three", 5, 0));
  say("sendto another", sendto(z, "four", 4, 0, (void *)&a, na));
  say("short receive", recv(y, buf, 2, 0));
  say("that was all", recv(y, buf, sizeof buf, 0));
  say("connect back", connect(y, (void *)&a, na));
  say("one that is not the peer", sendto(z, "five", 4, 0, (void *)&b, nb));
  say("peer", send(x, "x", 1, 0) < 0 ? -1 : 0);
  say("to the connected", sendto(x, "six", 3, 0, (void *)&b, nb));
  say("received", recv(y, buf, sizeof buf, 0));
  say("to nobody", (n = address(&from, "@lift64-nobody"), sendto(x, "x", 1, 0, (void *)&from, n)));
  say("too long", (int)({ static char big[1 << 19]; send(z, big, sizeof big, 0); }));
  close(y);
  say("to the closed", send(z, "x", 1, 0));
  say("again", send(z, "x", 1, 0));
  struct sockaddr un = {.sa_family = AF_UNSPEC};
  say("disconnect", connect(z, &un, sizeof un));
  say("autobind", bind(z, (void *)&a, sizeof(sa_family_t)));
  n = sizeof from;
  say("name", getsockname(z, (void *)&from, &n));
  printf("  length %u, abstract %d\n", n, from.sun_path[0] == 0);
  close(x);
  close(z);
}

static long send_fds(int s, const int *fds, int count, const char *data, size_t size) {
  char control[CMSG_SPACE(sizeof(int) * 300)];
  struct iovec v = {(void *)data, size};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
  memset(control, 0, sizeof control);
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int) * count);
  memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
  return syscall(SYS_sendmsg, s, &m, MSG_NOSIGNAL); /* musl takes only short control data */
}
/* Receives a message; descriptors into fds, their number in *count. */
static long receive(int s, char *data, size_t size, int *fds, int *count, size_t room, int flags, const char *what) {
  char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 300)];
  struct iovec v = {data, size};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
  long n = say(what, syscall(SYS_recvmsg, s, &m, flags));
  *count = 0;
  if (n < 0) return n;
  printf("  flags%s%s%s, control %zu\n", m.msg_flags & MSG_TRUNC ? " trunc" : "", m.msg_flags & MSG_CTRUNC ? " ctrunc" : "",
         m.msg_flags & MSG_CMSG_CLOEXEC ? " cloexec" : "", (size_t)m.msg_controllen);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    if (c->cmsg_type == SCM_RIGHTS) {
      *count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      memcpy(fds, CMSG_DATA(c), *count * sizeof(int));
      printf("  %d descriptors\n", *count);
    } else if (c->cmsg_type == SCM_CREDENTIALS) {
      struct ucred u;
      memcpy(&u, CMSG_DATA(c), sizeof u);
      printf("  credentials: pid %d uid %d gid %d\n", u.pid == getpid(), u.uid == getuid(), u.gid == getgid());
    }
  }
  return n;
}

static void rights(void) {
  int s[2], p[2], got[300], count;
  char b[64];
  printf("descriptors in messages\n");
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pipe(p);
  write(p[1], "in the pipe", 11);
  say("sendmsg", send_fds(s[0], p, 2, "data", 4));
  close(p[0]);
  close(p[1]);
  write(s[0], "more", 4);
  receive(s[1], b, sizeof b, got, &count, 1024, MSG_CMSG_CLOEXEC, "recvmsg stops behind descriptors");
  printf("  cloexec %d\n", fcntl(got[0], F_GETFD));
  say("read of the passed one", read(got[0], b, sizeof b));
  close(got[0]);
  close(got[1]);
  say("the rest", read(s[1], b, sizeof b));
  /* Plain read closes what comes along: the writer of the pipe is gone then. */
  pipe(p);
  send_fds(s[0], p + 1, 1, "x", 1);
  close(p[1]);
  say("read", read(s[1], b, sizeof b));
  say("the pipe has no writer", read(p[0], b, sizeof b));
  close(p[0]);
  /* Too little room. */
  pipe(p);
  int many[3] = {p[0], p[1], p[1]};
  send_fds(s[0], many, 3, "x", 1);
  receive(s[1], b, sizeof b, got, &count, CMSG_SPACE(sizeof(int)), 0, "room for two");
  for (int i = 0; i < count; i++) close(got[i]);
  send_fds(s[0], many, 3, "x", 1);
  receive(s[1], b, sizeof b, got, &count, 0, 0, "room for none");
  /* Peeked descriptors are duplicates. */
  send_fds(s[0], p, 1, "peek", 4);
  receive(s[1], b, sizeof b, got, &count, 1024, MSG_PEEK, "peek");
  for (int i = 0; i < count; i++) close(got[i]);
  receive(s[1], b, sizeof b, got, &count, 1024, 0, "and read");
  for (int i = 0; i < count; i++) close(got[i]);
  int bad[2] = {p[0], 999};
  say("a bad descriptor", send_fds(s[0], bad, 2, "x", 1));
  int lots[254];
  for (int i = 0; i < 254; i++) lots[i] = p[0];
  say("254 of them", send_fds(s[0], lots, 254, "x", 1));
  say("253 of them", send_fds(s[0], lots, 253, "x", 1));
  receive(s[1], b, sizeof b, got, &count, 1200, 0, "253 come");
  for (int i = 0; i < count; i++) close(got[i]);
  /* In flight when the receiver goes: closed with it. */
  send_fds(s[0], p + 1, 1, "x", 1);
  close(p[1]);
  close(s[1]);
  say("the pipe has no writer", read(p[0], b, sizeof b));
  close(p[0]);
  close(s[0]);
  /* Across a fork, and a socket through a socket. */
  int inner[2];
  socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s);
  socketpair(AF_UNIX, SOCK_STREAM, 0, inner);
  pid_t child = fork();
  if (child == 0) {
    close(s[0]);
    send_fds(s[1], inner, 1, "sock", 4);
    read(inner[1], b, 5);
    _exit(memcmp(b, "hello", 5) == 0 ? 7 : 8);
  }
  close(s[1]);
  close(inner[0]);
  close(inner[1]);
  receive(s[0], b, sizeof b, got, &count, 1024, 0, "a socket from the child");
  say("write", write(got[0], "hello", 5));
  int status;
  waitpid(child, &status, 0);
  printf("  child %d\n", WEXITSTATUS(status));
  say("the child's end is gone", read(got[0], b, sizeof b));
  close(got[0]);
  close(s[0]);
}

static void credentials(void) {
  int s[2], got[4], count, on = 1;
  char b[64];
  printf("credentials\n");
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  say("SO_PASSCRED", setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  write(s[0], "one", 3);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    write(s[0], "two", 3);
    _exit(0);
  }
  waitpid(child, 0, 0);
  receive(s[1], b, sizeof b, got, &count, 1024, 0, "mine alone");
  receive(s[1], b, sizeof b, got, &count, 1024, 0, "the child's");
  close(s[0]);
  close(s[1]);
}

static void streams(void) {
  int s[2];
  static char big[1 << 20];
  printf("streams\n");
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  fcntl(s[0], F_SETFL, O_NONBLOCK);
  long sum = 0, n;
  while ((n = write(s[0], big, 4096)) > 0) sum += n;
  printf("  filled: %s, at least 64 KiB %d\n", name_of(errno), sum >= 65536);
  events("full", s[0]);
  long back = 0;
  while ((n = recv(s[1], big, 1 << 16, MSG_DONTWAIT)) > 0) back += n;
  printf("  all back %d\n", back == sum);
  events("empty again", s[0]);
  fcntl(s[0], F_SETFL, 0);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    close(s[1]);
    for (int i = 0; i < (1 << 20); i++) big[i] = i * 7 + (i >> 9);
    long w = write(s[0], big, sizeof big);
    _exit(w == sizeof big ? 0 : 1);
  }
  close(s[0]);
  static char in[1 << 20];
  long total = recv(s[1], in, 1000000, MSG_WAITALL);
  printf("  WAITALL %ld\n", total);
  while ((n = read(s[1], in + total, sizeof in - total)) > 0) total += n;
  int wrong = 0, status;
  for (int i = 0; i < total; i++) wrong += in[i] != (char)(i * 7 + (i >> 9));
  waitpid(child, &status, 0);
  printf("  total %ld, wrong %d, status %d\n", total, wrong, status);
  close(s[1]);
  /* Vectors, and several messages at once. */
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  struct iovec v[2] = {{"ab", 2}, {"cde", 3}};
  say("writev", writev(s[0], v, 2));
  struct mmsghdr m[3];
  memset(m, 0, sizeof m);
  for (int i = 0; i < 3; i++) m[i].msg_hdr = (struct msghdr){.msg_iov = v + (i & 1), .msg_iovlen = 1};
  say("sendmmsg", sendmmsg(s[0], m, 3, 0));
  printf("  %u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
  char r[4][8];
  struct iovec rv[4];
  struct mmsghdr q[4];
  memset(q, 0, sizeof q);
  for (int i = 0; i < 4; i++) {
    rv[i] = (struct iovec){r[i], sizeof r[i]};
    q[i].msg_hdr = (struct msghdr){.msg_iov = rv + i, .msg_iovlen = 1};
  }
  say("recvmmsg", recvmmsg(s[1], q, 4, MSG_WAITFORONE, 0));
  printf("  %u %u %u %u %.5s\n", q[0].msg_len, q[1].msg_len, q[2].msg_len, q[3].msg_len, r[0]);
  close(s[0]);
  close(s[1]);
}

static void on_alarm(int sig) { (void)sig; }

static void *late(void *arg) {
  usleep(20000);
  write(*(int *)arg, "late", 4);
  return 0;
}

static void waits(void) {
  int s[2];
  char b[16];
  printf("waits\n");
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  struct timeval tv = {0, 30000};
  say("SO_RCVTIMEO", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
  say("read", read(s[0], b, sizeof b));
  tv.tv_usec = 0;
  setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  pthread_t t;
  pthread_create(&t, 0, late, &s[1]);
  say("read of what comes late", read(s[0], b, sizeof b));
  pthread_join(t, 0);
  struct sigaction sa = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &sa, 0);
  struct itimerval it = {{0, 0}, {0, 20000}};
  setitimer(ITIMER_REAL, &it, 0);
  say("interrupted", read(s[0], b, sizeof b));
  sa.sa_handler = on_alarm;
  sigaction(SIGPIPE, &sa, 0);
  close(s[1]);
  say("write raises SIGPIPE", write(s[0], "x", 1));
  close(s[0]);
}

static void options(void) {
  int s = socket(AF_UNIX, SOCK_STREAM, 0), v;
  char small[2];
  socklen_t n;
  printf("options\n");
  v = 8192;
  say("SO_SNDBUF", setsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, sizeof v));
  printf("  %d\n", option(s, SO_SNDBUF));
  v = 1;
  say("SO_SNDBUF", setsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, sizeof v));
  printf("  %d\n", option(s, SO_SNDBUF));
  say("SO_REUSEADDR", setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &(int){5}, sizeof v));
  printf("  %d\n", option(s, SO_REUSEADDR));
  say("short value", setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, 2));
  say("SO_TYPE can't be set", setsockopt(s, SOL_SOCKET, SO_TYPE, &v, sizeof v));
  say("no such option", setsockopt(s, SOL_SOCKET, 9999, &v, sizeof v));
  n = sizeof small;
  say("cut", getsockopt(s, SOL_SOCKET, SO_TYPE, small, &n));
  printf("  %u bytes\n", n);
  struct linger l = {1, 3};
  say("SO_LINGER", setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l));
  l.l_linger = 0;
  n = sizeof l;
  getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &n);
  printf("  %d %d\n", l.l_onoff, l.l_linger);
  int p[2];
  pipe(p);
  say("not a socket", send(p[1], "x", 1, 0));
  say("not open", send(999, "x", 1, 0));
  say("bad address", bind(s, (void *)8, 16));
  say("bad family", bind(s, (struct sockaddr *)&(struct sockaddr){.sa_family = 2}, 16));
  say("no such family", socket(250, SOCK_STREAM, 0) < 0 ? -1 : 0);
  say("no such type", socket(AF_UNIX, SOCK_RDM, 0) < 0 ? -1 : 0);
  say("no such protocol", socket(AF_UNIX, SOCK_STREAM, 6) < 0 ? -1 : 0);
  say("bad flags", socket(AF_UNIX, SOCK_STREAM | 0x10000, 0) < 0 ? -1 : 0);
  say("lseek", lseek(s, 0, SEEK_SET));
  say("pread", pread(s, small, 1, 0));
  struct stat st;
  fstat(s, &st);
  printf("  mode %o\n", st.st_mode);
  close(s);
  close(p[0]);
  close(p[1]);
}

int main(void) {
  char directory[] = "/tmp/lift64-unix-XXXXXX", path[64];
  setvbuf(stdout, 0, _IOLBF, 0);
  umask(022);
  pairs();
  if (mkdtemp(directory) == 0) return 1;
  snprintf(path, sizeof path, "%s/socket", directory);
  connections(path, SOCK_STREAM);
  connections("@lift64-connections", SOCK_SEQPACKET);
  rmdir(directory);
  datagrams();
  rights();
  credentials();
  streams();
  waits();
  options();
  return 0;
}
