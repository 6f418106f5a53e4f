/**
 * Small C structures of the x86-64 ABI in guest memory: timespec, timeval, sigset_t, rusage. In: addresses. Out: values; undefined or false means EFAULT.
 * Source: man 3type timespec, man 2 getrusage.
 */
import type { GuestMemory } from './context.js';

/** Seconds and the fraction as they stand in memory; not checked. */
export interface TimePair {
  readonly sec: bigint;
  readonly frac: bigint;
}

/** A timespec or timeval: two longs. */
export function readTimePair(mem: GuestMemory, addr: number): TimePair | undefined {
  const sec = mem.readU64(addr);
  const frac = mem.readU64(addr + 8);
  if (sec === undefined || frac === undefined) return undefined;
  return { sec: BigInt.asIntN(64, sec), frac: BigInt.asIntN(64, frac) };
}

/** Nanoseconds of a timespec; undefined when it is not valid (EINVAL). Beyond 2**53 ns (104 days) a few nanoseconds are lost. */
export function timespecNs(ts: TimePair): number | undefined {
  if (ts.sec < 0n || ts.frac < 0n || ts.frac >= 1_000_000_000n) return undefined;
  return Number(ts.sec) * 1e9 + Number(ts.frac);
}

/** Stores a timespec; `sec` and `nsec` are integers. */
export function writeTimespec(
  mem: GuestMemory,
  addr: number,
  time: { readonly sec: number; readonly nsec: number },
): boolean {
  return writeTimePair(mem, addr, time.sec, time.nsec);
}

/** Stores a timeval, rounded down to microseconds. */
export function writeTimeval(
  mem: GuestMemory,
  addr: number,
  time: { readonly sec: number; readonly nsec: number },
): boolean {
  return writeTimePair(mem, addr, time.sec, Math.floor(time.nsec / 1e3));
}

function writeTimePair(mem: GuestMemory, addr: number, sec: number, frac: number): boolean {
  // Word by word: a copy by TypedArray.set costs more than all checks together.
  return (
    mem.canWrite(addr, 16) &&
    mem.writeU32(addr, sec % 2 ** 32) &&
    mem.writeU32(addr + 4, Math.floor(sec / 2 ** 32)) &&
    mem.writeU32(addr + 8, frac) &&
    mem.writeU32(addr + 12, 0)
  );
}

/** struct rusage, 144 bytes. */
export interface Rusage {
  /** Microseconds. */
  readonly user: number;
  readonly system: number;
  /** KiB. */
  readonly maxRss?: number;
  readonly minorFaults?: number;
  readonly majorFaults?: number;
  readonly inBlocks?: number;
  readonly outBlocks?: number;
  readonly voluntarySwitches?: number;
  readonly involuntarySwitches?: number;
}

export function writeRusage(mem: GuestMemory, addr: number, u: Rusage): boolean {
  const bytes = new Uint8Array(144);
  const v = new DataView(bytes.buffer);
  const long = (i: number, value: number): void => {
    v.setBigInt64(i * 8, BigInt(Math.trunc(value)), true);
  };
  long(0, u.user / 1e6);
  long(1, u.user % 1e6);
  long(2, u.system / 1e6);
  long(3, u.system % 1e6);
  long(4, u.maxRss ?? 0);
  long(8, u.minorFaults ?? 0);
  long(9, u.majorFaults ?? 0);
  long(11, u.inBlocks ?? 0);
  long(12, u.outBlocks ?? 0);
  long(16, u.voluntarySwitches ?? 0);
  long(17, u.involuntarySwitches ?? 0);
  return mem.write(addr, bytes);
}
