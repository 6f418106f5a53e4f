/**
 * Counts for --stats, in the kernel's buffer: each guest thread adds its own when it ends. In: the kernel. Out: sums over all processes.
 */
import type { Kernel } from '../../runtime/process/kernel.js';
import { HEAD } from '../../runtime/process/layout.js';
import type { Stats } from './stats.js';

/** Microseconds of the host's monotonic clock, the same in all threads. Not `performance`, which Node loads at its first use, 8 ms in a worker. */
function nowUs(): number {
  const [s, ns] = process.hrtime();
  return s * 1e6 + Math.round(ns / 1000);
}

const FIELDS = [
  'threads',
  'interpretedInsns',
  'translatedTbs',
  'syscalls',
  'compiledRegions',
  'storedTbs',
  'started',
  'ended',
  'leaving',
] as const;
type Field = (typeof FIELDS)[number];
export type ThreadFigures = Readonly<Record<Exclude<Field, 'threads' | 'started' | 'ended' | 'leaving'>, number>>;

const at = (field: Field): number => HEAD.FIGURES / 2 + FIELDS.indexOf(field);

/** The first thread notes when the guest begins to run. */
export function noteStart(kernel: Kernel): void {
  Atomics.compareExchange(kernel.i64, at('started'), 0n, BigInt(nowUs()));
}

/** Adds the figures of a thread that has left its loop. */
export function addFigures(kernel: Kernel, f: ThreadFigures): void {
  Atomics.add(kernel.i64, at('threads'), 1n);
  for (const [field, value] of Object.entries(f)) Atomics.add(kernel.i64, at(field as Field), BigInt(value));
  Atomics.store(kernel.i64, at('ended'), BigInt(nowUs()));
}

/** Runs `fn`, in which a thread writes what it leaves behind. */
export function whileLeaving(kernel: Kernel, fn: () => void): void {
  Atomics.add(kernel.i64, at('leaving'), 1n);
  try {
    fn();
  } finally {
    Atomics.sub(kernel.i64, at('leaving'), 1n);
  }
}

export const isLeaving = (kernel: Kernel): boolean => Atomics.load(kernel.i64, at('leaving')) > 0n;

/** The sums, once the guest is over. */
export function readStats(kernel: Kernel): Omit<Stats, 'compiledModules' | 'compiledBytes' | 'compileSeconds'> {
  const get = (field: Field): number => Number(Atomics.load(kernel.i64, at(field)));
  return {
    guestSeconds: (get('ended') - get('started')) / 1e6,
    startupSeconds: process.uptime() - (nowUs() - get('started')) / 1e6,
    interpretedInsns: get('interpretedInsns'),
    translatedTbs: get('translatedTbs'),
    compiledRegions: get('compiledRegions'),
    syscalls: get('syscalls'),
    storedTbs: get('storedTbs'),
    threads: get('threads'),
  };
}
