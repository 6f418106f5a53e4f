/**
 * Checks a whole TB. In: a Tb. Out: nothing, or an IrError. The invariants (DESIGN.md section 3):
 *
 *  1. every op fits its row: arity, types, immediates, temp ids; nothing writes to a constant (check-op.ts);
 *  2. every branch goes to a label that is set exactly once;
 *  3. goto_tb has index 0 or 1, each at most once; exit_tb follows its goto_tb;
 *  4. an ebb temp is used only in the ebb that wrote it: ebbs end at labels and after unconditional transfers;
 *  5. no temp is read on any path before it was written;
 *  6. the last op leaves the TB.
 *
 * Allocation (double free, use after free, leaks, ...) is the builder's to check.
 */
import type { TempId } from '../base/ids.js';
import { checkOp, signature } from './check-op.js';
import { IrError, type IrCheck } from './ir-error.js';
import type { Op, Tb } from './types.js';

/** Throws IrError at the first broken invariant. */
export function verifyTb(tb: Tb): void {
  const v = new Verifier(tb);
  v.ops();
  v.labels();
  v.jumpSlots();
  v.ebbs();
  v.definitions();
}

const isEnd = (effects: readonly string[]): boolean => effects.includes('end');

class Verifier {
  private readonly labelAt = new Map<number, number>();
  private readonly effects: (readonly string[])[] = [];
  private readonly outCount: number[] = [];

  constructor(private readonly tb: Tb) {}

  ops(): void {
    this.tb.ops.forEach((op, i) => {
      const fault = checkOp(op, this.tb.temps);
      if (fault !== undefined) this.fail(fault.check, fault.message, i, fault.temp);
      const sig = signature(op);
      this.effects.push(sig?.def.effects ?? []);
      this.outCount.push(sig?.outs.length ?? 0);
    });
    if (this.tb.ops.length === 0 || !isEnd(this.effects.at(-1) ?? []))
      this.fail('no-end', 'the last op does not leave the TB', Math.max(0, this.tb.ops.length - 1));
  }

  labels(): void {
    this.tb.ops.forEach((op, i) => {
      if (op.name !== 'set_label') return;
      const label = Number(op.imms[0]);
      if (this.labelAt.has(label)) this.fail('label-twice', `L${label} is set twice`, i);
      this.labelAt.set(label, i);
    });
    this.tb.ops.forEach((op, i) => {
      const target = this.target(op, i);
      if (target !== undefined && !this.labelAt.has(target))
        this.fail('label-missing', `branches to L${target}, which is never set`, i);
    });
  }

  jumpSlots(): void {
    const seen = new Set<number>();
    this.tb.ops.forEach((op, i) => {
      const index = Number(op.imms[0]);
      if (op.name === 'goto_tb') {
        if (index < 0 || index > 1) this.fail('goto-tb-index', `goto_tb ${index}: a TB has jump slots 0 and 1`, i);
        if (seen.has(index)) this.fail('goto-tb-twice', `goto_tb ${index} twice in one TB`, i);
        seen.add(index);
      }
      if (op.name === 'exit_tb' && !(this.tb.ops[i - 1]?.name === 'goto_tb' && this.tb.ops[i - 1]?.imms[0] === index)) {
        this.fail('exit-tb-alone', `exit_tb ${index} does not follow goto_tb ${index}`, i);
      }
    });
  }

  ebbs(): void {
    const owner = new Map<TempId, number>();
    let ebb = 0;
    this.tb.ops.forEach((op, i) => {
      if (op.name === 'set_label') ebb++;
      const outs = this.outCount[i] ?? 0;
      const visit = (id: TempId, write: boolean): void => {
        const t = this.tb.temps[id];
        if (t?.kind !== 'ebb') return;
        if (write) owner.set(id, ebb);
        else if (owner.has(id) && owner.get(id) !== ebb)
          this.fail('ebb-escape', `${t.name} was written in another ebb (allocate it with kind tb)`, i, id);
      };
      for (const id of op.args.slice(outs)) visit(id, false);
      for (const id of op.args.slice(0, outs)) visit(id, true);
      if (isEnd(this.effects[i] ?? [])) ebb++;
    });
  }

  /** Forward must-define analysis over ebb edges; one pass suffices without labels. */
  definitions(): void {
    const { ops, temps } = this.tb;
    const entry = new Map<number, Set<TempId>>();
    const merge = (label: number, defined: ReadonlySet<TempId>): boolean => {
      const known = entry.get(label);
      if (known === undefined) {
        entry.set(label, new Set(defined));
        return true;
      }
      const before = known.size;
      for (const id of known) if (!defined.has(id)) known.delete(id);
      return known.size !== before;
    };
    for (let changed = true; changed;) {
      changed = false;
      let defined: Set<TempId> | undefined = new Set();
      for (let i = 0; i < ops.length; i++) {
        const op = ops[i] as Op;
        if (op.name === 'set_label') {
          const label = Number(op.imms[0]);
          if (defined !== undefined && merge(label, defined)) changed = true;
          const known = entry.get(label);
          defined = known === undefined ? undefined : new Set(known);
          continue;
        }
        if (defined === undefined) continue;
        const outs = this.outCount[i] ?? 0;
        for (const id of op.args.slice(outs)) {
          const kind = temps[id]?.kind;
          if ((kind === 'ebb' || kind === 'tb') && !defined.has(id))
            this.fail('use-before-def', `${temps[id]?.name ?? ''} is read before it is written`, i, id);
        }
        for (const id of op.args.slice(0, outs)) defined.add(id);
        const target = this.target(op, i);
        if (target !== undefined && merge(target, defined)) changed = true;
        if (isEnd(this.effects[i] ?? [])) defined = undefined;
      }
    }
  }

  private target(op: Op, i: number): number | undefined {
    if (!(this.effects[i] ?? []).includes('branch')) return undefined;
    return Number(op.imms.at(-1));
  }

  private fail(check: IrCheck, message: string, op: number, temp?: TempId): never {
    let pc = this.tb.pc;
    for (let i = 0; i <= op; i++) {
      const o = this.tb.ops[i];
      if (o?.name === 'insn_start') pc = Number(o.imms[0]);
    }
    throw new IrError({ check, message, tb: this.tb, pc, op, ...(temp === undefined ? {} : { temp }) });
  }
}
