/**
 * What the host's relaxed SIMD does: which of its instructions give just what a guest instruction does. In: nothing. Out: facts, found by running each on cases that tell.
 * Source: WebAssembly relaxed SIMD proposal (results beyond the common cases are the host's choice). On x86-64 V8 makes one instruction of each, FMA3 where the processor has it;
 * on ARM, FMLA rounds once too.
 */

export interface HostSimd {
  /** relaxed_madd and relaxed_nmadd round once. */
  readonly fusedMadd: boolean;
  /** i32x4.relaxed_trunc_f32x4_s and _f64x2_s_zero give the integer indefinite where a value does not fit: CVTTPS2DQ, CVTTPD2DQ. */
  readonly truncates: boolean;
  /** i8x16.relaxed_swizzle is PSHUFB. */
  readonly shufflesBytes: boolean;
  /** i16x8.relaxed_dot_i8x16_i7x16_s, second operand unsigned, is PMADDUBSW. */
  readonly multipliesBytes: boolean;
  /** i16x8.relaxed_q15mulr_s is PMULHRSW. */
  readonly multipliesRounding: boolean;
}

export const NO_HOST_SIMD: HostSimd = {
  fusedMadd: false,
  truncates: false,
  shufflesBytes: false,
  multipliesBytes: false,
  multipliesRounding: false,
};

/** Numbers of the instructions, behind the prefix FD. */
const OP = {
  SWIZZLE: 0x100,
  TRUNC_F32X4: 0x101,
  TRUNC_F64X2: 0x103,
  MADD_F32X4: 0x105,
  NMADD_F32X4: 0x106,
  MADD_F64X2: 0x107,
  NMADD_F64X2: 0x108,
  Q15MULR: 0x111,
  DOT_I8X16: 0x112,
} as const;

const V128_BYTES = 16;
const RESULT = 3 * V128_BYTES;

/** A module whose function `f` stores `op` of the first vectors of its memory `m` behind them; single bytes where LEB128 would allow more. */
function probeOf(op: number, operands: number): Uint8Array {
  const load = (n: number): number[] => [0x41, 0x00, 0xfd, 0x00, 0x00, n * V128_BYTES];
  const loads = Array.from({ length: operands }, (_, n) => load(n)).flat();
  const body = [0x00, 0x41, 0x00, ...loads, 0xfd, (op & 0x7f) | 0x80, op >> 7, 0xfd, 0x0b, 0x00, RESULT, 0x0b];
  const section = (id: number, content: readonly number[]): number[] => [id, content.length, ...content];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, 1, 0x6d, 2, 0, 1, 0x66, 0, 0]),
    ...section(10, [1, body.length, ...body]),
  ]);
}

type Lanes = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** True when the instruction makes `wanted` of the operands, bit for bit. */
function gives(op: number, operands: readonly Lanes[], wanted: Lanes): boolean {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(probeOf(op, operands.length)));
  const { m, f } = exports as unknown as { readonly m: WebAssembly.Memory; readonly f: () => void };
  const memory = new Uint8Array(m.buffer);
  const bytes = (lanes: Lanes): Uint8Array => new Uint8Array(lanes.buffer, lanes.byteOffset, V128_BYTES);
  operands.forEach((operand, n) => {
    memory.set(bytes(operand), n * V128_BYTES);
  });
  f();
  return bytes(wanted).every((byte, i) => byte === memory[RESULT + i]);
}

/** True where the engine compiles relaxed SIMD. It may turn true when a flag is set (src/engine/v8-flags.ts). */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(probeOf(OP.SWIZZLE, 2));
}

/** (1 + e)(1 - e) - 1 is -e * e; the product alone rounds to 1. */
function rounds(make: (...lanes: readonly number[]) => Lanes, madd: number, nmadd: number, e: number): boolean {
  const [a, b, square] = [make(1 + e, 0), make(1 - e, 0), make(-e * e, 0)];
  return gives(madd, [a, b, make(-1, 0)], square) && gives(nmadd, [a, b, make(1, 0)], make(e * e, 0));
}

const f32 = (...lanes: readonly number[]): Float32Array => Float32Array.from([...lanes, 0, 0, 0, 0].slice(0, 4));
const f64 = (...lanes: readonly number[]): Float64Array => Float64Array.from([...lanes, 0, 0].slice(0, 2));
const i16 = (...lanes: readonly number[]): Int16Array => Int16Array.from(lanes);
const i32 = (...lanes: readonly number[]): Int32Array => Int32Array.from(lanes);

function probe(): HostSimd {
  const least = -(2 ** 31);
  const text = Uint8Array.from({ length: V128_BYTES }, (_, i) => 0x41 + i);
  const indices = [0, 15, 16, 31, 127, 128, 129, 143, 255, 5, 64, 80, 96, 112, 7, 200];
  const signed = [127, 127, -128, -128, 1, -1, -1, -1, 5, 0, 0, -128, 100, 100, -100, 3];
  const unsigned = [255, 255, 255, 255, 255, 255, 128, 128, 3, 9, 200, 1, 200, 100, 200, 129];
  const sums = Array.from({ length: 8 }, (_, i) => {
    const product = (n: number): number => (signed[n] ?? 0) * (unsigned[n] ?? 0);
    return Math.max(-32768, Math.min(32767, product(2 * i) + product(2 * i + 1)));
  });
  return {
    fusedMadd:
      rounds(f64, OP.MADD_F64X2, OP.NMADD_F64X2, 2 ** -30) && rounds(f32, OP.MADD_F32X4, OP.NMADD_F32X4, 2 ** -13),
    truncates:
      gives(OP.TRUNC_F32X4, [f32(NaN, 2 ** 31, -3e9, -1.9)], i32(least, least, least, -1)) &&
      gives(OP.TRUNC_F32X4, [f32(Infinity, least, 2147483520, 1e-40)], i32(least, least, 2147483520, 0)) &&
      gives(OP.TRUNC_F64X2, [f64(NaN, 2147483647.9)], i32(least, 2147483647, 0, 0)) &&
      gives(OP.TRUNC_F64X2, [f64(2 ** 31, -2147483648.9)], i32(least, least, 0, 0)) &&
      gives(OP.TRUNC_F64X2, [f64(-1e300, -0.5)], i32(least, 0, 0, 0)),
    shufflesBytes: gives(
      OP.SWIZZLE,
      [text, Uint8Array.from(indices)],
      Uint8Array.from(indices, (index) => (index > 127 ? 0 : (text[index & 15] ?? 0))),
    ),
    multipliesBytes: gives(OP.DOT_I8X16, [Int8Array.from(signed), Uint8Array.from(unsigned)], i16(...sums)),
    multipliesRounding: gives(
      OP.Q15MULR,
      [i16(-32768, -32768, 32767, 1, -1, 16384, 3, -3), i16(-32768, 32767, 32767, 16384, 16384, 1, 16383, 5461)],
      i16(-32768, -32767, 32766, 1, 0, 1, 1, 0),
    ),
  };
}

const FACTS = Object.keys(NO_HOST_SIMD) as readonly (keyof HostSimd)[];
/** Set in a shared word that has the facts: one bit each, in the order of FACTS. */
const KNOWN = 1 << 31;

let known: HostSimd | undefined;
let shared: Int32Array = new Int32Array(1);

/** `word`, one shared by all threads and 0 at first: the first one that has probed tells the others, which takes 4 ms in a new thread. */
export function shareHostSimd(word: Int32Array): void {
  shared = word;
}

/** What this host does; nothing as long as the engine does not compile relaxed SIMD and no thread has probed. */
export function hostSimd(): HostSimd {
  if (known !== undefined) return known;
  const bits = Atomics.load(shared, 0);
  if (bits !== 0) {
    known = Object.fromEntries(FACTS.map((fact, i) => [fact, ((bits >> i) & 1) !== 0])) as unknown as HostSimd;
  } else if (hasRelaxedSimd()) {
    const found = (known = probe());
    Atomics.store(
      shared,
      0,
      FACTS.reduce((sum, fact, i) => (found[fact] ? sum | (1 << i) : sum), KNOWN),
    );
  }
  return known ?? NO_HOST_SIMD;
}
