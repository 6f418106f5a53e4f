/**
 * Lifts one instruction by itself, for templates (src/engine/template-cache.ts). In: a decoded instruction and what is known of the flags before it. Out: IR that does the instruction and may
 * go on behind it, what is known of the flags then, and what the IR depends on beside the instruction's shape.
 */
import type { TempId } from '../../src/base/ids.js';
import type { Tb } from '../../src/ir/types.js';
import type { FlagState } from './flags.js';
import type { Insn, Operand } from './insn.js';
import { Lifter, type LiftOptions } from './lifter.js';

export interface SeparateInsn {
  /** Without the jump to the next instruction where it does not leave by itself. */
  readonly tb: Tb;
  readonly ended: boolean;
  /** The state behind it; undefined: the state before it, whatever that is. */
  readonly flags: FlagState | undefined;
  readonly dependsOnFlags: boolean;
  /** The lifter looked at the immediate's value, rather than only making it an operand. */
  readonly dependsOnImmediate: boolean;
}

type ImmOperand = Extract<Operand, { kind: 'imm' }>;

/** An immediate that notes whether its value is looked at. */
class WatchedImmediate implements ImmOperand {
  readonly kind = 'imm';
  seen = false;

  constructor(
    readonly operand: ImmOperand,
    readonly size: number,
  ) {}

  get value(): bigint {
    this.seen = true;
    return this.operand.value;
  }
}

/** Makes constants of immediates without a look at their values. */
class SeparateLifter extends Lifter {
  override load(i: number): TempId {
    const o = this.op(i);
    return o instanceof WatchedImmediate ? this.i64(o.operand.value) : super.load(i);
  }
  override loadZ(i: number): TempId {
    const o = this.op(i);
    return o instanceof WatchedImmediate ? this.i64(BigInt.asUintN(8 * o.size, o.operand.value)) : super.loadZ(i);
  }
  override loadS(i: number): TempId {
    const o = this.op(i);
    return o instanceof WatchedImmediate ? this.i64(o.operand.value) : super.loadS(i);
  }
}

/** Undefined for an instruction without a lift function. */
export function liftSeparately(insn: Insn, flags: FlagState, options: LiftOptions): SeparateInsn | undefined {
  const { lift } = insn.row;
  if (lift === undefined) return undefined;
  const operands = insn.operands.map((o) => (o.kind === 'imm' ? new WatchedImmediate(o, o.size) : o));
  const watched: Insn = { ...insn, operands };
  const l = new SeparateLifter(insn.addr, { ...options, separate: true });
  l.flags.assume(flags);
  l.begin(watched);
  lift(l, watched);
  return finish(
    l,
    insn.length,
    operands.some((o) => o instanceof WatchedImmediate && o.seen),
  );
}

/** The jump that ends a TB whose last instruction, before `pc`, does not. */
export function liftEnd(pc: number, flags: FlagState): SeparateInsn {
  const l = new Lifter(pc, { separate: true });
  l.flags.assume(flags);
  l.jump(pc);
  return finish(l, 0, false);
}

function finish(l: Lifter, size: number, dependsOnImmediate: boolean): SeparateInsn {
  l.end();
  const { dependsOnStart, isWritten, state } = l.flags;
  return {
    tb: l.b.finish(size),
    ended: l.ended,
    flags: isWritten || dependsOnStart ? state : undefined,
    dependsOnFlags: dependsOnStart,
    dependsOnImmediate,
  };
}
