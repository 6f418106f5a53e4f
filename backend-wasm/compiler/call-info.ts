/**
 * Calls of helpers as the compiler sees them. In: names of helpers. Out: what their rows say, as sets, computed once a name.
 */
import { helperDef, type HelperDef } from '../../src/ir/helpers.js';
import { helperInfo, type OpInfo } from '../../src/ir/op-info.js';
import { GlobalSet } from './global-set.js';

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
    const info = helperInfo(name);
    const writes = GlobalSet.of(info.writes);
    const stores = GlobalSet.of(info.reads);
    stores.union(writes);
    call = { info, helper: helperDef(name), stores, writes };
    calls.set(name, call);
  }
  return call;
}
