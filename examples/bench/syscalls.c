/* Benchmark: rate of system calls. KIND getpid; zero: reads of 64 bytes from /dev/zero; null: writes of 64 bytes to
   /dev/null; pipe: a write and a read of 64 bytes; clock: clock_gettime by the C library (a vDSO has no system call);
   clock-call: by system call; futex: a wake without a waiter; file: pread of 512 bytes and lseek. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char buffer[4096];
static int input = -1, output = -1;
static uint32_t word;

/* linux/futex.h, which musl does not bring. */
enum { FUTEX_WAKE_PRIVATE = 129 };

static int64_t do_getpid(void) { return syscall(SYS_getpid) > 0; }
static int64_t do_zero(void) { return read(input, buffer, 64); }
static int64_t do_null(void) { return write(output, buffer, 64); }
static int64_t do_pipe(void) { return write(output, buffer, 64) + read(input, buffer, 64); }
static int64_t do_clock(void) {
  struct timespec t;
  return clock_gettime(CLOCK_MONOTONIC, &t) == 0 && t.tv_nsec < 1000000000;
}
static int64_t do_clock_call(void) {
  struct timespec t;
  return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) == 0 && t.tv_nsec < 1000000000;
}
static int64_t do_futex(void) { return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
static int64_t do_file(void) { return pread(input, buffer, 512, 100) + lseek(input, 64, SEEK_SET); }

static const struct kind {
  const char *name;
  int64_t (*call)(void);
} kinds[] = {{"getpid", do_getpid}, {"zero", do_zero},   {"null", do_null},
             {"pipe", do_pipe},     {"clock", do_clock}, {"clock-call", do_clock_call},
             {"futex", do_futex},   {"file", do_file}};

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 1000;
  const struct kind *kind = kinds;
  for (size_t i = 0; argc > 2 && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].name, argv[2]) == 0)
      kind = &kinds[i];
  int ends[2];
  if (kind->call == do_zero)
    input = open("/dev/zero", O_RDONLY);
  if (kind->call == do_null)
    output = open("/dev/null", O_WRONLY);
  if (kind->call == do_file)
    input = open(argv[0], O_RDONLY);
  if (kind->call == do_pipe && pipe(ends) == 0) {
    input = ends[0];
    output = ends[1];
  }
  int64_t sum = 0;
  for (int r = 0; r < repeat; r++)
    for (int i = 0; i < 100; i++)
      sum += kind->call();
  printf("syscalls %s %d: %lld\n", kind->name, repeat, (long long)sum);
  return 0;
}
