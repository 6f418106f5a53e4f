/*
 * Random system calls with hostile arguments, for tests/fuzz/syscall-fuzz.ts: what becomes of this program is its own business, but the
 * emulator must neither fail nor hang.
 *
 * usage: syscall-fuzz SEED FIRST CHILDREN CALLS [OUTSIDE] < TABLE
 *   a line of TABLE is a call: its number, then a letter for each argument: d descriptor or small number, n number, l length, x flags,
 *   p pointer, s path, t pointer to a time, P process. It names no file outside of its working
 *   directory but /proc/self, and opens none: run as root, it can do no harm. With OUTSIDE, the working directory is / (as under lift64 --root), and
 *   the names also try to get to OUTSIDE, a directory of the host, in all the ways there are.
 *
 * Child I (FIRST and on) makes CALLS calls from the generator seeded with SEED and I, while a second thread changes memory, permissions
 * and descriptors under it; so a failure is reproduced by its seed and its child. A child that does not end by itself within its time is killed.
 * At the end: one line with the counts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROWS = 512, PAGE = 4096, PAGES = 16, CHILD_MS = 8000, REPORT_EVERY = 16 };

struct row {
  int number;
  char kinds[8];
};

static struct row rows[MAX_ROWS];
static int row_count;
static uint64_t state;
static char *region;
static int report = -1;

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static unsigned below(unsigned n) { return (unsigned)(next_random() >> 11) % n; }

static const char *const paths[] = {
  "file", "dir", "dir/file", "link", "loop", "fifo", "none", "", ".", "dir/", "file/", "none/none", "./dir/./file", "dir//file",
  "/proc/self/maps", "/proc/self/status", "/proc/self/fd/3", "/proc/self/task", "a\377b", "long",
};

static const uint64_t numbers[] = {
  0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 100, 127, 128, 255, 511, 512, 4095, 4096, 4097, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff,
  0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff, 0xffffffffffffff9c, 0xfffffffffffff000,
};

static uint64_t a_pointer(void) {
  switch (below(16)) {
  case 0: return 0;
  case 1: return 1 + below(PAGE);
  case 2: return (uint64_t)region + PAGES * PAGE - below(64);         /* runs into the guard page */
  case 3: return (uint64_t)region + (PAGES + 1) * PAGE + below(PAGE); /* read-only */
  case 4: return (uint64_t)region + PAGES * PAGE + below(PAGE);       /* no access */
  case 5: return 0xffff800000000000ull + below(PAGE);
  case 6: return 0x800000000000ull - below(64);
  case 7: return next_random();
  case 8: return 0xfffffffffffffff8ull;
  case 9: return numbers[below(sizeof numbers / sizeof *numbers)];
  default: return (uint64_t)region + (below(PAGES * PAGE) & (below(2) ? ~7u : ~0u));
  }
}

static uint64_t a_number(void) {
  switch (below(4)) {
  case 0: return next_random() >> below(64);
  case 1: return 1ull << below(64);
  default: return numbers[below(sizeof numbers / sizeof *numbers)];
  }
}

/* Formats with the path of a file of the host that the guest must not reach. */
static const char *const escapes[] = {
  "..%s", "../..%s", "../../../../../..%s", "%s", "/..%s", "dir/../..%s", "dir/../../../../../..%s", "/proc/self/root%s", "/proc/self/root/..%s",
  "/proc/self/cwd/..%s", "/proc/self/cwd/../../..%s", "/proc/1/root%s", "/proc/self/fd/4/..%s", "/proc/self/fd/4/../../../..%s", "/proc/thread-self/root%s",
  "/dev/fd/4/../../../..%s", "up%s", "up/up/up%s", "top%s", "dir/up%s", "up", "top", "..", "../..", "/", "/proc/self/root", "/proc/self/cwd/..", "moved/up%s",
};
static const char *const outside_names[] = {"/canary", "/directory", "/directory/canary", "/new", "/directory/new", ""};
static const char *outside;

static void an_escape(char *at) {
  char target[512];
  snprintf(target, sizeof target, "%s%s", below(4) ? outside : "", outside_names[below(sizeof outside_names / sizeof *outside_names)]);
  snprintf(at, 1024, escapes[below(sizeof escapes / sizeof *escapes)], target);
}

static uint64_t a_path(void) {
  char *at = region + below(PAGES - 2) * PAGE;
  if (below(8) == 0) return a_pointer();
  if (outside && below(2)) {
    an_escape(at);
    return (uint64_t)at;
  }
  const char *path = paths[below(sizeof paths / sizeof *paths)];
  if (strcmp(path, "long") == 0) {
    memset(at, 'x', PAGE + 100);
    at[below(2) ? 255 : 4095] = 0;
  } else strcpy(at, path);
  return (uint64_t)at;
}

static uint64_t a_time(void) {
  if (below(6) == 0) return a_pointer();
  int64_t *at = (int64_t *)(region + below(PAGES) * PAGE);
  at[0] = below(4) == 0 ? (int64_t)a_number() : 0;
  at[1] = below(4) == 0 ? (int64_t)a_number() : (int64_t)below(2000000);
  at[2] = below(2);
  at[3] = below(1000);
  return (uint64_t)at;
}

static uint64_t argument(char kind) {
  if (below(24) == 0) kind = "dnlxpst"[below(7)];
  switch (kind) {
  case 'd': return below(12) == 0 ? numbers[below(sizeof numbers / sizeof *numbers)] : below(8) == 0 ? (uint64_t)AT_FDCWD : below(28);
  case 'l': return below(3) == 0 ? a_number() : below(3 * PAGE);
  case 'x': return below(3) == 0 ? a_number() : below(2) ? 1u << below(20) : below(64);
  case 'p': return a_pointer();
  case 's': return a_path();
  case 't': return a_time();
  case 'P': return below(2) ? getpid() : 999999;
  default: return a_number();
  }
}

static void on_signal(int number) { (void)number; }

/* Interrupts what blocks. */
static void arm(void) {
  struct itimerval often = {{0, 5000}, {0, 5000}};
  setitimer(ITIMER_REAL, &often, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, 0);
}

static void *race(void *seed) {
  uint64_t own = (uint64_t)seed | 1;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, 0);
  for (int i = 0;; i++) {
    own = own * 6364136223846793005ull + 1442695040888963407ull;
    unsigned r = own >> 33;
    char *at = region + r % (PAGES * PAGE - 8);
    switch (i % 64) {
    case 9: mprotect(region + r % PAGES * PAGE, PAGE, PROT_READ); break;
    case 18: mprotect(region, PAGES * PAGE, PROT_READ | PROT_WRITE); break;
    case 27: madvise(region + r % PAGES * PAGE, PAGE, MADV_DONTNEED); break;
    case 36: close(5 + r % 20); break;
    case 31: if (outside) rename("dir", "moved"); break;
    case 33: if (outside) rename("moved", "dir"); break;
    case 40: if (outside) { unlink("up"); symlink("dir", "up"); } break;
    case 42: if (outside) { unlink("up"); symlink("../../../../../..", "up"); } break;
    case 45: dup2(r % 8, 5 + r % 20); break;
    case 54: mmap(region + r % PAGES * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
    default: {
      struct iovec { void *base; size_t length; } local = {&own, 8}, remote = {at, 8};
      syscall(SYS_process_vm_writev, getpid(), &local, 1l, &remote, 1l, 0l);
    }
    }
    if (i % 256 == 0) sched_yield();
  }
  return 0;
}

static void child(uint64_t seed, int calls) {
  state = seed * 0x9e3779b97f4a7c15ull + 0x123456789abcdefull;
  for (int i = 0; i < 8; i++) next_random();
  region = mmap(0, (PAGES + 3) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < PAGES * PAGE / 8; i++) ((uint64_t *)region)[i] = below(3) ? below(64) : next_random();
  mprotect(region + PAGES * PAGE, PAGE, PROT_NONE);
  mprotect(region + (PAGES + 1) * PAGE, PAGE, PROT_READ);

  struct sigaction action = {.sa_handler = on_signal};
  for (int s = 1; s <= 64; s++)
    if (s != SIGSEGV && s != SIGBUS && s != SIGILL && s != SIGFPE) sigaction(s, &action, 0);
  int pair[2];
  open("file", O_RDWR | O_CREAT, 0644);
  open("dir", O_RDONLY | O_DIRECTORY);
  pipe(pair);
  open("file", O_RDWR | O_APPEND);
  open("dir/file", O_RDWR);
  open("dir", O_PATH);
  eventfd(0, EFD_NONBLOCK);
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  open("fifo", O_RDWR);
  open("/proc/self/maps", O_RDONLY);
  pthread_t thread;
  pthread_create(&thread, 0, race, (void *)(seed * 77 + 5));

  for (int i = 0; i < calls; i++) {
    if (i % REPORT_EVERY == 0) {
      char c = 1;
      write(report, &c, 1);
      arm();
    }
    struct row *row = &rows[below(row_count)];
    uint64_t a[6];
    for (int k = 0; k < 6; k++) a[k] = row->kinds[k] ? argument(row->kinds[k]) : 0;
    syscall(row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  syscall(SYS_exit_group, 0);
}

static void make_files(void) {
  close(open("file", O_RDWR | O_CREAT, 0644));
  mkdir("dir", 0755);
  close(open("dir/file", O_RDWR | O_CREAT, 0644));
  symlink("file", "link");
  symlink("loop", "loop");
  mkfifo("fifo", 0644);
  if (!outside) return;
  symlink("..", "up");
  symlink("../..", "dir/up");
  symlink("/", "top");
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
  if (argc != 5 && argc != 6) return 2;
  outside = argc == 6 ? argv[5] : 0;
  if (outside && chdir("/") != 0) return 2;
  uint64_t seed = strtoull(argv[1], 0, 10);
  int first = atoi(argv[2]), children = atoi(argv[3]), calls = atoi(argv[4]);
  while (row_count < MAX_ROWS && scanf("%d %7s", &rows[row_count].number, rows[row_count].kinds) == 2) {
    if (rows[row_count].kinds[0] == '-') rows[row_count].kinds[0] = 0;
    row_count++;
  }
  if (row_count == 0) return 2;
  int channel[2];
  pipe2(channel, O_NONBLOCK);
  fcntl(channel[0], F_SETPIPE_SZ, 1 << 20);
  report = fcntl(channel[1], F_DUPFD, 1000);
  close(channel[1]);
  int hidden = fcntl(channel[0], F_DUPFD, 1001);
  close(channel[0]);

  long done = 0, ended = 0, signalled = 0, killed = 0;
  for (int i = first; i < first + children; i++) {
    make_files();
    pid_t pid = fork();
    if (pid == 0) {
      close(hidden);
      child(seed * 1000003 + i, calls);
    }
    if (pid < 0) {
      perror("fork");
      return 1;
    }
    int64_t deadline = now_ms() + CHILD_MS;
    int status = 0, stopped = 0;
    for (;;) {
      pid_t got = waitpid(pid, &status, WNOHANG);
      if (got == pid) break;
      if (got < 0 && errno != EINTR) {
        perror("waitpid");
        return 1;
      }
      if (!stopped && now_ms() > deadline) {
        stopped = 1;
        killed++;
        kill(pid, SIGKILL);
      }
      struct timespec pause = {0, 2000000};
      nanosleep(&pause, 0);
    }
    char bytes[4096];
    long n, reports = 0;
    while ((n = read(hidden, bytes, sizeof bytes)) > 0) reports += n;
    done += reports * REPORT_EVERY;
    if (WIFEXITED(status)) ended++;
    else if (!stopped) signalled++;
    printf("child %d\n", i);
    fflush(stdout);
  }
  printf("calls %ld children %d ended %ld signalled %ld killed %ld\n", done, children, ended, signalled, killed);
  return 0;
}
