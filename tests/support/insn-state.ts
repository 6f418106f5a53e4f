/**
 * The state that a recorded instruction sees: general registers, flags, an FXSAVE image, 64 bytes of memory on both sides of a page's end, the upper halves of ymm; and how it ended.
 * In: bytes in the layout of tests/vectors/src/run-insns.c. Out: named fields, and what an instruction changed as text. Source: SDM 2A, FXSAVE (table 3-43: tags are of physical registers, ST registers are relative to TOP).
 */
import { GPR_NAMES } from '../../src/guest/cpu-state.js';
import { FLAG } from '../../src/guest/flags.js';
import { RecordedState } from './recorded-state.js';

/** Guest and host address of the memory: half of it lies on one page, half on the next. */
export const MEMORY = 0x1000_0fe0;
export const MEMORY_SIZE = 64;

/** Offsets in bytes. */
const AT = { GPR: 0, SIGNAL: 136, FX: 144, MEMORY: 144 + 512 } as const;
const FX = { FCW: 0, FSW: 2, FTW: 4, MXCSR: 24, MXCSR_MASK: 28, ST: 32, XMM: 160 } as const;
/** Upper halves of ymm. */
const YMMH = AT.MEMORY + MEMORY_SIZE;
const ADDRESS = YMMH + 256;
const CLOSED = ADDRESS + 8;
export const STATE_SIZE = CLOSED + 8;
/** Where the fields that take bulk copies are: offsets in bytes. */
export const LAYOUT = { GPR: AT.GPR, MEMORY: AT.MEMORY, XMM: AT.FX + FX.XMM, YMMH } as const;

const END = { SIGNAL: AT.SIGNAL, ADDRESS } as const;
const RSP = 4;
/** MXCSR without its exception flags, which only precise floating point has. */
const MXCSR_CONTROL = 0xffc0;

export class InsnState extends RecordedState {
  constructor(bytes: Uint8Array = new Uint8Array(STATE_SIZE)) {
    super(bytes, END);
  }

  copy(): InsnState {
    return new InsnState(this.bytes.slice());
  }

  /** True: the second page of the memory may not be accessed. */
  get closed(): boolean {
    return this.bytes[CLOSED] !== 0;
  }
  set closed(value: boolean) {
    this.bytes[CLOSED] = value ? 1 : 0;
  }

  xmm(n: number): bigint {
    return this.wide(AT.FX + FX.XMM + 16 * n);
  }
  setXmm(n: number, value: bigint): void {
    this.setWide(AT.FX + FX.XMM + 16 * n, value);
  }

  /** Upper half of ymm. */
  ymmh(n: number): bigint {
    return this.wide(YMMH + 16 * n);
  }
  setYmmh(n: number, value: bigint): void {
    this.setWide(YMMH + 16 * n, value);
  }

  /** TOP of the x87 stack. Set it before the registers. */
  get top(): number {
    return (this.view.getUint16(AT.FX + FX.FSW, true) >> 11) & 7;
  }
  set top(value: number) {
    const other = this.view.getUint16(AT.FX + FX.FSW, true) & ~0x3800;
    this.view.setUint16(AT.FX + FX.FSW, other | (value << 11), true);
  }

  /** A bit for each empty physical register. */
  get empty(): number {
    return ~(this.bytes[AT.FX + FX.FTW] ?? 0) & 0xff;
  }
  set empty(value: number) {
    this.bytes[AT.FX + FX.FTW] = ~value & 0xff;
  }

  get fcw(): number {
    return this.view.getUint16(AT.FX + FX.FCW, true);
  }
  set fcw(value: number) {
    this.view.setUint16(AT.FX + FX.FCW, value, true);
  }

  /** x87 status word without TOP. */
  get fsw(): number {
    return this.view.getUint16(AT.FX + FX.FSW, true) & ~0x3800;
  }
  set fsw(value: number) {
    const top = this.view.getUint16(AT.FX + FX.FSW, true) & 0x3800;
    this.view.setUint16(AT.FX + FX.FSW, (value & ~0x3800) | top, true);
  }

  /** Significand of PHYSICAL x87 register n: the MMX register. */
  mm(n: number): bigint {
    return this.view.getBigUint64(this.physical(n), true);
  }
  setMm(n: number, value: bigint): void {
    this.view.setBigUint64(this.physical(n), BigInt.asUintN(64, value), true);
  }

  /** Sign and exponent of physical x87 register n. */
  exponent(n: number): number {
    return this.view.getUint16(this.physical(n) + 8, true);
  }
  setExponent(n: number, value: number): void {
    this.view.setUint16(this.physical(n) + 8, value, true);
  }

  get mxcsr(): number {
    return this.view.getUint32(AT.FX + FX.MXCSR, true);
  }
  set mxcsr(value: number) {
    this.view.setUint32(AT.FX + FX.MXCSR, value, true);
  }

  get memory(): Uint8Array {
    return this.bytes.subarray(AT.MEMORY, AT.MEMORY + MEMORY_SIZE);
  }

  private physical(n: number): number {
    return AT.FX + FX.ST + 16 * ((n - this.top) & 7);
  }

  private wide(at: number): bigint {
    return this.view.getBigUint64(at, true) | (this.view.getBigUint64(at + 8, true) << 64n);
  }

  private setWide(at: number, value: bigint): void {
    this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
    this.view.setBigUint64(at + 8, BigInt.asUintN(64, value >> 64n), true);
  }
}

/** Every field with a value that no other has: a write to a wrong one is seen. rsi and rdi point to the memory; TOP is 3, all x87 registers are empty, all arithmetic flags set. */
export function plainState(): InsnState {
  return PLAIN.copy();
}

function makePlain(): InsnState {
  const s = new InsnState();
  for (let n = 0; n < 16; n++) {
    s.setGpr(n, 0x9e37_79b9_7f4a_7c15n * BigInt(n + 1));
    s.setXmm(n, 0xd1b5_4a32_d192_ed03_8cb9_2ba7_2f3d_8dd7n * BigInt(n + 3));
    s.setYmmh(n, 0x94d0_49bb_1331_11eb_bf58_476d_1ce4_e5b9n * BigInt(n + 7));
  }
  s.setGpr(6, BigInt(MEMORY));
  s.setGpr(7, BigInt(MEMORY));
  s.setGpr(RSP, 0n);
  s.rflags = FLAG.ARITH | FLAG.IF | 2;
  s.fcw = 0x37f;
  s.top = 3;
  s.empty = 0xff;
  for (let n = 0; n < 8; n++) {
    s.setMm(n, 0xa076_1d64_78bd_642fn * BigInt(n + 5));
    s.setExponent(n, 0x3ff0 + n);
  }
  s.mxcsr = 0x1f80;
  s.memory.forEach((_, i, m) => (m[i] = (i * 37 + 11) & 0xff));
  return s;
}
const PLAIN = makePlain();

const hex = (value: bigint | number, bytes: number): string => value.toString(16).padStart(2 * bytes, '0');

function differs(a: Uint8Array, b: Uint8Array, from: number, size: number): boolean {
  for (let at = from; at < from + size; at++) if (a[at] !== b[at]) return true;
  return false;
}

/**
 * What differs between two states: how the instruction ended, if by a signal, then `name=value` in hex, space separated. With `preciseFloat`, the exception flags of MXCSR too.
 */
export function changes(before: InsnState, after: InsnState, preciseFloat = false): string {
  const list: string[] = [];
  const compare = (name: string, bytes: number, get: (s: InsnState) => bigint | number): void => {
    const now = get(after);
    if (get(before) !== now) list.push(`${name}=${hex(now, bytes)}`);
  };
  const isChanged = (from: number, size: number): boolean => differs(before.bytes, after.bytes, from, size);
  if (after.signal !== 0) list.push(`signal=${after.signal}/${after.code}/${after.address.toString(16)}`);
  if (isChanged(AT.GPR, 128))
    for (const [n, name] of GPR_NAMES.entries()) if (n !== RSP) compare(name, 8, (s) => s.gpr(n));
  compare('flags', 2, (s) => s.rflags & FLAG.ARITH);
  if (isChanged(AT.FX + FX.XMM, 256)) for (let n = 0; n < 16; n++) compare(`xmm${n}`, 16, (s) => s.xmm(n));
  if (isChanged(YMMH, 256)) for (let n = 0; n < 16; n++) compare(`ymmh${n}`, 16, (s) => s.ymmh(n));
  compare('top', 1, (s) => s.top);
  compare('empty', 1, (s) => s.empty);
  if (isChanged(AT.FX, FX.XMM))
    for (let n = 0; n < 8; n++) {
      compare(`mm${n}`, 8, (s) => s.mm(n));
      compare(`exp${n}`, 2, (s) => s.exponent(n));
    }
  const mxcsr = preciseFloat ? 0xffff : MXCSR_CONTROL;
  compare('mxcsr', 2, (s) => s.mxcsr & mxcsr);
  for (let at = 0; at < MEMORY_SIZE; at += 16)
    if (isChanged(AT.MEMORY + at, 16))
      list.push(`mem${at}=${Buffer.from(after.memory.subarray(at, at + 16)).toString('hex')}`);
  return list.join(' ');
}
