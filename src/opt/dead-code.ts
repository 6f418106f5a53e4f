/**
 * Dead code and dead flags, backward: drops pure ops whose outputs nobody reads, writes to globals that are written again before anything can observe them,
 * and what follows an unconditional transfer up to the next label.
 *
 *     before:  mov_i64 cc_src, rbx        after:  add_i64 rax, rax, rbx
 *              mov_i64 cc_dst, t0                 mov_i64 cc_dst, rcx
 *              add_i64 rax, rax, rbx              mov_i32 cc_op, $0x17
 *              mov_i64 cc_dst, rcx                ...
 *              mov_i32 cc_op, $0x17
 *
 * Exits, branches and labels observe all globals but those lazy-flag globals that the CC_OP known there does not use: insn_start's immediate, or what has been moved to cc_op since.
 */
import type { TempId } from '../base/ids.js';
import { flagsUsed, G, NB_GLOBALS } from '../ir/globals.js';
import { opInfo, type OpInfo } from '../ir/op-info.js';
import type { Op, Tb } from '../ir/types.js';
import { withOps } from './rewrite.js';

export function removeDeadCode(tb: Tb): Tb {
  const reachable = dropUnreachable(tb.ops);
  const known = knownCcOps(reachable, tb);
  const live = new Liveness(tb);
  const kept: Op[] = [];
  for (let i = reachable.length - 1; i >= 0; i--) {
    const op = reachable[i] as Op;
    const info = opInfo(op);
    if (info.pure && info.outs > 0 && !live.hasOutput(op, info)) continue;
    if (info.move && op.args[0] === op.args[1]) continue;
    kept.push(op);
    live.pass(op, info, known.atStart[i] as number, known.now[i] as number);
  }
  return withOps(tb, kept.reverse());
}

/** Which temps and globals are read behind a point of the TB, before they are written; backward. */
class Liveness {
  private readonly live: Uint8Array;
  private readonly tbTemps: readonly TempId[];

  constructor(tb: Tb) {
    this.live = new Uint8Array(tb.temps.length);
    this.tbTemps = tb.temps.filter(({ kind }) => kind === 'tb').map(({ id }) => id);
  }

  hasOutput({ args }: Op, { outs }: OpInfo): boolean {
    for (let i = 0; i < outs; i++) if (this.live[args[i] as TempId] === 1) return true;
    return false;
  }

  /** Goes from behind `op` to before it. `atStart`, `now`: CC_OP as in KnownCcOps. */
  pass({ args }: Op, info: OpInfo, atStart: number, now: number): void {
    const { live } = this;
    const { outs, helper } = info;
    for (let i = 0; i < outs; i++) live[args[i] as TempId] = 0;
    const faults = helper?.faults === true;
    if (!faults) for (const id of info.writes) live[id] = 0;
    if (info.exits) this.observe(now);
    if (info.sideExit || faults) {
      const needsCcOp = live[G.ccOp] === 1;
      this.observe(atStart);
      // The fault restores cc_op from the instruction table.
      if (atStart >= 0 && !needsCcOp) live[G.ccOp] = 0;
    }
    if (info.branches || info.effects.has('label')) {
      this.observe(now);
      for (const id of this.tbTemps) live[id] = 1;
    }
    for (const id of info.reads) live[id] = 1;
    for (let i = outs; i < args.length; i++) live[args[i] as TempId] = 1;
  }

  /** All globals are, but for those of the lazy flags that neither `ccOp` uses nor anything behind. */
  private observe(ccOp: number): void {
    const { live } = this;
    const dst = live[G.ccDst] as number;
    const src = live[G.ccSrc] as number;
    const src2 = live[G.ccSrc2] as number;
    live.fill(1, 0, NB_GLOBALS);
    if (ccOp < 0) return;
    live[G.ccDst] = dst;
    live[G.ccSrc] = src;
    live[G.ccSrc2] = src2;
    for (const id of flagsUsed(ccOp)) live[id] = 1;
  }
}

/** CC_OP where it is known, else -1, by op: at the start of the op's instruction, which is what side exits go back to, and at the op. */
interface KnownCcOps {
  readonly atStart: Int32Array;
  readonly now: Int32Array;
}

const UNKNOWN = -1;

function knownCcOps(ops: readonly Op[], tb: Tb): KnownCcOps {
  const known = { atStart: new Int32Array(ops.length), now: new Int32Array(ops.length) };
  const atLabel = new Map<number, number>();
  const backward = backwardLabels(ops);
  let atStart = UNKNOWN;
  /** Undefined: not reached by falling through. */
  let now: number | undefined = UNKNOWN;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op;
    const info = opInfo(op);
    if (op.name === 'insn_start') atStart = now = Number(op.imms[1]);
    else if (op.name === 'set_label') {
      const label = Number(op.imms[0]);
      const there = atLabel.get(label);
      now = backward.has(label)
        ? UNKNOWN
        : now === undefined || now === there
          ? there
          : there === undefined
            ? now
            : UNKNOWN;
    } else if (writes(op, info, G.ccOp)) {
      const value = info.move ? tb.temps[op.args[1] ?? 0]?.value : undefined;
      now = value === undefined ? UNKNOWN : Number(value);
    }
    if (info.branches) {
      const label = labelOf(op);
      const there = atLabel.get(label);
      atLabel.set(label, there === undefined || there === now ? (now ?? UNKNOWN) : UNKNOWN);
    }
    known.atStart[i] = atStart;
    known.now[i] = now ?? UNKNOWN;
    if (info.ends) now = undefined;
  }
  return known;
}

/** Labels that a branch further down goes to. */
function backwardLabels(ops: readonly Op[]): ReadonlySet<number> {
  const seen = new Set<number>();
  const backward = new Set<number>();
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op;
    if (op.name === 'set_label') seen.add(Number(op.imms[0]));
    else if (seen.size > 0 && opInfo(op).branches && seen.has(labelOf(op))) backward.add(labelOf(op));
  }
  return backward;
}

/** That a branch goes to. */
const labelOf = ({ imms }: Op): number => Number(imms[imms.length - 1]);

function writes({ args }: Op, { outs }: OpInfo, id: TempId): boolean {
  for (let i = 0; i < outs; i++) if (args[i] === id) return true;
  return false;
}

function dropUnreachable(ops: readonly Op[]): readonly Op[] {
  const targets = new Set<number>();
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op;
    if (opInfo(op).branches) targets.add(labelOf(op));
  }
  const kept: Op[] = [];
  let reachable = true;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op;
    if (op.name === 'set_label') {
      if (targets.has(Number(op.imms[0]))) reachable = true;
      else if (!reachable) continue;
    }
    if (!reachable) continue;
    if (opInfo(op).ends) reachable = false;
    kept.push(op);
  }
  return kept;
}
