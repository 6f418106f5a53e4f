/* double and float in text and back: printf in every style over plain, tiny, huge and halfway values; strtod, sscanf;
   conversions to integers; arithmetic with NaN, infinities and denormals. Source: C11 7.21.6.1, 7.22.1.3. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  return bits;
}

static const double values[] = {0.0,
                                -0.0,
                                1.0,
                                -1.0,
                                0.1,
                                0.5,
                                1.5,
                                2.5,
                                3.5,
                                1.0 / 3,
                                2.0 / 3,
                                1e-5,
                                1e-4,
                                123456.0,
                                1234567.0,
                                9.9999995,
                                0.99999949,
                                1e15,
                                1e16,
                                1e17,
                                1e21,
                                1e22,
                                1e23,
                                1e100,
                                DBL_MAX,
                                DBL_MIN,
                                DBL_EPSILON,
                                4.9406564584124654e-324,
                                2.2250738585072009e-308,
                                4503599627370496.5,
                                9007199254740993.0,
                                0.3,
                                5e-324,
                                1.7976931348623155e308,
                                123.456,
                                255.0,
                                1e-300,
                                3.141592653589793,
                                2.718281828459045};

int main(void) {
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
    volatile double x = values[i];
    char buffer[400];
    printf("%016llx: %g %e %f %a\n", (unsigned long long)bits_of(x), x, x, fabs(x) < 1e30 ? x : 0, x);
    printf("  %.17g %.3g %.0e %.1f %+.2e %#g %012.4g|%-12.3f|% g %G %E %A\n", x, x, x, fabs(x) < 1e30 ? x : 0, x, x, x,
           fabs(x) < 1e9 ? x : 0, x, x, x, x);
    snprintf(buffer, sizeof buffer, "%.17g", x);
    double back = strtod(buffer, NULL), scanned = 0;
    float small = 0;
    sscanf(buffer, "%lf", &scanned);
    sscanf(buffer, "%f", &small);
    uint32_t small_bits;
    memcpy(&small_bits, &small, 4);
    printf("  back %d %d, float %08x", bits_of(back) == bits_of(x), bits_of(scanned) == bits_of(x), small_bits);
    if (fabs(x) < 9e18)
      printf(", integers %lld %d %lld", (long long)x, fabs(x) < 2e9 ? (int)x : 0, llrint(x));
    printf(", floor %g ceil %g round %g trunc %g sqrt %.17g\n", floor(x), ceil(x), round(x), trunc(x),
           x >= 0 ? sqrt(x) : 0);
  }

  static const char *const texts[] = {"1.",
                                      ".5",
                                      "1e",
                                      "1e+",
                                      "0x",
                                      "0x.8",
                                      "0x1p",
                                      "infinity",
                                      "INF",
                                      "nan(123)",
                                      "  42abc",
                                      "-.e1",
                                      "1e400",
                                      "-1e400",
                                      "1e-400",
                                      "2.2250738585072011e-308",
                                      "179769313486231580793e289",
                                      "0.1000000000000000055511151231257827021181583404541015625",
                                      "9007199254740992.9999999999",
                                      "1_000"};
  for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
    char *end;
    double x = strtod(texts[i], &end);
    float f = strtof(texts[i], NULL);
    if (x != x)
      printf("[%s] nan, rest [%s]\n", texts[i], end);
    else
      printf("[%s] %a, float %a, rest [%s]\n", texts[i], x, (double)f, end);
  }

  volatile double zero = 0, one = 1, infinity = one / zero, nan = zero / zero, tiny = 5e-324, huge = DBL_MAX;
  printf("inf %g %g, nan compares %d%d%d%d, inf-inf is nan %d\n", infinity, -infinity, nan == nan, nan<one, nan> one,
         nan != nan, isnan(infinity - infinity));
  printf("tiny/2 %g, tiny*1.5 %a, huge*2 %g, huge+1==huge %d, -0==0 %d, 1/-0 %g\n", tiny / 2, tiny * 1.5, huge * 2,
         huge + one == huge, -zero == zero, one / -zero);
  volatile float single = 16777217.0f, third = 1.0f / 3;
  printf("float: %g %a, to double %.17g, %d\n", (double)single, (double)third, (double)third, (int)(single / third));
  volatile double out_of_range[] = {3e9, -3e9, 1e19, -1e19, nan, infinity};
  for (int i = 0; i < 6; i++) {
    int32_t narrow;
    int64_t wide;
    /* the conversion instructions give the "integer indefinite" value */
    __asm__("cvttsd2si %1, %0" : "=r"(narrow) : "x"(out_of_range[i]));
    __asm__("cvttsd2si %1, %0" : "=r"(wide) : "x"(out_of_range[i]));
    printf("cvttsd2si: %08x %016llx\n", (unsigned)narrow, (unsigned long long)wide);
  }
  double sum = 0;
  for (int i = 0; i < 100000; i++)
    sum += sqrt(i) / (i + 1.0);
  printf("sum %.17g %a\n", sum, sum);
  return 0;
}
