/* long double (80-bit x87) through the C library: printf of %La, %Le, %Lf, %Lg, strtold round trips, conversions to and
   from integers and double, classification, fmodl, nextafterl. Source: C11 7.12, 7.21.6.1, 7.22.1.3. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const texts[] = {"0",
                                    "-0",
                                    "1",
                                    "-1.5",
                                    "0.1",
                                    "3.14159265358979323846264338327950288",
                                    "1e-10",
                                    "1e10",
                                    "1e100",
                                    "1e-100",
                                    "1.7976931348623157e308",
                                    "2.2250738585072014e-308",
                                    "1e4000",
                                    "1e-4000",
                                    "1.18973149535723176502e+4932",
                                    "3.36210314311209350626e-4932",
                                    "3.6e-4951",
                                    "1e-5000",
                                    "1e5000",
                                    "0x1.8p3",
                                    "-0x1.fffffffffffffffep+16383",
                                    "0x1p-16445",
                                    "123456789012345678901234567890",
                                    "9223372036854775807",
                                    "18446744073709551615",
                                    "inf",
                                    "-inf",
                                    "nan",
                                    "0.5",
                                    "2.5",
                                    "3.5",
                                    "1e22",
                                    "1e23",
                                    "0.000123456789",
                                    "999999.95",
                                    "4.35",
                                    "6.02214076e23"};

static void bytes(const char *label, long double x) {
  unsigned char raw[16];
  memcpy(raw, &x, sizeof raw);
  printf(" %s ", label);
  for (int i = 9; i >= 0; i--)
    printf("%02x", raw[i]);
}

int main(void) {
  for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
    char *end, buffer[128];
    volatile long double x = strtold(texts[i], &end);
    printf("%s:", texts[i]);
    bytes("=", x);
    printf(" rest %zu\n  %La | %Le | %.18Lg | %Lg | %.0Lf\n", strlen(end), x, x, x, x, fabsl(x) < 1e40L ? x : 0);
    snprintf(buffer, sizeof buffer, "%.21Lg", x);
    long double back = strtold(buffer, NULL);
    snprintf(buffer, sizeof buffer, "%La", x);
    long double hex_back = strtold(buffer, NULL);
    printf("  round trips: decimal %d, hex %d;", x != x || back == x, x != x || hex_back == x);
    volatile double d = (double)x;
    volatile float f = (float)x;
    uint64_t dbits;
    uint32_t fbits;
    memcpy(&dbits, (const void *)&d, 8);
    memcpy(&fbits, (const void *)&f, 4);
    if (x == x)
      printf(" double %016llx, float %08x;", (unsigned long long)dbits, fbits);
    printf(" class %d%d%d%d sign %d\n", isnan(x) != 0, isinf(x) != 0, isnormal(x) != 0, x == 0, signbit(x) != 0);
  }

  static const long double values[] = {0.0L, 0.5L, 1.0L, 1.5L, 2.5L, 1e10L, 1.0L / 3, 0x1p63L - 1, 12345.678L, 1e-20L};
  enum { VALUES = sizeof values / sizeof *values };
  for (int i = 0; i < VALUES; i++) {
    volatile long double a = values[i];
    printf("%Lg: int %d, long %lld, -long %lld, unsigned %llu, floor %Lg ceil %Lg trunc %Lg round %Lg rint %Lg sqrt "
           "%.20Lg\n",
           a, a < 2e9L ? (int)a : -1, a < 0x1p63L ? (long long)a : -1, a < 0x1p63L ? -(long long)a : -1,
           (unsigned long long)a, floorl(a), ceill(-a), truncl(-a), roundl(a), rintl(a), sqrtl(a));
    int exponent;
    long double whole, fraction = frexpl(a, &exponent);
    printf("  frexp %La %d, modf", fraction, exponent);
    fraction = modfl(-a, &whole);
    printf(" %Lg %Lg, ldexp %La, next %La, logb %Lg\n", fraction, whole, ldexpl(a, 100), nextafterl(a, 1e30L),
           a > 0 ? logbl(a) : 0.0L);
    for (int j = 0; j < VALUES; j++) {
      volatile long double b = values[j];
      printf("  %La %La %La", a + b, a - b, a * b);
      if (b != 0)
        printf(" %La %La", a / b, fmodl(a, b));
      printf(" %d%d%d %La\n", a<b, a == b, a> b, fmaxl(a, -b));
    }
  }
  volatile int64_t whole = -9007199254740993;
  volatile uint64_t large = 18446744073709551615u;
  volatile int32_t small = -7;
  printf("from integers: %La %La %La\n", (long double)whole, (long double)large, (long double)small);
  printf("limits: %La %La %La %d\n", LDBL_MAX, LDBL_MIN, LDBL_EPSILON, LDBL_DIG);
  volatile long double sum = 0;
  for (int i = 1; i <= 100000; i++)
    sum += 1.0L / i;
  printf("harmonic number of 100000: %.20Lg = %La\n", sum, sum);
  return 0;
}
