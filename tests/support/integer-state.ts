/**
 * The state that a recorded integer instruction sees: general registers, flags, rip, windows of guest memory around page boundaries; and how it ended.
 * In: bytes in the layout of tests/vectors/src/run-integer.c. Out: named fields, and what an instruction changed as text.
 */
import { GPR_NAMES } from '../../src/guest/cpu-state.js';
import { FLAG } from '../../src/guest/flags.js';
import { RUN_HEAD, RunState } from './recorded-state.js';

/** Guest and host address of the data pages, and of the code. */
export const DATA = 0x1000_0000;
export const CODE = 0x2000_0000;
export const GS_BASE = 0x30_0000;
export const FS_BASE = 0x40_0000;
/** Data pages by number: what may be done with them. Those between are not mapped. */
export const DATA_PAGES = [
  { page: 0, writable: true },
  { page: 1, writable: true },
  { page: 2, writable: false },
  { page: 4, writable: true },
] as const;
/** Windows of the data pages that a state holds: addresses, bytes. A and B lie around the boundaries 0|1 and 1|2, C and D at the start and the end of page 4. */
export const WINDOWS = [
  { at: DATA + 0x0f80, size: 256 },
  { at: DATA + 0x1f80, size: 256 },
  { at: DATA + 0x4000, size: 128 },
  { at: DATA + 0x4f80, size: 128 },
] as const;
export const MEMORY_SIZE = 768;

/** Offsets in bytes. */
const AT = { ...RUN_HEAD, MEMORY: 160 } as const;
export const STATE_SIZE = AT.MEMORY + MEMORY_SIZE;

const COMPARED_FLAGS = FLAG.ARITH | FLAG.DF;

export class IntegerState extends RunState {
  constructor(bytes: Uint8Array = new Uint8Array(STATE_SIZE)) {
    super(bytes);
  }

  copy(): IntegerState {
    return new IntegerState(this.bytes.slice());
  }

  /** The windows, one after another. */
  get memory(): Uint8Array {
    return this.bytes.subarray(AT.MEMORY, AT.MEMORY + MEMORY_SIZE);
  }
}

const hex = (value: bigint | number): string => value.toString(16);

/**
 * What differs between two states: `name=value` in hex, space separated; of memory the bytes from the first to the last that differ, by address.
 * @param length bytes of the instructions: rip is told when it is not behind them
 * @param undefinedFlags flags that are not compared
 */
export function changes(before: IntegerState, after: IntegerState, length: number, undefinedFlags = 0): string {
  const list: string[] = [];
  if (after.signal !== 0) list.push(`signal=${after.signal}/${after.code}/${hex(after.address)}`);
  const rip = after.rip - before.rip;
  if (rip !== length) list.push(`rip=${rip < 0 ? '-' : '+'}${hex(Math.abs(rip))}`);
  for (const [n, name] of GPR_NAMES.entries())
    if (before.gpr(n) !== after.gpr(n)) list.push(`${name}=${hex(after.gpr(n))}`);
  const compared = COMPARED_FLAGS & ~undefinedFlags;
  const flags = after.rflags & compared;
  if (flags !== (before.rflags & compared)) list.push(`flags=${hex(flags)}`);
  let start = 0;
  for (const { at, size } of WINDOWS) {
    const old = before.memory.subarray(start, start + size);
    const now = after.memory.subarray(start, start + size);
    start += size;
    const first = now.findIndex((byte, i) => byte !== old[i]);
    if (first < 0) continue;
    const last = now.findLastIndex((byte, i) => byte !== old[i]);
    list.push(`[${hex(at + first)}]=${Buffer.from(now.subarray(first, last + 1)).toString('hex')}`);
  }
  return list.join(' ');
}
