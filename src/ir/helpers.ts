/**
 * The helper table: one row a function that IR `call`s, written in AssemblyScript under backend-wasm/helpers and exported from the core module under the same name,
 * with the CPU block's address as first parameter (pure helpers: without it). In: nothing. Out: HELPERS. Bytecode, interpreter switch (scripts/gen) and compiler imports derive from it.
 */
import type { Type } from './types.js';

/** Groups of globals that a helper may read or write. */
export type GlobalSet = 'gpr' | 'flags' | 'df' | 'xmm' | 'seg';

export interface HelperDef {
  readonly name: string;
  readonly params: readonly Type[];
  readonly ret?: Type;
  /** No effects at all: same inputs, same result; takes no `cpu`. */
  readonly pure?: boolean;
  /** Globals read from and written to CPU state; the compiler stores and reloads them around the call. CPU state beyond the globals (x87) needs no mention. */
  readonly reads?: readonly GlobalSet[];
  readonly writes?: readonly GlobalSet[];
  /** May leave the instruction: it has then set EXIT_REASON and its arguments and done nothing else (or what the SDM says is done, as in REP). */
  readonly faults?: boolean;
  /** Accesses guest memory (through guardRead/guardWrite of backend-wasm/helpers/guard.ts). */
  readonly memory?: boolean;
  readonly prose: string;
}

const rows = [
  {
    name: 'cc_compute_all',
    params: ['i32', 'i64', 'i64', 'i64'],
    ret: 'i64',
    pure: true,
    prose: 'EFLAGS arithmetic flags of (cc_op, cc_dst, cc_src, cc_src2)',
  },
  {
    name: 'cc_compute_c',
    params: ['i32', 'i64', 'i64', 'i64'],
    ret: 'i64',
    pure: true,
    prose: 'CF (0 or 1) of (cc_op, cc_dst, cc_src, cc_src2)',
  },
  { name: 'mulhu', params: ['i64', 'i64'], ret: 'i64', pure: true, prose: 'high half of the unsigned 128-bit product' },
  { name: 'mulhs', params: ['i64', 'i64'], ret: 'i64', pure: true, prose: 'high half of the signed 128-bit product' },
] as const satisfies readonly HelperDef[];

/** Families in other files add their rows here. */
export const HELPER_LIST: readonly HelperDef[] = [...rows];
export const HELPERS: ReadonlyMap<string, HelperDef> = new Map(HELPER_LIST.map((h) => [h.name, h]));

/** Row of `name`. Throws RangeError when there is none. */
export function helperDef(name: string): HelperDef {
  const def = HELPERS.get(name);
  if (def === undefined) throw new RangeError(`no helper named ${name}`);
  return def;
}
