/**
 * Lookup tables of 16 bytes for the AES S-box and its inverse, one byte a lane at once. In: nothing. Out: their addresses, in AssemblyScript, for backend-wasm/helpers/aes.ts.
 *
 * GF(2**8) is built as pairs iW + k over GF(2**4), where W*W = aW + a. With N = a*i*i + a*i*k + k*k, the norm, the inverse is (iW + ai + k) / N. Let j = i + k and
 *     io = 1/(1/i + a/k) + j = N / (k + ai)        jo = 1/(1/j + a/k) + i = N / (k + ai + ak)
 * so that 1/io and 1/jo, both linear in i/N and k/N, give the INVERSE: five lookups of 4 bits, and two for the result. A zero's inverse is "infinity", a byte with bit 7 set:
 * as an index it looks up 0, which is 1/infinity, whatever is added to it.
 * Source: the method is M. Hamburg's ("Accelerating AES with vector permute instructions", CHES 2009); S-box: FIPS 197, 5.1.1. The numbers are computed here.
 */

/** Product of polynomials over GF(2), modulo `modulus`. */
function product(a, b, modulus, bits) {
  let r = 0;
  for (let n = 0; n < bits; n++) if ((b >> n) & 1) r ^= a << n;
  for (let n = 2 * bits - 2; n >= bits; n--) if ((r >> n) & 1) r ^= modulus << (n - bits);
  return r;
}

const NIBBLES = Array.from({ length: 16 }, (_, n) => n);
const BYTES = Array.from({ length: 256 }, (_, n) => n);
const INFINITY = 0x80;

const mul4 = (a, b) => product(a, b, 0b10011, 4);
const inverse4 = (n) => NIBBLES.find((m) => mul4(n, m) === 1) ?? INFINITY;
/** W*W + aW + a has no root in GF(2**4). */
const A = NIBBLES.find((a) => a > 0 && NIBBLES.every((w) => (mul4(w, w) ^ mul4(a, w) ^ a) !== 0));

/** Products of pairs i << 4 | k. */
function mulPair(x, y) {
  const [i, k, m, n] = [x >> 4, x & 15, y >> 4, y & 15];
  const both = mul4(A, mul4(i, m));
  return ((both ^ mul4(i, n) ^ mul4(m, k)) << 4) | (both ^ mul4(k, n));
}

/** Powers of `root`, from the 0th. */
function powers(root, count) {
  const list = [1];
  while (list.length < count) list.push(mulPair(list.at(-1), root));
  return list;
}

/** The image of the polynomial z: a root of AES' modulus z**8 + z**4 + z**3 + z + 1. */
const ROOT = BYTES.find((root) => {
  const p = powers(root, 9);
  return root > 1 && (p[8] ^ p[4] ^ p[3] ^ p[1] ^ p[0]) === 0;
});
const images = powers(ROOT, 8);
const toPair = (x) => images.reduce((r, image, n) => ((x >> n) & 1 ? r ^ image : r), 0);
const fromPair = (pair) => BYTES.find((x) => toPair(x) === pair);

const rotl8 = (x, n) => ((x << n) | (x >> (8 - n))) & 0xff;
/** The S-box's linear map and its inverse; the S-box adds 0x63. */
const affine = (x) => x ^ rotl8(x, 1) ^ rotl8(x, 2) ^ rotl8(x, 3) ^ rotl8(x, 4);
const inverseAffine = (x) => BYTES.find((y) => affine(y) === x);

/** The inverse (not yet in AES' basis) from u = 1/io and v = 1/jo. */
function inverseFrom(u, v) {
  const k = mul4(inverse4(A), u ^ v);
  const i = mul4(inverse4(A), u ^ k);
  return (i << 4) | (mul4(A, i) ^ k);
}
const reciprocal = (n) => (n === 0 ? 0 : inverse4(n));

const tables = {
  /** 1/n. */
  INVERSE: inverse4,
  /** a/n. */
  A_OVER: (n) => (n === 0 ? INFINITY : mul4(A, inverse4(n))),
  ENC_IN_LOW: (n) => toPair(n),
  ENC_IN_HIGH: (n) => toPair(n << 4),
  ENC_OUT_IO: (n) => affine(fromPair(inverseFrom(reciprocal(n), 0))),
  ENC_OUT_JO: (n) => affine(fromPair(inverseFrom(0, reciprocal(n)))),
  /** 0x63 is taken off here. */
  DEC_IN_LOW: (n) => toPair(inverseAffine(n ^ 0x63)),
  DEC_IN_HIGH: (n) => toPair(inverseAffine(n << 4)),
  DEC_OUT_IO: (n) => fromPair(inverseFrom(reciprocal(n), 0)),
  DEC_OUT_JO: (n) => fromPair(inverseFrom(0, reciprocal(n))),
};

/** Permutations of the state and constants of 16 equal bytes, beside the tables: V8 makes a constant in five instructions, and loads it in one. */
const SHIFT_ROWS = [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11];
const others = {
  SHIFT_ROWS: (n) => SHIFT_ROWS[n],
  INV_SHIFT_ROWS: (n) => SHIFT_ROWS.indexOf(n),
  NIBBLE: () => 15,
  ADDED: () => 0x63,
  REDUCTION: () => 0x1b,
};

export function aesTables() {
  const entries = Object.entries({ ...tables, ...others });
  const bytes = entries.map(([, entry]) => `  ${NIBBLES.map((n) => `0x${entry(n).toString(16)}`).join(', ')},\n`);
  const data = `/** Read only: every thread shares them. */\nconst DATA: usize = memory.data<u8>([\n${bytes.join('')}], 16);\n`;
  const names = entries.map(([name], i) => `export const ${name}: usize = DATA + ${16 * i};\n`);
  return data + names.join('');
}
