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
import { CC } from '../guest/flags.js';
import { G, NB_GLOBALS } from '../ir/globals.js';
import { opDef } from '../ir/ops.js';
import type { Op, Tb } from '../ir/types.js';
import { globalsOf, helperOf, isPure, outCount, Rewrite } from './rewrite.js';

export function removeDeadCode(tb: Tb): Tb {
  const r = new Rewrite(tb);
  const reachable = dropUnreachable(tb.ops);
  const live = new Set<TempId>();
  const observeGlobals = (): void => {
    for (let g = 0; g < NB_GLOBALS; g++) live.add(g as TempId);
  };
  const observeTbTemps = (): void => {
    for (const t of tb.temps) if (t.kind === 'tb') live.add(t.id);
  };
  const observe = (ccOp: number): void => {
    const flags = [G.ccDst, G.ccSrc, G.ccSrc2, G.ccOp].filter((id) => live.has(id));
    observeGlobals();
    if (ccOp < 0) return;
    for (const id of [G.ccDst, G.ccSrc, G.ccSrc2]) live.delete(id);
    for (const id of [...flags, ...flagsUsed(ccOp)]) live.add(id);
  };
  const ccOps = knownCcOps(reachable, tb);
  const kept: Op[] = [];
  for (let i = reachable.length - 1; i >= 0; i--) {
    const op = reachable[i] as Op;
    const outs = outCount(op);
    const effects = opDef(op.name).effects;
    if (isPure(op) && outs > 0 && !op.args.slice(0, outs).some((id) => live.has(id))) continue;
    if (/^mov_/.test(op.name) && op.args[0] === op.args[1]) continue;
    kept.push(op);
    for (const id of op.args.slice(0, outs)) live.delete(id);
    const helper = helperOf(op);
    if (helper !== undefined && helper.faults !== true) for (const id of globalsOf(helper.writes)) live.delete(id);
    const known = ccOps[i];
    if (effects.includes('exit')) observe(known?.now ?? -1);
    if (effects.includes('side-exit') || helper?.faults === true) {
      const needsCcOp = live.has(G.ccOp);
      observe(known?.atStart ?? -1);
      // The fault restores cc_op from the instruction table.
      if ((known?.atStart ?? -1) >= 0 && !needsCcOp) live.delete(G.ccOp);
    }
    if (effects.includes('label') || effects.includes('branch')) {
      observe(known?.now ?? -1);
      observeTbTemps();
    }
    for (const id of globalsOf(helper?.reads)) live.add(id);
    for (const id of op.args.slice(outs)) live.add(id);
  }
  kept.reverse();
  r.ops.push(...kept);
  return r.finish();
}

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

/** CC_OP where it is known, else -1: at the start of the op's instruction, which is what side exits go back to, and at the op. */
interface KnownCcOp {
  readonly atStart: number;
  readonly now: number;
}

function knownCcOps(ops: readonly Op[], tb: Tb): KnownCcOp[] {
  const atLabel = new Map<number, number>();
  /** Labels that a branch further down goes to: nothing is known there. */
  const seen = new Set<number>();
  const backward = new Set<number>();
  for (const op of ops) {
    if (op.name === 'set_label') seen.add(Number(op.imms[0]));
    else if (opDef(op.name).effects.includes('branch') && seen.has(Number(op.imms.at(-1))))
      backward.add(Number(op.imms.at(-1)));
  }
  let atStart = -1;
  /** Undefined: not reached by falling through. */
  let now: number | undefined = -1;
  return ops.map((op) => {
    const { effects } = opDef(op.name);
    if (op.name === 'insn_start') atStart = now = Number(op.imms[1]);
    else if (op.name === 'set_label') {
      const label = Number(op.imms[0]);
      const there = atLabel.get(label);
      now = backward.has(label) ? -1 : now === undefined || now === there ? there : there === undefined ? now : -1;
    } else if (op.args.slice(0, outCount(op)).includes(G.ccOp)) {
      const value = tb.temps[op.args[1] ?? 0]?.value;
      now = op.name === 'mov_i32' && value !== undefined ? Number(value) : -1;
    }
    if (effects.includes('branch')) {
      const label = Number(op.imms.at(-1));
      const there = atLabel.get(label);
      atLabel.set(label, there === undefined || there === now ? (now ?? -1) : -1);
    }
    const known = { atStart, now: now ?? -1 };
    if (effects.includes('end')) now = undefined;
    return known;
  });
}

function dropUnreachable(ops: readonly Op[]): Op[] {
  const targets = new Set(
    ops.filter((op) => opDef(op.name).effects.includes('branch')).map((op) => Number(op.imms.at(-1))),
  );
  let reachable = true;
  return ops.filter((op) => {
    if (op.name === 'set_label') {
      if (targets.has(Number(op.imms[0]))) reachable = true;
      else if (!reachable) return false;
    }
    if (!reachable) return false;
    if (opDef(op.name).effects.includes('end')) reachable = false;
    return true;
  });
}
