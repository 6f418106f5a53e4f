/* Copies a file: cp-file SRC DST. Contents by read and write, permission bits by fstat and fchmod.
   Refuses a directory, a missing source, and a copy onto itself. Source: open(2), fstat(2), fchmod(2). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what) {
  fprintf(stderr, "cp-file: %s: %s\n", what, strerror(errno));
  return 1;
}

/* Writes all of a buffer; 0, or -1 with errno set. */
static int write_all(int fd, const char *data, size_t bytes) {
  while (bytes > 0) {
    ssize_t done = write(fd, data, bytes);
    if (done < 0) {
      if (errno == EINTR)
        continue;
      return -1;
    }
    data += done;
    bytes -= (size_t)done;
  }
  return 0;
}

int main(int argc, char **argv) {
  static char buffer[32768];
  if (argc != 3) {
    fputs("usage: cp-file SRC DST\n", stderr);
    return 2;
  }
  int in = open(argv[1], O_RDONLY);
  if (in < 0)
    return fail("source");
  struct stat from, to;
  if (fstat(in, &from) < 0)
    return fail("fstat source");
  if (S_ISDIR(from.st_mode)) {
    errno = EISDIR;
    return fail("source");
  }
  if (stat(argv[2], &to) == 0 && to.st_dev == from.st_dev && to.st_ino == from.st_ino) {
    fputs("cp-file: source and destination are the same file\n", stderr);
    return 1;
  }
  int out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (out < 0)
    return fail("destination");

  long long total = 0;
  unsigned long long hash = 14695981039346656037ull; /* FNV-1a, so that two runs can be compared by eye */
  for (;;) {
    ssize_t got = read(in, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail("read");
    if (got == 0)
      break;
    for (ssize_t i = 0; i < got; i++)
      hash = (hash ^ (unsigned char)buffer[i]) * 1099511628211ull;
    if (write_all(out, buffer, (size_t)got) < 0)
      return fail("write");
    total += got;
  }
  if (fchmod(out, from.st_mode & 07777) < 0)
    return fail("fchmod");
  if (fstat(out, &to) < 0)
    return fail("fstat destination");
  if (close(out) < 0 || close(in) < 0)
    return fail("close");
  printf("%lld bytes copied, mode %04o, hash %016llx\n", total, (unsigned)(to.st_mode & 07777), hash);
  return to.st_size == from.st_size ? 0 : 1;
}
