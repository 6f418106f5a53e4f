/* The functions of glibc that exist in several versions, chosen by CPUID: strings of every length and alignment around
   the vector widths, wide characters, and libm's functions that have FMA or SSE4.1 versions. Prints checksums of the
   strings' results, and the mathematical ones. Source: C11 7.12, 7.24; glibc's sysdeps/x86_64/multiarch. */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

enum { SPACE = 4096 };
static size_t lengths = 300;
static uint64_t sum = 1469598103934665603u;
static void add(uint64_t value) { sum = (sum ^ value) * 1099511628211u; }
static void add_bytes(const void *data, size_t size) {
  for (size_t i = 0; i < size; i++)
    add(((const unsigned char *)data)[i]);
}
static uint64_t place(const void *found, const void *from) {
  return found == NULL ? ~0ull : (uint64_t)((const char *)found - (const char *)from);
}
static int sign(int x) { return (x > 0) - (x < 0); }
static void show(const char *name) { printf("%s %016llx\n", name, (unsigned long long)sum); }

static char a[SPACE], b[SPACE], c[SPACE];
static wchar_t wa[SPACE], wb[SPACE];

static void fill(char *p, size_t size, unsigned seed) {
  for (size_t i = 0; i < size; i++)
    p[i] = (char)('a' + (i * seed + i / 7) % 26);
}

static void blocks(void) {
  for (size_t n = 0; n < lengths; n++)
    for (size_t shift = 0; shift < 64; shift += 13) {
      fill(a, SPACE, 3), fill(b, SPACE, 5);
      memcpy(b + shift, a + 1, n), add_bytes(b, n + shift + 2);
      memmove(a + shift, a + 7, n), memmove(a + 100, a + 90 + shift / 4, n), add_bytes(a, n + 200);
      memset(c + shift, (int)n, n), add_bytes(c, n + 70);
      add(place(mempcpy(c, a + shift, n), c));
      add(place(memchr(a + shift, 'q', n), a)), add(place(memrchr(a + shift, 'q', n), a)),
          add(place(rawmemchr(a + shift, 'x'), a));
      memcpy(b, a + shift, n + 1);
      b[n / 2] ^= (char)(n & 1);
      add((uint64_t)sign(memcmp(a + shift, b, n))), add((uint64_t)(bcmp(a + shift, b, n) != 0));
      add(place(memmem(a, 500, a + shift + 40, n % 20 + 1), a));
    }
  show("blocks");
}

static void strings(void) {
  for (size_t n = 0; n < lengths; n++)
    for (size_t shift = 0; shift < 64; shift += 11) {
      char *s = a + shift;
      fill(s, n, 7), s[n] = '\0';
      add(strlen(s)), add(strnlen(s, n / 2 + 9));
      strcpy(b + 5, s), add_bytes(b, n + 6), strncpy(c + 3, s, n + 9), add_bytes(c, n + 14),
          add(place(stpcpy(b, s), b));
      strcat(b, s), add(strlen(b)), strncat(b, s, 20), add(strlen(b)), add(place(stpncpy(c, s, n + 2), c));
      add(place(strchr(s, 'k'), s)), add(place(strrchr(s, 'k'), s)), add(place(strchrnul(s, 'z'), s));
      b[n / 3] = (char)(b[n / 3] == '\0' ? 0 : b[n / 3] + 1 - 32);
      add((uint64_t)sign(strcmp(s, b))), add((uint64_t)sign(strncmp(s, b, n / 2)));
      add((uint64_t)sign(strcasecmp(s, b))), add((uint64_t)sign(strncasecmp(s, b, n / 2 + 1)));
      add(strspn(s, "abcdefgh")), add(strcspn(s, "xyz")), add(place(strpbrk(s, "wvu"), s)),
          add(place(strstr(s, "hov"), s));
    }
  show("strings");
}

static void wide(void) {
  for (size_t n = 0; n < lengths / 2; n++) {
    for (size_t i = 0; i < n; i++)
      wa[i] = (wchar_t)(L'a' + i * 11 % 5000);
    wa[n] = 0;
    wmemset(wb, L'!', n + 3), add_bytes(wb, 4 * n + 12), wmemcpy(wb, wa, n + 1);
    wb[n / 2] += (wchar_t)(n % 3);
    add(wcslen(wa)), add(wcsnlen(wa, n / 2 + 3)), add(place(wcschr(wa, L'k' + 300), wa)),
        add(place(wcsrchr(wa, L'l'), wa)), add(place(wmemchr(wa, L'a' + 77, n), wa));
    add((uint64_t)sign(wcscmp(wa, wb))), add((uint64_t)sign(wmemcmp(wa, wb, n)));
  }
  show("wide characters");
}

typedef double function(double);
static const struct {
  const char *name;
  function *f;
} functions[] = {
    {"sin", sin},    {"cos", cos},   {"tan", tan},     {"atan", atan}, {"asin", asin}, {"acos", acos},
    {"exp", exp},    {"exp2", exp2}, {"expm1", expm1}, {"log", log},   {"log2", log2}, {"log1p", log1p},
    {"sinh", sinh},  {"tanh", tanh}, {"floor", floor}, {"ceil", ceil}, {"rint", rint}, {"nearbyint", nearbyint},
    {"trunc", trunc}};
typedef float function_f(float);
static const struct {
  const char *name;
  function_f *f;
} functions_f[] = {{"sinf", sinf},   {"cosf", cosf},     {"expf", expf},   {"exp2f", exp2f}, {"logf", logf},
                   {"log2f", log2f}, {"floorf", floorf}, {"ceilf", ceilf}, {"rintf", rintf}, {"truncf", truncf}};

static void mathematics(void) {
  static const double at[] = {-1e10, -700.5, -20.25, -2.5, -1,  -0.75,   -1e-9, -0.0, 0,          1e-300, 0.1,
                              0.5,   0.999,  1,      1.5,  2.5, 3.14159, 10,    88.5, 123456.789, 1e15,   1e300};
  for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++) {
    printf("%s", functions[i].name);
    for (unsigned j = 0; j < sizeof at / sizeof *at; j++)
      printf(" %a", functions[i].f(at[j]));
    printf("\n");
  }
  for (unsigned i = 0; i < sizeof functions_f / sizeof *functions_f; i++) {
    printf("%s", functions_f[i].name);
    for (unsigned j = 0; j < sizeof at / sizeof *at; j++)
      printf(" %a", (double)functions_f[i].f((float)at[j]));
    printf("\n");
  }
  for (unsigned i = 0; i < sizeof at / sizeof *at; i++) {
    for (unsigned j = 0; j < sizeof at / sizeof *at; j++)
      printf(" %a", pow(fabs(at[i]), at[j])), printf(" %a", atan2(at[i], at[j])),
          printf(" %a", fma(at[i], at[j], 1.25));
    printf("\n");
  }
}

/* Argument: lengths of strings to try. */
int main(int argc, char **argv) {
  if (argc > 1)
    lengths = (size_t)atoi(argv[1]);
  blocks();
  strings();
  wide();
  mathematics();
  return 0;
}
