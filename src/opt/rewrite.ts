/**
 * What the passes share: a TB under rewriting, with constants added on demand. In: a Tb. Out: a Tb with new ops and temps.
 */
import type { TempId } from '../base/ids.js';
import { GPR_NAMES } from '../guest/cpu-state.js';
import { HELPERS, type HelperDef } from '../ir/helpers.js';
import { GLOBALS } from '../ir/globals.js';
import { opDef } from '../ir/ops.js';
import { ConstTemps } from '../ir/temps.js';
import type { Op, Tb, Temp, Type } from '../ir/types.js';

export class Rewrite {
  readonly temps: Temp[];
  readonly ops: Op[] = [];
  private consts: ConstTemps | undefined;

  constructor(private readonly tb: Tb) {
    this.temps = tb.temps.slice();
  }

  constant(type: Type, value: bigint): TempId {
    if (this.consts === undefined) {
      this.consts = new ConstTemps(this.temps);
      this.consts.learn();
    }
    return this.consts.of(type, value);
  }

  finish(): Tb {
    return { ...this.tb, temps: this.temps, ops: this.ops };
  }
}

/** Number of outputs of `op`. */
export function outCount(op: Op): number {
  if (op.name !== 'call') return opDef(op.name).outs.length;
  return helperOf(op)?.ret === undefined ? 0 : 1;
}

/** The helper that a call op calls. */
export function helperOf(op: Op): HelperDef | undefined {
  return op.name === 'call' ? HELPERS.get(String(op.imms[0])) : undefined;
}

const SETS: Readonly<Record<string, (name: string) => boolean>> = {
  flags: (n) => n.startsWith('cc_'),
  df: (n) => n === 'df',
  xmm: (n) => n.startsWith('xmm'),
  ymmh: (n) => n.startsWith('ymmh'),
  seg: (n) => n.endsWith('_base'),
  gpr: (n) => (GPR_NAMES as readonly string[]).includes(n),
};
const inSet = new Map(
  Object.entries(SETS).map(([set, test]) => [set, GLOBALS.filter((g) => test(g.name)).map((g) => g.id)]),
);

/** Globals of the helper's `reads` or `writes`. */
export function globalsOf(sets: HelperDef['reads']): readonly TempId[] {
  return (sets ?? []).flatMap((s) => inSet.get(s) ?? []);
}

/** True when nothing but the outputs comes of `op`: it may be dropped when they are dead, and moved over anything. */
export function isPure(op: Op): boolean {
  return op.name === 'call' ? helperOf(op)?.pure === true : opDef(op.name).effects.length === 0;
}
