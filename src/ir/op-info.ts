/**
 * What passes and the compiler ask of an op's row again and again. In: ops. Out: their shape, computed once a name, and once a helper for calls.
 */
import type { TempId } from '../base/ids.js';
import { GPR_NAMES } from '../guest/cpu-state.js';
import { GLOBALS } from './globals.js';
import { helperDef, type GlobalSet, type HelperDef } from './helpers.js';
import { opDef, type Effect, type OpDef } from './ops.js';
import type { Op } from './types.js';

export type GuardKind = 'r' | 'w' | 'rw';

export interface OpInfo {
  readonly def: OpDef;
  /** Of a call. */
  readonly helper: HelperDef | undefined;
  /** Number of outputs. */
  readonly outs: number;
  readonly effects: ReadonlySet<Effect>;
  /** Nothing but the outputs comes of it: may be evaluated later than it stands, or not at all. */
  readonly pure: boolean;
  /** Neither leaves the TB, nor may branch, nor calls: nothing that observes globals. */
  readonly quiet: boolean;
  /** Pure, or a load: has one output and writes nothing else, and goes on behind itself. */
  readonly value: boolean;
  /** Leaves its ebb for good. */
  readonly ends: boolean;
  readonly branches: boolean;
  /** Leaves the TB with all globals as they are. */
  readonly exits: boolean;
  readonly sideExit: boolean;
  /** Reads guest memory and does nothing else. */
  readonly load: boolean;
  /** A copy: mov_<type>. */
  readonly move: boolean;
  /** What it checks. */
  readonly guard: GuardKind | undefined;
  /** No check is carried over it: an atomic, a fence, a call that is not pure. */
  readonly separates: boolean;
  /** Its name without its type, where that is an integer's: 'add' of add_i64; else ''. */
  readonly stem: string;
  readonly type: 'i32' | 'i64' | undefined;
  /** Low bits of its integer result that may be set, whatever the inputs are; undefined: that depends on them, or all may be. */
  readonly width: number | undefined;
  /** Globals that a call's helper reads, and writes, in CPU state. */
  readonly reads: readonly TempId[];
  readonly writes: readonly TempId[];
}

const IN_SET: Readonly<Record<GlobalSet, (name: string) => boolean>> = {
  flags: (n) => n.startsWith('cc_'),
  df: (n) => n === 'df',
  xmm: (n) => n.startsWith('xmm'),
  ymmh: (n) => n.startsWith('ymmh'),
  seg: (n) => n.endsWith('_base'),
  gpr: (n) => (GPR_NAMES as readonly string[]).includes(n),
};

function globalsOf(sets: readonly GlobalSet[] | undefined): readonly TempId[] {
  return (sets ?? []).flatMap((set) => GLOBALS.filter(({ name }) => IN_SET[set](name)).map(({ id }) => id));
}

const GUARDS: Readonly<Record<string, GuardKind>> = { guard_r: 'r', guard_w: 'w', guard_rw: 'rw' };
/** By stem. */
const WIDTHS: ReadonlyMap<string, number> = new Map([
  ['setcond', 1],
  ['popcnt', 7],
  ['clz', 7],
  ['ctz', 7],
  ['ext8u', 8],
  ['ext16u', 16],
  ['ext32u', 32],
  ['gld8u', 8],
  ['gld16u', 16],
  ['gld32u', 32],
  ['ld8u', 8],
  ['ld16u', 16],
  ['extu_i32', 32],
]);
const LOUD: readonly Effect[] = ['side-exit', 'branch', 'label', 'end', 'exit', 'marker', 'call'];

function build(def: OpDef, helper: HelperDef | undefined): OpInfo {
  const effects = new Set(def.effects);
  const outs = helper === undefined ? def.outs.length : helper.ret === undefined ? 0 : 1;
  const pure = helper === undefined ? effects.size === 0 : helper.pure === true;
  const [, stem = '', type] = /^(\w+)_(i32|i64)$/.exec(def.name) ?? [];
  return {
    def,
    helper,
    outs,
    effects,
    pure,
    quiet: pure || !LOUD.some((e) => effects.has(e)),
    value: outs === 1 && (pure || def.effects.every((e) => e === 'gread' || e === 'env-read')),
    ends: effects.has('end'),
    branches: effects.has('branch'),
    exits: effects.has('exit'),
    sideExit: effects.has('side-exit'),
    load: effects.size === 1 && effects.has('gread'),
    move: def.name.startsWith('mov_'),
    guard: GUARDS[def.name],
    separates: def.name.startsWith('atomic_') || def.name === 'fence' || (helper !== undefined && !pure),
    stem,
    type: type === 'i32' || type === 'i64' ? type : undefined,
    width: WIDTHS.get(stem),
    reads: globalsOf(helper?.reads),
    writes: globalsOf(helper?.writes),
  };
}

const infos = new Map<string, OpInfo>();
const calls = new Map<string, OpInfo>();

/** Throws RangeError when there is no such op or helper. */
export function opInfo(op: Op): OpInfo {
  return op.name === 'call' ? helperInfo(String(op.imms[0])) : rowInfo(op.name);
}

function rowInfo(name: string): OpInfo {
  let info = infos.get(name);
  if (info === undefined) infos.set(name, (info = build(opDef(name), undefined)));
  return info;
}

/** As opInfo, of a call of the helper `name`. */
export function helperInfo(name: string): OpInfo {
  let info = calls.get(name);
  if (info === undefined) calls.set(name, (info = build(opDef('call'), helperDef(name))));
  return info;
}
