// Supplementary groups: set, read, sorted, inherited, kept over execve; refused without the right.
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long set(long n, const gid_t *ids) {
  long r = syscall(SYS_setgroups, n, ids);
  return r == -1 ? -errno : r;
}
static void show(const char *what) {
  gid_t ids[64];
  long n = syscall(SYS_getgroups, 64, ids);
  printf("%s %ld:", what, n);
  for (long i = 0; i < n; i++) printf(" %u", ids[i]);
  printf("\n");
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  if (argc > 1) {
    show("after execve");
    return 0;
  }
  gid_t ids[] = {44, 4000000000u, 7, 44}, none = -1;
  if (geteuid() != 0) {
    printf("refused %d\n", set(1, ids) == -EPERM);
    return 0;
  }
  printf("set %ld\n", set(4, ids));
  show("sorted");
  gid_t few[2];
  printf("count %ld, ", syscall(SYS_getgroups, 0, few));
  printf("small %ld %d, ", syscall(SYS_getgroups, 2, few), errno);
  printf("negative %ld %d, ", syscall(SYS_getgroups, -1, few), errno);
  printf("bad %ld %d\n", syscall(SYS_getgroups, 64, (gid_t *)8), errno);
  printf("many %ld, bad %ld, no id %ld\n", set(65537, ids), set(2, (gid_t *)8), set(1, &none));
  char line[256];
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (!strncmp(line, "Groups:", 7)) printf("%s", line);
  if (fork() == 0) {
    show("child");
    printf("none %ld\n", set(0, 0));
    show("child");
    if (setgid(1234) || setuid(1234)) return 1;
    printf("without the right %ld\n", set(1, ids));
    return 0;
  }
  wait(0);
  show("parent");
  execl("/proc/self/exe", argv[0], "again", (char *)0);
  return 1;
}
