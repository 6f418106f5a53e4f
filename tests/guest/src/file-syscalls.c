/* Files and directories: open flags, read, write, seek, positioned and vector transfers, truncation, links, renames,
   directories and their listing, metadata, descriptors and their flags, pipes, and the error of each misuse.
   usage: file-syscalls EMPTY-DIRECTORY. Source: the man page of each call, section 2. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *yes(int condition) { return condition ? "yes" : "no"; }

static const char *outcome(long result) {
  static char text[8][40];
  static int turn;
  static const struct {
    int number;
    const char *name;
  } names[] = {
      {ENOENT, "ENOENT"}, {EEXIST, "EEXIST"}, {EISDIR, "EISDIR"}, {ENOTDIR, "ENOTDIR"}, {ENOTEMPTY, "ENOTEMPTY"},
      {EBADF, "EBADF"},   {EINVAL, "EINVAL"}, {ESPIPE, "ESPIPE"}, {ELOOP, "ELOOP"},     {ENAMETOOLONG, "ENAMETOOLONG"},
      {EACCES, "EACCES"}, {EAGAIN, "EAGAIN"}, {ENOTTY, "ENOTTY"}, {EPERM, "EPERM"},     {EXDEV, "EXDEV"}};
  char *out = text[turn++ % 8];
  int error = errno;
  if (result >= 0) {
    snprintf(out, sizeof text[0], "%ld", result);
    return out;
  }
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].number == error)
      return names[i].name;
  snprintf(out, sizeof text[0], "errno %d", error);
  return out;
}

static void show(const char *name) {
  struct stat st;
  if (lstat(name, &st) != 0) {
    printf("%s", name);
    printf(": %s\n", outcome(-1));
    return;
  }
  printf("%s: %s %04o, size %lld, links %d\n", name,
         S_ISREG(st.st_mode)    ? "file"
         : S_ISDIR(st.st_mode)  ? "directory"
         : S_ISLNK(st.st_mode)  ? "link"
         : S_ISFIFO(st.st_mode) ? "fifo"
                                : "other",
         (unsigned)(st.st_mode & 07777), S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size,
         S_ISDIR(st.st_mode) ? 0 : (int)st.st_nlink);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *name) {
  DIR *directory = opendir(name);
  char *names[300];
  size_t count = 0;
  if (directory == NULL) {
    printf("opendir %s", name);
    printf(": %s\n", outcome(-1));
    return;
  }
  for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < 300;)
    names[count++] = strdup(entry->d_name);
  rewinddir(directory);
  size_t again = 0;
  while (readdir(directory) != NULL)
    again++;
  closedir(directory);
  qsort(names, count, sizeof *names, by_name);
  printf("%s holds %zu (again %zu):", name, count, again);
  for (size_t i = 0; i < count; i++) {
    if (i < 10)
      printf(" %s", names[i]);
    free(names[i]);
  }
  putchar('\n');
}

static void transfers(void) {
  char buffer[100] = "";
  int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0640);
  printf("create: %s", yes(fd >= 0));
  printf(", exclusively again: %s\n", outcome(open("file", O_WRONLY | O_CREAT | O_EXCL, 0600)));
  printf("write %s, ", outcome(write(fd, "0123456789", 10)));
  printf("seek %s, ", outcome(lseek(fd, 3, SEEK_SET)));
  printf("read %s ", outcome(read(fd, buffer, 4)));
  printf("[%s", buffer);
  printf("], at %s", outcome(lseek(fd, 0, SEEK_CUR)));
  printf(", end %s", outcome(lseek(fd, 0, SEEK_END)));
  printf(", back %s", outcome(lseek(fd, -2, SEEK_CUR)));
  printf(", before the start %s\n", outcome(lseek(fd, -100, SEEK_CUR)));
  printf("pwrite %s, ", outcome(pwrite(fd, "AB", 2, 1)));
  memset(buffer, 0, sizeof buffer);
  printf("pread %s ", outcome(pread(fd, buffer, 50, 0)));
  printf("[%s", buffer);
  printf("], offset unmoved %s\n", outcome(lseek(fd, 0, SEEK_CUR)));
  struct iovec parts[3] = {{"one ", 4}, {"", 0}, {"two", 3}};
  char left[5] = "", right[20] = "";
  struct iovec into[2] = {{left, 4}, {right, 19}};
  lseek(fd, 0, SEEK_SET);
  printf("writev %s, ", outcome(writev(fd, parts, 3)));
  printf("preadv %s ", outcome(preadv(fd, into, 2, 0)));
  printf("[%s][%s]\n", left, right);
  lseek(fd, 5000, SEEK_SET);
  printf("a hole: %s", outcome(write(fd, "end", 3)));
  printf(", size now %s, ", outcome(lseek(fd, 0, SEEK_END)));
  memset(buffer, 'x', 10);
  printf("read from it %s", outcome(pread(fd, buffer, 10, 2000)));
  printf(", zero %s\n", yes(buffer[0] == 0 && buffer[9] == 0));
  printf("ftruncate %s, ", outcome(ftruncate(fd, 7)));
  printf("at the end read %s", outcome(read(fd, buffer, 10)));
  printf(", past the end %s\n", outcome(pread(fd, buffer, 10, 100)));
  int appending = open("file", O_WRONLY | O_APPEND);
  lseek(appending, 0, SEEK_SET);
  printf("append %s", outcome(write(appending, "+tail", 5)));
  printf("; read from a write-only descriptor %s\n", outcome(read(appending, buffer, 1)));
  close(appending);
  memset(buffer, 0, sizeof buffer);
  pread(fd, buffer, 99, 0);
  printf("contents [%s]\n", buffer);
  int truncating = open("file", O_WRONLY | O_TRUNC);
  printf("O_TRUNC: size %s\n", outcome(lseek(truncating, 0, SEEK_END)));
  close(truncating);
  printf("close %s", outcome(close(fd)));
  printf(", again %s", outcome(close(fd)));
  printf(", read then %s\n", outcome(read(fd, buffer, 1)));
  printf("fsync %s", outcome(fsync(1) == 0 || errno == EINVAL ? 0 : -1));
  printf(", bad whence %s, seek on a pipe ", outcome(lseek(0, 0, 99)));
  int ends[2];
  if (pipe(ends) == 0)
    printf("%s\n", outcome(lseek(ends[0], 0, SEEK_SET)));
  close(ends[0]);
  close(ends[1]);
}

static void names(void) {
  char buffer[100] = "";
  printf("mkdir %s", outcome(mkdir("dir", 0755)));
  printf(", again %s", outcome(mkdir("dir", 0755)));
  printf(", without parent %s\n", outcome(mkdir("no/dir", 0755)));
  int fd = open("dir/inner", O_WRONLY | O_CREAT, 0600);
  if (write(fd, "inner", 5) != 5)
    puts("short write");
  close(fd);
  printf("rmdir of a full one %s", outcome(rmdir("dir")));
  printf(", unlink of a directory %s\n", outcome(unlink("dir") == -1 && (errno == EISDIR || errno == EPERM) ? 0 : 1));
  printf("open a directory for writing %s", outcome(open("dir", O_WRONLY)));
  printf(", a file as directory %s", outcome(open("dir/inner/x", O_RDONLY)));
  printf(", missing %s\n", outcome(open("missing", O_RDONLY)));
  printf("O_DIRECTORY on a file %s, read of a directory ", outcome(open("file", O_RDONLY | O_DIRECTORY)));
  fd = open("dir", O_RDONLY);
  printf("%s\n", outcome(read(fd, buffer, 10)));
  int inner = openat(fd, "inner", O_RDONLY);
  printf("openat %s, ", outcome(read(inner, buffer, 10)));
  printf("fstatat %s, ", outcome(fstatat(fd, "inner", &(struct stat){0}, 0)));
  printf("fchdir %s, ", outcome(fchdir(fd)));
  printf("access here %s, ", outcome(access("inner", R_OK)));
  printf("and back %s\n", outcome(chdir("..")));
  close(inner);
  close(fd);
  printf("symlink %s, readlink ", outcome(symlink("dir/inner", "soft")));
  printf("%s ", outcome(readlink("soft", buffer, sizeof buffer)));
  printf("[%.9s", buffer);
  printf("], of a file %s\n", outcome(readlink("file", buffer, sizeof buffer)));
  printf("link %s, ", outcome(link("dir/inner", "hard")));
  printf("O_NOFOLLOW %s, dangling ", outcome(open("soft", O_RDONLY | O_NOFOLLOW)));
  symlink("nowhere", "dangling");
  printf("%s, loop ", outcome(open("dangling", O_RDONLY)));
  symlink("loop", "loop");
  printf("%s\n", outcome(open("loop", O_RDONLY)));
  show("soft");
  show("hard");
  show("dir");
  printf("rename %s", outcome(rename("hard", "renamed")));
  printf(", over another %s", outcome(rename("renamed", "file")));
  printf(", directory over file %s", outcome(rename("dir", "file")));
  printf(", missing %s\n", outcome(rename("missing", "x")));
  show("file");
  show("hard");
  char longname[300];
  memset(longname, 'n', 299);
  longname[299] = 0;
  printf("a name of 299 bytes %s", outcome(open(longname, O_RDONLY)));
  printf(", an empty one %s\n", outcome(open("", O_RDONLY)));
  printf("chmod %s, ", outcome(chmod("file", 04711)));
  show("file");
  mode_t old = umask(077);
  close(open("masked", O_WRONLY | O_CREAT, 0666));
  printf("umask %s: ", yes(umask(old) == 077));
  show("masked");
  struct timespec stamps[2] = {{1000000000, 123456000}, {1500000000, 654321000}};
  printf("utimensat %s, ", outcome(utimensat(AT_FDCWD, "masked", stamps, 0)));
  struct stat st;
  stat("masked", &st);
  printf("mtime %lld.%09ld, atime %lld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
         (long long)st.st_atim.tv_sec);
  for (int i = 0; i < 120; i++) {
    char name[40];
    snprintf(name, sizeof name, "dir/entry-with-a-rather-long-name-%03d", i);
    close(open(name, O_WRONLY | O_CREAT, 0600));
  }
  list("dir");
  list(".");
  list("missing");
  for (int i = 0; i < 120; i++) {
    char name[40];
    snprintf(name, sizeof name, "dir/entry-with-a-rather-long-name-%03d", i);
    unlink(name);
  }
  printf("cleared: %s", outcome(unlink("dir/inner")));
  printf(", %s", outcome(rmdir("dir")));
  printf(", %s", outcome(unlink("soft")));
  printf(", %s", outcome(unlink("dangling")));
  printf(", %s", outcome(unlink("loop")));
  printf(", %s", outcome(unlink("file")));
  printf(", %s\n", outcome(unlink("masked")));
  list(".");
}

static void descriptors(void) {
  char buffer[16] = "";
  int fd = open("shared", O_RDWR | O_CREAT, 0600);
  int copy = dup(fd);
  if (write(fd, "abcdef", 6) != 6)
    puts("short write");
  printf("dup shares the offset: %s", outcome(lseek(copy, 0, SEEK_CUR)));
  printf(", lowest free: %s\n", yes(copy == fd + 1));
  printf("dup2 %s", yes(dup2(fd, 50) == 50));
  printf(", onto itself %s", yes(dup2(fd, fd) == fd));
  printf(", dup3 onto itself %s\n", outcome(dup3(fd, fd, 0)));
  printf("F_DUPFD %s", yes(fcntl(fd, F_DUPFD, 60) == 60));
  printf(", F_DUPFD_CLOEXEC flag %s", outcome(fcntl(fcntl(fd, F_DUPFD_CLOEXEC, 70), F_GETFD)));
  printf(", of dup %s\n", outcome(fcntl(copy, F_GETFD)));
  fcntl(copy, F_SETFD, FD_CLOEXEC);
  printf("F_SETFD %s", outcome(fcntl(copy, F_GETFD)));
  printf(", the other %s", outcome(fcntl(fd, F_GETFD)));
  printf("; F_GETFL access %s\n", outcome(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)));
  fcntl(fd, F_SETFL, O_APPEND);
  printf("F_SETFL is shared: %s", yes(fcntl(copy, F_GETFL) & O_APPEND));
  printf("; bad descriptor %s", outcome(fcntl(99, F_GETFL)));
  printf(", bad command %s\n", outcome(fcntl(fd, 9999)));
  unlink("shared");
  printf("unlinked, still readable: %s ", outcome(pread(fd, buffer, 6, 0)));
  struct stat st;
  fstat(fd, &st);
  printf("[%s], links %d\n", buffer, (int)st.st_nlink);
  for (int i = 50; i < 80; i++)
    close(i);
  close(fd);
  close(copy);

  int ends[2];
  if (pipe2(ends, O_NONBLOCK) != 0)
    return;
  printf("empty pipe %s, ", outcome(read(ends[0], buffer, 1)));
  printf("write %s, FIONREAD ", outcome(write(ends[1], "12345", 5)));
  int waiting = 0;
  ioctl(ends[0], FIONREAD, &waiting);
  struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
  int ready = poll(polled, 2, 0);
  printf("%d, poll %d %d %d, ", waiting, ready, polled[0].revents, polled[1].revents);
  printf("read %s, ", outcome(read(ends[0], buffer, 10)));
  long filled = 0;
  static char block[4096];
  for (ssize_t done; (done = write(ends[1], block, sizeof block)) > 0;)
    filled += done;
  printf("filled with %ld", filled);
  printf(", then %s\n", outcome(-1));
  close(ends[1]);
  while (read(ends[0], block, sizeof block) > 0)
    ;
  printf("after the writer closed: %s, ", outcome(read(ends[0], buffer, 1)));
  ready = poll(polled, 1, 0);
  printf("poll %d", ready);
  printf(" hang-up %s", yes(polled[0].revents & POLLHUP));
  printf("; write to the reading end %s\n", outcome(write(ends[0], "x", 1)));
  close(ends[0]);
  printf("isatty of a pipe: %s\n", yes(isatty(ends[0]) == 0));

  fd = open("/dev/null", O_RDWR);
  printf("/dev/null: read %s", outcome(read(fd, buffer, 5)));
  printf(", write %s; /dev/zero ", outcome(write(fd, "abc", 3)));
  close(fd);
  fd = open("/dev/zero", O_RDONLY);
  memset(buffer, 'x', 5);
  printf("%s", outcome(read(fd, buffer, 5)));
  printf(" %s\n", yes(buffer[4] == 0));
  close(fd);
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 15);
  if (argc < 2 || chdir(argv[1]) != 0) {
    fputs("usage: file-syscalls EMPTY-DIRECTORY\n", stderr);
    return 2;
  }
  char here[4096];
  umask(022);
  printf("getcwd %s", yes(getcwd(here, sizeof here) != NULL));
  printf(", too small %s\n", getcwd(here, 2) == NULL && errno == ERANGE ? "ERANGE" : "ok");
  transfers();
  names();
  descriptors();
  return 0;
}
