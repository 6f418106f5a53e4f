/* Files in memory: private and shared mappings, what a write through one is seen by, offsets, the tail of the last
   page, protections against the open mode, and a descriptor closed under its mapping. usage: mmap-file FILE (is created
   and removed). Source: mmap(2), msync(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const char *yes(int condition) { return condition ? "yes" : "no"; }

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
  static char data[3 * PAGE + 100];
  char buffer[16] = "";
  for (unsigned i = 0; i < sizeof data; i++)
    data[i] = (char)('a' + i % 26);
  if (fd < 0 || write(fd, data, sizeof data) != sizeof data)
    return 1;

  char *private = mmap(NULL, sizeof data, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  printf("private: contents %s, tail of the last page zero %s\n", yes(memcmp(private, data, sizeof data) == 0),
         yes(private[sizeof data] == 0 && private[4 * PAGE - 1] == 0));
  private[5] = '!';
  pread(fd, buffer, 8, 0);
  printf("written to it: the file keeps [%s]\n", buffer);
  char *offset = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 2 * PAGE);
  printf("at offset 8192: %s; at an odd offset: %s\n", yes(memcmp(offset, data + 2 * PAGE, PAGE) == 0),
         mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100) == MAP_FAILED && errno == EINVAL ? "EINVAL" : "ok");
  munmap(offset, PAGE);

  char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared == MAP_FAILED) {
    printf("shared: errno %d\n", errno);
    return 1;
  }
  memcpy(shared + 10, "SHARED", 6);
  pread(fd, buffer, 8, 9);
  printf("shared: the file has [%s] at once\n", buffer);
  pwrite(fd, "WRITTEN", 7, PAGE + 3);
  printf("written to the file: the mapping has [%.9s]\n", shared + PAGE + 2);
  char *second = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
  second[100] = '#';
  printf("two shared mappings of one page agree: %s; the private one %s\n", yes(shared[PAGE + 100] == '#'),
         yes(private[5] == '!'));
  printf("msync: %d, unmapped: %d\n", msync(shared, 2 * PAGE, MS_SYNC), munmap(second, PAGE));
  munmap(shared, 2 * PAGE);
  pread(fd, buffer, 3, PAGE + 99);
  printf("after munmap the file keeps the change: %s\n", yes(buffer[1] == '#'));

  close(fd);
  printf("descriptor closed: private still %s\n", yes(private[PAGE * 2] == data[PAGE * 2]));
  fd = open(argv[1], O_RDONLY);
  printf("read-only descriptor: shared writable %s, private writable %s\n",
         mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES ? "EACCES" : "ok",
         mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED ? "ok" : "refused");
  close(fd);
  fd = open(argv[1], O_WRONLY);
  printf("write-only descriptor: %s\n",
         mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EACCES ? "EACCES" : "ok");
  close(fd);
  munmap(private, sizeof data);
  unlink(argv[1]);

  uint32_t *anonymous = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  anonymous[3] = 7;
  printf("shared anonymous: %u %u\n", anonymous[0], anonymous[3]);
  return 0;
}
