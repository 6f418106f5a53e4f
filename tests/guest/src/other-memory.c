// Memory of other processes: process_vm_readv and writev, /proc/PID/mem; what advice and limits do; files that several processes map and read.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
static char *fresh(size_t bytes, int prot) { return mmap(0, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static long or_errno(long r) { return r < 0 ? -errno : r; }
static int ended(pid_t child) {
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void other(void) {
  char *at = fresh(4 * PAGE, PROT_READ | PROT_WRITE);
  munmap(at + 3 * PAGE, PAGE);
  mprotect(at + 2 * PAGE, PAGE, PROT_READ);
  int ends[2], back[2];
  pipe(ends);
  pipe(back);
  char c;
  pid_t child = fork();
  if (child == 0) {
    strcpy(at + PAGE - 6, "hello from the child");
    write(ends[1], "x", 1);
    read(back[0], &c, 1);
    printf("the child has '%s' '%s'\n", at, at + 2 * PAGE);
    _exit(0);
  }
  read(ends[0], &c, 1);
  char a[8], b[32];
  memset(b, 0, sizeof b);
  struct iovec here[2] = {{a, 5}, {b, 16}}, there[2] = {{at + PAGE - 6, 14}, {at + PAGE + 8, 7}};
  printf("read %ld: '%.5s' '%s'\n", or_errno(process_vm_readv(child, here, 2, there, 2, 0)), a, b);
  struct iovec past = {at + 3 * PAGE - 4, 8}, all = {b, 8};
  printf("up to a hole %ld, in it %ld, ", or_errno(process_vm_readv(child, &all, 1, &past, 1, 0)),
         or_errno(process_vm_readv(child, &all, 1, &(struct iovec){at + 3 * PAGE, 8}, 1, 0)));
  printf("flags %ld, nobody %ld, none %ld\n", or_errno(process_vm_readv(child, &all, 1, &past, 1, 1)),
         or_errno(process_vm_readv(0x3fffff, &all, 1, &past, 1, 0)), or_errno(process_vm_readv(child, 0, 0, 0, 0, 0)));
  struct iovec text = {"written", 8}, to = {at, 8}, readonly = {at + 2 * PAGE, 8};
  printf("write %ld, to a page that is read alone %ld\n", or_errno(process_vm_writev(child, &text, 1, &to, 1, 0)),
         or_errno(process_vm_writev(child, &text, 1, &readonly, 1, 0)));
  char name[64];
  sprintf(name, "/proc/%d/mem", child);
  int mem = open(name, O_RDWR);
  char d[16] = "";
  printf("mem: %d, read %ld '%s', ", mem >= 0, or_errno(pread(mem, d, 6, (off_t)(at + PAGE))), d);
  printf("write to the read-only page %ld, hole %ld\n", or_errno(pwrite(mem, "forced", 7, (off_t)(at + 2 * PAGE))),
         or_errno(pread(mem, d, 6, (off_t)(at + 3 * PAGE))));
  write(back[1], "x", 1);
  ended(child);
  close(mem);
}

static void fork_advice(void) {
  char *at = fresh(3 * PAGE, PROT_READ | PROT_WRITE);
  at[0] = at[PAGE] = at[2 * PAGE] = 5;
  printf("advice: %ld %ld", or_errno(madvise(at, PAGE, MADV_WIPEONFORK)), or_errno(madvise(at + PAGE, PAGE, MADV_DONTFORK)));
  char *shared = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  printf(" shared %ld\n", or_errno(madvise(shared, PAGE, MADV_WIPEONFORK)));
  if (fork() == 0) {
    unsigned char v;
    printf("child: %d %d, mapped %ld\n", at[0], at[2 * PAGE], or_errno(mincore(at + PAGE, PAGE, &v)));
    at[0] = 9;
    // It stays so for the child's own children.
    if (fork() == 0) _exit(at[0]);
    int status;
    wait(&status);
    _exit(WEXITSTATUS(status));
  }
  int status;
  wait(&status);
  printf("grandchild: %d, here %d %d\n", WEXITSTATUS(status), at[0], at[PAGE]);
  madvise(at, PAGE, MADV_KEEPONFORK);
  madvise(at + PAGE, PAGE, MADV_DOFORK);
  if (fork() == 0) _exit(at[0] + at[PAGE]);
  wait(&status);
  printf("kept: %d\n", WEXITSTATUS(status));
}

static void limits(void) {
  if (fork() != 0) {
    wait(0);
    return;
  }
  struct rlimit as = {256 << 20, 256 << 20};
  setrlimit(RLIMIT_AS, &as);
  printf("limits: %d", fresh(300 << 20, PROT_READ) == MAP_FAILED);
  printf(" %d", fresh(64 << 20, PROT_READ) == MAP_FAILED);
  void *brk = sbrk(0);
  printf(" %d", sbrk(250 << 20) == (void *)-1 && sbrk(0) == brk);
  char *small = fresh(PAGE, PROT_READ);
  printf(" %d\n", mremap(small, PAGE, 200 << 20, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
  _exit(0);
}

// A file that one process maps, and others read, write and cut.
static void bus(int signal) { _exit(100 + signal); }

static void file(void) {
  char name[] = "/tmp/lift64-other-memory-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  ftruncate(fd, 3 * PAGE);
  char *at = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  strcpy(at, "from the parent's mapping");
  at[2 * PAGE] = 7;
  char b[64] = "";
  if (fork() == 0) {
    munmap(at, 3 * PAGE);
    pread(fd, b, 26, 0);
    printf("file: read '%s'\n", b);
    pwrite(fd, "FROM", 4, 0);
    pwrite(fd, "second page", 12, PAGE);
    char *mine = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    mine[0] = 'S';
    ftruncate(fd, 2 * PAGE);
    _exit(0);
  }
  wait(0);
  printf("file: '%s' '%s', size %ld\n", at, at + PAGE, (long)lseek(fd, 0, SEEK_END));
  if (fork() == 0) {
    signal(SIGBUS, bus);
    _exit(at[2 * PAGE]);
  }
  int status;
  wait(&status);
  printf("past the end: %d\n", WEXITSTATUS(status));
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  other();
  fork_advice();
  limits();
  file();
  return 0;
}
