/* A walk through the C library: qsort and bsearch, setjmp and longjmp, string and memory functions, number parsing,
   scanf, formatted output, ctype, time conversions, a bump of malloc and realloc, atexit handlers, varargs,
   128-bit arithmetic. Everything printed is fixed by the C standard or by the library that is linked in. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int compare_ints(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}
static int compare_strings(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct record {
  double weight;
  char name[13];
};
static int compare_records(const void *a, const void *b) {
  const struct record *x = a, *y = b;
  return x->weight < y->weight ? -1 : x->weight > y->weight;
}

static void sorting(void) {
  int numbers[200];
  uint32_t x = 1;
  for (int i = 0; i < 200; i++) {
    x = x * 1103515245u + 12345u;
    numbers[i] = (int)(x >> 16) % 1000 - 500;
  }
  qsort(numbers, 200, sizeof *numbers, compare_ints);
  int ordered = 1, key = numbers[77], missing = 12345;
  for (int i = 1; i < 200; i++)
    ordered &= numbers[i - 1] <= numbers[i];
  const int *found = bsearch(&key, numbers, 200, sizeof *numbers, compare_ints);
  printf("qsort: %d, %d ... %d; bsearch finds %d, misses %d\n", ordered, numbers[0], numbers[199],
         found && *found == key, bsearch(&missing, numbers, 200, sizeof *numbers, compare_ints) == NULL);
  const char *words[] = {"pear", "apple", "fig", "banana", "", "apple pie", "Zebra", "cherry"};
  qsort(words, 8, sizeof *words, compare_strings);
  for (int i = 0; i < 8; i++)
    printf("[%s]", words[i]);
  putchar('\n');
  struct record records[50];
  for (int i = 0; i < 50; i++) {
    records[i].weight = (i * 37 % 50) * 0.125 - 3;
    snprintf(records[i].name, sizeof records[i].name, "record %d", i);
  }
  qsort(records, 50, sizeof *records, compare_records);
  printf("%s %g, %s %g, %s %g\n", records[0].name, records[0].weight, records[25].name, records[25].weight,
         records[49].name, records[49].weight);
}

static jmp_buf outer, inner;
static volatile int jumps;

__attribute__((noinline)) static void deep(int n) {
  volatile char pad[100];
  pad[0] = (char)n;
  if (n == 0)
    longjmp(inner, 42);
  if (n > 0)
    deep(n - 1);
  pad[1] = pad[0];
}

static void jumping(void) {
  volatile int kept = 5;
  int code = setjmp(outer);
  if (code < 3) {
    jumps++;
    kept += 10;
    int second = setjmp(inner);
    if (second == 0)
      deep(20);
    printf("longjmp from 20 frames deep: %d\n", second);
    longjmp(outer, code + 1);
  }
  printf("setjmp returned %d after %d jumps, kept %d; longjmp with 0 gives ", code, jumps, kept);
  static volatile int again;
  code = setjmp(outer);
  if (!again) {
    again = 1;
    longjmp(outer, 0);
  }
  printf("%d\n", code);
}

static void strings(void) {
  char buffer[100], text[] = "  one,two;;three four  ", *save;
  for (char *token = strtok_r(text, " ,;", &save); token; token = strtok_r(NULL, " ,;", &save))
    printf("<%s>", token);
  putchar('\n');
  memset(buffer, 'x', sizeof buffer);
  strcpy(buffer, "hello");
  strcat(buffer, ", world");
  memmove(buffer + 2, buffer, strlen(buffer) + 1);
  printf("%s %zu %td %td %s %d %d %d\n", buffer, strlen(buffer), strchr(buffer, 'w') - buffer,
         strrchr(buffer, 'l') - buffer, strstr(buffer, "wor"), strcmp("abc", "abd") < 0, strncmp("abcX", "abcY", 3),
         memcmp("a\0b", "a\0c", 3) < 0);
  printf("%zu %zu %s %d %s\n", strspn("aabbc", "ab"), strcspn("hello", "l"), strpbrk("keyed", "xyz"),
         strcasecmp("HeLLo", "hEllO"), strerror(ENOENT));
  /* each length and alignment against a plain loop */
  static unsigned char a[300], b[300];
  int wrong = 0;
  for (int from = 0; from < 17; from++)
    for (int length = 0; length < 140; length += length < 40 ? 1 : 7) {
      for (int i = 0; i < 300; i++) {
        a[i] = (unsigned char)(i * 7 + from + 1) | 1;
        b[i] = (unsigned char)(i + length);
      }
      memcpy(b + 20 + (from * 5) % 16, a + from, (size_t)length);
      for (int i = 0; i < length; i++)
        wrong += b[20 + (from * 5) % 16 + i] != a[from + i];
      wrong += b[20 + (from * 5) % 16 + length] != (unsigned char)(20 + (from * 5) % 16 + length + length);
      a[from + length] = 0;
      wrong += strlen((char *)a + from) != (size_t)length;
      wrong += memchr(a + from, 0, 200) != a + from + length;
      memmove(a + from + 3, a + from, (size_t)length);
      for (int i = 0; i < length; i++)
        wrong += a[from + 3 + i] != b[20 + (from * 5) % 16 + i];
      wrong += memcmp(a + from + 3, b + 20 + (from * 5) % 16, (size_t)length) != 0;
      memset(b + from, from, (size_t)length);
      for (int i = 0; i < length; i++)
        wrong += b[from + i] != from;
    }
  printf("memory functions at every length and alignment: %d wrong\n", wrong);
}

static void numbers(void) {
  char *end;
  errno = 0;
  long big = strtol("99999999999999999999", &end, 10);
  printf("%ld %d rest [%s]; %ld %ld %lo %lx %llu\n", big, errno == ERANGE, end, strtol("-0x7fZ", NULL, 16),
         strtol("0755", NULL, 0), 8L, 255L, strtoull("18446744073709551615", NULL, 10));
  int a = 0, b = 0;
  unsigned c = 0;
  char word[20] = "", set[20] = "";
  long long wide = 0;
  int got = sscanf("12 -7 ff hello [abc] 1234567890123 z", "%d%d%x%19s [%19[a-c]] %lld", &a, &b, &c, word, set, &wide);
  printf("sscanf: %d items: %d %d %u %s %s %lld\n", got, a, b, c, word, set, wide);
  printf("[%5d][%-5d][%05d][%+d][% d][%x][%#X][%#o][%.3d][%5.2s][%c][%%][%*d][%lld][%hhd]\n", 42, 42, 42, 42, 42, 48879,
         48879, 8, 7, "string", 'q', 6, 123, LLONG_MIN, (signed char)300);
  printf("%" PRIu64 " %" PRId64 " %zu %jd\n", UINT64_MAX, INT64_MIN, sizeof(int), (intmax_t)-5);
  unsigned __int128 product = (unsigned __int128)UINT64_MAX * 12345678901234567u;
  __int128 negative = -(__int128)(product >> 3);
  printf("128 bits: %016llx%016llx, /1e18: %llu, %%: %llu, signed /7: %lld\n", (unsigned long long)(product >> 64),
         (unsigned long long)product, (unsigned long long)(product / 1000000000000000000u),
         (unsigned long long)(product % 1000000000000000000u), (long long)(negative / 7 >> 40));
  ldiv_t divided = ldiv(-17, 5);
  printf("ldiv %ld %ld, abs %d, shift %d, ctype %d%d%d%d %c%c\n", divided.quot, divided.rem, abs(-9), -17 >> 2,
         isalpha('x') != 0, isdigit('x') != 0, isspace('\t') != 0, ispunct('!') != 0, toupper('z'), tolower('Q'));
}

static int sum_of(int count, ...) {
  va_list list, copy;
  va_start(list, count);
  va_copy(copy, list);
  double total = 0;
  for (int i = 0; i < count; i++) {
    total += va_arg(list, int);
    total += va_arg(list, double);
  }
  int first = va_arg(copy, int);
  va_end(copy);
  va_end(list);
  return (int)(total * 10) + first;
}

static void times(void) {
  time_t when[] = {0, 951782400, 1709164800, 2147483647, 4102444800, -86400};
  for (int i = 0; i < 6; i++) {
    struct tm broken;
    char text[64];
    gmtime_r(&when[i], &broken);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %b %j %U", &broken);
    printf("%lld: %s, back %lld\n", (long long)when[i], text, (long long)timegm(&broken));
  }
}

static void memory(void) {
  enum { BLOCKS = 400 };
  static unsigned char *blocks[BLOCKS];
  static size_t sizes[BLOCKS];
  uint32_t x = 99;
  int wrong = 0;
  for (int turn = 0; turn < 4000; turn++) {
    x = x * 1664525u + 1013904223u;
    int i = (int)(x >> 8) % BLOCKS;
    if (blocks[i] != NULL) {
      for (size_t j = 0; j < sizes[i]; j += 17)
        wrong += blocks[i][j] != (unsigned char)(i + j);
      if (x >> 30 == 0) {
        free(blocks[i]);
        blocks[i] = NULL;
        continue;
      }
    }
    sizes[i] = x >> 12 & (turn % 50 == 0 ? 0x3ffff : 0x7ff);
    blocks[i] = realloc(blocks[i], sizes[i] + 1);
    if (blocks[i] == NULL || ((uintptr_t)blocks[i] & 15) != 0) {
      wrong++;
      continue;
    }
    for (size_t j = 0; j < sizes[i]; j++)
      blocks[i][j] = (unsigned char)(i + j);
  }
  for (int i = 0; i < BLOCKS; i++)
    free(blocks[i]);
  unsigned char *zeroed = calloc(1000, 3);
  for (int i = 0; zeroed != NULL && i < 3000; i++)
    wrong += zeroed[i];
  free(zeroed);
  void *aligned = NULL;
  wrong += posix_memalign(&aligned, 4096, 100) != 0 || ((uintptr_t)aligned & 4095) != 0;
  free(aligned);
  printf("malloc, realloc, free: %d wrong\n", wrong);
}

static void goodbye(void) { puts("atexit: last registered runs first"); }
static void goodbye_2(void) { puts("atexit: second"); }

int main(void) {
  atexit(goodbye_2);
  atexit(goodbye);
  sorting();
  jumping();
  strings();
  numbers();
  printf("varargs: %d\n", sum_of(5, 1, 0.5, 2, 1.5, 3, 2.5, 4, 3.5, 5, 4.5));
  times();
  memory();
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = 0;
    printf("stdin: [%s]\n", line);
  }
  return 3;
}
