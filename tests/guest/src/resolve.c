/* openat2's rules of resolution, and renameat2's flags. In: a directory to work in. Out: what each gives. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct how {
  uint64_t flags, mode, resolve;
};
enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16 };
enum { NOREPLACE = 1, EXCHANGE = 2 };

static int openat_how(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct how how = {flags, mode, resolve};
  return syscall(437, dir, path, &how, sizeof how);
}

static void show(const char *what, int result) { printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ok"); }

static int exchange(const char *a, const char *b, unsigned flags) { return syscall(316, AT_FDCWD, a, AT_FDCWD, b, flags); }

static void make(const char *name, const char *text) {
  int fd = open(name, O_CREAT | O_RDWR, 0666);
  write(fd, text, strlen(text));
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 2 || chdir(argv[1]) != 0) return 2;
  mkdir("in", 0777), mkdir("in/sub", 0777);
  make("in/f", "f"), make("out", "out");
  symlink("f", "in/l"), symlink("/etc/passwd", "in/abs"), symlink("../out", "in/up"), symlink("/f", "in/rootf");
  symlink("sub/../../in/f", "in/loopback");
  int fd = open("in", O_PATH | O_DIRECTORY);
  char magic[64], line[128];
  snprintf(magic, sizeof magic, "/proc/self/fd/%d", open("in/f", O_RDONLY));
  const char *paths[] = {"f", "l", "abs", "up", "rootf", "loopback", "../out", "sub/../f", "/f", "/etc/passwd", "sub/../../out", "none",
    "f/x", ".", "..", "/proc/self/exe", "/../f", "/sub/../../f", magic};
  const int rules[] = {0, NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT, BENEATH | NO_XDEV, IN_ROOT | NO_SYMLINKS};
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++)
    for (unsigned j = 0; j < 8; j++) {
      int got = openat_how(fd, paths[i], O_RDONLY, 0, rules[j]);
      snprintf(line, sizeof line, "%s %d", paths[i] == magic ? "magic" : paths[i], rules[j]);
      show(line, got);
      if (got >= 0) close(got);
    }
  show("new", openat_how(fd, "new", O_CREAT | O_RDWR, 0640, BENEATH));
  show("new is there", access("in/new", F_OK));
  show("both", openat_how(fd, "new", O_RDWR, 0, BENEATH | IN_ROOT));
  show("unknown rule", openat_how(fd, "new", O_RDWR, 0, 64));
  show("mode without O_CREAT", openat_how(fd, "new", O_RDWR, 0640, 0));

  struct stat st;
  char text[4] = "";
  make("A", "a"), make("B", "b");
  show("exchange", exchange("A", "B", EXCHANGE));
  pread(open("A", O_RDONLY), text, 3, 0), puts(text);
  show("exchange with a directory", exchange("A", "in", EXCHANGE));
  stat("A", &st), printf("%d\n", S_ISDIR(st.st_mode));
  show("exchange with nothing", exchange("A", "nope", EXCHANGE));
  show("exchange with a child", exchange("A", "A/sub", EXCHANGE));
  show("exchange with itself", exchange("A", "A", EXCHANGE));
  show("both flags", exchange("A", "B", EXCHANGE | NOREPLACE));
  show("no replace", exchange("B", "A", NOREPLACE));
  show("no replace of a new name", exchange("B", "C", NOREPLACE));
  return 0;
}
