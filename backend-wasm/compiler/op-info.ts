/**
 * What the compiler asks of an op's row again and again. In: ops. Out: their shape, computed once a name.
 */
import { helperDef, type HelperDef } from '../../src/ir/helpers.js';
import { opDef, type Effect, type OpDef } from '../../src/ir/ops.js';
import type { Op } from '../../src/ir/types.js';
import { groupGlobals, type GlobalSet } from './global-set.js';

export interface OpInfo {
  readonly def: OpDef;
  readonly outs: number;
  readonly effects: ReadonlySet<Effect>;
  /** No effects: may be evaluated later than it stands, or not at all. */
  readonly pure: boolean;
  /** Leaves its ebb for good. */
  readonly ends: boolean;
  readonly branches: boolean;
  readonly sideExit: boolean;
  /** Reads guest memory and does nothing else. */
  readonly load: boolean;
}

const infos = new Map<string, OpInfo>();

function build(def: OpDef, outs: number): OpInfo {
  const effects = new Set(def.effects);
  return {
    def,
    outs,
    effects,
    pure: effects.size === 0,
    ends: effects.has('end'),
    branches: effects.has('branch'),
    sideExit: effects.has('side-exit'),
    load: effects.size === 1 && effects.has('gread'),
  };
}

export function opInfo(op: Op): OpInfo {
  if (op.name === 'call') return callInfo(String(op.imms[0])).info;
  let info = infos.get(op.name);
  if (info === undefined) {
    const def = opDef(op.name);
    info = build(def, def.outs.length);
    infos.set(op.name, info);
  }
  return info;
}

/** A helper as the compiler sees it. */
export interface CallInfo {
  readonly info: OpInfo;
  readonly helper: HelperDef;
  /** Globals whose home in CPU state must hold their value at the call. A helper that writes some of a group leaves the others of it, so these count too. */
  readonly stores: GlobalSet;
  /** Globals whose home may hold another value after the call. */
  readonly writes: GlobalSet;
}

const calls = new Map<string, CallInfo>();

export function callInfo(name: string): CallInfo {
  let call = calls.get(name);
  if (call === undefined) {
    const helper = helperDef(name);
    const info = build(opDef('call'), helper.ret === undefined ? 0 : 1);
    const writes = groupGlobals(helper.writes);
    const stores = groupGlobals(helper.reads);
    stores.union(writes);
    call = { info: { ...info, pure: helper.pure === true }, helper, stores, writes };
    calls.set(name, call);
  }
  return call;
}
