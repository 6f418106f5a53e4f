/* TCP and UDP between a process and itself over the loopback, IPv4 and IPv6, and interfaces over netlink. Prints what each call gives; no port, which the machine chooses. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static long say(const char *what, long r) {
  if (r < 0) printf("  %s: errno %d\n", what, errno);
  else printf("  %s: %ld\n", what, r);
  return r;
}
static void events(const char *what, int f, int ms) {
  struct pollfd p = {f, POLLIN | POLLOUT | POLLRDHUP, 0};
  poll(&p, 1, ms);
  printf("  %s:%s%s%s%s%s\n", what, p.revents & POLLIN ? " in" : "", p.revents & POLLOUT ? " out" : "",
         p.revents & POLLRDHUP ? " rdhup" : "", p.revents & POLLHUP ? " hup" : "", p.revents & POLLERR ? " err" : "");
}
static int option(int f, int level, int name) {
  int v = -1;
  socklen_t n = sizeof v;
  return getsockopt(f, level, name, &v, &n) < 0 ? -errno : v;
}

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};
static socklen_t loopback(union address *a, int family, int port) {
  memset(a, 0, sizeof *a);
  a->any.sa_family = family;
  if (family == AF_INET) {
    a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a->v4.sin_port = port;
    return sizeof a->v4;
  }
  a->v6.sin6_addr = in6addr_loopback;
  a->v6.sin6_port = port;
  return sizeof a->v6;
}
static const char *text(const union address *a) {
  static char b[64];
  const void *ip = a->any.sa_family == AF_INET ? (const void *)&a->v4.sin_addr : &a->v6.sin6_addr;
  return inet_ntop(a->any.sa_family, ip, b, sizeof b);
}
static int port_of(const union address *a) { return a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port; }
static int names(const char *what, int f, int peer) {
  union address a;
  socklen_t n = sizeof a;
  int r = peer ? getpeername(f, &a.any, &n) : getsockname(f, &a.any, &n);
  if (r < 0) return printf("  %s: errno %d\n", what, errno), 0;
  printf("  %s: %s, port %d, %u bytes\n", what, text(&a), port_of(&a) != 0, n);
  return port_of(&a);
}

static void *feed(void *arg) {
  static char big[1 << 20];
  for (int i = 0; i < (1 << 20); i++) big[i] = i * 5 + (i >> 10);
  write(*(int *)arg, big, sizeof big);
  shutdown(*(int *)arg, SHUT_WR);
  return 0;
}

static void tcp(int family) {
  union address a, from;
  socklen_t n = loopback(&a, family, 0), m;
  char b[256];
  printf("TCP over IPv%d\n", family == AF_INET ? 4 : 6);
  int l = socket(family, SOCK_STREAM, 0), on = 1;
  printf("  protocol %d\n", option(l, SOL_SOCKET, SO_PROTOCOL));
  events("fresh", l, 0);
  names("fresh", l, 0);
  say("SO_REUSEADDR", setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  say("bind", bind(l, &a.any, n));
  say("bind again", bind(l, &a.any, n));
  int port = names("bound", l, 0);
  int other = socket(family, SOCK_STREAM, 0);
  loopback(&a, family, port);
  say("bind of another", bind(other, &a.any, n));
  say("connect before listen", connect(other, &a.any, n));
  close(other);
  say("accept before listen", accept(l, 0, 0));
  say("listen", listen(l, 8));
  events("listening", l, 0);
  int c = socket(family, SOCK_STREAM, 0);
  say("send before connect", send(c, "x", 1, MSG_NOSIGNAL));
  say("receive before connect", recv(c, b, 1, 0));
  say("connect", connect(c, &a.any, n));
  say("connect again", connect(c, &a.any, n));
  events("listener", l, 1000);
  m = sizeof from;
  int s = accept4(l, &from.any, &m, SOCK_NONBLOCK);
  printf("  from %s, %u bytes\n", text(&from), m);
  printf("  names agree %d\n", names("client", c, 0) == port_of(&from) && names("server", s, 0) == port && names("peer", c, 1) == port);
  say("nothing yet", recv(s, b, sizeof b, 0));
  say("send", send(c, "hello", 5, 0));
  events("server", s, 1000);
  int k;
  ioctl(s, FIONREAD, &k);
  printf("  bytes %d\n", k);
  say("peek", recv(s, b, sizeof b, MSG_PEEK));
  say("receive", recv(s, b, sizeof b, 0));
  say("TCP_NODELAY", setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  printf("  nodelay %d, keepidle %d, keepcnt %d\n", option(c, IPPROTO_TCP, TCP_NODELAY), option(c, IPPROTO_TCP, TCP_KEEPIDLE), option(c, IPPROTO_TCP, TCP_KEEPCNT));
  fcntl(s, F_SETFL, 0);
  pthread_t t;
  pthread_create(&t, 0, feed, &s);
  long total = 0, wrong = 0, r;
  static char in[65536];
  while ((r = recv(c, in, sizeof in, 0)) > 0) {
    for (long i = 0; i < r; i++) wrong += in[i] != (char)((total + i) * 5 + ((total + i) >> 10));
    total += r;
  }
  pthread_join(t, 0);
  printf("  megabyte: %ld bytes, %ld wrong\n", total, wrong);
  events("half closed", c, 0);
  say("the other way", send(c, "still", 5, 0));
  say("receive", recv(s, b, 5, MSG_WAITALL));
  close(c);
  while (recv(s, b, sizeof b, 0) > 0) continue;
  events("both closed", s, 1000);
  say("send after", send(s, "x", 1, MSG_NOSIGNAL));
  close(s);
  /* Without blocking. */
  c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  say("non-blocking connect", connect(c, &a.any, n));
  events("connected", c, 1000);
  printf("  SO_ERROR %d\n", option(c, SOL_SOCKET, SO_ERROR));
  s = accept(l, 0, 0);
  /* A close with unread data resets. */
  send(s, "unread", 6, 0);
  events("unread", c, 1000);
  recv(c, b, 1, 0);
  close(c);
  events("reset", s, 1000);
  say("receive", recv(s, b, sizeof b, 0));
  say("and then", recv(s, b, sizeof b, 0));
  close(s);
  close(l);
  c = socket(family, SOCK_STREAM, 0);
  say("refused", connect(c, &a.any, n));
  close(c);
  c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  say("refused without blocking", connect(c, &a.any, n));
  events("refused", c, 1000);
  printf("  SO_ERROR %d\n", option(c, SOL_SOCKET, SO_ERROR));
  close(c);
}

static void dual(void) {
  union address a;
  socklen_t n = sizeof a.v6;
  printf("IPv4 to an IPv6 socket\n");
  memset(&a, 0, sizeof a);
  a.v6.sin6_family = AF_INET6;
  int l = socket(AF_INET6, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
  say("bind", bind(l, &a.any, n));
  int port = names("bound", l, 0);
  listen(l, 1);
  n = loopback(&a, AF_INET, port);
  say("connect", connect(c, &a.any, n));
  int s = accept(l, 0, 0);
  names("server", s, 0);
  names("its peer", s, 1);
  names("client's peer", c, 1);
  close(s);
  close(c);
  close(l);
}

static void udp(int family) {
  union address a, from;
  socklen_t n = loopback(&a, family, 0), m = sizeof from;
  char b[64];
  printf("UDP over IPv%d\n", family == AF_INET ? 4 : 6);
  int x = socket(family, SOCK_DGRAM, 0), y = socket(family, SOCK_DGRAM, 0);
  events("fresh", x, 0);
  say("send without a peer", send(x, "x", 1, 0));
  say("bind", bind(x, &a.any, n));
  int port = names("bound", x, 0);
  loopback(&a, family, port);
  say("bind of another", bind(y, &a.any, n));
  say("sendto", sendto(y, "one", 3, 0, &a.any, n));
  say("empty", sendto(y, "", 0, 0, &a.any, n));
  say("recvfrom", recvfrom(x, b, sizeof b, 0, &from.any, &m));
  printf("  from %s, %u bytes\n", text(&from), m);
  say("empty", recv(x, b, sizeof b, 0));
  say("back", sendto(x, "back", 4, 0, &from.any, m));
  say("received", recv(y, b, sizeof b, 0));
  say("connect", connect(y, &a.any, n));
  names("connected", y, 0);
  names("connected", y, 1);
  say("send", send(y, "longer", 6, 0));
  say("cut", recv(x, b, 2, MSG_TRUNC));
  say("nothing more", recv(x, b, sizeof b, MSG_DONTWAIT));
  static char big[70000];
  say("too long", send(y, big, sizeof big, 0));
  say("disconnect", connect(y, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)));
  names("disconnected", y, 1);
  close(x);
  close(y);
}

static void netlink(void) {
  int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), lo = 0, done = 0;
  struct sockaddr_nl a = {.nl_family = AF_NETLINK};
  struct { struct nlmsghdr h; struct rtgenmsg g; } q = {{sizeof q, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}, {AF_UNSPEC}};
  static char b[1 << 16];
  printf("netlink\n");
  say("bind", bind(s, (void *)&a, sizeof a));
  say("send", send(s, &q, sizeof q, 0));
  while (!done) {
    int n = recv(s, b, sizeof b, 0);
    if (n <= 0) break;
    for (struct nlmsghdr *h = (void *)b; NLMSG_OK(h, (unsigned)n); h = NLMSG_NEXT(h, n)) {
      done |= h->nlmsg_type == NLMSG_DONE;
      if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_seq != 7) continue;
      struct ifinfomsg *i = NLMSG_DATA(h);
      int left = IFLA_PAYLOAD(h);
      for (struct rtattr *r = IFLA_RTA(i); RTA_OK(r, left); r = RTA_NEXT(r, left))
        if (r->rta_type == IFLA_IFNAME && strcmp(RTA_DATA(r), "lo") == 0) lo = i->ifi_index;
    }
  }
  printf("  lo is %d\n", lo);
  close(s);
  printf("  raw %d\n", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, 0, _IOLBF, 0);
  tcp(AF_INET);
  tcp(AF_INET6);
  dual();
  udp(AF_INET);
  udp(AF_INET6);
  netlink();
  return 0;
}
