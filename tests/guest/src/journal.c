/* Writes records for ever, and says on stdout which of them are safe: fsynced in a file, in a mapping that was msynced, in a file that was renamed into place. In: a directory. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2 || chdir(argv[1]) != 0) return 2;
  int log = open("log", O_CREAT | O_WRONLY | O_APPEND, 0666);
  int counter = open("counter", O_CREAT | O_RDWR, 0666);
  int parent = open(".", O_RDONLY | O_DIRECTORY);
  ftruncate(counter, 4096);
  volatile uint32_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, counter, 0);
  for (uint32_t n = 1;; n++) {
    char text[32];
    int length = snprintf(text, sizeof text, "%08u\n", n);
    if (write(log, text, length) != length || fsync(log) != 0) return 3;
    *shared = n;
    if (msync((void *)shared, 4096, MS_SYNC) != 0) return 4;
    int fd = open("state.new", O_CREAT | O_WRONLY | O_TRUNC, 0666);
    for (int i = 0; i < 100; i++) write(fd, text, length);
    if (fsync(fd) != 0 || close(fd) != 0 || rename("state.new", "state") != 0 || fsync(parent) != 0) return 5;
    int scratch = open("/scratch/file", O_CREAT | O_WRONLY | O_APPEND, 0666);
    write(scratch, text, length);
    close(scratch);
    if (n % 64 == 1 && fork() == 0) {
      usleep(1000);
      _exit(0);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    write(1, text, length);
  }
}
