/* The address space through system calls: mmap, munmap, mprotect, mremap, madvise, brk, and EFAULT from calls that are
   handed bad pointers. Raw system calls where a C library would touch the pointer itself.
   Source: mmap(2), mprotect(2), mremap(2), madvise(2), brk(2), and the EFAULT entry of each call's page. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const char *yes(int condition) { return condition ? "yes" : "no"; }

/* 0 or the errno of the last call as text. */
static const char *outcome(long result) {
  if (result != -1)
    return "ok";
  switch (errno) {
  case EFAULT:
    return "EFAULT";
  case EINVAL:
    return "EINVAL";
  case ENOMEM:
    return "ENOMEM";
  case EEXIST:
    return "EEXIST";
  case EACCES:
    return "EACCES";
  case EBADF:
    return "EBADF";
  default:
    return strerror(errno);
  }
}

static uint8_t *map(size_t pages, int protection) {
  void *p = mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

static int pipe_ends[2];

/* Whether the kernel can read from, and write to, an address: by one byte through a pipe. */
static int readable(const void *p) {
  char byte;
  return write(pipe_ends[1], p, 1) == 1 && read(pipe_ends[0], &byte, 1) == 1;
}
static int writable(void *p) {
  char byte;
  if (write(pipe_ends[1], "z", 1) != 1)
    return 0;
  if (read(pipe_ends[0], p, 1) == 1)
    return 1;
  return read(pipe_ends[0], &byte, 1) == 1 ? 0 : -1;
}
static const char *access_of(void *p) {
  int r = readable(p), w = writable(p);
  return r && w == 1 ? "read-write" : r ? "read-only" : w == 1 ? "write-only" : "none";
}

static int all_zero(const uint8_t *p, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (p[i] != 0)
      return 0;
  return 1;
}

static void mapping(void) {
  uint8_t *p = map(16, PROT_READ | PROT_WRITE);
  printf("anonymous: zero %s, page-aligned %s, ", yes(all_zero(p, 16 * PAGE)), yes(((uintptr_t)p & (PAGE - 1)) == 0));
  printf("%s\n", access_of(p));
  memset(p, 1, 16 * PAGE);
  printf("munmap of the middle: %s; ", outcome(munmap(p + 4 * PAGE, 4 * PAGE)));
  printf("before %s, inside %s, after %s\n", access_of(p + 3 * PAGE), access_of(p + 5 * PAGE), access_of(p + 8 * PAGE));
  printf("munmap again: %s", outcome(munmap(p + 4 * PAGE, 4 * PAGE)));
  printf(", unaligned: %s", outcome(munmap(p + 1, PAGE)));
  printf(", length 0: %s\n", outcome(munmap(p, 0)));

  uint8_t *q = mmap(p + 2 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("MAP_FIXED over pages and a hole: in place %s, zero %s, before it kept %s\n", yes(q == p + 2 * PAGE),
         yes(all_zero(q, 4 * PAGE)), yes(p[2 * PAGE - 1] == 1));
  q = mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  printf("MAP_FIXED_NOREPLACE on a mapping: %s, ", q == MAP_FAILED ? outcome(-1) : "ok");
  q = mmap(p + 6 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  printf("on a hole: in place %s\n", yes(q == p + 6 * PAGE));
  q = mmap(p + 7 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("a free hint is followed: %s; ", yes(q == p + 7 * PAGE));
  q = mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("a taken one leads elsewhere: %s\n", yes(q != MAP_FAILED && q != p && p[0] == 1));
  munmap(q, PAGE);
  printf("length 0: %s, ",
         mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? outcome(-1) : "ok");
  printf("no sharing flag: %s, ", mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? outcome(-1) : "ok");
  printf("fixed and unaligned: %s, ",
         mmap(p + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? outcome(-1)
                                                                                                    : "ok");
  printf("bad descriptor: %s, ", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED ? outcome(-1) : "ok");
  printf("far too long: %s\n",
         mmap(NULL, (size_t)1 << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? outcome(-1) : "ok");
  munmap(p, 16 * PAGE);
}

static void protection(void) {
  uint8_t *p = map(8, PROT_READ | PROT_WRITE);
  memset(p, 7, 8 * PAGE);
  printf("PROT_NONE: %s; ", outcome(mprotect(p + PAGE, PAGE, PROT_NONE)));
  printf("%s; PROT_READ: ", access_of(p + PAGE));
  printf("%s; ", outcome(mprotect(p + 2 * PAGE, PAGE, PROT_READ)));
  printf("%s; neighbours %s, %s\n", access_of(p + 2 * PAGE), access_of(p), access_of(p + 3 * PAGE));
  mprotect(p, 8 * PAGE, PROT_READ | PROT_WRITE);
  printf("back to read-write: %s, contents kept %s\n", access_of(p + PAGE),
         yes(p[PAGE + 100] == 7 && p[2 * PAGE] == 7));
  munmap(p + 5 * PAGE, PAGE);
  printf("across a hole: %s", outcome(mprotect(p + 4 * PAGE, 3 * PAGE, PROT_READ)));
  printf("; unaligned: %s; ", outcome(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ)));
  printf("the page before the hole is now %s, the one after %s\n", access_of(p + 4 * PAGE), access_of(p + 6 * PAGE));
  printf("length rounded up: %s, ", outcome(mprotect(p, PAGE + 1, PROT_READ)));
  printf("second page %s\n", access_of(p + PAGE));
  munmap(p, 8 * PAGE);
}

static void remapping(void) {
  uint8_t *p = map(8, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 4; i++)
    p[i * PAGE + 5] = (uint8_t)(i + 1);
  munmap(p + 4 * PAGE, 4 * PAGE);
  uint8_t *q = mremap(p, 4 * PAGE, 2 * PAGE, 0);
  printf("mremap shrinks in place: %s, tail gone %s\n", yes(q == p), yes(!readable(p + 2 * PAGE)));
  q = mremap(p, 2 * PAGE, 3 * PAGE, 0);
  printf("grows in place into the hole: %s, new page zero %s\n", yes(q == p),
         yes(q == p && all_zero(p + 2 * PAGE, PAGE)));
  uint8_t *wall = mmap(p + 3 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  q = mremap(p, 3 * PAGE, 5 * PAGE, 0);
  printf("not past another mapping: %s\n", q == MAP_FAILED ? outcome(-1) : "ok");
  q = mremap(p, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
  printf("MREMAP_MAYMOVE: moved %s, contents %d %d, new pages zero %s, old place %s\n", yes(q != MAP_FAILED && q != p),
         q[5], q[PAGE + 5], yes(all_zero(q + 3 * PAGE, 2 * PAGE)), access_of(p));
  uint8_t *place = map(5, PROT_NONE);
  uint8_t *r = mremap(q, 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
  printf("MREMAP_FIXED: in place %s, contents %d, access %s\n", yes(r == place), r[5], access_of(r));
  printf("unmapped source: %s\n", mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? outcome(-1) : "ok");
  munmap(r, 5 * PAGE);
  munmap(wall, PAGE);
}

static void advice(void) {
  uint8_t *p = map(4, PROT_READ | PROT_WRITE);
  memset(p, 9, 4 * PAGE);
  printf("MADV_DONTNEED: %s, ", outcome(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED)));
  printf("zero %s, neighbours kept %s\n", yes(all_zero(p + PAGE, 2 * PAGE)), yes(p[0] == 9 && p[3 * PAGE] == 9));
  printf("unaligned: %s", outcome(madvise(p + 1, PAGE, MADV_DONTNEED)));
  printf(", unknown advice: %s\n", outcome(madvise(p, PAGE, 12345)));
  unsigned char resident[4];
  printf("mincore: %s", outcome(mincore(p, 4 * PAGE, resident)));
  munmap(p + 2 * PAGE, PAGE);
  printf(", with a hole: %s\n", outcome(mincore(p, 4 * PAGE, resident)));
  munmap(p, 4 * PAGE);
}

static void breaking(void) {
  uint8_t *start = (uint8_t *)syscall(SYS_brk, 0);
  uint8_t *grown = (uint8_t *)syscall(SYS_brk, start + 5 * PAGE + 100);
  printf("brk grows: %s, new pages zero %s, %s\n", yes(grown == start + 5 * PAGE + 100), yes(all_zero(start, 5 * PAGE)),
         access_of(grown - 1));
  memset(start, 3, 5 * PAGE);
  uint8_t *shrunk = (uint8_t *)syscall(SYS_brk, start + PAGE);
  printf("brk shrinks: %s, the top is gone %s\n", yes(shrunk == start + PAGE), yes(!readable(start + 4 * PAGE)));
  grown = (uint8_t *)syscall(SYS_brk, start + 5 * PAGE);
  printf("grows again: zero %s, below kept %s\n", yes(all_zero(start + 2 * PAGE, 3 * PAGE)), yes(start[PAGE - 1] == 3));
  printf("below the start: unchanged %s\n", yes((uint8_t *)syscall(SYS_brk, 4096) == grown));
  syscall(SYS_brk, start);
}

static void bad_pointers(void) {
  uint8_t *p = map(3, PROT_READ | PROT_WRITE);
  mprotect(p + 2 * PAGE, PAGE, PROT_NONE);
  uint8_t *none = p + 2 * PAGE;
  void *kernel = (void *)0xffff800000000000;
  void *odd = (void *)0x0123456789abcdef;
  uint8_t *constant = map(1, PROT_READ);
  struct iovec vector[2] = {{p, 4}, {none, 4}};
  struct timespec soon = {0, 1};
  int fd = open("/dev/zero", O_RDONLY);

  printf("write from NULL: %s", outcome(write(pipe_ends[1], NULL, 1)));
  printf(", PROT_NONE: %s, ", outcome(write(pipe_ends[1], none, 1)));
  printf("the kernel's half: %s", outcome(write(pipe_ends[1], kernel, 1)));
  printf(", non-canonical: %s\n", outcome(write(pipe_ends[1], odd, 1)));
  printf("read into NULL: %s", outcome(read(fd, NULL, 8)));
  printf(", read-only memory: %s", outcome(read(fd, constant, 8)));
  printf(", PROT_NONE: %s\n", outcome(read(fd, none, 8)));
  printf("length 0 from a bad pointer: %s\n", outcome(write(pipe_ends[1], none, 0)));
  printf("writev with a bad array: %s, ", outcome(writev(pipe_ends[1], (void *)none, 1)));
  vector[0].iov_base = none;
  printf("a bad first part: %s, ", outcome(writev(pipe_ends[1], vector, 2)));
  printf("too many parts: %s\n", outcome(writev(pipe_ends[1], vector, 5000)));
  printf("open: NULL %s, unterminated into PROT_NONE ", outcome(syscall(SYS_open, NULL, O_RDONLY)));
  memset(p + PAGE, 'a', PAGE);
  printf("%s\n", outcome(syscall(SYS_open, p + 2 * PAGE - 8, O_RDONLY)));
  printf("stat into read-only memory: %s, ", outcome(syscall(SYS_stat, "/", constant)));
  printf("fstat: %s, ", outcome(syscall(SYS_fstat, 0, none)));
  printf("getcwd: %s, ", outcome(syscall(SYS_getcwd, none, 100)));
  printf("uname across into PROT_NONE: %s\n", outcome(syscall(SYS_uname, none - 65)));
  printf("clock_gettime: %s, ", outcome(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, none)));
  printf("nanosleep from: %s", outcome(syscall(SYS_nanosleep, none, NULL)));
  printf(", to (not written when it is not interrupted): %s\n", outcome(syscall(SYS_nanosleep, &soon, none)));
  printf("pipe: %s, ", outcome(syscall(SYS_pipe, constant)));
  printf("rt_sigaction: %s, ", outcome(syscall(SYS_rt_sigaction, SIGUSR1, none, NULL, 8)));
  printf("rt_sigprocmask: %s, ", outcome(syscall(SYS_rt_sigprocmask, SIG_BLOCK, none, NULL, 8)));
  printf("sigaltstack: %s\n", outcome(syscall(SYS_sigaltstack, none, NULL)));
  printf("getrandom: %s, ", outcome(syscall(SYS_getrandom, none, 16, 0)));
  printf("futex: %s, ", outcome(syscall(SYS_futex, none, 0, 0, NULL, NULL, 0)));
  printf("misaligned futex: %s\n", outcome(syscall(SYS_futex, p + 1, 0, 0, NULL, NULL, 0)));
  close(fd);
  munmap(p, 3 * PAGE);
  munmap(constant, PAGE);
}

/* Valgrind maps a position-independent client at 0x108000: data there is read, written and run as anywhere. */
static void low_addresses(void) {
  uint8_t *const lowest = (uint8_t *)0x108000;
  static const uint8_t add_one[] = {0x8d, 0x47, 0x01, 0xc3}; /* lea eax, [rdi + 1]; ret */
  uint8_t *p = mmap(lowest, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("low: %s", outcome(p == lowest ? 0 : -1));
  memcpy(lowest + PAGE - 2, add_one, sizeof add_one);
  int zeros = 1;
  for (int i = 0; i < PAGE - 2; i++)
    zeros &= lowest[i] == 0;
  printf(" %s %s", outcome(mprotect(p, 2 * PAGE, PROT_READ | PROT_EXEC)), yes(zeros));
  int (*function)(int) = (int (*)(int))(uintptr_t)(lowest + PAGE - 2);
  int sum = 0;
  for (int i = 0; i < 100000; i++)
    sum = function(sum);
  printf(" %d %s", sum, yes(writable(lowest)));
  printf(" %s", outcome(munmap(p, 2 * PAGE)));
  printf(" %s\n", yes(readable(lowest)));
}

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 15);
  if (pipe(pipe_ends) != 0)
    return 1;
  mapping();
  protection();
  remapping();
  advice();
  breaking();
  bad_pointers();
  low_addresses();
  return 0;
}
