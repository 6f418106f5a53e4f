/**
 * The helper table: one row a function that IR `call`s, written in AssemblyScript under backend-wasm/helpers and exported from the core module under the same name,
 * with the CPU block's address as first parameter (pure helpers: without it). In: nothing. Out: HELPERS. Bytecode, interpreter switch (scripts/gen) and compiler imports derive from it.
 */
import type { Type } from './types.js';
import { floatHelpers } from './float-helpers.js';
import { vectorHelpers } from './vector-helpers.js';
import { x87Helpers } from './x87-helpers.js';

/** Groups of globals that a helper may read or write. */
export type GlobalSet = 'gpr' | 'flags' | 'df' | 'xmm' | 'ymmh' | 'seg';

export interface HelperDef {
  readonly name: string;
  /** AssemblyScript file under backend-wasm/helpers, without extension. */
  readonly file: string;
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

const CC_PARAMS = ['i32', 'i64', 'i64', 'i64'] as const;
const DIV_PARAMS = ['i64', 'i64', 'i64'] as const;

const rows = [
  {
    name: 'cc_compute_all',
    file: 'cc',
    params: CC_PARAMS,
    ret: 'i64',
    pure: true,
    prose: 'EFLAGS arithmetic flags of (cc_op, cc_dst, cc_src, cc_src2)',
  },
  {
    name: 'cc_compute_c',
    file: 'cc',
    params: CC_PARAMS,
    ret: 'i64',
    pure: true,
    prose: 'CF (0 or 1) of (cc_op, cc_dst, cc_src, cc_src2)',
  },
  {
    name: 'mulhu',
    file: 'mul',
    params: ['i64', 'i64'],
    ret: 'i64',
    pure: true,
    prose: 'high half of the unsigned 128-bit product',
  },
  {
    name: 'mulhs',
    file: 'mul',
    params: ['i64', 'i64'],
    ret: 'i64',
    pure: true,
    prose: 'high half of the signed 128-bit product',
  },
  {
    name: 'div128u',
    file: 'div',
    params: DIV_PARAMS,
    ret: 'i64',
    pure: true,
    prose: 'quotient of (hi:lo) / d, unsigned, hi < d',
  },
  {
    name: 'div128s_fits',
    file: 'div',
    params: DIV_PARAMS,
    ret: 'i64',
    pure: true,
    prose: '1 when d is not 0 and the signed quotient of (hi:lo) / d fits',
  },
  { name: 'div128s', file: 'div', params: DIV_PARAMS, ret: 'i64', pure: true, prose: 'signed quotient, which fits' },
  {
    name: 'rep_movs',
    file: 'string',
    params: ['i32', 'i32', 'i64'],
    reads: ['gpr', 'df'],
    writes: ['gpr'],
    faults: true,
    memory: true,
    prose:
      'REP MOVS of elements of arg0 bytes, address size arg1, source segment base arg2: as many as fit before a page ends',
  },
  {
    name: 'rep_stos',
    file: 'string',
    params: ['i32', 'i32', 'i64'],
    reads: ['gpr', 'df'],
    writes: ['gpr'],
    faults: true,
    memory: true,
    prose: 'REP STOS, likewise',
  },
  {
    name: 'cmpxchg8b',
    file: 'cmpxchg-pair',
    params: ['i32'],
    ret: 'i64',
    reads: ['gpr'],
    writes: ['gpr'],
    memory: true,
    prose: 'CMPXCHG8B at a guarded address; gives ZF',
  },
  {
    name: 'cmpxchg16b',
    file: 'cmpxchg-pair',
    params: ['i32'],
    ret: 'i64',
    reads: ['gpr'],
    writes: ['gpr'],
    memory: true,
    prose: 'CMPXCHG16B at a guarded address; gives ZF',
  },
  {
    name: 'maskmov',
    file: 'maskmov',
    params: ['i64', 'i64', 'i64', 'i32'],
    faults: true,
    memory: true,
    prose: 'MASKMOVDQU: bytes of the data (low, high half) at address arg0 whose bit in arg3 is set',
  },
  {
    name: 'masked_load',
    file: 'vex-memory',
    params: ['i64', 'v128', 'i32'],
    ret: 'v128',
    faults: true,
    memory: true,
    prose:
      'VMASKMOV: 16 bytes at address arg0, elements of arg2 bytes whose mask in arg1 has its top bit set, 0 elsewhere',
  },
  {
    name: 'masked_store',
    file: 'vex-memory',
    params: ['i64', 'v128', 'v128', 'v128', 'v128', 'i32'],
    faults: true,
    memory: true,
    prose: 'VMASKMOV to address arg0: masks (low, high half), data (low, high half), element size; all or nothing',
  },
  {
    name: 'gather',
    file: 'vex-memory',
    params: ['i64', 'i64', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    reads: ['xmm', 'ymmh'],
    writes: ['xmm', 'ymmh'],
    faults: true,
    memory: true,
    prose:
      'VGATHER: base with displacement, segment base, register numbers (destination, index, mask: 4 bits each), log2 of the scale, elements, bytes of an element, of an index, of an address',
  },
  {
    name: 'round_f32x4',
    file: 'round',
    params: ['v128'],
    ret: 'v128',
    prose: 'lanes rounded to integral values as MXCSR.RC says',
  },
  { name: 'round_f64x2', file: 'round', params: ['v128'], ret: 'v128', prose: 'as round_f32x4, of f64' },
  { name: 'rcp_f32x4', file: 'reciprocal', params: ['v128'], ret: 'v128', pure: true, prose: 'RCPPS' },
  { name: 'rsqrt_f32x4', file: 'reciprocal', params: ['v128'], ret: 'v128', pure: true, prose: 'RSQRTPS' },
  {
    name: 'check_canonical',
    file: 'jump',
    params: ['i64'],
    faults: true,
    prose: '#GP when arg0 is not canonical',
  },
  {
    name: 'wild_jump',
    file: 'jump',
    params: ['i64'],
    faults: true,
    prose: 'page fault of a jump to arg0, an address beyond the user half; nothing when it is not canonical',
  },
  {
    name: 'crc32c',
    file: 'crc32',
    params: ['i64', 'i64', 'i32'],
    ret: 'i64',
    pure: true,
    prose: 'CRC32 of the low arg2 bytes of arg1, on the accumulator arg0',
  },
  {
    name: 'pdep',
    file: 'bit-mask',
    params: ['i64', 'i64'],
    ret: 'i64',
    pure: true,
    prose: 'PDEP of arg0 through the mask arg1',
  },
  {
    name: 'pext',
    file: 'bit-mask',
    params: ['i64', 'i64'],
    ret: 'i64',
    pure: true,
    prose: 'PEXT of arg0 through the mask arg1',
  },
  {
    name: 'raise',
    file: 'raise',
    params: ['i32', 'i64'],
    faults: true,
    prose: 'exception arg0 with the error code arg1',
  },
  {
    name: 'check_aligned',
    file: 'raise',
    params: ['i64', 'i32'],
    faults: true,
    prose: '#AC unless the address arg0 is a multiple of arg1',
  },
  {
    name: 'note_access',
    file: 'watch',
    params: ['i64', 'i32', 'i32'],
    prose: 'notes in CPU state which watchpoints the access to arg1 bytes at address arg0 hits; arg2 is 1 for a write',
  },
  { name: 'kick', file: 'raise', params: [], prose: 'the next poll leaves translated code' },
  { name: 'random', file: 'random', params: [], ret: 'i64', prose: 'a random number' },
  { name: 'cpuid', file: 'cpuid', params: [], reads: ['gpr'], writes: ['gpr'], prose: 'CPUID' },
  { name: 'rdtsc', file: 'cpuid', params: [], ret: 'i64', prose: 'time-stamp counter' },
] as const satisfies readonly HelperDef[];

/** Families in other files add their rows here. */
export const HELPER_LIST: readonly HelperDef[] = [...rows, ...vectorHelpers, ...floatHelpers, ...x87Helpers];
export const HELPERS: ReadonlyMap<string, HelperDef> = new Map(HELPER_LIST.map((h) => [h.name, h]));

/** Row of `name`. Throws RangeError when there is none. */
export function helperDef(name: string): HelperDef {
  const def = HELPERS.get(name);
  if (def === undefined) throw new RangeError(`no helper named ${name}`);
  return def;
}
