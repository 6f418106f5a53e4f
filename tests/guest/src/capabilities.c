// Capabilities: what a process sees of its own, dropping them, and what changes of ids and execve make of them.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct header { uint32_t version; int pid; };
struct data { uint32_t effective, permitted, inheritable; };

static void result(const char *title, long r) {
  if (r < 0) printf("%s: %s\n", title, strerror(errno));
  else printf("%s: %ld\n", title, r);
}

static void show(const char *title) {
  char line[256];
  FILE *f = fopen("/proc/self/status", "r");
  printf("-- %s\n", title);
  while (f != NULL && fgets(line, sizeof line, f))
    if (!strncmp(line, "Cap", 3) || !strncmp(line, "NoNewPrivs", 10)) printf("%s", line);
  if (f != NULL) fclose(f);
  struct header h = {0x20080522, 0};
  struct data d[2] = {{0}};
  long r = syscall(SYS_capget, &h, d);
  printf("%ld %08x%08x %08x%08x %08x%08x keep %d secure %#x\n", r, d[1].effective, d[0].effective, d[1].permitted, d[0].permitted,
         d[1].inheritable, d[0].inheritable, prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS));
}

static long set(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
  struct header h = {0x20080522, 0};
  struct data d[2] = {{effective, permitted, inheritable}, {effective >> 32, permitted >> 32, inheritable >> 32}};
  return syscall(SYS_capset, &h, d);
}

static void again(const char *title) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "capabilities", title, NULL);
    _exit(1);
  }
  waitpid(child, NULL, 0);
}

static void in_child(void (*run)(void)) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    run();
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

#define BIT(n) (1ull << (n))
enum { CHOWN = 0, KILL = 5, SETUID = 7, SETPCAP = 8, NET_RAW = 13 };

static void headers(void) {
  struct header h = {0, 0};
  struct data d[2];
  result("version", syscall(SYS_capget, &h, NULL));
  printf("%#x\n", h.version);
  h.version = 7;
  result("bad version", syscall(SYS_capget, &h, d));
  h = (struct header){0x19980330, 0};
  result("old", syscall(SYS_capget, &h, d));
  h = (struct header){0x20080522, -1};
  result("negative", syscall(SYS_capget, &h, d));
  h.pid = 0x7ffffff;
  result("nobody", syscall(SYS_capget, &h, d));
  h.pid = getppid();
  result("set another's", syscall(SYS_capset, &h, d));
  h.pid = 0;
  result("bad data", syscall(SYS_capget, &h, (void *)8));
  result("bad header", syscall(SYS_capget, (void *)8, d));
  result("read 99", prctl(PR_CAPBSET_READ, 99));
  result("drop 99", prctl(PR_CAPBSET_DROP, 99));
  result("keepcaps 2", prctl(PR_SET_KEEPCAPS, 2));
  result("ambient 9", prctl(PR_CAP_AMBIENT, 9, 0, 0, 0));
  result("ambient cap 99", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 99, 0, 0));
  result("ambient junk", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 1, 0));
  result("ambient raise", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 3, 0, 0));
}

static void dropping(void) {
  uint64_t few = BIT(CHOWN) | BIT(KILL) | BIT(SETUID) | BIT(SETPCAP);
  result("few", set(few, few, BIT(KILL)));
  show("few");
  result("more again", set(few, few | BIT(NET_RAW), 0));
  result("effective beyond permitted", set(few | BIT(NET_RAW), few, 0));
  result("drop from bounding", prctl(PR_CAPBSET_DROP, CHOWN));
  result("read", prctl(PR_CAPBSET_READ, CHOWN));
  result("inherit what is not bounded", set(few, few, BIT(CHOWN)));
  result("no setpcap", set(few & ~BIT(SETPCAP), few, BIT(KILL)));
  result("drop", prctl(PR_CAPBSET_DROP, KILL));
  result("secure bits", prctl(PR_SET_SECUREBITS, 1));
  result("raise", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0));
  result("raise what is not inheritable", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, SETUID, 0, 0));
  result("is set", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, KILL, 0, 0));
  show("ambient");
  again("root after exec");
  result("lower", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, KILL, 0, 0));
  result("nothing", set(0, 0, 0));
  result("setuid without the right", setuid(1234));
}

static void users(void) {
  result("seteuid", seteuid(1000));
  show("effective user");
  result("setuid to another", setuid(1001));
  result("back", seteuid(0));
  show("back");
  result("setuid", setuid(1000));
  show("another user");
  result("to root", setuid(0));
  again("user after exec");
}

static void keeping(void) {
  result("keep", prctl(PR_SET_KEEPCAPS, 1));
  result("inherit", set(BIT(KILL) | BIT(SETPCAP), BIT(KILL) | BIT(SETPCAP) | BIT(SETUID), BIT(KILL)));
  result("setuid without effective", syscall(SYS_setuid, 1000));
  result("effective", set(BIT(KILL) | BIT(SETUID), BIT(KILL) | BIT(SETUID), BIT(KILL)));
  result("setuid", syscall(SYS_setuid, 1000));
  show("kept");
  result("use", set(BIT(KILL), BIT(KILL), BIT(KILL)));
  result("raise", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0));
  again("ambient after exec");
}

static void secure(void) {
  result("no root", prctl(PR_SET_SECUREBITS, 3));
  result("unlock", prctl(PR_SET_SECUREBITS, 2));
  result("unknown", prctl(PR_SET_SECUREBITS, 0x10003));
  again("root that is nobody");
  result("no fixup", prctl(PR_SET_SECUREBITS, 7));
  result("seteuid", syscall(SYS_setresuid, -1, 1000, -1));
  show("not fixed up");
}

int main(int argc, char **argv) {
  if (argc > 1) {
    show(argv[1]);
    return 0;
  }
  show("start");
  in_child(headers);
  in_child(dropping);
  in_child(users);
  in_child(keeping);
  in_child(secure);
  return 0;
}
