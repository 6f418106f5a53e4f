/*
 * What guests do many times over, for tests/stress: forks, pipelines, threads, signals, bytes through a pipe, connections.
 *
 * usage: stress WHAT COUNT ROUNDS
 * After each round it prints "round N" and waits for a line on its standard input, so that whoever started it can look at the process in between.
 * Exit status 0 when everything was as it should be; else a line says what was not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                        \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      printf("line %d: %s, errno %d (%s)\n", __LINE__, #condition, errno, strerror(errno));     \
      exit(1);                                                                                  \
    }                                                                                           \
  } while (0)

/* Forks one after the other; each child's status is its own. */
static void forks(long count) {
  for (long i = 0; i < count; i++) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) _exit(i % 251);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == i % 251);
  }
  CHECK(waitpid(-1, 0, WNOHANG) < 0 && errno == ECHILD);
}

static void write_all(int fd, const char *at, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, at, size);
    CHECK(n > 0);
    at += n;
    size -= n;
  }
}

/* 16 processes in a row: each adds 1 to every byte. COUNT blocks of 4 KiB go in, and come out with 16 added. */
static void pipeline(long count) {
  enum { LENGTH = 16, BLOCK = 4096 };
  int ends[2];
  CHECK(pipe(ends) == 0);
  int source = ends[1], from = ends[0];
  for (int k = 0; k < LENGTH; k++) {
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      close(source);
      close(ends[0]);
      unsigned char bytes[BLOCK];
      ssize_t n;
      while ((n = read(from, bytes, BLOCK)) > 0) {
        for (ssize_t i = 0; i < n; i++) bytes[i]++;
        write_all(ends[1], (char *)bytes, n);
      }
      _exit(n == 0 ? 0 : 1);
    }
    close(from);
    close(ends[1]);
    from = ends[0];
  }
  pid_t writer = fork();
  CHECK(writer >= 0);
  if (writer == 0) {
    unsigned char bytes[BLOCK];
    for (long b = 0; b < count; b++) {
      for (int i = 0; i < BLOCK; i++) bytes[i] = b * 7 + i;
      write_all(source, (char *)bytes, BLOCK);
    }
    _exit(0);
  }
  close(source);
  long total = 0;
  unsigned char bytes[BLOCK];
  ssize_t n;
  while ((n = read(from, bytes, BLOCK)) > 0)
    for (ssize_t i = 0; i < n; i++, total++)
      CHECK(bytes[i] == (unsigned char)(total / BLOCK * 7 + total % BLOCK + LENGTH));
  CHECK(n == 0 && total == count * BLOCK);
  close(from);
  for (int k = 0; k < LENGTH + 1; k++) {
    int status;
    CHECK(wait(&status) > 0 && status == 0);
  }
}

static pthread_barrier_t together;
static atomic_long sum;

static void *add(void *number) {
  pthread_barrier_wait(&together);
  atomic_fetch_add(&sum, (long)number);
  pthread_barrier_wait(&together);
  return number;
}

/* COUNT threads that are all there at once. */
static void threads(long count) {
  pthread_t *all = calloc(count, sizeof *all);
  CHECK(pthread_barrier_init(&together, 0, count) == 0);
  sum = 0;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 65536);
  for (long i = 0; i < count; i++) CHECK(pthread_create(&all[i], &attr, add, (void *)i) == 0);
  for (long i = 0; i < count; i++) {
    void *result;
    CHECK(pthread_join(all[i], &result) == 0 && (long)result == i);
  }
  CHECK(sum == count * (count - 1) / 2);
  free(all);
}

static volatile sig_atomic_t last_value, in_order = 1;
static atomic_long handled;

static void on_value(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  if (info->si_value.sival_int != last_value + 1) in_order = 0;
  last_value = info->si_value.sival_int;
  handled++;
}

/* A child sends COUNT queued signals with values; none is lost, and they come in order. */
static void signals(long count) {
  struct sigaction action = {.sa_sigaction = on_value, .sa_flags = SA_SIGINFO};
  CHECK(sigaction(SIGRTMIN + 3, &action, 0) == 0);
  last_value = 0;
  handled = 0;
  pid_t parent = getpid(), pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    for (int i = 1; i <= count; i++)
      while (sigqueue(parent, SIGRTMIN + 3, (union sigval){.sival_int = i}) != 0) {
        if (errno != EAGAIN) _exit(1);
        usleep(100);
      }
    _exit(0);
  }
  int status;
  while (waitpid(pid, &status, 0) != pid) CHECK(errno == EINTR);
  CHECK(status == 0);
  while (handled < count) usleep(1000);
  CHECK(in_order && last_value == count);
}

/* COUNT MiB through a pipe. */
static void bytes(long count) {
  enum { BLOCK = 1 << 20 };
  int ends[2];
  CHECK(pipe(ends) == 0);
  uint64_t *block = malloc(BLOCK);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    close(ends[0]);
    for (long m = 0; m < count; m++) {
      for (int i = 0; i < BLOCK / 8; i++) block[i] = m * BLOCK / 8 + i;
      write_all(ends[1], (char *)block, BLOCK);
    }
    _exit(0);
  }
  close(ends[1]);
  uint64_t expected = 0;
  for (long m = 0; m < count; m++) {
    for (size_t got = 0; got < BLOCK;) {
      ssize_t n = read(ends[0], (char *)block + got, BLOCK - got);
      CHECK(n > 0);
      got += n;
    }
    for (int i = 0; i < BLOCK / 8; i++) CHECK(block[i] == expected++);
  }
  CHECK(read(ends[0], block, 1) == 0);
  close(ends[0]);
  int status;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  free(block);
}

/* COUNT connections to a server of one thread, all open at once; each client gets back what it sent. */
static void connections(long count) {
  int server = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(server >= 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  CHECK(bind(server, (struct sockaddr *)&address, length) == 0 && listen(server, 128) == 0);
  CHECK(getsockname(server, (struct sockaddr *)&address, &length) == 0);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    struct pollfd *watched = calloc(count + 1, sizeof *watched);
    watched[0] = (struct pollfd){server, POLLIN, 0};
    long open_now = 0, done = 0;
    while (done < count) {
      CHECK(poll(watched, open_now + 1, 30000) > 0);
      if (watched[0].revents) {
        int fd = accept(server, 0, 0);
        CHECK(fd >= 0);
        watched[++open_now] = (struct pollfd){fd, POLLIN, 0};
      }
      for (long k = open_now; k > 0; k--) {
        if (!watched[k].revents) continue;
        char buffer[64];
        ssize_t n = read(watched[k].fd, buffer, sizeof buffer);
        CHECK(n >= 0);
        if (n > 0) write_all(watched[k].fd, buffer, n);
        else {
          close(watched[k].fd);
          watched[k] = watched[open_now--];
          done++;
        }
      }
    }
    _exit(0);
  }
  close(server);
  int *clients = calloc(count, sizeof *clients);
  for (long i = 0; i < count; i++) {
    CHECK((clients[i] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
    CHECK(connect(clients[i], (struct sockaddr *)&address, sizeof address) == 0);
  }
  for (long i = 0; i < count; i++) {
    char text[32], back[32];
    int n = snprintf(text, sizeof text, "client %ld", i);
    write_all(clients[i], text, n);
    int got = 0;
    while (got < n) {
      ssize_t m = read(clients[i], back + got, sizeof back - got);
      CHECK(m > 0);
      got += m;
    }
    CHECK(got == n && memcmp(text, back, n) == 0);
  }
  for (long i = 0; i < count; i++) close(clients[i]);
  free(clients);
  int status;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(long);
  } all[] = {{"forks", forks}, {"pipeline", pipeline}, {"threads", threads}, {"signals", signals}, {"bytes", bytes}, {"connections", connections}};
  if (argc != 4) return 2;
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    if (strcmp(all[k].name, argv[1]) != 0) continue;
    for (int round = 1; round <= atoi(argv[3]); round++) {
      all[k].run(atol(argv[2]));
      printf("round %d\n", round);
      fflush(stdout);
      char line[16];
      if (read(0, line, sizeof line) < 0) return 1;
    }
    return 0;
  }
  return 2;
}
