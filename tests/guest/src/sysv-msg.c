// System V message queues: types, sizes, limits, waits of other processes and what ends them.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

struct text {
  long type;
  char bytes[8200];
};
static struct text m;

static long or_errno(long r) { return r == -1 ? -errno : r; }
static long put(int id, long type, const char *s, int flags) {
  m.type = type;
  strcpy(m.bytes, s);
  return or_errno(msgsnd(id, &m, strlen(s), flags));
}
static void take(int id, long size, long type, int flags) {
  memset(&m, 0, sizeof m);
  long r = or_errno(msgrcv(id, &m, size, type, flags));
  printf("%ld %ld %s, ", r, m.type, m.bytes);
}
static void nothing(int signal) { (void)signal; }
// Until the process sleeps.
static void until_asleep(pid_t pid) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  for (;;) {
    FILE *f = fopen(path, "r");
    if (f && fgets(line, sizeof line, f) && strstr(line, ") S")) {
      fclose(f);
      return;
    }
    if (f) fclose(f);
    sched_yield();
  }
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  key_t key = 0x51f90000 + (getpid() & 0xffff);
  printf("none %ld, ", or_errno(msgget(key, 0600)));
  int id = msgget(key, 0600 | IPC_CREAT | IPC_EXCL);
  printf("same %d, ", msgget(key, 0) == id);
  printf("exclusive %ld\n", or_errno(msgget(key, 0600 | IPC_CREAT | IPC_EXCL)));

  printf("send %ld %ld %ld %ld\n", put(id, 3, "three", 0), put(id, 1, "one", 0), put(id, 2, "", 0), put(id, 3, "more", 0));
  printf("bad type %ld, ", put(id, 0, "x", 0));
  printf("long %ld, ", or_errno(msgsnd(id, &m, 8193, 0)));
  printf("negative %ld, ", or_errno(msgsnd(id, &m, -1, 0)));
  printf("pointer %ld, ", or_errno(msgsnd(id, (void *)8, 1, 0)));
  printf("id %ld\n", or_errno(msgsnd(-1, &m, 1, 0)));
  struct msqid_ds ds;
  printf("status %ld: ", or_errno(msgctl(id, IPC_STAT, &ds)));
  printf("%lu messages, %lu bytes of %lu, mode %o, sender %d, receiver %d, key %d, sent %d\n", ds.msg_qnum, ds.__msg_cbytes,
         ds.msg_qbytes, ds.msg_perm.mode, ds.msg_lspid == getpid(), ds.msg_lrpid, ds.msg_perm.__key == key, ds.msg_stime > 0);
  take(id, 100, -2, 0);
  take(id, 2, 3, 0);
  take(id, 2, 3, MSG_NOERROR);
  take(id, 100, 3, MSG_EXCEPT);
  take(id, 100, 9, IPC_NOWAIT);
  take(id, -1, 0, IPC_NOWAIT);
  take(id, 100, 0, 0);
  take(id, 100, 0, IPC_NOWAIT);
  printf("\n");

  // Full: by bytes, then by messages.
  int sent = 0;
  m.type = 1;
  while (msgsnd(id, &m, 5000, IPC_NOWAIT) == 0) sent++;
  printf("%d of 5000 bytes, then %d\n", sent, errno);
  while (sent-- > 0) msgrcv(id, &m, 5000, 0, 0);
  for (sent = 0; msgsnd(id, &m, 0, IPC_NOWAIT) == 0;) sent++;
  printf("%d empty ones, then %d\n", sent, errno);
  while (sent-- > 0) msgrcv(id, &m, 0, 0, 0);
  msgctl(id, IPC_STAT, &ds);
  ds.msg_qbytes = 10;
  ds.msg_perm.mode = 0640;
  printf("set %ld, ", or_errno(msgctl(id, IPC_SET, &ds)));
  memset(&ds, 0, sizeof ds);
  msgctl(id, IPC_STAT, &ds);
  printf("%lu bytes, mode %o, ", ds.msg_qbytes, ds.msg_perm.mode);
  printf("fits %ld, ", put(id, 1, "0123456789", IPC_NOWAIT));
  printf("full %ld\n", put(id, 1, "x", IPC_NOWAIT));

  // A sender that waits for room, a receiver that waits for its type.
  pid_t sender = fork();
  if (sender == 0) _exit(put(id, 5, "waited", 0) != 0);
  until_asleep(sender);
  take(id, 100, 0, 0);
  take(id, 100, 5, 0);
  int status;
  waitpid(sender, &status, 0);
  printf("sender %x\n", status);
  pid_t receiver = fork();
  if (receiver == 0) {
    take(id, 100, 7, 0);
    _exit(0);
  }
  until_asleep(receiver);
  put(id, 6, "no", 0);
  put(id, 7, "yes", 0);
  waitpid(receiver, &status, 0);
  printf("receiver %x, ", status);
  take(id, 100, 0, 0);
  printf("\n");

  // A signal ends the wait, SA_RESTART or not; so does removal.
  pid_t one = fork();
  if (one == 0) {
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = nothing, .sa_flags = SA_RESTART}, 0);
    put(id, 100, "go", 0);
    _exit(-or_errno(msgrcv(id, &m, 100, 8, 0)));
  }
  take(id, 100, 100, 0);
  until_asleep(one);
  kill(one, SIGUSR1);
  waitpid(one, &status, 0);
  printf("interrupted %d, ", WEXITSTATUS(status));
  pid_t two = fork();
  if (two == 0) _exit(-or_errno(msgrcv(id, &m, 100, 8, 0)));
  until_asleep(two);
  printf("remove %ld, ", or_errno(msgctl(id, IPC_RMID, 0)));
  waitpid(two, &status, 0);
  printf("removed %d, ", WEXITSTATUS(status));
  printf("gone %ld %ld\n", put(id, 1, "x", 0), or_errno(msgctl(id, IPC_STAT, &ds)));

  id = msgget(IPC_PRIVATE, 0600);
  if (geteuid() == 0) {
    if (fork() == 0) {
      if (setgid(1234) || setuid(1234)) return 1;
      printf("others: %ld %ld ", put(id, 1, "x", 0), or_errno(msgrcv(id, &m, 1, 0, 0)));
      printf("%ld %ld\n", or_errno(msgctl(id, IPC_STAT, &ds)), or_errno(msgctl(id, IPC_RMID, 0)));
      return 0;
    }
    wait(0);
  }
  printf("end %ld\n", or_errno(msgctl(id, IPC_RMID, 0)));
  return 0;
}
