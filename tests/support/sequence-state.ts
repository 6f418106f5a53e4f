/**
 * All that an instruction sequence sees: general registers, flags, an FXSAVE image, upper halves of ymm, windows of guest memory; and how it ended.
 * In: bytes in the layout of tests/vectors/src/run-sequences.c. Out: named fields; what a sequence changed, as text, and that text read back.
 * Source: SDM 2A, FXSAVE (table 3-43: tags are of physical registers, ST registers are relative to TOP).
 */
import { GPR_NAMES, MXCSR_START } from '../../src/guest/cpu-state.js';
import { FLAG } from '../../src/guest/flags.js';
import { RUN_HEAD, RunState } from './recorded-state.js';

/** Guest and host address of the data pages, and of the code: no small multiple of the data's. All of CODE_BYTES is mapped, INT3 where nothing else stands. */
export const DATA = 0x1000_0000;
export const CODE = 0x2a5c_0000;
export const CODE_BYTES = 1 << 20;
export const GS_BASE = 0x30_0000;
export const DATA_PAGES = 5;
/** Data pages by number: what may be done with them. The missing one is not mapped. */
export const DATA_MAP = [
  { page: 0, writable: true },
  { page: 1, writable: true },
  { page: 2, writable: false },
  { page: 4, writable: true },
] as const;
/** Windows of the data pages that a state holds: addresses, bytes. The first two lie around the boundaries of pages 0 and 1, 1 and 2; the last is for the stack. */
export const WINDOWS = [
  { at: DATA + 0x0e80, size: 768 },
  { at: DATA + 0x1fc0, size: 128 },
  { at: DATA + 0x4400, size: 512 },
] as const;
export const MEMORY_SIZE = 1408;

/** Offsets in bytes. */
const AT = {
  ...RUN_HEAD,
  HASH: 160,
  YMMH: 168,
  FX: 424,
  MEMORY: 936,
} as const;
const FX = { FCW: 0, FSW: 2, FTW: 4, FOP: 6, MXCSR: 24, MXCSR_MASK: 28, ST: 32, XMM: 160, END: 416 } as const;
export const STATE_AT = AT;
export const FX_AT = FX;
export const STATE_SIZE = AT.MEMORY + MEMORY_SIZE;

const TOP = 0x3800;
const MXCSR_FLAGS = 0x3f;
export const HANG = 255;

const hex = (value: bigint | number): string => value.toString(16);

/** What of two states is not compared. */
export interface Ignored {
  /** Arithmetic flags. */
  readonly flags: number;
  /** Floating point without MXCSR's exception flags. */
  readonly mxcsrFlags: boolean;
}

/** A field of a state, by name. */
interface Field {
  readonly name: string;
  readonly get: (s: SequenceState) => bigint;
  readonly set: (s: SequenceState, value: bigint) => void;
}

export class SequenceState extends RunState {
  constructor(bytes: Uint8Array = new Uint8Array(STATE_SIZE)) {
    super(bytes);
  }

  copy(): SequenceState {
    return new SequenceState(this.bytes.slice());
  }

  get hash(): number {
    return this.view.getUint32(AT.HASH, true);
  }
  set hash(value: number) {
    this.view.setUint32(AT.HASH, value, true);
  }
  get mxcsr(): number {
    return this.view.getUint32(AT.FX + FX.MXCSR, true);
  }
  set mxcsr(value: number) {
    this.view.setUint32(AT.FX + FX.MXCSR, value, true);
  }
  get fcw(): number {
    return this.view.getUint16(AT.FX + FX.FCW, true);
  }
  set fcw(value: number) {
    this.view.setUint16(AT.FX + FX.FCW, value, true);
  }
  /** x87 status word with TOP. */
  get fsw(): number {
    return this.view.getUint16(AT.FX + FX.FSW, true);
  }
  set fsw(value: number) {
    this.view.setUint16(AT.FX + FX.FSW, value, true);
  }
  get top(): number {
    return (this.fsw & TOP) >> 11;
  }
  /** A bit for each physical register that is not empty. */
  get valid(): number {
    return this.bytes[AT.FX + FX.FTW] ?? 0;
  }
  set valid(value: number) {
    this.bytes[AT.FX + FX.FTW] = value;
  }
  /** Offset of ST(n), relative to TOP, 10 bytes. */
  static st(n: number): number {
    return AT.FX + FX.ST + 16 * n;
  }
  /** Offset of xmm n, 16 bytes; of the upper half of ymm n. */
  static xmm(n: number): number {
    return AT.FX + FX.XMM + 16 * n;
  }
  static ymmh(n: number): number {
    return AT.YMMH + 16 * n;
  }
  get memory(): Uint8Array {
    return this.bytes.subarray(AT.MEMORY, STATE_SIZE);
  }

  /** Makes everything that is not compared, or that only one side has, the same in all states. */
  normalise(ignored: Ignored): this {
    const { bytes } = this;
    this.rflags &= (FLAG.ARITH | FLAG.DF) & ~ignored.flags;
    this.view.setUint32(AT.RFLAGS + 4, 0, true);
    this.view.setUint32(AT.HASH + 4, 0, true);
    // Pointers of the last x87 instruction: processors differ.
    bytes.fill(0, AT.FX + FX.FTW + 1, AT.FX + FX.MXCSR);
    bytes.fill(0, AT.FX + FX.MXCSR_MASK, AT.FX + FX.ST);
    for (let n = 0; n < 8; n++) bytes.fill(0, SequenceState.st(n) + 10, SequenceState.st(n + 1));
    bytes.fill(0, AT.FX + FX.END, AT.MEMORY);
    if (ignored.mxcsrFlags) this.mxcsr &= ~MXCSR_FLAGS;
    return this;
  }

  /** 128 bits at an offset. */
  wide(at: number): bigint {
    return this.view.getBigUint64(at, true) | (this.view.getBigUint64(at + 8, true) << 64n);
  }
  setWide(at: number, value: bigint): void {
    this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
    this.view.setBigUint64(at + 8, BigInt.asUintN(64, value >> 64n), true);
  }
  /** 80 bits at an offset. */
  extended(at: number): bigint {
    return this.view.getBigUint64(at, true) | (BigInt(this.view.getUint16(at + 8, true)) << 64n);
  }
  setExtended(at: number, value: bigint): void {
    this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
    this.view.setUint16(at + 8, Number(BigInt.asUintN(16, value >> 64n)), true);
  }
}

const fields: readonly Field[] = [
  ...GPR_NAMES.map((name, n): Field => ({
    name,
    get: (s) => s.gpr(n),
    set: (s, v) => {
      s.setGpr(n, v);
    },
  })),
  number(
    'flags',
    (s) => s.rflags,
    (s, v) => {
      s.rflags = v;
    },
  ),
  number(
    'mxcsr',
    (s) => s.mxcsr,
    (s, v) => {
      s.mxcsr = v;
    },
  ),
  number(
    'fcw',
    (s) => s.fcw,
    (s, v) => {
      s.fcw = v;
    },
  ),
  number(
    'fsw',
    (s) => s.fsw,
    (s, v) => {
      s.fsw = v;
    },
  ),
  number(
    'valid',
    (s) => s.valid,
    (s, v) => {
      s.valid = v;
    },
  ),
  ...Array.from({ length: 8 }, (_, n): Field => {
    const at = SequenceState.st(n);
    return {
      name: `st${n}`,
      get: (s) => s.extended(at),
      set: (s, v) => {
        s.setExtended(at, v);
      },
    };
  }),
  ...Array.from({ length: 32 }, (_, n): Field => {
    const at = n < 16 ? SequenceState.xmm(n) : SequenceState.ymmh(n - 16);
    return {
      name: n < 16 ? `xmm${n}` : `ymmh${n - 16}`,
      get: (s) => s.wide(at),
      set: (s, v) => {
        s.setWide(at, v);
      },
    };
  }),
];

function number(name: string, get: (s: SequenceState) => number, set: (s: SequenceState, v: number) => void): Field {
  return {
    name,
    get: (s) => BigInt(get(s)),
    set: (s, v) => {
      set(s, Number(v));
    },
  };
}

/** What is true of the start of every sequence unless it says otherwise: the x87 registers empty, all else 0. */
export function emptyState(): SequenceState {
  const s = new SequenceState();
  s.mxcsr = MXCSR_START;
  s.fcw = 0x37f;
  return s;
}

/** `name=value` in hex and `[address]=bytes`, of what `after` has otherwise than `before`, both normalised; one a line where `separator` is a line's end. */
export function stateChanges(before: SequenceState, after: SequenceState): string[] {
  const list: string[] = [];
  if (after.signal !== 0) list.push(`signal=${after.signal}/${after.code}/${hex(after.address)}`);
  if (after.rip !== before.rip) list.push(`rip=${hex(after.rip)}`);
  for (const { name, get } of fields) if (get(before) !== get(after)) list.push(`${name}=${hex(get(after))}`);
  let start = 0;
  for (const { at, size } of WINDOWS) {
    const old = before.memory.subarray(start, start + size);
    const now = after.memory.subarray(start, start + size);
    start += size;
    for (let i = 0; i < size; i += 16) {
      const line = now.subarray(i, i + 16);
      if (Buffer.compare(line, old.subarray(i, i + 16)) !== 0)
        list.push(`[${hex(at + i)}]=${Buffer.from(line).toString('hex')}`);
    }
  }
  return list;
}

/** Applies changes as stateChanges prints them (signal apart). Throws an Error that names what it can't read. */
export function applyChanges(s: SequenceState, changes: readonly string[]): void {
  for (const change of changes) {
    const [, name = '', value = ''] = /^([^=]+)=([0-9a-f]+)$/.exec(change) ?? [];
    const field = fields.find((f) => f.name === name);
    if (name === 'rip') s.rip = parseInt(value, 16);
    else if (field !== undefined) field.set(s, BigInt(`0x${value}`));
    else s.memory.set(Buffer.from(value, 'hex'), memoryOffset(name, change));
  }
}

function memoryOffset(name: string, change: string): number {
  const address = parseInt(/^\[([0-9a-f]+)\]$/.exec(name)?.[1] ?? '', 16);
  let start = 0;
  for (const { at, size } of WINDOWS) {
    if (address >= at && address < at + size) return start + address - at;
    start += size;
  }
  throw new Error(`no part of a state: ${change}`);
}

/** Bytes at the start of the data that are not compared: for images of FXSAVE and the like, in which processors keep different pointers. */
export const IMAGES_SIZE = 0x800;

/** As hash_pages of run-sequences.c: of all data pages but the images. */
export function hashPages(words: Int32Array, address: number): number {
  let h = 0;
  const first = address / 4;
  for (let i = first + IMAGES_SIZE / 4, end = first + (DATA_PAGES * 4096) / 4; i < end; i++)
    h = Math.imul(h ^ (words[i] ?? 0), 0x9e3779b1);
  return h >>> 0;
}
