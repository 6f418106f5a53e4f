/** Numbers to text and back, and arbitrary precision: perl, awk, bc, dc, sqlite3, lua, coreutils. Data: the rows. */
import type { CodeRow } from './code-row.js';

/** Zero, halves, limits, denormals, ties of decimal rounding. */
const REALS = [
  '0', '-0.0', '1', '0.1', '0.5', '1.5', '2.5', '1e-5', '0.0001', '123456', '1234567', '999999.5', '9.9999995', '1e15', '1e16', '1e22', '1e23',
  '9007199254740993', '1.7976931348623157e308', '2.2250738585072014e-308', '2.2250738585072009e-308', '4.9406564584124654e-324',
  '6.62607015e-34', '-6.02214076e23', '3.14159265358979', '1e309', '-1e309', '5e-325', '0.3', '4503599627370496.5', '8.5', '1e-7',
]; // prettier-ignore

const PERL = `
use POSIX qw(fmod floor ceil strtod frexp ldexp modf DBL_MAX DBL_MIN DBL_EPSILON);
for my $t (@ARGV) {
  my $x = $t + 0;
  printf "%s: %s %g %e %.0f %.3f %.17g %a %.3A %+G |%15.4e|%-12g|%012.2f\\n", $t, $x, $x, $x, abs($x) < 1e25 ? $x : 0, $x, $x, $x, $x, $x, $x, $x, $x;
  printf "  %d %u %x %o %b %s %s\\n", (abs($x) < 2e18 ? ($x, abs $x, abs $x, abs $x, abs $x) : (0) x 5), unpack("H*", pack("d>", $x)), unpack("H*", pack("f>", $x));
  printf "  %.15g %.15g %s\\n", sqrt(abs $x), atan2($x, 2), join " ", map { sprintf "%.16g", $_ } frexp(abs($x) < 1e308 ? $x : 1), modf(abs($x) < 1e300 ? $x : 1);
}
print DBL_MAX, " ", DBL_MIN, " ", DBL_EPSILON, " ", 9**9**9, " ", -(9**9**9), " ", 0 + "0x1p3", " ", hex("ffffffffffffffff"), "\\n";
print 18446744073709551615, " ", 18446744073709551615 + 1, " ", -9223372036854775808, " ", 9223372036854775807 + 1, " ", 2**53 + 1, " ", 7 % -3, " ", -7 / 2, "\\n";
print join(" ", map { sprintf "%.16g", $_ } exp(1), log(10), sin(1e6), cos(1e22), 2**0.5, 10**-20, int(-3.7), fmod(-7, 3)), "\\n";
my $s = 0; $s += sin($_) / $_ for 1 .. 3000; printf "%.17g %a\\n", $s, $s;`;

const BIGNUM = `
use bignum; use bigint ();
print 2 ** 200, " ", 3 ** 100 / 7 ** 20, " ", sqrt(2)->copy->bround(60), "\\n";
use Math::BigInt; use Math::BigFloat;
my $f = Math::BigInt->new(60)->bfac; print "$f ", $f->copy->bsqrt, " ", Math::BigInt->new(3)->bmodpow("12345678901234567890", "1000000007000000009"), "\\n";
print Math::BigFloat->bpi(80), " ", Math::BigFloat->new(2)->blog(undef, 50), " ", Math::BigFloat->new("1.5")->bexp(40), "\\n";
print Math::BigInt->new("0xffffffffffffffffffff")->as_bin, " ", Math::BigInt->from_hex("123456789abcdef0123")->length, "\\n";`;

const AWK = `
function show(x) { return sprintf("%g %e %.0f %.17g %s %d %x %c", x, x, x < 1e25 && x > -1e25 ? x : 0, x, x "", x < 2e9 && x > -2e9 ? x : 0, x < 2e9 && x > 0 ? x : 0, 65 + (x > 0)) }
BEGIN {
  OFMT = "%.9g"; CONVFMT = "%.7g"
  for (i = 1; i < ARGC; i++) { print ARGV[i], show(ARGV[i] + 0) }
  x = 1 / 3; print x, x "", 1e6, 1e6 "", 2 ^ 53, 2 ^ 53 + 1, -7 % 3, 2 ^ 0.5, int(-3.7), "0x1A" + 0, "1e3x" + 0
  printf "%.15g %.15g %.15g %.15g %.15g\\n", sin(1), cos(1e6), atan2(-1, -1), exp(1), log(10)
  for (i = 1; i <= 20000; i++) { s += 1 / i; t += i * i % 7 }
  printf "%.17g %d\\n", s, t
}`;

/** pi, a table of logarithms, Bessel functions, an integer sequence of hundreds of digits. */
const BC = `scale=80; 4*a(1); e(1); l(2); s(1)/c(1); j(3,2.5)
for (i = 1; i < 12; i++) { l(i*i+1) / l(10) }
scale=0
define f(n) { if (n < 2) return 1; return n * f(n-1); }
f(80); 2^1000 % 10^9; f(50) / f(30); sqrt(2*10^200); obase=16; 2^130-1; ibase=16; FF*ABC; obase=2; 3E7
ibase=A; obase=10; scale=20; x=1; while (x < 10^12) { x *= 3.7; x }
quit
`;
const DC =
  '60k 2v p 7 3^ p 10 61 - p 5 0k 2 100^ p 97 3 100^ 1000007 | p 16o 2 70^ p 2i 1011 p [d1-d1<F*]dsFx Ai 20o 255 p z p';
const SQL = `
.mode list
select 1e308 * 10, -1e308 * 10, 0.1 + 0.2, 1.0 / 3, 9007199254740993, 9223372036854775807 + 1, 1e22, 1e23, 5e-324, 2.2250738585072011e-308;
select printf('%g|%e|%f|%.17g|%!.20g|%,d|%x|%#o', 1e100, 12345.678, 2.5, 0.1, 0.1, 123456789, 255, 8);
select round(2.5), round(-2.5), round(1.005, 2), round(1e15 + 0.3, 1), abs(-1e-300), cast('1e5x' as real), cast(1e19 as integer), cast(-2.9 as integer);
select sqrt(2), pow(2, 0.5), exp(1), ln(10), log10(1000), log2(8), sin(1), cos(1), tan(1), asin(1), atan2(1, -1), sinh(1), tanh(0.5), mod(-7.5, 2), pi(), ceil(-1.5), trunc(2.7);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
  select count(*), total(1.0 / i), avg(i * 1.1), sum(i), sum(i * 1e-3), max(sin(i)), group_concat(i % 7, '') from n where i % 3 <> 1;
select typeof(1e3), 1e3 = 1000, '1e3' = 1000, cast('0x10' as integer), hex(1.5), quote(0.1), quote(1e300), quote(-0.0), 3 / 2, 3 / 2.0, -7 % 3, 1 << 62, ~0;
`;
const LUA = `
for _, t in ipairs(arg) do
  local x = tonumber(t)
  print(t, x, ("%g %e %.0f %.17g %a %.14g %5.1f"):format(x, x, math.abs(x) < 1e25 and x or 0, x, x, x, x), math.type(x), math.tointeger(x), ("<d"):pack(x):byte(1, 8))
end
print(math.maxinteger + 1 == math.mininteger, math.maxinteger + 1.0, 7 // 2, -7 // 2, -7 % 3, 7.5 // 2, -7.5 % 2, 3 / 2, 2^63, 1 / 0, -1 / 0, 0x1p-3, 0xA.8p1)
print(math.sqrt(2), math.sin(1), math.cos(1e6), math.exp(1), math.log(10), math.log(8, 2), math.fmod(-7, 3), math.ult(1, -1), math.floor(-3.7), 1e15, 1e16, 123456.789e3)
print(string.format("%q %q %q", 0.1, 1 / 3, math.mininteger), tostring(3.0), 3 | 0, "10" + 5, "0x10" * 1, "1e1" * 1)
local s = 0; for i = 1, 50000 do s = s + math.sin(i) / i end print(("%.17g %a"):format(s, s))`;
/** printf of coreutils works in long double. */
const PRINTF = '%g %e %f %.3a %a %.30g %G %#g % .2e %+.0f\\n';
/** Conversions in PRINTF: each takes an argument. */
const CONVERSIONS = 10;
/** numfmt, seq, sort -g, od of floats: strtold and long double arithmetic. */
const COREUTILS = `
seq 0.1 0.1 2; seq -f %.3e 1e10 1e9 1.5e10; seq 9007199254740990 9007199254740996; seq -w 8 0.5 10
numfmt --to=iec 1023 1024 123456789; numfmt --from=si --format=%.3f 1.5K 2M 3.333G; numfmt --to=si --round=nearest 999949 999950
sort -g -k3 {fix}/table | head -50; sort -k3 -g -r {fix}/table | cksum; head -c 80 {fix}/bytes | od -A d -t fD -t fF -t fL -t x8
printf '1 2.5 -0 1e400 nan 0x1p-1074' | tr ' ' '\\n' | sort -g; factor 18446744073709551557 340282366920938463463374607431768211455 600851475143
expr 123456789012345678901234567890 \\* 987654321098765432109876543210; bash -c 'printf "%.25g %a %f\\n" 0.1 0.1 1e20'; dd if=/dev/zero bs=1K count=1 2>/dev/null | cksum`;

export const NUMBER_ROWS: readonly CodeRow[] = [
  { name: 'perl sprintf', package: 'perl', files: ['/usr/bin/perl'], args: ['-e', PERL, ...REALS], share: 'test' },
  { name: 'perl bignum', package: 'perl', files: ['/usr/bin/perl'], args: ['-e', BIGNUM], share: 'long' },
  {
    name: 'printf of coreutils',
    package: 'coreutils',
    files: ['/usr/bin/printf'],
    args: [PRINTF, ...REALS.flatMap((x) => Array<string>(CONVERSIONS).fill(x))],
    share: 'test',
  },
  { name: 'numbers in coreutils', package: 'coreutils', files: ['/bin/bash'], args: ['-c', COREUTILS], share: 'long' },
  { name: 'gawk', package: 'gawk', files: ['/usr/bin/gawk'], args: ['--', AWK, ...REALS], share: 'test' },
  {
    name: 'gawk -M',
    package: 'gawk',
    files: ['/usr/bin/gawk'],
    args: ['-M', '-v', 'PREC=200', '--', AWK, ...REALS],
    share: 'long',
  },
  { name: 'mawk', package: 'mawk', files: ['/usr/bin/mawk'], args: ['--', AWK, ...REALS], share: 'test' },
  { name: 'bc -l', package: 'bc', files: ['/usr/bin/bc'], args: ['-lq'], stdin: BC, share: 'test' },
  { name: 'dc', package: 'dc', files: ['/usr/bin/dc'], args: [], stdin: DC, share: 'test' },
  { name: 'sqlite3', package: 'sqlite3', files: ['/usr/bin/sqlite3'], args: [':memory:'], stdin: SQL, share: 'test' },
  {
    name: 'lua',
    package: 'lua5.4',
    files: ['/usr/bin/lua5.4'],
    args: ['-e', LUA.replace('ipairs(arg)', `ipairs{${REALS.map((r) => `"${r}"`).join(',')}}`)],
    share: 'test',
  },
];
