/* Benchmark: rate of changes to memory. KIND map: mmap, a store and munmap of 64 KiB; touch: the first store to each
   page of 4 MiB; protect: mprotect of one page to read-only and back; heap: malloc and free of blocks large enough for
   mappings of their own. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, SMALL = 16 * PAGE, LARGE = 1024 * PAGE };

static char *map(size_t size) {
  char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED)
    exit(1);
  return p;
}

static uint64_t do_map(void) {
  char *p = map(SMALL);
  p[PAGE] = 1;
  uint64_t sum = (uint64_t)p[0] + (uint64_t)p[PAGE];
  return munmap(p, SMALL) == 0 ? sum : 1000;
}

static uint64_t do_touch(void) {
  char *p = map(LARGE);
  uint64_t sum = 0;
  for (size_t i = 0; i < LARGE; i += PAGE) {
    sum += (uint64_t)p[i];
    p[i] = 1;
  }
  return munmap(p, LARGE) == 0 ? sum : 1000;
}

static uint64_t do_protect(void) {
  static char *p;
  if (p == NULL)
    p = map(SMALL);
  int failed = mprotect(p + PAGE, PAGE, PROT_READ) | mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE);
  p[PAGE]++;
  return (uint64_t)(failed != 0);
}

static uint64_t do_heap(void) {
  unsigned char *volatile p = malloc(300000);
  if (p == NULL)
    return 1000;
  p[0] = 7;
  p[299999] = 1;
  uint64_t sum = p[0];
  free(p);
  return sum;
}

static const struct kind {
  const char *name;
  uint64_t (*work)(void);
} kinds[] = {{"map", do_map}, {"touch", do_touch}, {"protect", do_protect}, {"heap", do_heap}};

int main(int argc, char **argv) {
  int repeat = argc > 1 ? atoi(argv[1]) : 100;
  const struct kind *kind = kinds;
  for (size_t i = 0; argc > 2 && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].name, argv[2]) == 0)
      kind = &kinds[i];
  uint64_t sum = 0;
  for (int r = 0; r < repeat; r++)
    sum += kind->work();
  printf("pages %s %d: %llu\n", kind->name, repeat, (unsigned long long)sum);
  return 0;
}
