// System V semaphores: operations of several processes, all or none, waits, what ends waits, what is undone when a process ends.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

union semun {
  int val;
  struct semid_ds *buf;
  unsigned short *array;
};

static long or_errno(long r) { return r == -1 ? -errno : r; }
static long op1(int id, int num, int add, int flags) {
  struct sembuf b = {num, add, flags};
  return or_errno(semop(id, &b, 1));
}
static long get(int id, int num, int what) { return or_errno(semctl(id, num, what)); }
static void set(int id, int num, int value) { semctl(id, num, SETVAL, (union semun){.val = value}); }
static void nothing(int signal) { (void)signal; }
// Until `count` processes wait for the semaphore.
static void until(int id, int num, int what, int count) {
  while (semctl(id, num, what) != count) sched_yield();
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  key_t key = 0x51f80000 + (getpid() & 0xffff);
  printf("none %ld, ", or_errno(semget(key, 1, 0600)));
  printf("of no semaphores %ld, ", or_errno(semget(key, 0, 0600 | IPC_CREAT)));
  int id = semget(key, 3, 0600 | IPC_CREAT | IPC_EXCL);
  printf("same %d, ", semget(key, 0, 0) == id);
  printf("exclusive %ld, ", or_errno(semget(key, 3, 0600 | IPC_CREAT | IPC_EXCL)));
  printf("more %ld\n", or_errno(semget(key, 4, 0600)));
  set(id, 0, 2);
  printf("value %ld, ", get(id, 0, GETVAL));
  printf("mine %d, ", semctl(id, 0, GETPID) == getpid());
  printf("no such %ld, ", get(id, 3, GETVAL));
  printf("too large %ld\n", or_errno(semctl(id, 0, SETVAL, (union semun){.val = 40000})));
  struct sembuf two[2] = {{0, -1, IPC_NOWAIT}, {1, -1, IPC_NOWAIT}};
  printf("all or none %ld, ", or_errno(semop(id, two, 2)));
  printf("value %ld, ", get(id, 0, GETVAL));
  printf("range %ld, ", op1(id, 0, 32767, 0));
  printf("number %ld, ", op1(id, 3, 1, 0));
  printf("many %ld, ", or_errno(semop(id, two, 501)));
  printf("few %ld\n", or_errno(semop(id, two, 0)));
  struct timespec soon = {0, 20000000}, bad = {0, 1000000000};
  struct sembuf down = {1, -1, 0};
  printf("in time %ld, ", or_errno(semtimedop(id, &down, 1, &soon)));
  printf("bad time %ld\n", or_errno(semtimedop(id, &down, 1, &bad)));

  // A lock of four processes.
  long *count = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  set(id, 0, 1);
  for (int p = 0; p < 4; p++)
    if (fork() == 0) {
      for (int i = 0; i < 100; i++) {
        op1(id, 0, -1, SEM_UNDO);
        ++*count;
        op1(id, 0, 1, SEM_UNDO);
      }
      _exit(0);
    }
  while (wait(0) > 0) {
  }
  printf("counted %ld, value %ld\n", *count, get(id, 0, GETVAL));

  // Waits for more, and for zero.
  pid_t child = fork();
  if (child == 0) _exit(op1(id, 1, -2, 0) == 0 ? 11 : 1);
  until(id, 1, GETNCNT, 1);
  op1(id, 1, 1, 0);
  printf("still waits %ld, ", get(id, 1, GETNCNT));
  op1(id, 1, 1, 0);
  int status;
  wait(&status);
  printf("then %d, value %ld\n", WEXITSTATUS(status), get(id, 1, GETVAL));
  set(id, 2, 3);
  if (fork() == 0) _exit(op1(id, 2, 0, 0) == 0 ? 12 : 1);
  until(id, 2, GETZCNT, 1);
  unsigned short all[3] = {5, 6, 0};
  semctl(id, 0, SETALL, (union semun){.array = all});
  wait(&status);
  memset(all, 9, sizeof all);
  semctl(id, 0, GETALL, (union semun){.array = all});
  printf("zero %d: %d %d %d\n", WEXITSTATUS(status), all[0], all[1], all[2]);

  // A process that ends, or is killed, with what it has taken.
  if ((child = fork()) == 0) {
    op1(id, 0, -3, SEM_UNDO);
    op1(id, 0, -1, 0);
    op1(id, 2, 1, SEM_UNDO);
    op1(id, 1, -100, 0);
    _exit(0);
  }
  until(id, 1, GETNCNT, 1);
  printf("taken: %ld %ld, ", get(id, 0, GETVAL), get(id, 2, GETVAL));
  kill(child, SIGKILL);
  wait(0);
  printf("undone: %ld %ld\n", get(id, 0, GETVAL), get(id, 2, GETVAL));

  // A signal, and the end of the set, end waits.
  int ends[2];
  char c;
  pipe(ends);
  if ((child = fork()) == 0) {
    struct sigaction sa = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, 0);
    long r = op1(id, 1, -100, 0);
    write(ends[1], "x", 1);
    long gone = op1(id, 1, -100, 0);
    _exit(r == -EINTR && gone == -EIDRM ? 13 : 1);
  }
  until(id, 1, GETNCNT, 1);
  kill(child, SIGUSR1);
  read(ends[0], &c, 1);
  until(id, 1, GETNCNT, 1);
  struct semid_ds d;
  semctl(id, 0, IPC_STAT, (union semun){.buf = &d});
  printf("about: %d semaphores, mode %o, times %d %d\n", (int)d.sem_nsems, d.sem_perm.mode, d.sem_otime != 0, d.sem_ctime != 0);
  printf("removed %ld, ", or_errno(semctl(id, 0, IPC_RMID)));
  wait(&status);
  printf("child %d, gone %ld\n", WEXITSTATUS(status), op1(id, 0, 1, 0));
  return 0;
}
