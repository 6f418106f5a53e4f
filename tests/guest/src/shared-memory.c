// Memory that processes share by fork: counters under a lock and without one, data handed over, what fork, mprotect, mremap and the end of processes leave of it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

static void *shared(size_t bytes) {
  void *at = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  return at;
}

static int ended(pid_t child) {
  int status;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int futex(int *word, int op, int value) { return syscall(SYS_futex, word, op, value, 0, 0, 0); }

enum { PROCESSES = 4, ROUNDS = 2000 };

struct counters {
  pthread_mutex_t lock;
  long under_lock;
  long atomic;
  long seen_torn;
  long pair[2];
};

static void counters(void) {
  struct counters *c = shared(sizeof *c);
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&c->lock, &attr);
  pid_t child[PROCESSES];
  for (int p = 0; p < PROCESSES; p++) {
    if ((child[p] = fork()) != 0) continue;
    for (int i = 0; i < ROUNDS; i++) {
      __atomic_fetch_add(&c->atomic, 1, __ATOMIC_SEQ_CST);
      pthread_mutex_lock(&c->lock);
      c->under_lock++;
      if (c->pair[0] != c->pair[1]) c->seen_torn++;
      c->pair[0] = c->pair[1] = i;
      pthread_mutex_unlock(&c->lock);
    }
    _exit(p);
  }
  for (int p = 0; p < PROCESSES; p++)
    if (ended(child[p]) != p) puts("a child failed");
  printf("counters: %ld under the lock, %ld atomic, %ld torn\n", c->under_lock, c->atomic, c->seen_torn);
  munmap(c, sizeof *c);
}

// Two processes hand a page to each other by futexes.
static void hand_over(void) {
  struct {
    int turn;
    int data[64];
  } *s = shared(sizeof *s);
  pid_t child = fork();
  int me = child == 0;
  long sum = 0;
  for (int i = 0; i < 200; i++) {
    int turn;
    while ((turn = __atomic_load_n(&s->turn, __ATOMIC_SEQ_CST)) % 2 != me) futex(&s->turn, FUTEX_WAIT, turn);
    for (int k = 0; k < 64; k++) sum += s->data[k]++;
    __atomic_fetch_add(&s->turn, 1, __ATOMIC_SEQ_CST);
    futex(&s->turn, FUTEX_WAKE, 1);
  }
  if (me) _exit(sum % 100);
  int gave = ended(child);
  printf("hand over: %ld and %d, %d\n", sum, gave, s->data[63]);
  munmap(s, sizeof *s);
}

// Many pages written by a child, read by the parent, and written by both in turn; of a child that is killed, too.
static void pages(void) {
  enum { PAGES = 300 };
  char *at = shared(PAGES * PAGE);
  at[7] = 1;
  if (fork() == 0) {
    for (int i = 0; i < PAGES; i++) memset(at + i * PAGE, i & 0x7f, PAGE);
    _exit(0);
  }
  wait(0);
  long wrong = 0;
  for (int i = 0; i < PAGES * PAGE; i++) wrong += at[i] != (i / PAGE & 0x7f);
  at[PAGE + 1] = 0;
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < PAGES; i += 2) at[i * PAGE + 9] = 99;
    __atomic_store_n(&at[PAGE + 1], 1, __ATOMIC_SEQ_CST);
    for (;;) __atomic_fetch_add(&at[PAGE + 2], 1, __ATOMIC_SEQ_CST);
  }
  while (__atomic_load_n(&at[PAGE + 1], __ATOMIC_SEQ_CST) != 1) sched_yield();
  kill(child, SIGKILL);
  int how = ended(child);
  for (int i = 0; i < PAGES; i++) wrong += at[i * PAGE + 9] != (i % 2 == 0 ? 99 : (i & 0x7f));
  printf("pages: %ld wrong, the child gave %d\n", wrong, how);
  munmap(at, PAGES * PAGE);
}

// mprotect, mremap and system calls on pages that another process holds.
static void calls(void) {
  char *at = shared(4 * PAGE);
  int ends[2];
  pipe(ends);
  pid_t child = fork();
  if (child == 0) {
    strcpy(at + PAGE, "written by the child");
    mprotect(at, 4 * PAGE, PROT_READ);
    write(ends[1], "x", 1);
    while (__atomic_load_n(at, __ATOMIC_SEQ_CST) != 'p') sched_yield();
    mprotect(at, 4 * PAGE, PROT_READ | PROT_WRITE);
    at[1]++;
    _exit(at[1]);
  }
  char c;
  read(ends[0], &c, 1);
  int file = memfd_create("calls", 0);
  printf("calls: write %zd of '%s'\n", write(file, at + PAGE, 21), at + PAGE);
  lseek(file, 0, SEEK_SET);
  printf("calls: read %zd\n", read(file, at + 3 * PAGE - 10, 21));
  at[1] = 40;
  at[0] = 'p';
  int gave = ended(child);
  printf("calls: the child gave %d, here %d\n", gave, at[1]);
  char *moved = mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 0x100000);
  printf("calls: moved '%s' '%.20s'\n", moved + PAGE, moved + 3 * PAGE - 10);
  if (fork() == 0) {
    strcpy(moved + PAGE, "after the move");
    _exit(0);
  }
  wait(0);
  printf("calls: '%s'\n", moved + PAGE);
  char *again = mremap(moved, 0, 4 * PAGE, MREMAP_MAYMOVE);
  strcpy(again + PAGE, "second view");
  printf("calls: '%s'\n", moved + PAGE);
  close(file);
}

// A chain of processes, each with a child, and memory mapped before and after.
static void family(void) {
  int *at = shared(PAGE);
  for (int depth = 0; depth < 5; depth++) {
    __atomic_fetch_add(at, 1, __ATOMIC_SEQ_CST);
    int *more = shared(PAGE);
    *more = depth;
    pid_t child = fork();
    if (child == 0) {
      __atomic_fetch_add(more, 10, __ATOMIC_SEQ_CST);
      at[1 + depth] = *more;
      continue;
    }
    int status = ended(child);
    at[10 + depth] = *more * 100 + status;
    if (depth > 0) _exit(depth);
    printf("family: %d:", at[0]);
    for (int i = 1; i < 16; i++) printf(" %d", at[i]);
    puts("");
    return;
  }
  _exit(77);
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  int all = argc < 2;
  if (all || !strcmp(argv[1], "counters")) counters();
  if (all || !strcmp(argv[1], "hand")) hand_over();
  if (all || !strcmp(argv[1], "pages")) pages();
  if (all || !strcmp(argv[1], "calls")) calls();
  if (all || !strcmp(argv[1], "family")) family();
  return 0;
}
