/* What the kernel hands a new program: arguments, environment, auxiliary vector, stack alignment.
   Addresses are only compared, never printed. Source: getauxval(3), System V ABI AMD64 3.4.1. */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static const char *yes(int condition) { return condition ? "yes" : "no"; }

int main(int argc, char **argv) {
  const char *slash = strrchr(argv[0], '/');
  printf("argc %d, program %s\n", argc, slash ? slash + 1 : argv[0]);
  for (int i = 1; i < argc; i++)
    printf("argv[%d] (%zu bytes) [%s]\n", i, strlen(argv[i]), argv[i]);
  printf("argv ends in NULL: %s\n", yes(argv[argc] == NULL));

  size_t count = 0;
  while (environ[count] != NULL)
    count++;
  qsort(environ, count, sizeof *environ, by_text);
  printf("%zu environment strings\n", count);
  for (size_t i = 0; i < count; i++)
    printf("  %s\n", environ[i]);

  Elf64_Phdr *phdr = (Elf64_Phdr *)getauxval(AT_PHDR);
  const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
  const char *platform = (const char *)getauxval(AT_PLATFORM);
  const char *execfn = (const char *)getauxval(AT_EXECFN);
  unsigned mixed = 0;
  for (int i = 0; random != NULL && i < 16; i++)
    mixed |= random[i];
  int loads = 0;
  for (unsigned long i = 0; phdr != NULL && i < getauxval(AT_PHNUM); i++)
    loads += phdr[i].p_type == PT_LOAD;
  printf("AT_PAGESZ %lu, AT_CLKTCK %lu, AT_PHENT %lu, AT_SECURE %lu\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK),
         getauxval(AT_PHENT), getauxval(AT_SECURE));
  printf("AT_PHDR finds PT_LOAD: %s, AT_ENTRY set: %s\n", yes(loads > 0), yes(getauxval(AT_ENTRY) != 0));
  printf("AT_RANDOM filled: %s, AT_PLATFORM %s\n", yes(mixed != 0), platform ? platform : "(none)");
  printf("AT_EXECFN ends as argv[0]: %s\n", yes(execfn != NULL && strcmp(execfn, argv[0]) == 0));
  printf("AT_UID, AT_EUID agree with getuid, geteuid: %s\n",
         yes(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() && getauxval(AT_GID) == getgid()));
  struct utsname name;
  printf("uname: %s %s\n", uname(&name) == 0 ? name.sysname : "failed", name.machine);
  return 0;
}
