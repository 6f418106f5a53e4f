/*
 * The vDSO that guests get: clocks without a system call. In: the page before the image (vvar.ts), RDTSC, which counts
 * nanoseconds of CLOCK_MONOTONIC under lift64. Out: what the system calls of the same names give. Built by
 * scripts/build-vdso.sh into image.ts. Source: man 7 vdso.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

/* vvar.ts has the same. */
struct vvar {
  uint64_t magic;
  int64_t offset;  /* CLOCK_REALTIME - CLOCK_MONOTONIC, ns */
  uint64_t expiry; /* CLOCK_MONOTONIC up to which the offset counts; then the system call looks at the host's clock, and
                      sets it anew */
};

/* The linker's name for the first byte of the image, in assembler, as C knows nothing in front of it. */
__asm__(".hidden __ehdr_start");
static inline const volatile struct vvar *vvar(void) {
  const volatile struct vvar *page;
  __asm__("lea __ehdr_start-4096(%%rip), %0" : "=r"(page));
  return page;
}
#define NSEC 1000000000u
#define EXPORT __attribute__((visibility("default")))

static inline long call2(long number, long a, long b) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
  return result;
}

static inline uint64_t monotonic(void) {
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return low | (uint64_t)high << 32;
}

/* 0: the offset has expired. */
static inline uint64_t realtime(void) {
  uint64_t now = monotonic();
  const volatile struct vvar *v = vvar();
  return now > v->expiry ? 0 : now + (uint64_t)v->offset;
}

EXPORT int __vdso_clock_gettime(clockid_t clock, struct timespec *ts) {
  uint64_t now = 0;
  switch (clock) {
  case CLOCK_REALTIME:
  case CLOCK_REALTIME_COARSE:
    now = realtime();
    break;
  case CLOCK_MONOTONIC:
  case CLOCK_MONOTONIC_RAW:
  case CLOCK_MONOTONIC_COARSE:
  case CLOCK_BOOTTIME:
    now = monotonic();
    break;
  default:
    break;
  }
  if (now == 0)
    return (int)call2(SYS_clock_gettime, clock, (long)ts);
  ts->tv_sec = (time_t)(now / NSEC);
  ts->tv_nsec = (long)(now % NSEC);
  return 0;
}

EXPORT int __vdso_gettimeofday(struct timeval *tv, void *tz) {
  uint64_t now = tz == NULL && tv != NULL ? realtime() : 0;
  if (now == 0)
    return (int)call2(SYS_gettimeofday, (long)tv, (long)tz);
  tv->tv_sec = (time_t)(now / NSEC);
  tv->tv_usec = (suseconds_t)(now % NSEC / 1000);
  return 0;
}

EXPORT time_t __vdso_time(time_t *out) {
  uint64_t now = realtime();
  if (now == 0)
    return call2(SYS_time, (long)out, 0);
  if (out != NULL)
    *out = (time_t)(now / NSEC);
  return (time_t)(now / NSEC);
}

EXPORT int __vdso_clock_getres(clockid_t clock, struct timespec *ts) {
  return (int)call2(SYS_clock_getres, clock, (long)ts);
}

/* As the system call: always CPU 0 of node 0. */
EXPORT int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused) {
  (void)unused;
  if (cpu != NULL)
    *cpu = 0;
  if (node != NULL)
    *node = 0;
  return 0;
}
