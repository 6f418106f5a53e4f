// System V shared memory: keys, attachments of several processes, removal while attached, what shmctl says.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

static long or_errno(long r) { return r == -1 ? -errno : r; }
static long at_errno(void *p) { return p == (void *)-1 ? -errno : 1; }

static void about(const char *when, int id) {
  struct shmid_ds d;
  int r = shmctl(id, IPC_STAT, &d);
  if (r != 0) {
    printf("%s: errno %d\n", when, errno);
    return;
  }
  printf("%s: size %zu, attached %lu, mode %o, mine %d %d, times %d %d %d\n", when, d.shm_segsz, (unsigned long)d.shm_nattch,
         d.shm_perm.mode, d.shm_cpid == getpid(), d.shm_lpid == getpid(), d.shm_atime != 0, d.shm_dtime != 0, d.shm_ctime != 0);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  key_t key = 0x51f70000 + (getpid() & 0xffff);
  printf("none: %ld, ", or_errno(shmget(key, 100, 0600)));
  printf("size 0: %ld\n", or_errno(shmget(key, 0, 0600 | IPC_CREAT)));
  int id = shmget(key, 5000, 0640 | IPC_CREAT | IPC_EXCL);
  printf("same %d, ", shmget(key, 0, 0) == id);
  printf("exclusive %ld, ", or_errno(shmget(key, 100, 0600 | IPC_CREAT | IPC_EXCL)));
  printf("larger %ld\n", or_errno(shmget(key, 5001, 0600)));
  about("made", id);
  char *a = shmat(id, 0, 0), *b = shmat(id, 0, 0);
  strcpy(a + 10, "one segment");
  printf("second view '%s', ends with zero %d\n", b + 10, a[4999] + a[8191]);
  about("attached twice", id);
  if (fork() == 0) {
    about("forked", id);
    strcpy(b + 4096, "from the child");
    printf("detached %ld %ld\n", or_errno(shmdt(a)), or_errno(shmdt(a)));
    char *c = shmat(id, 0, SHM_RDONLY);
    printf("read-only: '%s', mprotect %ld\n", c + 10, or_errno(mprotect(c, 4096, PROT_READ | PROT_WRITE)));
    about("in the child", id);
    _exit(0);
  }
  wait(0);
  printf("from there '%s'\n", a + 4096);
  about("after the child", id);
  printf("at a wrong address: %ld %ld, ", at_errno(shmat(id, a + 1, 0)), at_errno(shmat(id, a, 0)));
  printf("no such: %ld, detach %ld\n", at_errno(shmat(id + 1, 0, 0)), or_errno(shmdt(a + 4096)));
  char *free_place = mmap(0, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(free_place, 3 * 4096);
  char *c = shmat(id, free_place + 100, SHM_RND);
  printf("rounded %d, ", c == free_place);
  c = shmat(id, free_place, SHM_REMAP);
  printf("remapped %d '%s'\n", c == free_place, c + 10);
  struct shmid_ds d;
  shmctl(id, IPC_STAT, &d);
  d.shm_perm.mode = 0600;
  printf("set %ld\n", or_errno(shmctl(id, IPC_SET, &d)));
  printf("removed %ld, ", or_errno(shmctl(id, IPC_RMID, 0)));
  printf("by key %ld\n", or_errno(shmget(key, 0, 0)));
  about("removed", id);
  shmdt(c);
  shmdt(b);
  printf("still '%s'\n", a + 10);
  shmdt(a);
  about("gone", id);
  int p = shmget(IPC_PRIVATE, 100, 0600), q = shmget(IPC_PRIVATE, 100, 0600);
  printf("private ones differ %d\n", p != q);
  shmctl(p, IPC_RMID, 0);
  shmctl(q, IPC_RMID, 0);
  return 0;
}
