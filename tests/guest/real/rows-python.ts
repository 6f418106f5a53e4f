/** Python's own tests of numbers: the same ones pass and fail as natively (Debian's libpython3.11-testsuite). Data: the rows. */
import type { CodeRow } from './code-row.js';

const TESTS = '/usr/lib/python3.11/test';
/** The time in "Ran 53 tests in 0.061s"; objects' addresses. */
const CHANGING = /(?<=^Ran \d+ tests? )in [\d.]+s$|(?<= at )0x[0-9a-f]+/gm;

const row = (name: string, args: readonly string[], modules: readonly string[], share: CodeRow['share']): CodeRow => ({
  name: `python3: ${name}`,
  package: 'libpython3.11-testsuite',
  files: ['/usr/bin/python3.11', ...modules.map((m) => `${TESTS}/${m}.py`)],
  args,
  scrub: CHANGING,
  share,
});

const MODULES = [
  'test_float',
  'test_math',
  'test_cmath',
  'test_struct',
  'test_decimal',
  'test_fractions',
  'test_long',
  'test_int',
  'test_complex',
  'test_statistics',
  'test_random',
  'test_strtod',
  'test_numeric_tower',
  'test_pow',
  'test_hashlib',
  'test_zlib',
  'test_binascii',
  'test_array',
  'test_format',
];

/** Small tests of each kind, in one process, since starting it costs most. */
const SHORT = [
  'test_float.HexFloatTestCase',
  'test_float.FormatTestCase',
  'test_float.IEEEFormatTestCase',
  'test_float.InfNanTest',
  'test_cmath.CMathTests.test_specific_values',
  'test_math.MathTests.testAtan2',
  'test_math.MathTests.testLog2Exact',
  'test_math.IsCloseTests',
  'test_struct.StructTest.test_705836',
  'test_fractions.FractionTest',
  'test_numeric_tower',
];

export const PYTHON_ROWS: readonly CodeRow[] = [
  row(
    'a share of the tests of float, math, cmath, struct, fractions',
    ['-m', 'unittest', '-v', ...SHORT.map((t) => `test.${t}`)],
    [...new Set(SHORT.map((t) => t.split('.')[0] ?? ''))],
    'test',
  ),
  ...MODULES.map((m) => row(m, ['-m', `test.${m}`, ...(m === 'test_decimal' ? [] : ['-v'])], [m], 'long')),
];
