/*
 * Tries every way out of lift64 --root, --mount and --sandbox. In: the host's directory outside of the root, with a file `secret` that contains SECRET; /work is
 * writable; /ro is a read-only mount with a file and a directory d; /mnt is a mount that is writable. Out: a line an attempt that has succeeded, and how many there were.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>

static const char *outside;
static int escapes;
static int attempts;

static void escaped(const char *how, const char *path) {
  printf("ESCAPE: %s %s\n", how, path);
  escapes++;
}

static void inspect(int fd, const char *how, const char *path) {
  char text[64] = "";
  attempts++;
  if (fd < 0) return;
  if (pread(fd, text, sizeof text - 1, 0) > 0 && strstr(text, "SECRET")) escaped(how, path);
  close(fd);
}

static void reads_at(int dir, const char *path) {
  struct stat st;
  char buffer[4096];
  inspect(openat(dir, path, O_RDONLY), "openat", path);
  inspect(openat(dir, path, O_RDWR), "openat for writing", path);
  int p = openat(dir, path, O_PATH);
  if (p >= 0) {
    snprintf(buffer, sizeof buffer, "/proc/self/fd/%d", p);
    inspect(open(buffer, O_RDONLY), "reopened O_PATH", path);
    close(p);
  }
  if (fstatat(dir, path, &st, 0) == 0 && st.st_size == 7777) escaped("fstatat", path);
  if (faccessat(dir, path, R_OK, 0) == 0 && strstr(path, "secret")) escaped("faccessat", path);
}

static void reads(const char *path) { reads_at(AT_FDCWD, path); }

/* `up` leads out of the root, if anything does. */
static void all_at(int dir, const char *up) {
  char path[4096];
  snprintf(path, sizeof path, "%s/secret", up);
  reads_at(dir, path);
  snprintf(path, sizeof path, "%s%s/secret", up, outside);
  reads_at(dir, path);
  snprintf(path, sizeof path, "%s/evil", up);
  int fd = openat(dir, path, O_WRONLY | O_CREAT, 0666);
  if (fd >= 0) {
    snprintf(path, sizeof path, "%s/evil", up);
    unlinkat(dir, path, 0);
    close(fd);
  }
  snprintf(path, sizeof path, "%s%s/evil", up, outside);
  if ((fd = openat(dir, path, O_WRONLY | O_CREAT, 0666)) >= 0) close(fd), escaped("creates", path);
  if (mkdirat(dir, path, 0777) == 0) escaped("mkdirat", path);
  if (symlinkat("x", dir, path) == 0) escaped("symlinkat", path);
  if (renameat(AT_FDCWD, "/work/f", dir, path) == 0) escaped("renameat", path);
  if (linkat(AT_FDCWD, "/work/f", dir, path, 0) == 0) escaped("linkat", path);
  if (mknodat(dir, path, S_IFIFO | 0666, 0) == 0) escaped("mknodat", path);
  attempts += 6;
}

static void all(const char *up) { all_at(AT_FDCWD, up); }

static void by_descriptor(const char *directory) {
  char path[4096];
  int fd = open(directory, O_RDONLY | O_DIRECTORY);
  if (fd < 0) {
    printf("no %s: %s\n", directory, strerror(errno));
    return;
  }
  all_at(fd, "..");
  all_at(fd, "../../../../../../../..");
  const char *forms[] = {"/proc/self/fd/%d/..", "/dev/fd/%d/../..", "/proc/self/fd/%d/../../../..", "/proc/thread-self/fd/%d/.."};
  for (int i = 0; i < 4; i++) {
    snprintf(path, sizeof path, forms[i], fd);
    all(path);
  }
  int at = fd;
  for (int i = 0; i < 12; i++) {
    int next = openat(at, "..", O_PATH | O_DIRECTORY);
    if (at != fd) close(at);
    if (next < 0) break;
    at = next;
    reads_at(at, "secret");
    reads_at(at, outside + 1);
    char full[4096];
    snprintf(full, sizeof full, "%s/secret", outside + 1);
    reads_at(at, full);
  }
  close(fd);
}

/* ---------------------------------------------------------------- races */

static volatile int stop;

/* Makes /work/race/x a directory, a link out of the root, and a file in turn. */
static void *swap(void *unused) {
  (void)unused;
  const char *targets[] = {outside, "../../../../../../../..", "/proc/self/root/..", "/"};
  for (unsigned i = 0; !stop; i++) {
    mkdir("/work/race/dir", 0777);
    rename("/work/race/dir", "/work/race/x");
    rmdir("/work/race/x");
    symlink(targets[i % 4], "/work/race/link");
    rename("/work/race/link", "/work/race/x");
    unlink("/work/race/x");
    close(open("/work/race/x", O_CREAT | O_WRONLY, 0666));
    unlink("/work/race/x");
    char deep[4096];
    snprintf(deep, sizeof deep, "%s/secret", outside);
    symlink(deep, "/work/race/link");
    rename("/work/race/link", "/work/race/x");
    rename("/work/race/x", "/work/race/y");
    unlink("/work/race/y");
  }
  return NULL;
}

/* Moves a directory up and down while others go up from it. */
static void *move(void *unused) {
  (void)unused;
  while (!stop) {
    rename("/work/a/b/c", "/work/c");
    rename("/work/c", "/work/a/b/c");
  }
  return NULL;
}

static void race(int rounds) {
  pthread_t swapper, mover;
  mkdir("/work/race", 0777);
  mkdir("/work/a", 0777), mkdir("/work/a/b", 0777), mkdir("/work/a/b/c", 0777), mkdir("/work/a/b/c/d", 0777);
  int deep = open("/work/a/b/c/d", O_PATH | O_DIRECTORY);
  pthread_create(&swapper, NULL, swap, NULL);
  pthread_create(&mover, NULL, move, NULL);
  for (int i = 0; i < rounds; i++) {
    struct timeval now[2] = {{1, 0}, {1, 0}};
    int fd;
    inspect(open("/work/race/x", O_RDONLY), "race", "x");
    inspect(open("/work/race/x/secret", O_RDONLY), "race", "x/secret");
    inspect(open("/work/race/x", O_RDWR | O_CREAT, 0666), "race", "created x");
    if ((fd = open("/work/race/x/evil", O_RDWR | O_CREAT, 0666)) >= 0) close(fd), unlink("/work/race/x/evil");
    close(open("/work/race/x", O_WRONLY | O_TRUNC));
    mkdir("/work/race/x/evil", 0777), rmdir("/work/race/x/evil");
    chmod("/work/race/x", 0777);
    truncate("/work/race/x", 0);
    utimes("/work/race/x/secret", now);
    unlink("/work/race/x/secret");
    rename("/work/race/x/secret", "/work/stolen");
    link("/work/race/x", "/work/stolen2");
    linkat(AT_FDCWD, "/work/race/x", AT_FDCWD, "/work/stolen3", AT_SYMLINK_FOLLOW);
    inspect(open("/work/stolen", O_RDONLY), "race", "stolen by rename");
    inspect(open("/work/stolen2", O_RDONLY | O_NOFOLLOW), "race", "stolen by link");
    inspect(open("/work/stolen3", O_RDONLY | O_NOFOLLOW), "race", "stolen by linkat");
    unlink("/work/stolen"), unlink("/work/stolen2"), unlink("/work/stolen3");
    char up[4096];
    snprintf(up, sizeof up, "../../../../../..%s/secret", outside);
    inspect(openat(deep, up, O_RDONLY), "race", "up from a moved directory");
    inspect(openat(deep, "../../../../../secret", O_RDONLY), "race", "up from a moved directory");
  }
  stop = 1;
  pthread_join(swapper, NULL);
  pthread_join(mover, NULL);
  close(deep);
}

/* ---------------------------------------------------------------- read-only mounts */

static void refused(const char *what, int result, int expected) {
  attempts++;
  if (result >= 0) printf("WRITTEN: %s\n", what), escapes++;
  else if (errno != expected) printf("%s: %s\n", what, strerror(errno));
}

static void read_only(void) {
  struct timeval now[2] = {{1, 0}, {1, 0}};
  struct statvfs fs;
  char path[64];
  refused("open for writing", open("/ro/file", O_WRONLY), EROFS);
  refused("open for both", open("/ro/file", O_RDWR), EROFS);
  refused("truncating open", open("/ro/file", O_RDONLY | O_TRUNC), EROFS);
  refused("new file", open("/ro/new", O_CREAT | O_RDONLY, 0666), EROFS);
  refused("unnamed file", open("/ro", O_TMPFILE | O_RDWR, 0666), EROFS);
  refused("mkdir", mkdir("/ro/new", 0777), EROFS);
  refused("mkdir of what is there", mkdir("/ro/d", 0777), EEXIST);
  refused("rmdir", rmdir("/ro/d"), EROFS);
  refused("unlink", unlink("/ro/file"), EROFS);
  refused("symlink", symlink("x", "/ro/new"), EROFS);
  refused("rename within", rename("/ro/file", "/ro/new"), EROFS);
  refused("rename out", rename("/ro/file", "/work/stolen"), EXDEV);
  refused("link out", link("/ro/file", "/work/stolen"), EXDEV);
  refused("chmod", chmod("/ro/file", 0777), EROFS);
  refused("chown", chown("/ro/file", 0, 0), EROFS);
  refused("truncate", truncate("/ro/file", 0), EROFS);
  refused("utimes", utimes("/ro/file", now), EROFS);
  refused("access", access("/ro/file", W_OK), EROFS);
  int fd = open("/ro/file", O_RDONLY);
  refused("fchmod", fchmod(fd, 0777), EROFS);
  refused("shared mapping", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0, EACCES);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  refused("reopened for writing", open(path, O_RDWR), EROFS);
  if (statvfs("/ro", &fs) != 0 || !(fs.f_flag & ST_RDONLY)) puts("statvfs does not say read-only");
}

/* ---------------------------------------------------------------- mounts themselves */

static void mount_edges(void) {
  char where[4096];
  refused("rmdir of a mount point", rmdir("/mnt"), EBUSY);
  refused("rename of a mount point", rename("/mnt", "/other"), EBUSY);
  refused("rename over a mount point", rename("/work", "/mnt"), EBUSY);
  refused("mkdir of a mount point", mkdir("/mnt", 0777), EEXIST);
  mkdir("/mnt/in", 0777), mkdir("/mnt/in/deep", 0777);
  refused("rename across mounts", rename("/mnt/in", "/work/in"), EXDEV);
  chdir("/mnt/in/deep");
  printf("%s", getcwd(where, sizeof where));
  for (int i = 0; i < 4; i++) chdir(".."), printf(" %s", getcwd(where, sizeof where));
  puts("");
  /* A directory that is moved below an open one. */
  int deep = open("/mnt/in/deep", O_RDONLY | O_DIRECTORY);
  rename("/mnt/in/deep", "/mnt/moved");
  fchdir(deep);
  chdir("..");
  printf("%s\n", getcwd(where, sizeof where));
  all(".."), all_at(deep, "../.."), all_at(deep, "../../../../..");
  /* One that is removed. */
  rmdir("/mnt/moved"), rmdir("/mnt/in");
  fchdir(deep);
  all(".."), all("../.."), all("../../..");
  close(deep);
  DIR *d = opendir("/");
  static const char *const names[] = {"mnt", "ro", "proc", "dev"};
  int seen = 0;
  for (struct dirent *e; (e = readdir(d)) != NULL;)
    for (int i = 0; i < 4; i++)
      if (!strcmp(e->d_name, names[i])) seen |= 1 << i;
  closedir(d);
  printf("mount points in the root: %x\n", seen);
  chdir("/");
}

int main(int argc, char **argv) {
  char path[4096];
  outside = argc > 1 ? argv[1] : "/outside";
  int rounds = argc > 2 ? atoi(argv[2]) : 200;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int f = open("/work/f", O_CREAT | O_RDWR, 0666);
  write(f, "mine\n", 5);
  mkdir("/work/sub", 0777);
  printf("starts in %s\n", getcwd(path, sizeof path));
  snprintf(path, sizeof path, "%s/secret", outside);
  reads(path);

  static const char *const ups[] = {"..", "/..", "/../..", "/../../../../../../..", "/work/../..", "/work/sub/../../..", "/./../.", "//..//..",
    "/proc/self/root", "/proc/self/root/..", "/proc/self/cwd/..", "/proc/self/cwd/../../..", "/proc/1/root/..", "/proc/self/task/../../..",
    "/proc/../..", "/proc/self/exe/..", "/proc/self/exe/../..", "/dev/..", "/dev/../..", "/dev/fd/../../..", "/dev/stdin/..", "/proc/self/fd/0/..",
    "/dev/shm/..", "/dev/shm/../../..", "/mnt/..", "/mnt/../..", "/ro/..", "/ro/../..", "/ro/../mnt/../..", "/sys/..", "/proc/self/map_files/..", "/proc/self/ns/.."};
  chdir("/work/sub");
  for (unsigned i = 0; i < sizeof ups / sizeof *ups; i++) all(ups[i]);

  static const char *const links[] = {"..", "../..", "../../../../../../..", "/", "/..", "/../..", "/proc/self/root/..", "/proc/self/cwd/..", "/work/../..", "/mnt/../.."};
  for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
    unlink("/work/link"), symlink(links[i], "/work/link");
    all("/work/link"), all("/work/link/.."), all("/work/link/../..");
    unlink("/mnt/link"), symlink(links[i], "/mnt/link");
    all("/mnt/link"), all("/mnt/link/..");
  }
  const char *ends[] = {"", "/secret", "/evil"};
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s%s", outside, ends[i]);
    unlink("/work/link"), symlink(path, "/work/link");
    unlink("/work/link2"), symlink("link", "/work/link2");
    reads("/work/link"), reads("/work/link2"), reads("/work/link/secret"), reads("/work/link2/secret");
    int fd = open("/work/link2", O_CREAT | O_WRONLY, 0666);
    if (fd >= 0) close(fd), escaped("creates through", path);
    chmod("/work/link", 0777), truncate("/work/link", 0), mkdir("/work/link/evil", 0777);
  }
  unlink("/work/link"), unlink("/work/link2"), unlink("/mnt/link");

  static const char *const directories[] = {"/", "/work", "/work/sub", "/mnt", "/ro", "/ro/d", "/proc", "/proc/self", "/proc/self/fd", "/dev", "/dev/shm"};
  for (unsigned i = 0; i < sizeof directories / sizeof *directories; i++) by_descriptor(directories[i]);

  mount_edges();
  read_only();
  race(rounds);
  char *exec[] = {path, NULL};
  snprintf(path, sizeof path, "../../../../../..%s/program", outside);
  execv(path, exec);
  printf("%d attempts%s, %d escapes\n", attempts > 500 ? 500 : attempts, attempts > 500 ? " and more" : "", escapes);
  return escapes != 0;
}
