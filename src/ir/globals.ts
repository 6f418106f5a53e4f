/**
 * The IR's globals: guest registers with a home in CPU state. In: the CPU state layout. Out: the list and an index by name; ids are positions.
 */
import type { TempId } from '../base/ids.js';
import { CPU, GPR_NAMES } from '../guest/cpu-state.js';
import { CC } from '../guest/flags.js';
import { TempData } from './temps.js';
import type { Temp, Type } from './types.js';

function rows(): { name: string; type: Type; offset: number }[] {
  const list: { name: string; type: Type; offset: number }[] = GPR_NAMES.map((name, i) => ({
    name,
    type: 'i64',
    offset: CPU.REGS + 8 * i,
  }));
  list.push(
    { name: 'rip', type: 'i64', offset: CPU.RIP },
    { name: 'cc_dst', type: 'i64', offset: CPU.CC_DST },
    { name: 'cc_src', type: 'i64', offset: CPU.CC_SRC },
    { name: 'cc_src2', type: 'i64', offset: CPU.CC_SRC2 },
    { name: 'cc_op', type: 'i32', offset: CPU.CC_OP },
    { name: 'df', type: 'i32', offset: CPU.DF },
    { name: 'fs_base', type: 'i64', offset: CPU.FS_BASE },
    { name: 'gs_base', type: 'i64', offset: CPU.GS_BASE },
  );
  for (let i = 0; i < 16; i++) list.push({ name: `xmm${String(i)}`, type: 'v128', offset: CPU.XMM + 16 * i });
  for (let i = 0; i < 16; i++) list.push({ name: `ymmh${String(i)}`, type: 'v128', offset: CPU.YMMH + 16 * i });
  return list;
}

/** All globals; a global's TempId is its position. */
export const GLOBALS: readonly Temp[] = rows().map(
  (g, i) => new TempData(i as TempId, g.type, 'global', g.name, undefined, g.offset),
);
export const NB_GLOBALS = GLOBALS.length;

const byName = new Map(GLOBALS.map((g) => [g.name, g.id]));

/** TempId of the global `name`. Throws RangeError when there is none. */
export function globalId(name: string): TempId {
  const id = byName.get(name);
  if (id === undefined) throw new RangeError(`no global named ${name}`);
  return id;
}

export const G = {
  /** General registers by number. */
  reg: (n: number): TempId => n as TempId,
  rip: globalId('rip'),
  ccDst: globalId('cc_dst'),
  ccSrc: globalId('cc_src'),
  ccSrc2: globalId('cc_src2'),
  ccOp: globalId('cc_op'),
  df: globalId('df'),
  fsBase: globalId('fs_base'),
  gsBase: globalId('gs_base'),
  xmm: (n: number): TempId => (globalId('xmm0') + n) as TempId,
  /** Upper half of ymm. */
  ymmh: (n: number): TempId => (globalId('ymmh0') + n) as TempId,
} as const;

/** Lazy-flag globals that the flags follow from when CC_OP is `ccOp`. */
export function flagsUsed(ccOp: number): readonly TempId[] {
  switch (ccOp & ~3) {
    case CC.EFLAGS:
      return [G.ccSrc];
    case CC.LOGIC:
    case CC.ZERO:
      return [G.ccDst];
    case CC.ADC:
    case CC.SBB:
      return [G.ccDst, G.ccSrc, G.ccSrc2];
    default:
      return [G.ccDst, G.ccSrc];
  }
}
