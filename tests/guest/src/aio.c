// Linux AIO by its raw system calls: reads, writes, vectors, syncs, polls, an eventfd that counts completions, errors.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static aio_context_t ctx;
static int file;

static void result(const char *title, long r) {
  if (r < 0) printf("%s: %s\n", title, strerror(errno));
  else printf("%s: %ld\n", title, r);
}

static long submit1(struct iocb *cb) { return syscall(SYS_io_submit, ctx, 1L, &cb); }

static long get(long min, long max, struct io_event *e, struct timespec *ts) {
  return syscall(SYS_io_getevents, ctx, min, max, e, ts);
}

static struct iocb make(int op, int fd, void *buffer, long size, long offset, uint64_t data) {
  return (struct iocb){.aio_lio_opcode = op, .aio_fildes = fd, .aio_buf = (uintptr_t)buffer, .aio_nbytes = size,
                       .aio_offset = offset, .aio_data = data};
}

static void one(const char *title, struct iocb cb) {
  struct io_event e = {0};
  long submitted = submit1(&cb);
  result(title, submitted);
  // Linux syncs in another thread.
  long n = get(submitted == 1, 1, &e, NULL);
  if (n == 1) printf("  data %llu own %d res %lld %lld\n", (unsigned long long)e.data, e.obj == (uintptr_t)&cb, (long long)e.res, (long long)e.res2);
  else result("  events", n);
}

// Linux adds POLLRDNORM and the like as whoever wakes says.
static void show_polls(const char *title, long min, struct timespec *ts) {
  struct io_event e[8];
  long n = get(min, 8, e, ts);
  printf("%s: %ld", title, n);
  for (long i = 0; i < n; i++) printf(", data %llu events %#llx %lld", (unsigned long long)e[i].data, (unsigned long long)e[i].res & 0x1f, (long long)e[i].res2);
  printf("\n");
}

static struct iocb poll_of(int fd, int events, uint64_t data) { return make(IOCB_CMD_POLL, fd, (void *)(uintptr_t)events, 0, 0, data); }

static void *writes_later(void *arg) {
  usleep(30000);
  write(*(int *)arg, "x", 1);
  return NULL;
}

/* IOCB_CMD_POLL: completed once, when the events come, whatever the threads do then. */
static void polls(void) {
  int p[2], q[2];
  char c;
  struct timespec now = {0, 0};
  pipe(p);
  pipe(q);
  ctx = 0;
  result("setup", syscall(SYS_io_setup, 8L, &ctx));
  struct iocb at_once = poll_of(p[1], POLLOUT, 1), r1 = poll_of(p[0], POLLIN, 2), r2 = poll_of(p[0], POLLIN | POLLPRI, 3), other = poll_of(q[0], POLLIN, 4);
  result("poll for writing", submit1(&at_once));
  show_polls("at once", 0, &now);
  result("poll for reading", submit1(&r1) + submit1(&r2) + submit1(&other));
  show_polls("nothing yet", 0, &now);
  write(p[1], "x", 1);
  show_polls("both polls of it", 2, NULL);
  write(p[1], "x", 1);
  show_polls("no more", 0, &now);
  pthread_t t;
  pthread_create(&t, NULL, writes_later, &q[1]);
  show_polls("later", 1, NULL);
  pthread_join(t, NULL);
  read(q[0], &c, 1);
  // The events come while this thread looks at the ring alone.
  struct { unsigned id, nr; volatile unsigned head, tail; } *ring = (void *)ctx;
  submit1(&other);
  pthread_create(&t, NULL, writes_later, &q[1]);
  while (ring->head == ring->tail) { }
  show_polls("seen in the ring", 0, &now);
  pthread_join(t, NULL);
  read(q[0], &c, 1);
  // While it waits for the eventfd.
  int counter = eventfd(0, 0);
  uint64_t value = 0;
  struct iocb tells = poll_of(q[0], POLLIN, 5);
  tells.aio_flags = IOCB_FLAG_RESFD;
  tells.aio_resfd = counter;
  submit1(&tells);
  pthread_create(&t, NULL, writes_later, &q[1]);
  read(counter, &value, 8);
  pthread_join(t, NULL);
  printf("eventfd %llu\n", (unsigned long long)value);
  show_polls("told", 1, NULL);
  read(q[0], &c, 1);
  // By another process; the end of the writers.
  submit1(&tells);
  if (fork() == 0) {
    close(q[1]);
    usleep(20000);
    _exit(0);
  }
  close(q[1]);
  struct pollfd f = {counter, POLLIN, 0};
  printf("poll of the eventfd %d\n", poll(&f, 1, -1));
  show_polls("hung up", 1, NULL);
  wait(NULL);
  read(counter, &value, 8);
  // Given up.
  struct iocb last = poll_of(p[1], POLLIN, 6);
  struct io_event e;
  result("poll of the other end", submit1(&last));
  result("cancel", syscall(SYS_io_cancel, ctx, &last, &e));
  show_polls("cancelled", 1, NULL);
  result("again", syscall(SYS_io_cancel, ctx, &last, &e));
  result("bad address", syscall(SYS_io_cancel, ctx, (void *)8, &e));
  struct iocb wrong = poll_of(p[0], POLLIN, 7);
  wrong.aio_offset = 1;
  result("offset", submit1(&wrong));
  wrong = poll_of(p[0], 0x10000, 7);
  result("events", submit1(&wrong));
  wrong = poll_of(-1, POLLIN, 7);
  result("descriptor", submit1(&wrong));
  struct iocb plain = poll_of(file, POLLIN | POLLOUT, 8);
  result("a file", submit1(&plain));
  show_polls("ready", 1, NULL);
  submit1(&last);
  result("destroy", syscall(SYS_io_destroy, ctx));
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  char buffer[64] = "", path[] = "/tmp/lift64-aio-XXXXXX";
  file = mkstemp(path);
  unlink(path);
  result("setup 0", syscall(SYS_io_setup, 0L, &ctx));
  result("setup, bad address", syscall(SYS_io_setup, 8L, (void *)8));
  aio_context_t not_zero = 5;
  result("setup, not zero", syscall(SYS_io_setup, 8L, &not_zero));
  result("setup", syscall(SYS_io_setup, 8L, &ctx));
  struct { unsigned id, nr, head, tail, magic, compat, incompat, length; } *ring = (void *)ctx;
  printf("ring %#x %u %u header %u, %u to %u\n", ring->magic, ring->compat, ring->incompat, ring->length, ring->head, ring->tail);
  one("pwrite", make(IOCB_CMD_PWRITE, file, "hello world", 11, 0, 1));
  one("pread", make(IOCB_CMD_PREAD, file, buffer, 5, 6, 2));
  printf("%s\n", buffer);
  struct iovec v[2] = {{"AB", 2}, {"CDE", 3}};
  one("pwritev", make(IOCB_CMD_PWRITEV, file, v, 2, 3, 3));
  char first[4] = "", second[16] = "";
  struct iovec r[2] = {{first, 3}, {second, 15}};
  one("preadv", make(IOCB_CMD_PREADV, file, r, 2, 0, 4));
  printf("%s %s\n", first, second);
  one("fsync", make(IOCB_CMD_FSYNC, file, NULL, 0, 0, 5));
  one("fdsync", make(IOCB_CMD_FDSYNC, file, NULL, 0, 0, 6));
  one("read at the end", make(IOCB_CMD_PREAD, file, buffer, 5, 1000, 7));
  one("bad descriptor", make(IOCB_CMD_PREAD, -1, buffer, 5, 0, 8));
  one("bad operation", make(77, file, buffer, 5, 0, 9));
  one("noop", make(IOCB_CMD_NOOP, file, buffer, 5, 0, 10));
  one("bad buffer", make(IOCB_CMD_PREAD, file, (void *)8, 5, 0, 11));
  int writer = open("/dev/null", O_WRONLY), dir = open("/tmp", O_RDONLY);
  one("read of a writer", make(IOCB_CMD_PREAD, writer, buffer, 5, 0, 12));
  one("write to null", make(IOCB_CMD_PWRITE, writer, buffer, 5, 0, 13));
  one("directory", make(IOCB_CMD_PREAD, dir, buffer, 5, 0, 14));
  struct iocb reserved = make(IOCB_CMD_PREAD, file, buffer, 5, 0, 15);
  reserved.aio_reserved2 = 1;
  one("reserved", reserved);

  int counter = eventfd(0, EFD_NONBLOCK);
  struct iocb a = make(IOCB_CMD_PREAD, file, buffer, 5, 0, 20), b = make(IOCB_CMD_PREAD, file, buffer + 8, 5, 1, 21), bad = make(77, file, 0, 0, 0, 22);
  a.aio_flags = b.aio_flags = IOCB_FLAG_RESFD;
  a.aio_resfd = b.aio_resfd = counter;
  struct iocb *list[] = {&a, &b, &bad};
  result("three", syscall(SYS_io_submit, ctx, 3L, list));
  struct pollfd p = {counter, POLLIN, 0};
  uint64_t count = 0;
  int polled = poll(&p, 1, 0);
  read(counter, &count, 8);
  printf("poll %d count %llu\n", polled, (unsigned long long)count);
  struct io_event e[16];
  long n = get(2, 16, e, NULL);
  printf("events %ld: %llu %llu\n", n, (unsigned long long)e[0].data, (unsigned long long)e[1].data);
  a.aio_resfd = file;
  one("resfd is a file", a);
  struct timespec none = {0, 0}, few = {0, 2000000};
  result("none there", get(1, 1, e, &none));
  result("wait", get(1, 1, e, &few));
  result("more than most", get(2, 1, e, &none));
  result("negative", get(-1, 1, e, &none));
  result("cancel", syscall(SYS_io_cancel, ctx, &a, e));
  result("nothing submitted", syscall(SYS_io_submit, ctx, 0L, NULL));
  result("negative count", syscall(SYS_io_submit, ctx, -1L, list));
  result("bad list", syscall(SYS_io_submit, ctx, 1L, (void *)8));
  result("bad context", syscall(SYS_io_submit, 0x1234L, 1L, list));
  result("bad context", syscall(SYS_io_getevents, 0x1234L, 0L, 1L, e, &none));
  // They stay where there is no room for them.
  a.aio_flags = 0;
  for (int i = 0; i < 5; i++) submit1(&a);
  result("bad events", syscall(SYS_io_getevents, ctx, 1L, 5L, (void *)8, &none));
  result("two", syscall(SYS_io_pgetevents, ctx, 1L, 2L, e, &none, NULL));
  printf("rest %ld\n", get(0, 16, e, &none));
  pid_t child = fork();
  if (child == 0) {
    result("child", get(0, 1, e, &none));
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  int full = 0;
  struct iocb *pa = &a;
  while (full < 100000 && syscall(SYS_io_submit, ctx, 1L, &pa) == 1) full++;
  printf("full %d %s\n", full < 100000, strerror(errno));
  result("destroy", syscall(SYS_io_destroy, ctx));
  result("again", syscall(SYS_io_destroy, ctx));
  result("submit", submit1(&a));
  polls();
  return 0;
}
