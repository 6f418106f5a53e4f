/* INT 0x80 in a 64-bit process: i386's numbers, the low halves of ebx, ecx, edx, esi, edi and ebp; nothing but rax
   changes. Natively this needs a kernel with 32-bit emulation. usage: int80 FILE (is created and removed).
   Source: syscall(2). */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static long int80(long nr, unsigned long a, unsigned long b, unsigned long c) {
  long result;
  /* The high halves of the arguments are not looked at. */
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(nr), "b"(a), "c"(b), "d"(c)
                   : "memory");
  return result;
}

static char text[] = "written by INT 0x80\n", path[256], buffer[64];
static int ends[2];

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  uint64_t high = 0xdeadbeef00000000;
  strncpy(path, argv[1], sizeof path - 1);
  printf("getpid agrees: %d, getuid agrees: %d\n", int80(20, 0, 0, 0) == getpid(), int80(199, 0, 0, 0) == getuid());
  fflush(stdout);
  printf(" = %ld\n", int80(4, high | 1, high | (uintptr_t)text, high | (sizeof text - 1)));
  long fd = int80(5, (uintptr_t)path, 0102, 0600);
  printf("open gives a descriptor: %d\n", fd > 2);
  printf("write %ld\n", int80(4, fd, (uintptr_t)text, 7));
  printf("lseek %ld\n", int80(19, fd, 3, 0));
  printf("lseek from the end %ld\n", int80(19, fd, (unsigned)-2, 2));
  printf("read %ld", int80(3, fd, (uintptr_t)buffer, 9));
  printf(" [%s]\n", buffer);
  printf("close %ld\n", int80(6, fd, 0, 0));
  printf("unlink %ld\n", int80(10, (uintptr_t)path, 0, 0));
  printf("errors: EBADF %ld, ENOENT %ld, EFAULT %ld, no such call %ld\n", int80(3, 99, (uintptr_t)buffer, 1),
         int80(5, (uintptr_t)path, 0, 0), int80(4, 1, 16, 5), int80(9999, 0, 0, 0));
  printf("pipe %ld\n", int80(42, (uintptr_t)ends, 0, 0));
  printf("dup2 %ld, sched_yield %ld\n", int80(63, ends[0], 50, 0), int80(158, 0, 0, 0));
  uint64_t rcx = 0x1122334455667788, r11 = 42, after_rcx, after_r11;
  __asm__ volatile("mov %2, %%rcx; mov %3, %%r11; mov $20, %%eax; int $0x80; mov %%rcx, %0; mov %%r11, %1"
                   : "=&r"(after_rcx), "=&r"(after_r11)
                   : "r"(rcx), "r"(r11)
                   : "rax", "rcx", "r11", "memory");
  printf("rcx %s, r11 %s\n", after_rcx == rcx ? "kept" : "lost", after_r11 == r11 ? "kept" : "lost");
  fflush(stdout);
  int80(252, 17, 0, 0);
  return 1;
}
