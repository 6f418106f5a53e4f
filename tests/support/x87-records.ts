/**
 * Recorded x87 cases: in, the records of tests/vectors/src/x87.c; out, what the interpreter does differently, as text.
 * Results of the transcendental instructions may differ in the last bit: no two processors agree there (SDM volume 1, 8.3.10, claims an error below 1 ulp).
 */
import { FLAG } from '../../src/guest/flags.js';
import { type InsnMachine } from './insn-machine.js';
import { InsnState, MEMORY } from './insn-state.js';

export const RECORD_SIZE = 104;
const RSI = 6;
const STATUS_TOP = 0x3800;
/** Arithmetic flags within the low byte of EFLAGS. */
const LOW_FLAGS = 0xd5;

interface X87State {
  readonly cw: number;
  readonly sw: number;
  readonly empty: number;
  readonly flags: number;
  readonly of: number;
}

interface Ext {
  readonly sig: bigint;
  readonly se: number;
}

const hex = (v: number | bigint, digits: number): string => v.toString(16).padStart(digits, '0');
const printExt = (x: Ext): string => `${hex(x.se, 4)}:${hex(x.sig, 16)}`;

export class X87Record {
  private readonly view: DataView;
  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_SIZE);
  }

  get code(): Uint8Array {
    return this.bytes.subarray(1, 1 + (this.bytes[0] ?? 0));
  }
  private state(at: number): X87State {
    const v = this.view;
    return {
      cw: v.getUint16(at, true),
      sw: v.getUint16(at + 2, true),
      empty: v.getUint8(at + 4),
      flags: v.getUint8(at + 5),
      of: v.getUint8(at + 6),
    };
  }
  private ext(at: number): Ext {
    return { sig: this.view.getBigUint64(at, true), se: this.view.getUint16(at + 8, true) };
  }

  get before(): X87State {
    return this.state(8);
  }
  get st0(): Ext {
    return this.ext(16);
  }
  get st1(): Ext {
    return this.ext(26);
  }
  get memory(): Uint8Array {
    return this.bytes.subarray(36, 48);
  }
  get after(): X87State {
    return this.state(48);
  }
  /** The registers that were ST(7), ST(0), ST(1). */
  get results(): readonly [Ext, Ext, Ext] {
    return [this.ext(56), this.ext(66), this.ext(76)];
  }
  get memoryAfter(): Uint8Array {
    return this.bytes.subarray(86, 96);
  }
  get ax(): number {
    return this.view.getUint16(96, true);
  }

  print(): string {
    const { cw, sw, empty } = this.before;
    return `${Buffer.from(this.code).toString('hex')} cw ${hex(cw, 4)} sw ${hex(sw, 4)} empty ${hex(empty, 2)} st0 ${printExt(this.st0)} st1 ${printExt(this.st1)} mem ${Buffer.from(this.memory.subarray(0, 10)).toString('hex')}`;
  }
}

/** F2XM1 FYL2X FPTAN FPATAN FYL2XP1 FSINCOS FSIN FCOS. */
export function isTranscendental(code: Uint8Array): boolean {
  return code[0] === 0xd9 && [0xf0, 0xf1, 0xf2, 0xf3, 0xf9, 0xfb, 0xfe, 0xff].includes(code[1] ?? 0);
}

/** Distance in units of the last place, for values of equal sign. */
function ulps(a: Ext, b: Ext): bigint {
  if ((a.se ^ b.se) & 0x8000) return 1n << 64n;
  const order = (x: Ext): bigint => (BigInt(x.se & 0x7fff) << 63n) + (x.sig & 0x7fff_ffff_ffff_ffffn);
  const d = order(a) - order(b);
  return d < 0n ? -d : d;
}

function load(r: X87Record): InsnState {
  const s = new InsnState();
  const { cw, sw, empty, flags, of } = r.before;
  s.setGpr(RSI, BigInt(MEMORY));
  s.rflags = 0x202 | flags | (of << 11);
  s.mxcsr = 0x1f80;
  s.fcw = cw;
  s.fsw = sw & ~STATUS_TOP;
  s.top = (sw & STATUS_TOP) >> 11;
  s.empty = empty;
  for (let i = 0; i < 8; i++) {
    const x = i === 0 ? r.st0 : i === 1 ? r.st1 : { sig: 0x8000_0000_0000_0000n + BigInt(i), se: 0x4000 + i };
    s.setMm((s.top + i) & 7, x.sig);
    s.setExponent((s.top + i) & 7, x.se);
  }
  s.memory.set(r.memory);
  return s;
}

/** What differs from the record; empty when nothing. `pc` is the translated instruction. */
export function differences(machine: InsnMachine, pc: number, r: X87Record): string[] {
  const before = load(r);
  const after = machine.run(pc, before);
  const want = r.after;
  const list: string[] = [];
  const check = (what: string, got: string, wanted: string): void => {
    if (got !== wanted) list.push(`${what} ${got}, recorded ${wanted}`);
  };
  const loose = isTranscendental(r.code);
  check('signal', String(after.signal), '0');
  check('control', hex(after.fcw, 4), hex(want.cw, 4));
  // C1 says which way the last bit was rounded; a result that differs there may differ here.
  const ignored = loose ? 0x200 : 0;
  check('status', hex((after.fsw | (after.top << 11)) & ~ignored, 4), hex(want.sw & ~ignored, 4));
  check('empty', hex(after.empty, 2), hex(want.empty, 2));
  check('flags', hex(after.rflags & LOW_FLAGS, 2), hex(want.flags & LOW_FLAGS, 2));
  check('of', String((after.rflags & FLAG.OF) === 0 ? 0 : 1), String(want.of));
  check('ax', hex(after.gpr(0) & 0xffffn, 4), hex(r.ax, 4));
  r.results.forEach((x, i) => {
    const p = (before.top + i + 7) & 7;
    if ((want.empty >> p) & 1) return;
    const got = { sig: after.mm(p), se: after.exponent(p) };
    if (loose && ulps(got, x) <= 1n) return;
    check(`st${(i + 7) & 7}`, printExt(got), printExt(x));
  });
  check(
    'memory',
    Buffer.from(after.memory.subarray(0, 10)).toString('hex'),
    Buffer.from(r.memoryAfter).toString('hex'),
  );
  return list;
}
