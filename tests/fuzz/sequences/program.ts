/**
 * An instruction sequence with its control flow: instructions, labels, branches. In: items. Out: machine code at an address; which flags are undefined where, so that
 * none of them is read or compared.
 */
import { FLAG } from '../../../src/guest/flags.js';

/** What an instruction does with the arithmetic flags, as FLAG bits. */
export interface FlagUse {
  readonly reads: number;
  /** Defined after it, whatever they were. */
  readonly kills: number;
  /** Undefined after it, where lift64 does not do as the processor. */
  readonly undefines: number;
}
export const NO_FLAGS: FlagUse = { reads: 0, kills: 0, undefines: 0 };

/** How an instruction goes on: to the next; to its label, or without one to any whose address is known; to either; back to behind a call; not at all. */
export type Flow = 'next' | 'jump' | 'branch' | 'call' | 'return' | 'end';

/** A place in an instruction that holds an address: of a label or of data; `size` bytes at `at`, relative to the end of the instruction unless `absolute`. */
export interface Reference {
  readonly at: number;
  readonly size: 1 | 4 | 8;
  readonly absolute: boolean;
  readonly target: { readonly label: number } | { readonly address: number };
}

export type Item =
  | { readonly kind: 'label'; readonly label: number }
  | {
      readonly kind: 'insn';
      readonly bytes: readonly number[];
      readonly reference?: Reference;
      readonly flow: Flow;
      readonly flags: FlagUse;
    };
export type InsnItem = Extract<Item, { kind: 'insn' }>;

export type Program = readonly Item[];

const INT3 = 0xcc;
/** Bytes of INT3 behind the code: a call that has lost its subroutine ends there. */
export const PADDING = 16;
export const END: InsnItem = { kind: 'insn', bytes: [INT3], flow: 'end', flags: NO_FLAGS };

/** Addresses of labels, and what an item's bytes are there; undefined when a branch does not reach or the code is longer than `most` bytes. */
export function assemble(program: Program, start: number, most: number): Uint8Array | undefined {
  const labels = new Map<number, number>();
  let at = start;
  for (const item of program) {
    if (item.kind === 'label') labels.set(item.label, at);
    else at += item.bytes.length;
  }
  if (at - start + PADDING > most) return undefined;
  const code = new Uint8Array(at - start + PADDING).fill(INT3);
  const view = new DataView(code.buffer);
  let offset = 0;
  for (const item of program) {
    if (item.kind === 'label') continue;
    code.set(item.bytes, offset);
    const end = offset + item.bytes.length;
    if (item.reference !== undefined && !resolve(view, offset, start + end, item.reference, labels)) return undefined;
    offset = end;
  }
  return code;
}

function resolve(
  view: DataView,
  offset: number,
  next: number,
  r: Reference,
  labels: ReadonlyMap<number, number>,
): boolean {
  const target = 'label' in r.target ? labels.get(r.target.label) : r.target.address;
  if (target === undefined) return false;
  const value = r.absolute ? target : target - next;
  const at = offset + r.at;
  if (r.size === 1) {
    if (value < -128 || value > 127) return false;
    view.setInt8(at, value);
  } else if (r.size === 4) view.setInt32(at, value, true);
  else view.setBigInt64(at, BigInt(value), true);
  return true;
}

export interface UndefinedFlags {
  /** Before each item. */
  readonly before: readonly number[];
  /** Where the sequence ends. */
  readonly atEnd: number;
  /** Where it may fault. */
  readonly anywhere: number;
}

/** Undefined flags, as a fixed point over the control flow. */
export function undefinedFlags(program: Program): UndefinedFlags {
  const before = program.map(() => 0);
  if (program.every((item) => item.kind === 'label' || item.flags.undefines === 0))
    return { before, atEnd: 0, anywhere: 0 };
  const labels = new Map<number, number>();
  program.forEach((item, i) => {
    if (item.kind === 'label') labels.set(item.label, i);
  });
  const targetOf = (item: InsnItem): number | undefined =>
    item.reference === undefined || !('label' in item.reference.target)
      ? undefined
      : labels.get(item.reference.target.label);
  // Where returns and jumps through registers may go: behind calls, to labels whose address is taken.
  const known = program.flatMap((item, i) => {
    if (item.kind === 'label') return [];
    if (item.flow === 'call') return [i + 1];
    return item.flow === 'next' ? [targetOf(item) ?? []].flat() : [];
  });
  for (let changed = true; changed;) {
    changed = false;
    const join = (i: number, flags: number): void => {
      const old = before[i] ?? 0;
      if (i >= before.length || (old | flags) === old) return;
      before[i] = old | flags;
      changed = true;
    };
    program.forEach((item, i) => {
      const now = before[i] ?? 0;
      if (item.kind === 'label') {
        join(i + 1, now);
        return;
      }
      const after = (now & ~item.flags.kills) | item.flags.undefines;
      const { flow } = item;
      if (flow === 'next' || flow === 'branch') join(i + 1, after);
      if (flow === 'next' || flow === 'end') return;
      const target = flow === 'return' ? undefined : targetOf(item);
      for (const t of target === undefined ? known : [target]) join(t, after);
    });
  }
  const end = program.findIndex((item) => item.kind === 'insn' && item.flow === 'end');
  return { before, atEnd: before[end] ?? 0, anywhere: before.reduce((m, flags) => m | flags, 0) };
}

/** True when no instruction reads a flag that is undefined there. */
export function readsDefinedFlags(program: Program, { before } = undefinedFlags(program)): boolean {
  return program.every((item, i) => item.kind === 'label' || (item.flags.reads & (before[i] ?? 0)) === 0);
}

export const ALL_FLAGS: number = FLAG.ARITH;

/**
 * Addresses that a processor may come to from elsewhere than by a direct jump: targets of calls, labels whose address is taken, and of what follows calls a part,
 * where only a return that was not expected goes, and of the targets of branches.
 */
export function entryPoints(program: Program, start: number): number[] {
  const at = new Map<number, number>();
  const entries = new Set<number>();
  let address = start;
  for (const item of program) {
    if (item.kind === 'label') {
      at.set(item.label, address);
      continue;
    }
    address += item.bytes.length;
    if (item.flow === 'call' && address % 4 === 0) entries.add(address);
  }
  for (const item of program) {
    if (item.kind === 'label' || item.reference === undefined || !('label' in item.reference.target)) continue;
    const target = at.get(item.reference.target.label);
    if (target === undefined) continue;
    if (item.flow === 'call' || item.flow === 'next') entries.add(target);
    // Where loops and branches join, some: any TB may be the first of a region.
    else if (target % 8 === 0) entries.add(target);
  }
  return [...entries];
}
