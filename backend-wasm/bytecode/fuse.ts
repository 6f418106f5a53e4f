/**
 * Finds ops that follow each other and that one opcode does together (opcodes.ts, Fusion). In: a TB, an op's index. Out: what to encode in their place.
 * Which pairs are worth it was counted on python3, sha256, sort, hashtable and calls: addresses, pushes and pops, compares, the jumps at a TB's end.
 */
import { G, NB_GLOBALS } from '../../src/ir/globals.js';
import type { Op, Tb } from '../../src/ir/types.js';
import type { Plan } from './plans.js';
import type { Slots } from './slots.js';

/** [address addition,] guard, load or store. */
export interface Access {
  readonly kind: 'access';
  /** Ops taken. */
  readonly ops: number;
  /** Plan of the load or store. */
  readonly plan: Plan;
  /** Temp loaded into, or temp stored. */
  readonly value: number;
  readonly base: number;
  /** Undefined: the base is the address. */
  readonly displacement: number | undefined;
  /** Push: temp that the address is moved to, and the temp that held it, which reads from there from now on. */
  readonly push?: { readonly to: number; readonly from: number };
  /** Pop: added to the base afterwards. */
  readonly pop?: number;
}

/** brcond whose two ways are goto_tb. */
export interface Jump {
  readonly kind: 'jump';
  readonly ops: number;
  readonly brcond: Op;
  readonly notTaken: Op;
  readonly taken: Op;
}

const fits16 = (n: number): boolean => n >= -0x8000 && n < 0x8000;

export class Fuser {
  private readonly labelUses: number[];

  constructor(
    private readonly tb: Tb,
    private readonly plans: readonly Plan[],
    private readonly slots: Slots,
  ) {
    this.labelUses = new Array<number>(tb.labels).fill(0);
    plans.forEach((plan, i) => {
      if (plan.labelImm < 0 || plan.kind === 'set_label') return;
      const label = Number(tb.ops[i]?.imms[plan.labelImm]);
      this.labelUses[label] = (this.labelUses[label] ?? 0) + 1;
    });
  }

  /** At an add_i64, sub_i64 or guard. */
  access(i: number): Access | undefined {
    const { ops } = this.tb;
    const first = ops[i] as Op;
    let at = i;
    let displacement: number | undefined;
    if (first.name === 'add_i64' || first.name === 'sub_i64') {
      const k = this.smallConstant(first.args[2]);
      if (k === undefined) return undefined;
      displacement = first.name === 'add_i64' ? k : -k;
      if (!fits16(displacement) || !this.isEbb(first.args[0])) return undefined;
      at++;
    }
    const guard = ops[at];
    const access = ops[at + 1];
    const plan = this.plans[at + 1];
    if (guard === undefined || access === undefined || plan === undefined) return undefined;
    if (!(plan.isLoad ? guard.name === 'guard_r' : plan.isStore && guard.name === 'guard_w')) return undefined;
    const [host, address] = guard.args;
    const base = displacement === undefined ? address : first.args[1];
    const value = access.args[plan.isLoad ? 0 : 1];
    if (host === undefined || base === undefined || value === undefined) return undefined;
    if (access.args[plan.isLoad ? 1 : 0] !== host || !this.usedOnce(host)) return undefined;
    if (access.imms[0] !== 0 || guard.imms[0] !== plan.access) return undefined;
    const found: Access = {
      kind: 'access',
      ops: at + 2 - i,
      plan,
      value,
      base,
      displacement,
    };
    if (displacement === undefined) return this.pop(found, ops[at + 2]) ?? found;
    const sum = first.args[0];
    if (address !== sum || sum === undefined || value === sum) return undefined;
    if (this.usedOnce(sum)) return found;
    return this.push(found, sum, at + 2);
  }

  /** The guarded store at an address that then becomes the value of a register: the register stands for the address's temp until that is read no more. */
  private push(found: Access, sum: number, at: number): Access | undefined {
    const { ops } = this.tb;
    const mov = ops[at];
    if (found.plan.guarded.push < 0 || mov?.name !== 'mov_i64' || mov.args[1] !== sum) return undefined;
    const to = mov.args[0];
    if (to === undefined) return undefined;
    const last = this.slots.lastUse[sum] ?? 0;
    for (let i = at + 1; i <= last; i++) {
      const op = ops[i] as Op;
      const outs = this.slots.outs[i] ?? 0;
      // A helper may write registers behind the IR's back.
      if (op.name === 'call' && i < last) return undefined;
      for (let k = 0; k < outs; k++) if (op.args[k] === sum || (op.args[k] === to && i < last)) return undefined;
    }
    return { ...found, ops: found.ops + 1, push: { to, from: sum } };
  }

  private pop(found: Access, add: Op | undefined): Access | undefined {
    if (found.plan.guarded.pop < 0 || add?.name !== 'add_i64') return undefined;
    const { base } = found;
    const k = this.smallConstant(add.args[2]);
    if (k === undefined || add.args[0] !== base || add.args[1] !== base || base >= NB_GLOBALS) return undefined;
    return { ...found, ops: found.ops + 1, pop: k };
  }

  /** At a sub_i64 to cc_dst: followed by cc_src = its second input? */
  isCompare(i: number): boolean {
    const sub = this.tb.ops[i] as Op;
    const mov = this.tb.ops[i + 1];
    return (
      sub.args[0] === G.ccDst &&
      sub.args[2] !== G.ccDst &&
      mov?.name === 'mov_i64' &&
      mov.args[0] === G.ccSrc &&
      mov.args[1] === sub.args[2]
    );
  }

  /** At a brcond_i64: goto_tb, exit_tb, its label, which nothing else branches to, goto_tb, exit_tb. */
  jump(i: number): Jump | undefined {
    const { ops } = this.tb;
    const brcond = ops[i];
    const notTaken = ops[i + 1];
    const label = ops[i + 3];
    const taken = ops[i + 4];
    if (brcond?.name !== 'brcond_i64' || notTaken?.name !== 'goto_tb' || label?.name !== 'set_label') return undefined;
    if (taken?.name !== 'goto_tb' || label.imms[0] !== brcond.imms[1]) return undefined;
    if (this.labelUses[Number(label.imms[0])] !== 1) return undefined;
    return { kind: 'jump', ops: 6, brcond, notTaken, taken };
  }

  private usedOnce(id: number): boolean {
    return this.isEbb(id) && this.slots.uses[id] === 1;
  }

  private isEbb(id: number | undefined): boolean {
    return this.tb.temps[id ?? 0]?.kind === 'ebb';
  }

  /** Value of a constant temp that fits 16 bits signed. */
  private smallConstant(id: number | undefined): number | undefined {
    const value = this.tb.temps[id ?? 0]?.value;
    if (value === undefined) return undefined;
    const n = Number(BigInt.asIntN(64, value));
    return fits16(n) ? n : undefined;
  }
}
