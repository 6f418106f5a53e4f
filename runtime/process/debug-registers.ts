/**
 * Breakpoints and watchpoints that a tracer has set in the debug registers, as the thread that has them looks at them: before and after each instruction, which notes its accesses (`note_access`).
 * In: DR0 to DR3 and DR7, the CPU block. Out: which have been hit. What the kernel accesses hits nothing. Source: Intel SDM volume 3, 17.2.
 */
import { CPU } from '../../src/guest/cpu-state.js';
import type { CpuView } from '../linux/thread.js';
import type { Trace } from './trace.js';

const COUNT = 4;
const STATUS = 6;
const CONTROL = 7;
const RW = { EXECUTE: 0, WRITE: 1, ACCESS: 3 } as const;
/** Bytes, by DR7's two bits. */
const LENGTHS = [1, 2, 8, 4] as const;
/** DR6: a single step. */
const DR6_STEP = 0x4000;

interface Place {
  readonly n: number;
  readonly address: bigint;
  readonly rw: number;
  readonly length: number;
}

/** The places that DR7, `control`, has switched on; `address` gives DR0 to DR3. */
function placesOf(control: number, address: (n: number) => bigint): Place[] {
  return Array.from({ length: COUNT }, (_, n) => n)
    .filter((n) => ((control >>> (2 * n)) & 3) !== 0)
    .map((n) => ({
      n,
      address: address(n),
      rw: (control >>> (16 + 4 * n)) & 3,
      length: LENGTHS[(control >>> (18 + 4 * n)) & 3] ?? 1,
    }));
}

/** Whether Linux takes these: breakpoints of one byte, watchpoints at a multiple of their length, none for input and output. */
export function canWatch(control: number, address: (n: number) => bigint): boolean {
  return placesOf(control, address).every(
    (p) => (p.rw === RW.EXECUTE ? p.length === 1 : p.rw !== 2) && p.address % BigInt(p.length) === 0n,
  );
}

export class DebugRegisters {
  private readonly places: readonly Place[];
  /** The breakpoint there has been reported: the instruction may run. */
  private reported: bigint | undefined;

  private constructor(
    private readonly trace: Trace,
    private readonly cpu: CpuView,
  ) {
    this.places = placesOf(Number(trace.debug(CONTROL) & 0xffff_ffffn), (n) => trace.debug(n));
  }

  /** Undefined when nothing is watched. */
  static of(trace: Trace, cpu: CpuView): DebugRegisters | undefined {
    const found = new DebugRegisters(trace, cpu);
    return found.places.length === 0 ? undefined : found;
  }

  /** Before an instruction. True when there is a breakpoint at `rip` that has not been reported yet. */
  stopsAt(rip: bigint): boolean {
    const hit = this.places.reduce(
      (bits, p) => (p.rw === RW.EXECUTE && p.address === rip ? bits | (1 << p.n) : bits),
      0,
    );
    if (hit === 0 || this.reported === rip) return false;
    this.reported = rip;
    this.report(hit);
    return true;
  }

  /** Before the instruction runs: its accesses will be noted. */
  arm(): void {
    const { cpu } = this;
    const view = new DataView(cpu.bytes.buffer, cpu.base + CPU.WATCH_PLACES);
    for (let n = 0; n < COUNT; n++) view.setInt32(16 * n + 8, 0, true);
    for (const { n, address, length, rw } of this.places) {
      if (rw === RW.EXECUTE) continue;
      view.setBigUint64(16 * n, address, true);
      view.setInt32(16 * n + 8, length, true);
      view.setInt32(16 * n + 12, Number(rw === RW.ACCESS), true);
    }
    cpu.setI32(CPU.WATCH_HITS, 0);
    cpu.setI32(CPU.WATCHING, 1);
  }

  /** After an instruction, under the trap flag or not. True when it has accessed what is watched. */
  hasHit(stepped: boolean): boolean {
    this.reported = undefined;
    const hit = this.cpu.i32(CPU.WATCH_HITS);
    this.report(hit | (stepped ? DR6_STEP : 0));
    return hit !== 0;
  }

  /** No accesses are noted any more. */
  disarm(): void {
    this.cpu.setI32(CPU.WATCHING, 0);
  }

  private report(bits: number): void {
    if (bits !== 0) this.trace.setDebug(STATUS, BigInt(bits));
  }
}
