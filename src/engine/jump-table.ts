/**
 * Targets of an indirect jump through a table, as compilers make them of `switch` and of labels as values. In: the jump's TB, the TBs of its region so far, guest memory. Out: pcs.
 *
 *     shl_i64 t1, rax, $0x3              jmp *table(,%rax,8)
 *     add_i64 t3, t1, $0x405040
 *     guard_r t4, t3, 8
 *     gld_i64 rip, t4, 0
 *
 *     shl_i64 t1, rsi, $0x2              movslq (%rcx,%rsi,4),%rdx; add %rcx,%rdx; jmp *%rdx
 *     add_i64 t3, t1, rcx
 *     guard_r t4, t3, 4
 *     gld32s_i64 rdx, t4, 0
 *     add_i64 rip, rdx, rcx
 *
 * A table's address is a constant, or in a register that some TB of the region sets to one. Where a table ends nobody knows: what follows it is taken for targets as long as it may be
 * one. Nothing depends on it being right: the compiler compares the pc with each target (emit.ts).
 */
import { G } from '../ir/globals.js';
import { opDef } from '../ir/ops.js';
import type { Op, Tb } from '../ir/types.js';

/** Reads `size` bytes of the guest's memory, little-endian, signed; undefined where it can't. */
export type ReadTable = (addr: number, size: 4 | 8) => bigint | undefined;

/** Entries of a table that are looked at. */
const MAX_ENTRIES = 256;
/** Bytes between a jump and its targets. */
const REACH = 1n << 20n;

/** Pcs that the jump at the end of `tb` may go to, each once; empty when it is no such jump. */
export function tableTargets(tb: Tb, region: Iterable<Tb>, read: ReadTable): number[] {
  const table = tableOf(tb);
  if (table === undefined) return [];
  const targets = new Set<number>();
  for (const base of constants(tb, table.base, region)) {
    for (let i = 0; i < MAX_ENTRIES; i++) {
      const entry = read(Number(base) + i * table.size, table.size);
      if (entry === undefined) break;
      const target = table.relative ? base + entry : entry;
      const distance = target - BigInt(tb.pc);
      if (distance > REACH || distance < -REACH || target < 0n) break;
      targets.add(Number(target));
    }
  }
  return [...targets];
}

interface Table {
  /** Temp of its address. */
  readonly base: number;
  readonly size: 4 | 8;
  /** Entries are distances from the table. */
  readonly relative: boolean;
}

function tableOf(tb: Tb): Table | undefined {
  let at = tb.ops.length;
  /** The op that gave `id` the value that it has at `at`, which moves there; moves are looked through. */
  const definition = (id: number | undefined): Op | undefined => {
    let wanted = id;
    while (--at >= 0) {
      const op = tb.ops[at] as Op;
      if (opDef(op.name).outs.length === 0 || op.args[0] !== wanted) continue;
      if (op.name !== 'mov_i64') return op;
      wanted = op.args[1];
    }
    return undefined;
  };
  let load = definition(G.rip);
  const relative = load?.name === 'add_i64';
  if (load?.name === 'add_i64') {
    const from = at;
    const [, a, b] = load.args;
    load = definition(a);
    if (load?.name !== 'gld32s_i64') {
      at = from;
      load = definition(b);
    }
  }
  if (load?.name !== (relative ? 'gld32s_i64' : 'gld_i64')) return undefined;
  const guard = definition(load.args[1]);
  if (guard?.name !== 'guard_r') return undefined;
  const sum = definition(guard.args[1]);
  if (sum?.name !== 'add_i64') return undefined;
  const after = at;
  const size = relative ? 4 : 8;
  for (const [index, base] of [
    [sum.args[1], sum.args[2]],
    [sum.args[2], sum.args[1]],
  ]) {
    at = after;
    const scaled = definition(index);
    if (scaled?.name !== 'shl_i64' || tb.temps[scaled.args[2] ?? 0]?.value !== (relative ? 2n : 3n)) continue;
    if (base !== undefined) return { base, size, relative };
  }
  return undefined;
}

/** Constants that temp `id` may be. */
function constants(tb: Tb, id: number, region: Iterable<Tb>): Set<bigint> {
  const known = tb.temps[id]?.value;
  if (known !== undefined) return new Set([known]);
  const found = new Set<bigint>();
  if (tb.temps[id]?.kind !== 'global') return found;
  for (const { ops, temps } of region)
    for (const op of ops) {
      const value = op.name === 'mov_i64' && op.args[0] === id ? temps[op.args[1] ?? 0]?.value : undefined;
      if (value !== undefined) found.add(value);
    }
  return found;
}
