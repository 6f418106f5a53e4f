/**
 * The operand letters of the tables. In: a code such as 'Ev' and, per instruction, the decode fields. Out: a reader that makes the operand, with the bytes
 * of immediate it takes. Source: Intel SDM 2D, appendix A.2 (codes for addressing method and operand type); insn.ts lists ours.
 */
import type { DecodeFields } from './decode-fields.js';
import type { Operand } from './insn.js';
import { bigintOf, gprOperand, immOperand, memOperand, regOperand } from './operand-values.js';

/** A number for each operand size, in bytes. */
export type BySize = Readonly<Record<2 | 4 | 8, number>>;

/** One operand of a row, ready to read. */
export interface OperandReader {
  readonly read: (f: DecodeFields) => Operand;
  /** Bytes of immediate or displacement behind ModRM; -1: the address size (absolute address). */
  readonly immBytes: BySize | -1;
  /** False where the register number does not exist: the instruction is invalid. */
  readonly valid?: (f: DecodeFields) => boolean;
}

const same = (n: number): BySize => ({ 2: n, 4: n, 8: n });
const NONE = same(0);

/** Bytes of a size suffix. */
const SIZES: Readonly<Record<string, BySize>> = {
  '': same(0),
  b: same(1),
  w: same(2),
  d: same(4),
  q: same(8),
  t: same(10),
  s: same(10),
  dq: same(16),
  qq: same(32),
  ss: same(4),
  sd: same(8),
  '512': same(512),
  v: { 2: 2, 4: 4, 8: 8 },
  z: { 2: 2, 4: 4, 8: 4 },
  p: { 2: 4, 4: 6, 8: 10 },
  e: { 2: 14, 4: 28, 8: 28 },
  f: { 2: 94, 4: 108, 8: 108 },
};

/** Bytes of a suffix whose size follows VEX.L: as a share of the vector. */
const SHARES: Readonly<Record<string, number>> = { x: 1, ps: 1, pd: 1, xh: 2, xq: 4, xe: 8 };

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSI = 6;
const RDI = 7;

type GprSize = 1 | 2 | 4 | 8;

/** The size of a general register in a row's operand: 'y' depends on REX.W, the others on the operand size. */
function gprSizes(suffix: string): (f: DecodeFields) => GprSize {
  switch (suffix) {
    case 'b':
      return () => 1;
    case 'w':
      return () => 2;
    case 'd':
      return () => 4;
    case 'q':
      return () => 8;
    case 'y':
      return (f) => (f.rexW ? 8 : 4);
    case 'v':
      return (f) => f.opSize;
    case 'z':
      return (f) => (f.opSize === 2 ? 2 : 4);
    default:
      throw new Error(`no size of a general register: '${suffix}'`);
  }
}

function memSizes(suffix: string): (f: DecodeFields) => number {
  if (suffix === 'y') return (f) => (f.rexW ? 8 : 4);
  const share = SHARES[suffix];
  if (share !== undefined) return (f) => (f.vexL ? 32 : 16) / share;
  const sizes = SIZES[suffix];
  if (sizes === undefined) throw new Error(`no operand size '${suffix}'`);
  return (f) => sizes[f.opSize];
}

function fixedSize(suffix: string): number {
  // MMX operands of size x are legacy's: no VEX.
  const sizes = suffix === 'x' ? same(16) : SIZES[suffix];
  if (sizes === undefined || sizes[2] !== sizes[8]) throw new Error(`no fixed operand size '${suffix}'`);
  return sizes[8];
}

const plain = (read: (f: DecodeFields) => Operand): OperandReader => ({ read, immBytes: NONE });

/** The operand that ModRM, SIB and displacement address. */
function modrmMemory(f: DecodeFields, size: number): Operand {
  return memOperand(f.memBase, f.memIndex, f.memScale, bigintOf(f.memDisp), f.memSeg, f.addrSize, size);
}

/** Implied addresses: rsi, rdi, rbx + al. */
function impliedMemory(f: DecodeFields, base: number, index: number, es: boolean, size: number): Operand {
  return memOperand(base, index, 1, 0n, es ? 'es' : (f.segPrefix ?? 'ds'), f.addrSize, size);
}

/** Sign-extended number of 1, 2 or 4 bytes. */
function signedAt(f: DecodeFields, bytes: number): number {
  const { bytes: b, pos } = f;
  f.pos = pos + bytes;
  if (bytes === 1) return ((b[pos] ?? 0) << 24) >> 24;
  if (bytes === 2) return (((b[pos] ?? 0) | ((b[pos + 1] ?? 0) << 8)) << 16) >> 16;
  return (b[pos] ?? 0) | ((b[pos + 1] ?? 0) << 8) | ((b[pos + 2] ?? 0) << 16) | ((b[pos + 3] ?? 0) << 24);
}

function unsigned64At(f: DecodeFields): bigint {
  const low = signedAt(f, 4) >>> 0;
  const high = signedAt(f, 4) >>> 0;
  return (BigInt(high) << 32n) | BigInt(low);
}

const immediateReaders: Readonly<Record<string, OperandReader>> = {
  Ib: { read: (f) => immOperand(signedAt(f, 1) & 0xff, 1), immBytes: same(1) },
  Ibs: { read: (f) => immOperand(signedAt(f, 1), f.opSize), immBytes: same(1) },
  Iw: { read: (f) => immOperand(signedAt(f, 2) & 0xffff, 2), immBytes: same(2) },
  Iz: {
    read: (f) => immOperand(signedAt(f, f.opSize === 2 ? 2 : 4), f.opSize),
    immBytes: { 2: 2, 4: 4, 8: 4 },
  },
  Iv: {
    read: (f) =>
      f.opSize === 8
        ? { kind: 'imm', value: BigInt.asIntN(64, unsigned64At(f)), size: 8 }
        : immOperand(signedAt(f, f.opSize), f.opSize),
    immBytes: { 2: 2, 4: 4, 8: 8 },
  },
};

/** Branch targets wrap modulo 2^64. */
function relative(bytes: 1 | 4): OperandReader {
  return {
    read: (f) => {
      const target = bigintOf(signedAt(f, bytes) + f.next);
      return { kind: 'rel', target: target < 0n ? BigInt.asUintN(64, target) : target };
    },
    immBytes: same(bytes),
  };
}

function absolute(suffix: string): OperandReader {
  const size = memSizes(suffix);
  return {
    read: (f) => {
      const disp = f.addrSize === 8 ? BigInt.asIntN(64, unsigned64At(f)) : BigInt(signedAt(f, 4) >>> 0);
      return memOperand(-1, -1, 1, disp, f.segPrefix ?? 'ds', f.addrSize, size(f));
    },
    immBytes: -1,
  };
}

const fixedReaders: Readonly<Record<string, OperandReader>> = {
  ...immediateReaders,
  Jb: relative(1),
  Jz: relative(4),
  AL: plain(() => gprOperand(1, RAX)),
  CL: plain(() => gprOperand(1, RCX)),
  AX: plain(() => gprOperand(2, RAX)),
  DX: plain(() => gprOperand(2, RDX)),
  eAX: plain((f) => gprOperand(f.opSize === 2 ? 2 : 4, RAX)),
  rAX: plain((f) => gprOperand(f.opSize, RAX)),
  FS: plain(() => regOperand('seg', 4)),
  GS: plain(() => regOperand('seg', 5)),
  '1': plain(() => immOperand(1, 1)),
  ST0: plain(() => regOperand('st', 0)),
  STi: plain((f) => regOperand('st', f.rm)),
  Sw: { read: (f) => regOperand('seg', f.reg), immBytes: NONE, valid: (f) => f.reg < 6 },
  // CR1, CR5 to CR7 and CR9 to CR15 do not exist (SDM 2B, MOV to/from control registers).
  Cq: {
    read: (f) => regOperand('cr', f.reg + f.rexR),
    immBytes: NONE,
    valid: (f) => (f.rexR === 0 ? f.reg < 5 && f.reg !== 1 : f.reg === 0),
  },
  // REX.R would select DR8 to DR15, which do not exist.
  Dq: { read: (f) => regOperand('dr', f.reg), immBytes: NONE, valid: (f) => f.rexR === 0 },
};

/** A read of mov's destination Sw: CS cannot be loaded. */
const loadedSegment: OperandReader = {
  read: (f) => regOperand('seg', f.reg),
  immBytes: NONE,
  valid: (f) => f.reg < 6 && f.reg !== 1,
};

/** Bytes 4..7 without REX are ah, ch, dh, bh, which `gprOperand` keeps as 16..19. */
const byteRegister = (f: DecodeFields, low: number, rex: number): number =>
  !f.hasRex && low >= 4 ? 12 + low : low + rex;

function gprReader(suffix: string, low: (f: DecodeFields) => number, rex: (f: DecodeFields) => number): OperandReader {
  if (suffix === 'b') return plain((f) => gprOperand(1, byteRegister(f, low(f), rex(f))));
  const size = gprSizes(suffix);
  return plain((f) => gprOperand(size(f), low(f) + rex(f)));
}

const ofReg = (f: DecodeFields): number => f.reg;
const ofRm = (f: DecodeFields): number => f.rm;
const ofOpcode = (f: DecodeFields): number => f.opcodeReg;
const ofVex = (f: DecodeFields): number => f.vexV;
const fullReg = (f: DecodeFields): number => f.reg + f.rexR;
const fullRm = (f: DecodeFields): number => f.rm + f.rexB;
const rexR = (f: DecodeFields): number => f.rexR;
const rexB = (f: DecodeFields): number => f.rexB;

/** Register or memory by ModRM: `register` makes the former, `suffix` sizes the latter. */
function registerOrMemory(register: OperandReader, suffix: string): OperandReader {
  const size = memSizes(suffix);
  return plain((f) => (f.mod === 3 ? register.read(f) : modrmMemory(f, size(f))));
}

function xmmReader(suffix: string, reg: (f: DecodeFields) => number): OperandReader {
  if (suffix in SHARES) {
    const size = memSizes(suffix);
    return plain((f) => regOperand('xmm', reg(f), size(f)));
  }
  const size = fixedSize(suffix);
  return plain((f) => regOperand('xmm', reg(f), size));
}

/** The register in imm8[7:4]; the other bits are ignored. */
function immediateRegister(suffix: string): OperandReader {
  const { read } = xmmReader(suffix, (f) => ((f.bytes[f.pos++] ?? 0) >> 4) & 15);
  return { read, immBytes: same(1) };
}

/** VSIB memory: 'x' follows VEX.L, 'dq' is an xmm register of indices. */
function vsibReader(indexBits: 32 | 64, suffix: string, elementSuffix: string): OperandReader {
  const size = fixedSize(elementSuffix);
  return plain((f) => ({
    kind: 'vsib',
    base: f.memBase,
    index: f.memIndex,
    indexSize: suffix === 'x' && f.vexL ? 32 : 16,
    indexBits,
    scale: f.memScale,
    disp: bigintOf(f.memDisp),
    seg: f.memSeg,
    addrSize: f.addrSize,
    size,
  }));
}

/** REX does not extend mmx registers. */
function mmxReader(suffix: string, byRm: boolean): OperandReader {
  const size = fixedSize(suffix);
  return plain((f) => regOperand('mmx', byRm ? f.rm : f.reg, size));
}

function makeReader(code: string): OperandReader {
  const fixed = fixedReaders[code];
  if (fixed !== undefined) return fixed;
  const match = /^(BA|BD|vm32|vm64|[EGRMZVWUPQNOXYHBL])([a-z]*|512)(?:\/([a-z]+))?$/.exec(code);
  const suffix = match?.[2] ?? '';
  const memSuffix = match?.[3] ?? suffix;
  switch (match?.[1]) {
    case 'E':
      return registerOrMemory(gprReader(suffix, ofRm, rexB), memSuffix);
    case 'G':
      return gprReader(suffix, ofReg, rexR);
    case 'R':
      return gprReader(suffix, ofRm, rexB);
    case 'Z':
      return gprReader(suffix, ofOpcode, rexB);
    case 'B':
      return gprReader(suffix, ofVex, () => 0);
    case 'V':
      return xmmReader(suffix, fullReg);
    case 'U':
      return xmmReader(suffix, fullRm);
    case 'W':
      return registerOrMemory(xmmReader(suffix, fullRm), memSuffix);
    case 'H':
      return xmmReader(suffix, ofVex);
    case 'L':
      return immediateRegister(suffix);
    case 'vm32':
      return vsibReader(32, suffix, memSuffix);
    case 'vm64':
      return vsibReader(64, suffix, memSuffix);
    case 'P':
      return mmxReader(suffix, false);
    case 'N':
      return mmxReader(suffix, true);
    case 'Q':
      return registerOrMemory(mmxReader(suffix, true), suffix);
    case 'O':
      return absolute(suffix);
    default:
      return memoryReader(match?.[1], suffix, code);
  }
}

function memoryReader(letter: string | undefined, suffix: string, code: string): OperandReader {
  const size = memSizes(suffix);
  switch (letter) {
    case 'M':
      return plain((f) => modrmMemory(f, size(f)));
    case 'X':
      return plain((f) => impliedMemory(f, RSI, -1, false, size(f)));
    case 'Y':
      return plain((f) => impliedMemory(f, RDI, -1, true, size(f)));
    case 'BA':
      return plain((f) => impliedMemory(f, RBX, RAX, false, size(f)));
    case 'BD':
      return plain((f) => impliedMemory(f, RDI, -1, false, size(f)));
    default:
      throw new Error(`no operand code '${code}'`);
  }
}

const readers = new Map<string, OperandReader>();

/** The readers of a row's operand column. Throws an Error that names a code that is unknown: a mistake in a table. */
export function operandReaders(operands: string): OperandReader[] {
  if (operands === '') return [];
  return operands.split(',').map((code, index) => {
    if (code === 'Sw' && index === 0) return loadedSegment;
    let reader = readers.get(code);
    if (reader === undefined) {
      reader = makeReader(code);
      readers.set(code, reader);
    }
    return reader;
  });
}

/** What the letters ask of ModRM.mod: 0 memory (M), 1 register (R, U, N), -1 either. */
export function modOfOperands(operands: string): -1 | 0 | 1 {
  if (/(^|,)(M|vm)/.test(operands)) return 0;
  if (/(^|,)[RUN]/.test(operands)) return 1;
  return -1;
}
