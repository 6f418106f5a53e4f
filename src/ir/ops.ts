/**
 * The op table: one row an IR op. In: nothing. Out: OPS (name -> row), from which builder, verifier, printer, parser, bytecode encoder,
 * the interpreter's AssemblyScript switch (scripts/gen) and the compiler derive. Names are `<op>_<type>` as in TCG; vector ops are `v_<op>_<shape>`.
 *
 * `as` is the op as an AssemblyScript expression of its inputs a, b, c, d and immediates i0, i1 (for ops with one output, of the output's type).
 * `wasm` is the path of the Binaryen builder that makes it in one instruction, applied to the inputs in order, e.g. 'i64.add'; ops without it are lowered by
 * backend-wasm/compiler/lower.ts. `fold` computes on unsigned bigints of the operands' widths (v128: 128 bits). NaN is never folded: float arithmetic has no fold.
 */
import { CONDS, type Cond, type Type } from './types.js';

/**
 * What an op does besides computing its outputs:
 * 'side-exit' may leave the TB with the state of the current instruction's start: all globals are observable there;
 * 'gread', 'gwrite' guest memory; 'env-read', 'env-write' CPU state beyond the globals; 'fence' orders guest memory accesses;
 * 'branch' may go to its label; 'label'; 'end' nothing follows in its ebb (unconditional); 'exit' leaves the TB (globals are observable); 'marker' insn_start; 'call' as the helper's row says.
 */
export type Effect =
  | 'side-exit'
  | 'gread'
  | 'gwrite'
  | 'env-read'
  | 'env-write'
  | 'fence'
  | 'branch'
  | 'label'
  | 'end'
  | 'exit'
  | 'marker'
  | 'call';

/** Immediates: 'cond' (integer condition), 'label', 'num' (bounds in the row's `check`), 'pc' (guest address), 'helper' (name in helpers.ts), 'lanes' (16 bytes 0..31). */
export type ImmKind = 'cond' | 'label' | 'num' | 'pc' | 'helper' | 'lanes';

export interface OpDef {
  readonly name: string;
  readonly outs: readonly Type[];
  readonly ins: readonly Type[];
  readonly imms: readonly ImmKind[];
  readonly effects: readonly Effect[];
  readonly prose: string;
  readonly as?: string;
  readonly wasm?: string;
  readonly fold?: (
    args: readonly bigint[],
    imms: readonly (number | string | readonly number[])[],
  ) => bigint | undefined;
  /** Returns what is wrong with the immediates or constant inputs (undefined: nothing). `consts[i]` is the value of input i when it is a constant. */
  readonly check?: (
    imms: readonly (number | string | readonly number[])[],
    consts: readonly (bigint | undefined)[],
  ) => string | undefined;
}

type Extra = Partial<Omit<OpDef, 'name' | 'outs' | 'ins' | 'prose'>>;
const rows: OpDef[] = [];
function row(name: string, outs: readonly Type[], ins: readonly Type[], prose: string, extra: Extra = {}): void {
  rows.push({ imms: [], effects: [], ...extra, name, outs, ins, prose });
}

const U = (bits: number, v: bigint): bigint => BigInt.asUintN(bits, v);
const S = (bits: number, v: bigint): bigint => BigInt.asIntN(bits, v);
const num = (v: number | string | readonly number[] | undefined): number => (typeof v === 'number' ? v : NaN);

/** Evaluates an integer condition on unsigned values of `bits` bits. */
export function evalCond(cond: Cond, bits: number, a: bigint, b: bigint): boolean {
  const sa = S(bits, a);
  const sb = S(bits, b);
  switch (cond) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
      return sa < sb;
    case 'ge':
      return sa >= sb;
    case 'le':
      return sa <= sb;
    case 'gt':
      return sa > sb;
    case 'ltu':
      return a < b;
    case 'geu':
      return a >= b;
    case 'leu':
      return a <= b;
    case 'gtu':
      return a > b;
    case 'tsteq':
      return (a & b) === 0n;
    case 'tstne':
      return (a & b) !== 0n;
  }
}
const isCond = (v: unknown): v is Cond => CONDS.includes(v as Cond);

function clz(bits: number, v: bigint): bigint {
  return BigInt(v === 0n ? bits : bits - v.toString(2).length);
}
function ctz(bits: number, v: bigint): bigint {
  if (v === 0n) return BigInt(bits);
  let n = 0n;
  while (((v >> n) & 1n) === 0n) n++;
  return n;
}
function popcnt(v: bigint): bigint {
  let n = 0n;
  for (let x = v; x !== 0n; x &= x - 1n) n++;
  return n;
}
function bswap(bytes: number, v: bigint): bigint {
  let r = 0n;
  for (let i = 0; i < bytes; i++) r = (r << 8n) | ((v >> BigInt(8 * i)) & 0xffn);
  return r;
}

// ---------------------------------------------------------------- integers

for (const [t, bits, u] of [
  ['i32', 32, 'u32'],
  ['i64', 64, 'u64'],
] as const) {
  const w = BigInt(bits);
  const bin = (
    op: string,
    prose: string,
    as: string,
    wasm: string,
    f: (a: bigint, b: bigint) => bigint | undefined,
    check?: OpDef['check'],
  ): void => {
    row(`${op}_${t}`, [t], [t, t], prose, {
      as,
      wasm: `${t}.${wasm}`,
      fold: ([a = 0n, b = 0n]) => {
        const r = f(a, b);
        return r === undefined ? undefined : U(bits, r);
      },
      ...(check ? { check } : {}),
    });
  };
  const badCount: OpDef['check'] = (_imms, consts) => {
    const n = consts[1];
    return n !== undefined && n >= w ? `shift count ${String(n)} is not below ${String(bits)}` : undefined;
  };
  row(`mov_${t}`, [t], [t], 'd = a', { as: 'a', fold: ([a]) => a });
  bin('add', 'd = a + b', 'a + b', 'add', (a, b) => a + b);
  bin('sub', 'd = a - b', 'a - b', 'sub', (a, b) => a - b);
  bin('mul', 'd = low half of a * b', 'a * b', 'mul', (a, b) => a * b);
  bin('and', 'd = a & b', 'a & b', 'and', (a, b) => a & b);
  bin('or', 'd = a | b', 'a | b', 'or', (a, b) => a | b);
  bin('xor', 'd = a ^ b', 'a ^ b', 'xor', (a, b) => a ^ b);
  row(`andc_${t}`, [t], [t, t], 'd = a & ~b', { as: 'a & ~b', fold: ([a = 0n, b = 0n]) => U(bits, a & ~b) });
  row(`not_${t}`, [t], [t], 'd = ~a', { as: '~a', fold: ([a = 0n]) => U(bits, ~a) });
  row(`neg_${t}`, [t], [t], 'd = -a', { as: '-a', fold: ([a = 0n]) => U(bits, -a) });
  bin('shl', 'd = a << (b mod width)', 'a << b', 'shl', (a, b) => a << (b % w), badCount);
  bin(
    'shr',
    'd = a >> (b mod width), zero-filled',
    `<${t}>(<${u}>a >> <${u}>b)`,
    'shr_u',
    (a, b) => a >> (b % w),
    badCount,
  );
  bin('sar', 'd = a >> (b mod width), sign-filled', 'a >> b', 'shr_s', (a, b) => S(bits, a) >> (b % w), badCount);
  bin(
    'rotl',
    'd = a rotated left by b mod width',
    `rotl<${t}>(a, b)`,
    'rotl',
    (a, b) => (a << (b % w)) | (a >> (w - (b % w))),
    badCount,
  );
  bin(
    'rotr',
    'd = a rotated right by b mod width',
    `rotr<${t}>(a, b)`,
    'rotr',
    (a, b) => (a >> (b % w)) | (a << (w - (b % w))),
    badCount,
  );
  const noZero =
    (s: boolean) =>
    (a: bigint, b: bigint): [bigint, bigint] | undefined => {
      if (b === 0n) return undefined;
      const x = s ? S(bits, a) : a;
      const y = s ? S(bits, b) : b;
      return x / y === 1n << (w - 1n) && s ? undefined : [x / y, x % y];
    };
  bin(
    'divs',
    'd = a / b, signed; b is not 0 and the quotient fits (the lifter branches to #DE before)',
    'a / b',
    'div_s',
    (a, b) => noZero(true)(a, b)?.[0],
  );
  bin(
    'divu',
    'd = a / b, unsigned; b is not 0',
    `<${t}>(<${u}>a / <${u}>b)`,
    'div_u',
    (a, b) => noZero(false)(a, b)?.[0],
  );
  bin('rems', 'd = a % b, signed; as divs', 'a % b', 'rem_s', (a, b) => noZero(true)(a, b)?.[1]);
  bin('remu', 'd = a % b, unsigned; as divu', `<${t}>(<${u}>a % <${u}>b)`, 'rem_u', (a, b) => noZero(false)(a, b)?.[1]);
  row(`clz_${t}`, [t], [t], 'd = leading zero bits of a (width when a is 0)', {
    as: `clz<${t}>(a)`,
    wasm: `${t}.clz`,
    fold: ([a = 0n]) => clz(bits, a),
  });
  row(`ctz_${t}`, [t], [t], 'd = trailing zero bits of a (width when a is 0)', {
    as: `ctz<${t}>(a)`,
    wasm: `${t}.ctz`,
    fold: ([a = 0n]) => ctz(bits, a),
  });
  row(`popcnt_${t}`, [t], [t], 'd = number of one bits of a', {
    as: `popcnt<${t}>(a)`,
    wasm: `${t}.popcnt`,
    fold: ([a = 0n]) => popcnt(a),
  });
  row(`bswap_${t}`, [t], [t], 'd = a with its bytes reversed', {
    as: `<${t}>bswap<${u}>(<${u}>a)`,
    fold: ([a = 0n]) => bswap(bits / 8, a),
  });
  for (const n of t === 'i64' ? [8, 16, 32] : [8, 16]) {
    row(`ext${String(n)}s_${t}`, [t], [t], `d = low ${String(n)} bits of a, sign-extended`, {
      as: `<${t}><i${String(n)}>a`,
      wasm: `${t}.extend${String(n)}_s`,
      fold: ([a = 0n]) => U(bits, S(n, a)),
    });
    row(`ext${String(n)}u_${t}`, [t], [t], `d = low ${String(n)} bits of a, zero-extended`, {
      as: `<${t}><u${String(n)}>a`,
      fold: ([a = 0n]) => U(n, a),
    });
  }
  const field: OpDef['check'] = (imms) => {
    const pos = num(imms[0]);
    const len = num(imms[1]);
    return Number.isInteger(pos) && Number.isInteger(len) && pos >= 0 && len >= 1 && pos + len <= bits
      ? undefined
      : `field [${String(pos)}, +${String(len)}] is not inside of ${String(bits)} bits`;
  };
  const mask = (len: number): bigint => (1n << BigInt(len)) - 1n;
  row(`extract_${t}`, [t], [t], 'd = field of a: i1 bits from bit i0, zero-extended', {
    imms: ['num', 'num'],
    check: field,
    as: `<${t}>((<${u}>a << (${String(bits)} - i0 - i1)) >> (${String(bits)} - i1))`,
    fold: ([a = 0n], imms) => (a >> BigInt(num(imms[0]))) & mask(num(imms[1])),
  });
  row(`sextract_${t}`, [t], [t], 'd = field of a: i1 bits from bit i0, sign-extended', {
    imms: ['num', 'num'],
    check: field,
    as: `(a << (${String(bits)} - i0 - i1)) >> (${String(bits)} - i1)`,
    fold: ([a = 0n], imms) => U(bits, S(num(imms[1]), a >> BigInt(num(imms[0])))),
  });
  row(`deposit_${t}`, [t], [t, t], 'd = a with i1 bits from bit i0 replaced by the low bits of b', {
    imms: ['num', 'num'],
    check: field,
    as: `(a & ~(((<${t}>-1) >>> (${String(bits)} - i1)) << i0)) | ((b & ((<${t}>-1) >>> (${String(bits)} - i1))) << i0)`,
    fold: ([a = 0n, b = 0n], imms) => {
      const pos = BigInt(num(imms[0]));
      const m = mask(num(imms[1]));
      return U(bits, (a & ~(m << pos)) | ((b & m) << pos));
    },
  });
  row(`setcond_${t}`, [t], [t, t], 'd = 1 when a <cond> b, else 0', {
    imms: ['cond'],
    fold: ([a = 0n, b = 0n], [c]) => (isCond(c) ? (evalCond(c, bits, a, b) ? 1n : 0n) : undefined),
  });
  row(`movcond_${t}`, [t], [t, t, t, t], 'd = a <cond> b ? c : d', {
    imms: ['cond'],
    fold: ([a = 0n, b = 0n, x = 0n, y = 0n], [c]) => (isCond(c) ? (evalCond(c, bits, a, b) ? x : y) : undefined),
  });
  row(`brcond_${t}`, [], [t, t], 'branch to the label when a <cond> b', {
    imms: ['cond', 'label'],
    effects: ['branch'],
  });
}
row('ext_i32_i64', ['i64'], ['i32'], 'd = a, sign-extended', {
  as: '<i64>a',
  wasm: 'i64.extend_s',
  fold: ([a = 0n]) => U(64, S(32, a)),
});
row('extu_i32_i64', ['i64'], ['i32'], 'd = a, zero-extended', {
  as: '<i64><u64><u32>a',
  wasm: 'i64.extend_u',
  fold: ([a]) => a,
});
row('extrl_i64_i32', ['i32'], ['i64'], 'd = low half of a', {
  as: '<i32>a',
  wasm: 'i32.wrap',
  fold: ([a = 0n]) => U(32, a),
});
row('extrh_i64_i32', ['i32'], ['i64'], 'd = high half of a', { as: '<i32>(a >> 32)', fold: ([a = 0n]) => a >> 32n });

// ---------------------------------------------------------------- CPU state beyond the globals

const envOffset: OpDef['check'] = (imms) =>
  num(imms[0]) >= 0 && num(imms[0]) < 0x1000 ? undefined : `CPU state offset ${String(imms[0])} is outside of 0..0xfff`;
for (const [name, t, load, store] of [
  ['ld_i32', 'i32', 'load<i32>(e)', 'i32.load'],
  ['ld8u_i32', 'i32', '<i32>load<u8>(e)', 'i32.load8_u'],
  ['ld16u_i32', 'i32', '<i32>load<u16>(e)', 'i32.load16_u'],
  ['ld_i64', 'i64', 'load<i64>(e)', 'i64.load'],
  ['ld_v128', 'v128', 'v128.load(e)', 'v128.load'],
] as const) {
  row(name, [t], [], 'd = CPU state at offset i0', {
    imms: ['num'],
    check: envOffset,
    effects: ['env-read'],
    as: load.replace('(e)', '(cpu + i0)'),
    wasm: store,
  });
}
for (const [name, t, store, wasm] of [
  ['st_i32', 'i32', 'store<i32>(cpu + i0, a)', 'i32.store'],
  ['st8_i32', 'i32', 'store<u8>(cpu + i0, <u8>a)', 'i32.store8'],
  ['st16_i32', 'i32', 'store<u16>(cpu + i0, <u16>a)', 'i32.store16'],
  ['st_i64', 'i64', 'store<i64>(cpu + i0, a)', 'i64.store'],
  ['st_v128', 'v128', 'v128.store(cpu + i0, a)', 'v128.store'],
] as const) {
  row(name, [], [t], 'CPU state at offset i0 = a', {
    imms: ['num'],
    check: envOffset,
    effects: ['env-write'],
    as: store,
    wasm,
  });
}

// ---------------------------------------------------------------- guest memory

const guardSize: OpDef['check'] = (imms) =>
  num(imms[0]) >= 1 && num(imms[0]) <= 4096 ? undefined : `guard of ${String(imms[0])} bytes: not 1..4096`;
row(
  'guard_r',
  ['i32'],
  ['i64'],
  'checks that i0 bytes at guest address a are readable (else side exit: page fault) and gives their address in the memory',
  { imms: ['num'], check: guardSize, effects: ['side-exit'] },
);
row('guard_w', ['i32'], ['i64'], 'as guard_r, for writing (side exit also when the page holds translated code)', {
  imms: ['num'],
  check: guardSize,
  effects: ['side-exit'],
});
row('guard_rw', ['i32'], ['i64'], 'as guard_r, for reading and writing: a fault is reported as a write', {
  imms: ['num'],
  check: guardSize,
  effects: ['side-exit'],
});
row('align_check', [], ['i64'], 'side exit with #GP(0) when guest address a is no multiple of i0', {
  imms: ['num'],
  effects: ['side-exit'],
});
const off: OpDef['check'] = (imms) =>
  num(imms[0]) >= 0 && num(imms[0]) < 4096
    ? undefined
    : `offset ${String(imms[0])} is not inside of the guarded 4096 bytes`;
for (const [name, t, as, wasm] of [
  ['gld8u_i32', 'i32', '<i32>load<u8>(p)', 'i32.load8_u'],
  ['gld8s_i32', 'i32', '<i32>load<i8>(p)', 'i32.load8_s'],
  ['gld16u_i32', 'i32', '<i32>load<u16>(p)', 'i32.load16_u'],
  ['gld16s_i32', 'i32', '<i32>load<i16>(p)', 'i32.load16_s'],
  ['gld_i32', 'i32', 'load<i32>(p)', 'i32.load'],
  ['gld8u_i64', 'i64', '<i64>load<u8>(p)', 'i64.load8_u'],
  ['gld8s_i64', 'i64', '<i64>load<i8>(p)', 'i64.load8_s'],
  ['gld16u_i64', 'i64', '<i64>load<u16>(p)', 'i64.load16_u'],
  ['gld16s_i64', 'i64', '<i64>load<i16>(p)', 'i64.load16_s'],
  ['gld32u_i64', 'i64', '<i64>load<u32>(p)', 'i64.load32_u'],
  ['gld32s_i64', 'i64', '<i64>load<i32>(p)', 'i64.load32_s'],
  ['gld_i64', 'i64', 'load<i64>(p)', 'i64.load'],
  ['gld32z_v128', 'v128', 'v128.load32_zero(p)', 'v128.load32_zero'],
  ['gld64z_v128', 'v128', 'v128.load64_zero(p)', 'v128.load64_zero'],
  ['gld_v128', 'v128', 'v128.load(p)', 'v128.load'],
] as const) {
  row(name, [t], ['i32'], 'd = guest memory at guarded address a + i0', {
    imms: ['num'],
    check: off,
    effects: ['gread'],
    as: as.replace('(p)', '(a + i0)'),
    wasm,
  });
}
for (const [name, t, as, wasm] of [
  ['gst8_i32', 'i32', 'store<u8>(a + i0, <u8>b)', 'i32.store8'],
  ['gst16_i32', 'i32', 'store<u16>(a + i0, <u16>b)', 'i32.store16'],
  ['gst_i32', 'i32', 'store<i32>(a + i0, b)', 'i32.store'],
  ['gst8_i64', 'i64', 'store<u8>(a + i0, <u8>b)', 'i64.store8'],
  ['gst16_i64', 'i64', 'store<u16>(a + i0, <u16>b)', 'i64.store16'],
  ['gst32_i64', 'i64', 'store<u32>(a + i0, <u32>b)', 'i64.store32'],
  ['gst_i64', 'i64', 'store<i64>(a + i0, b)', 'i64.store'],
  ['gst_v128', 'v128', 'v128.store(a + i0, b)', 'v128.store'],
] as const) {
  row(name, [], ['i32', t], 'guest memory at guarded address a + i0 = b', {
    imms: ['num'],
    check: off,
    effects: ['gwrite'],
    as,
    wasm,
  });
}
for (const [bits, size] of [
  [8, 1],
  [16, 2],
  [32, 4],
  [64, 8],
] as const) {
  for (const op of ['add', 'and', 'or', 'xor', 'xchg'] as const) {
    row(
      `atomic_${op}${String(bits)}`,
      ['i64'],
      ['i32', 'i64'],
      `d = old ${String(bits)}-bit value at guarded address a (zero-extended), replaced by old ${op} b, in one atomic step and a full fence; a need not be aligned`,
      {
        effects: ['gread', 'gwrite', 'fence'],
        as: `atomicRmw${String(size)}_${op}(a, b)`,
      },
    );
  }
  row(
    `atomic_cmpxchg${String(bits)}`,
    ['i64'],
    ['i32', 'i64', 'i64'],
    `d = old ${String(bits)}-bit value at guarded address a (zero-extended); when it equals b (low bits), c is stored; one atomic step and a full fence; a need not be aligned`,
    {
      effects: ['gread', 'gwrite', 'fence'],
      as: `atomicCmpxchg${String(size)}(a, b, c)`,
    },
  );
}
row('fence', [], [], 'full fence (MFENCE, LOCK)', {
  effects: ['fence'],
  as: 'atomic.add<i32>(cpu + 0x4c0, 0)',
  wasm: 'atomic.fence',
});

// ---------------------------------------------------------------- floats (scalar SSE arithmetic is done on v128, see DESIGN.md section 9)

for (const [t, o] of [
  ['f32', 'f64'],
  ['f64', 'f32'],
] as const) {
  const i = t === 'f32' ? 'i32' : 'i64';
  row(`mov_${t}`, [t], [t], 'd = a', { as: 'a' });
  row(`bits_${t}`, [i], [t], 'd = bit pattern of a', { as: `reinterpret<${i}>(a)`, wasm: `${i}.reinterpret` });
  row(`frombits_${t}`, [t], [i], 'd = float with the bit pattern a', {
    as: `reinterpret<${t}>(a)`,
    wasm: `${t}.reinterpret`,
  });
  row(`cvt_${o}_${t}`, [t], [o], `d = a converted to ${t}`, {
    as: `<${t}>a`,
    wasm: t === 'f64' ? 'f64.promote' : 'f32.demote',
  });
  for (const s of ['i32', 'i64'] as const) {
    row(`cvts_${s}_${t}`, [t], [s], `d = signed a converted to ${t}, round to nearest`, {
      as: `<${t}>a`,
      wasm: `${t}.convert_s.${s}`,
    });
    row(
      `trunc_${t}_${s}`,
      [s],
      [t],
      'd = a truncated to a signed integer; out of range and NaN give the integer indefinite (0x80..0)',
      {
        as: `truncIndefinite_${t}_${s}(a)`,
      },
    );
  }
  row(`nearest_${t}`, [t], [t], 'd = a rounded to an integral value, ties to even', {
    as: `nearest<${t}>(a)`,
    wasm: `${t}.nearest`,
  });
  for (const c of ['eq', 'ne', 'lt', 'le'] as const) {
    row(`set${c}_${t}`, ['i32'], [t, t], `d = 1 when a ${c} b; comparisons with NaN give 0, ne gives 1`, {
      as: `<i32>(a ${{ eq: '==', ne: '!=', lt: '<', le: '<=' }[c]} b)`,
      wasm: `${t}.${c}`,
    });
  }
}

// ---------------------------------------------------------------- v128

const lanes: OpDef['check'] = (imms) =>
  Array.isArray(imms[0]) && imms[0].length === 16 && (imms[0] as number[]).every((l) => l >= 0 && l < 32)
    ? undefined
    : 'shuffle needs 16 lanes of 0..31';
row('mov_v128', ['v128'], ['v128'], 'd = a', { as: 'a', fold: ([a]) => a });
const V128_MASK = (1n << 128n) - 1n;
row('v_and', ['v128'], ['v128', 'v128'], 'd = a & b', {
  as: 'v128.and(a, b)',
  wasm: 'v128.and',
  fold: ([a = 0n, b = 0n]) => a & b,
});
row('v_or', ['v128'], ['v128', 'v128'], 'd = a | b', {
  as: 'v128.or(a, b)',
  wasm: 'v128.or',
  fold: ([a = 0n, b = 0n]) => a | b,
});
row('v_xor', ['v128'], ['v128', 'v128'], 'd = a ^ b', {
  as: 'v128.xor(a, b)',
  wasm: 'v128.xor',
  fold: ([a = 0n, b = 0n]) => a ^ b,
});
row('v_andc', ['v128'], ['v128', 'v128'], 'd = a & ~b', {
  as: 'v128.andnot(a, b)',
  wasm: 'v128.andnot',
  fold: ([a = 0n, b = 0n]) => a & ~b & V128_MASK,
});
row('v_not', ['v128'], ['v128'], 'd = ~a', { as: 'v128.not(a)', wasm: 'v128.not', fold: ([a = 0n]) => ~a & V128_MASK });
row('v_bitsel', ['v128'], ['v128', 'v128', 'v128'], 'd = (a & c) | (b & ~c)', {
  as: 'v128.bitselect(a, b, c)',
  wasm: 'v128.bitselect',
  fold: ([a = 0n, b = 0n, c = 0n]) => ((a & c) | (b & ~c)) & V128_MASK,
});
row('v_any_true', ['i32'], ['v128'], 'd = 1 when a bit of a is set', {
  as: '<i32>v128.any_true(a)',
  wasm: 'v128.any_true',
  fold: ([a = 0n]) => (a === 0n ? 0n : 1n),
});
row('v_shuffle', ['v128'], ['v128', 'v128'], 'd byte j = byte i0[j] of b:a (0..15 of a, 16..31 of b)', {
  imms: ['lanes'],
  check: lanes,
  wasm: 'i8x16.shuffle',
});
row('v_swizzle', ['v128'], ['v128', 'v128'], 'd byte j = a[b[j]], 0 where b[j] > 15', {
  as: 'v128.swizzle(a, b)',
  wasm: 'i8x16.swizzle',
});
row('v_look', ['v128'], ['v128', 'v128'], 'd byte j = a[b[j] & 15], 0 where b[j] > 127 (PSHUFB)', {
  as: 'v128.swizzle(a, v128.and(b, v128.splat<u8>(0x8f)))',
});

const IB = {
  i8x16: ['i8', 8, 16, 'i32'],
  i16x8: ['i16', 16, 8, 'i32'],
  i32x4: ['i32', 32, 4, 'i32'],
  i64x2: ['i64', 64, 2, 'i64'],
} as const;
for (const [shape, [lane, , count, scalar]] of Object.entries(IB)) {
  const v = (op: string, as: string, wasm: string, prose: string): void => {
    row(`v_${op}_${shape}`, ['v128'], ['v128', 'v128'], prose, { as: `v128.${as}(a, b)`, wasm: `${shape}.${wasm}` });
  };
  const lt64 = shape !== 'i64x2';
  const small = lane === 'i8' || lane === 'i16';
  v('add', `add<${lane}>`, 'add', 'lanes: d = a + b');
  v('sub', `sub<${lane}>`, 'sub', 'lanes: d = a - b');
  if (lane !== 'i8') v('mul', `mul<${lane}>`, 'mul', 'lanes: d = low half of a * b');
  v('eq', `eq<${lane}>`, 'eq', 'lanes: d = all ones when a = b, else 0');
  v('gt_s', `gt<${lane}>`, 'gt_s', 'lanes: d = all ones when a > b signed, else 0');
  if (lt64) {
    v('min_s', `min<${lane}>`, 'min_s', 'lanes: signed minimum');
    v('max_s', `max<${lane}>`, 'max_s', 'lanes: signed maximum');
    v('min_u', `min<u${lane.slice(1)}>`, 'min_u', 'lanes: unsigned minimum');
    v('max_u', `max<u${lane.slice(1)}>`, 'max_u', 'lanes: unsigned maximum');
  }
  if (small) {
    v(
      'add_sat_s',
      `add_sat<${lane}>`,
      lane === 'i8' ? 'add_saturate_s' : 'add_saturate_s',
      'lanes: a + b, signed saturation',
    );
    v('add_sat_u', `add_sat<u${lane.slice(1)}>`, 'add_saturate_u', 'lanes: a + b, unsigned saturation');
    v('sub_sat_s', `sub_sat<${lane}>`, 'sub_saturate_s', 'lanes: a - b, signed saturation');
    v('sub_sat_u', `sub_sat<u${lane.slice(1)}>`, 'sub_saturate_u', 'lanes: a - b, unsigned saturation');
    v('avgr_u', `avgr<u${lane.slice(1)}>`, 'avgr_u', 'lanes: (a + b + 1) >> 1, unsigned');
    const wide = lane === 'i8' ? 'i16' : 'i32';
    v(
      'narrow_s',
      `narrow<${wide}>`,
      `narrow_${wide === 'i16' ? 'i16x8' : 'i32x4'}_s`,
      `lanes of ${wide} of a then b, narrowed with signed saturation`,
    );
    v(
      'narrow_u',
      `narrow<u${wide.slice(1)}>`,
      `narrow_${wide === 'i16' ? 'i16x8' : 'i32x4'}_u`,
      `signed lanes of ${wide} of a then b, narrowed with unsigned saturation`,
    );
  }
  row(`v_abs_${shape}`, ['v128'], ['v128'], 'lanes: |a|', { as: `v128.abs<${lane}>(a)`, wasm: `${shape}.abs` });
  for (const [op, prose, as, wasm] of [
    ['shl', '<<', `shl<${lane}>`, 'shl'],
    ['shr', '>> zero-filled', `shr<u${lane.slice(1)}>`, 'shr_u'],
    ['sar', '>> sign-filled', `shr<${lane}>`, 'shr_s'],
  ] as const) {
    row(`v_${op}_${shape}`, ['v128'], ['v128', 'i32'], `lanes: a ${prose} by b mod lane width`, {
      as: `v128.${as}(a, b)`,
      wasm: `${shape}.${wasm}`,
    });
  }
  row(`v_bitmask_${shape}`, ['i32'], ['v128'], 'd = top bits of the lanes', {
    as: `<i32>v128.bitmask<${lane}>(a)`,
    wasm: `${shape}.bitmask`,
  });
  row(`v_splat_${shape}`, ['v128'], [scalar], 'd = a in every lane', {
    as: `v128.splat<${lane}>(<${lane}>a)`,
    wasm: `${shape}.splat`,
  });
  const laneCheck: OpDef['check'] = (imms) =>
    num(imms[0]) >= 0 && num(imms[0]) < count ? undefined : `lane ${String(imms[0])} of ${shape}`;
  const signs = lt64 && lane !== 'i32' ? (['u', 's'] as const) : ([''] as const);
  for (const s of signs) {
    row(
      `v_extract${s}_${shape}`,
      [scalar],
      ['v128'],
      `d = lane i0 of a${s === 's' ? ', sign-extended' : s === 'u' ? ', zero-extended' : ''}`,
      { imms: ['num'], check: laneCheck },
    );
  }
  row(`v_replace_${shape}`, ['v128'], ['v128', scalar], 'd = a with lane i0 replaced by b', {
    imms: ['num'],
    check: laneCheck,
  });
}
for (const [from, to, lane] of [
  ['i8x16', 'i16x8', 'i8'],
  ['i16x8', 'i32x4', 'i16'],
  ['i32x4', 'i64x2', 'i32'],
] as const) {
  for (const half of ['low', 'high'] as const) {
    for (const s of ['s', 'u'] as const) {
      const type = s === 's' ? lane : `u${lane.slice(1)}`;
      row(`v_extend_${half}_${from}_${s}`, ['v128'], ['v128'], `the ${half} lanes of a, widened to ${to}`, {
        as: `v128.extend_${half}<${type}>(a)`,
        wasm: `${to}.extend_${half}_${from}_${s}`,
      });
      row(
        `v_extmul_${half}_${from}_${s}`,
        ['v128'],
        ['v128', 'v128'],
        `products of the ${half} lanes of a and b, as ${to}`,
        { as: `v128.extmul_${half}<${type}>(a, b)`, wasm: `${to}.extmul_${half}_${from}_${s}` },
      );
    }
  }
}
row('v_dot_i16x8', ['v128'], ['v128', 'v128'], 'i32x4: sums of adjacent products of i16 lanes (PMADDWD)', {
  as: 'v128.dot<i16>(a, b)',
  wasm: 'i32x4.dot_i16x8_s',
});
for (const [shape, lane] of [
  ['f32x4', 'f32'],
  ['f64x2', 'f64'],
] as const) {
  const count = shape === 'f32x4' ? 4 : 2;
  for (const op of ['add', 'sub', 'mul', 'div', 'pmin', 'pmax'] as const) {
    const prose = {
      add: 'a + b',
      sub: 'a - b',
      mul: 'a * b',
      div: 'a / b',
      pmin: 'b < a ? b : a',
      pmax: 'a < b ? b : a',
    }[op];
    row(
      `v_${op}_${shape}`,
      ['v128'],
      ['v128', 'v128'],
      `lanes: d = ${prose}; NaN operands as the host's SSE instruction gives`,
      { as: `v128.${op}<${lane}>(a, b)`, wasm: `${shape}.${op}` },
    );
  }
  for (const op of ['eq', 'ne', 'lt', 'le'] as const) {
    row(`v_${op}_${shape}`, ['v128'], ['v128', 'v128'], `lanes: all ones when a ${op} b, else 0`, {
      as: `v128.${op}<${lane}>(a, b)`,
      wasm: `${shape}.${op}`,
    });
  }
  for (const op of ['sqrt', 'nearest', 'ceil', 'floor', 'trunc'] as const) {
    row(`v_${op}_${shape}`, ['v128'], ['v128'], `lanes: d = ${op} a`, {
      as: `v128.${op}<${lane}>(a)`,
      wasm: `${shape}.${op}`,
    });
  }
  row(`v_splat_${shape}`, ['v128'], [lane], 'd = a in every lane', {
    as: `v128.splat<${lane}>(a)`,
    wasm: `${shape}.splat`,
  });
  const laneCheck: OpDef['check'] = (imms) =>
    num(imms[0]) >= 0 && num(imms[0]) < count ? undefined : `lane ${String(imms[0])} of ${shape}`;
  row(`v_extract_${shape}`, [lane], ['v128'], 'd = lane i0 of a', { imms: ['num'], check: laneCheck });
  row(`v_replace_${shape}`, ['v128'], ['v128', lane], 'd = a with lane i0 replaced by b', {
    imms: ['num'],
    check: laneCheck,
  });
}
row('v_cvt_i32x4_f32x4', ['v128'], ['v128'], 'signed i32 lanes to f32', {
  as: 'v128.convert<i32>(a)',
  wasm: 'f32x4.convert_i32x4_s',
});
row('v_cvt_low_i32x4_f64x2', ['v128'], ['v128'], 'low two signed i32 lanes to f64', {
  as: 'v128.convert_low<i32>(a)',
  wasm: 'f64x2.convert_low_i32x4_s',
});
row('v_promote_low_f32x4', ['v128'], ['v128'], 'low two f32 lanes to f64', {
  as: 'v128.promote_low<f32>(a)',
  wasm: 'f64x2.promote_low_f32x4',
});
row('v_demote_f64x2', ['v128'], ['v128'], 'f64 lanes to f32 in the low half, upper half zero', {
  as: 'v128.demote_zero<f64>(a)',
  wasm: 'f32x4.demote_f64x2_zero',
});

// ---------------------------------------------------------------- control

row(
  'insn_start',
  [],
  [],
  'a guest instruction begins: i0 = pc, i1 = CC_OP that holds here, or -1 when the global cc_op holds it',
  { imms: ['pc', 'num'], effects: ['marker'] },
);
row('set_label', [], [], 'the label stands here; ebb temps die', { imms: ['label'], effects: ['label'] });
row('br', [], [], 'branch to the label', { imms: ['label'], effects: ['branch', 'end'] });
row('call', [], [], 'calls helper i0; arguments and effects as its row in helpers.ts says', {
  imms: ['helper'],
  effects: ['call'],
});
row(
  'goto_tb',
  [],
  [],
  'jump slot i0 (0 or 1) of this TB to guest pc i1: polls CONTROL; goes to the TB there when chained, else falls to exit_tb i0',
  { imms: ['num', 'pc'], effects: ['exit'] },
);
row('exit_tb', [], [], 'rip = pc of goto_tb i0; leaves to the execute loop, which translates, chains and goes on', {
  imms: ['num'],
  effects: ['exit', 'end'],
});
row(
  'lookup_and_goto_ptr',
  [],
  [],
  'polls CONTROL; goes on at the TB of the global rip (jump cache, hash table, else the execute loop translates)',
  { effects: ['exit', 'end'] },
);
row('exit', [], [], 'leaves with EXIT reason i0, ARG0 = i1, rip = i2', {
  imms: ['num', 'num', 'pc'],
  effects: ['exit', 'end'],
});

export const OP_LIST: readonly OpDef[] = rows;
/** Names are checked at run time against the table by the builder and the parser. */
export type OpName = string;
export const OPS: ReadonlyMap<OpName, OpDef> = new Map(rows.map((r) => [r.name, r]));

/** Row of `name`. Throws RangeError when there is none. */
export function opDef(name: OpName): OpDef {
  const def = OPS.get(name);
  if (def === undefined) throw new RangeError(`no IR op named ${name}`);
  return def;
}
