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
 * A side exit observes all globals but those lazy-flag globals that the instruction's static CC_OP does not use (insn_start's immediate).
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
  const ccOps = staticCcOps(reachable);
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
    if (effects.includes('exit')) observeGlobals();
    if (effects.includes('side-exit') || helper?.faults === true) {
      const flags = [G.ccDst, G.ccSrc, G.ccSrc2, G.ccOp].filter((id) => live.has(id));
      observeGlobals();
      const ccOp = ccOps[i] ?? -1;
      if (ccOp >= 0) {
        for (const id of [G.ccDst, G.ccSrc, G.ccSrc2, G.ccOp]) live.delete(id);
        for (const id of [...flags, ...flagsUsed(ccOp)]) live.add(id);
      }
    }
    if (effects.includes('label') || effects.includes('branch')) {
      observeGlobals();
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

/** The static CC_OP at each op: the last insn_start's, -1 dynamic. */
function staticCcOps(ops: readonly Op[]): number[] {
  let ccOp = -1;
  return ops.map((op) => {
    if (op.name === 'insn_start') ccOp = Number(op.imms[1]);
    return ccOp;
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
