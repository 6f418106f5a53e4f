// Multicast options of UDP sockets, groups joined and left, what a member receives; TCP_INFO in the states of a socket.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void r(const char *title, int x) {
  if (x < 0) printf("%s: %s\n", title, strerror(errno));
  else printf("%s: %d\n", title, x);
}

#define SET(s, n, v) setsockopt(s, IPPROTO_IP, n, &v, sizeof v)

static void get_byte(int s, int name) {
  unsigned char c = 9;
  socklen_t l = 1;
  getsockopt(s, IPPROTO_IP, name, &c, &l);
  printf("byte %d of %d\n", c, l);
}

static void options(int s) {
  unsigned char c = 5;
  int i = 7;
  socklen_t l = 4;
  r("ttl byte", SET(s, IP_MULTICAST_TTL, c));
  get_byte(s, IP_MULTICAST_TTL);
  r("ttl int", SET(s, IP_MULTICAST_TTL, i));
  i = -1;
  r("ttl -1", SET(s, IP_MULTICAST_TTL, i));
  getsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &i, &l);
  printf("%d of %d\n", i, l);
  i = 256;
  r("ttl 256", SET(s, IP_MULTICAST_TTL, i));
  c = 0;
  r("loop", SET(s, IP_MULTICAST_LOOP, c));
  get_byte(s, IP_MULTICAST_LOOP);
  i = 1;
  r("loop again", SET(s, IP_MULTICAST_LOOP, i));
  r("all", SET(s, IP_MULTICAST_ALL, i));
  struct in_addr a = {htonl(INADDR_LOOPBACK)};
  struct ip_mreqn q;
  r("interface", SET(s, IP_MULTICAST_IF, a));
  memset(&q, 0, sizeof q);
  l = sizeof q;
  r("get interface", getsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &q, &l));
  printf("%d %s\n", l, inet_ntoa(q.imr_multiaddr));
  a.s_addr = inet_addr("203.0.113.77");
  r("unknown interface", SET(s, IP_MULTICAST_IF, a));
  a.s_addr = 0;
  r("any interface", SET(s, IP_MULTICAST_IF, a));
  memset(&q, 0, sizeof q);
  q.imr_ifindex = 1;
  r("interface 1", SET(s, IP_MULTICAST_IF, q));
  q.imr_ifindex = 99;
  r("interface 99", SET(s, IP_MULTICAST_IF, q));
  r("short interface", SET(s, IP_MULTICAST_IF, c));
}

static struct ip_mreq group(const char *ip, const char *interface) { return (struct ip_mreq){{inet_addr(ip)}, {inet_addr(interface)}}; }

static void groups(int s, int stream) {
  struct ip_mreq m = group("239.1.2.3", "127.0.0.1");
  int i = 3;
  socklen_t l = sizeof m;
  r("join", SET(s, IP_ADD_MEMBERSHIP, m));
  r("again", SET(s, IP_ADD_MEMBERSHIP, m));
  r("leave", SET(s, IP_DROP_MEMBERSHIP, m));
  r("leave again", SET(s, IP_DROP_MEMBERSHIP, m));
  r("short", setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 4));
  r("bad address", setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (void *)8, sizeof m));
  r("get", getsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, &l));
  r("of a stream", SET(stream, IP_ADD_MEMBERSHIP, m));
  r("ttl of a stream", SET(stream, IP_MULTICAST_TTL, i));
  r("interface of a stream", SET(stream, IP_MULTICAST_IF, m.imr_interface));
  m = group("10.1.2.3", "127.0.0.1");
  r("no group", SET(s, IP_ADD_MEMBERSHIP, m));
  r("leave no group", SET(s, IP_DROP_MEMBERSHIP, m));
  m = group("239.1.2.3", "203.0.113.77");
  r("no interface", SET(s, IP_ADD_MEMBERSHIP, m));
  r("leave no interface", SET(s, IP_DROP_MEMBERSHIP, m));
  int n = 0;
  for (i = 1; i < 40; i++) {
    char text[32];
    snprintf(text, sizeof text, "239.9.9.%d", i);
    m = group(text, "127.0.0.1");
    if (SET(s, IP_ADD_MEMBERSHIP, m) < 0) break;
    n++;
  }
  printf("%d groups, then %s\n", n, strerror(errno));
}

static void receive(int s, int microseconds) {
  struct timeval tv = {microseconds / 1000000, microseconds % 1000000};
  char buffer[16];
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  r("received", recv(s, buffer, sizeof buffer, 0));
}

static void datagrams(int s) {
  struct sockaddr_in to = {.sin_family = AF_INET};
  socklen_t l = sizeof to;
  /* A member before it is bound, and one after. */
  int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
  struct ip_mreq m = group("239.1.2.3", "127.0.0.1");
  r("join", SET(one, IP_ADD_MEMBERSHIP, m));
  r("bind", bind(one, (void *)&to, sizeof to));
  getsockname(one, (void *)&to, &l);
  to.sin_addr = m.imr_multiaddr;
  SET(s, IP_MULTICAST_IF, m.imr_interface);
  r("send", sendto(s, "hello", 5, 0, (void *)&to, sizeof to));
  receive(one, 5000000);
  r("leave", SET(one, IP_DROP_MEMBERSHIP, m));
  r("send", sendto(s, "hello", 5, 0, (void *)&to, sizeof to));
  receive(one, 100000);
  struct sockaddr_in any = {.sin_family = AF_INET};
  r("bind", bind(two, (void *)&any, sizeof any));
  getsockname(two, (void *)&any, &l);
  r("join", SET(two, IP_ADD_MEMBERSHIP, m));
  to.sin_port = any.sin_port;
  r("send", sendto(s, "hello!", 6, 0, (void *)&to, sizeof to));
  receive(two, 5000000);
}

static struct tcp_info info(const char *title, int s) {
  struct tcp_info i;
  socklen_t l = sizeof i;
  memset(&i, 0, sizeof i);
  r(title, getsockopt(s, IPPROTO_TCP, TCP_INFO, &i, &l));
  printf("state %d ssthresh %d reordering %d\n", i.tcpi_state, i.tcpi_snd_ssthresh, i.tcpi_reordering);
  return i;
}

static void streams(int client, int datagrams) {
  struct sockaddr_in b = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t l = sizeof b;
  struct tcp_info i = info("new", client);
  printf("mss %d window %d timeout %d\n", i.tcpi_snd_mss, i.tcpi_snd_cwnd, i.tcpi_rto);
  bind(listener, (void *)&b, sizeof b);
  listen(listener, 5);
  getsockname(listener, (void *)&b, &l);
  connect(client, (void *)&b, sizeof b);
  i = info("listener", listener);
  printf("waiting %d of %d\n", i.tcpi_unacked, i.tcpi_sacked);
  int server = accept(listener, 0, 0);
  info("client", client);
  info("server", server);
  shutdown(server, SHUT_WR);
  char c;
  recv(client, &c, 1, 0);
  info("the peer is done", client);
  close(client);
  recv(server, &c, 1, 0);
  l = 10;
  r("short", getsockopt(server, IPPROTO_TCP, TCP_INFO, &i, &l));
  printf("%d bytes\n", l);
  r("of datagrams", getsockopt(datagrams, IPPROTO_TCP, TCP_INFO, &i, &l));
  r("set", setsockopt(listener, IPPROTO_TCP, TCP_INFO, &i, 8));
}

int main(void) {
  int s = socket(AF_INET, SOCK_DGRAM, 0), stream = socket(AF_INET, SOCK_STREAM, 0);
  options(s);
  groups(socket(AF_INET, SOCK_DGRAM, 0), stream);
  datagrams(s);
  streams(stream, s);
  return 0;
}
