/**
 * Breakpoints and watchpoints that a tracer has set in the debug registers, as the thread that has them looks at them: before and after each instruction. In: DR0 to DR3 and DR7, guest memory.
 * Out: which have been hit. A watchpoint is hit when the bytes have changed. Source: Intel SDM volume 3, 17.2.
 */
import type { GuestMemory } from '../linux/context.js';
import type { Trace } from './trace.js';

const COUNT = 4;
const STATUS = 6;
const CONTROL = 7;
const RW = { EXECUTE: 0, WRITE: 1 } as const;
/** Bytes, by DR7's two bits. */
const LENGTHS = [1, 2, 8, 4] as const;
/** DR6: a single step. */
const DR6_STEP = 0x4000;

interface Point {
  readonly bit: number;
  readonly address: bigint;
  /** Bytes that are watched; 0: a breakpoint. */
  readonly length: number;
  before: Uint8Array | undefined;
}

const field = (control: number, n: number): { on: boolean; rw: number; length: number } => ({
  on: ((control >>> (2 * n)) & 3) !== 0,
  rw: (control >>> (16 + 4 * n)) & 3,
  length: LENGTHS[(control >>> (18 + 4 * n)) & 3] ?? 1,
});

/** Whether lift64 can do what DR7 asks for: breakpoints, and watching for writes. */
export function canWatch(control: number): boolean {
  for (let n = 0; n < COUNT; n++) {
    const { on, rw, length } = field(control, n);
    if (on && (rw > RW.WRITE || (rw === RW.EXECUTE && length !== 1))) return false;
  }
  return true;
}

export class DebugRegisters {
  private readonly points: readonly Point[];
  /** The breakpoint there has been reported: the instruction may run. */
  private reported: bigint | undefined;

  private constructor(
    private readonly trace: Trace,
    private readonly mem: GuestMemory,
  ) {
    const control = Number(trace.debug(CONTROL) & 0xffff_ffffn);
    this.points = Array.from({ length: COUNT }, (_, n) => ({ n, ...field(control, n) }))
      .filter(({ on }) => on)
      .map(({ n, rw, length }) => ({
        bit: 1 << n,
        address: trace.debug(n),
        length: rw === RW.EXECUTE ? 0 : length,
        before: undefined,
      }));
  }

  /** Undefined when nothing is watched. */
  static of(trace: Trace, mem: GuestMemory): DebugRegisters | undefined {
    const found = new DebugRegisters(trace, mem);
    return found.points.length === 0 ? undefined : found;
  }

  /** Before an instruction. True when there is a breakpoint at `rip` that has not been reported yet. */
  stopsAt(rip: bigint): boolean {
    // What others than the thread's instructions have changed does not count.
    this.look();
    const hit = this.points.reduce((bits, p) => (p.length === 0 && p.address === rip ? bits | p.bit : bits), 0);
    if (hit === 0 || this.reported === rip) return false;
    this.reported = rip;
    this.report(hit);
    return true;
  }

  /** After an instruction, under the trap flag or not. True when it has changed what is watched. */
  hasChanged(stepped: boolean): boolean {
    this.reported = undefined;
    const hit = this.look();
    this.report(hit | (stepped ? DR6_STEP : 0));
    return hit !== 0;
  }

  /** Bits of the places whose bytes are others than before. */
  private look(): number {
    let hit = 0;
    for (const p of this.points) {
      const now = this.bytesOf(p);
      if (now?.some((byte, i) => byte !== p.before?.[i]) === true) hit |= p.bit;
      p.before = now;
    }
    return hit;
  }

  private bytesOf(p: Point): Uint8Array | undefined {
    return p.length === 0 ? undefined : this.mem.read(Number(p.address), p.length);
  }

  private report(bits: number): void {
    if (bits !== 0) this.trace.setDebug(STATUS, BigInt(bits));
  }
}
