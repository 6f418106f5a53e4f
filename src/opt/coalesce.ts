/**
 * A value that is computed into a temp and then moved to a global is computed there at once.
 *
 *     before:  add_i64 t0, rax, rbx          after:  add_i64 rax, rax, rbx
 *              mov_i64 cc_src, rbx                   mov_i64 cc_src, rbx
 *              mov_i64 cc_dst, t0                    mov_i64 cc_dst, rax
 *              mov_i64 rax, t0
 *              v_add_f64x2 t1, xmm0, xmm1            v_add_f64x2 xmm0, xmm0, xmm1
 *              mov_v128 xmm0, t1
 *
 * The global is written earlier then: so nothing between may read, write or observe it, and the later readers of the temp read the global, which must still hold the value.
 * Saves the interpreter an op an instruction; runs after dead code, whose work it would hide (a global that is read by another one's move is not dead).
 */
import type { TempId } from '../base/ids.js';
import { G, NB_GLOBALS } from '../ir/globals.js';
import { opDef } from '../ir/ops.js';
import type { Op, Tb } from '../ir/types.js';
import { globalsOf, helperOf, isPure, outCount, Rewrite } from './rewrite.js';

/** Effects that do not observe globals. */
const QUIET = new Set(['gread', 'gwrite', 'env-read', 'env-write', 'fence']);

export function coalesceMoves(tb: Tb): Tb {
  const r = new Rewrite(tb);
  const ops: (Op | undefined)[] = [...tb.ops];
  const uses = usesOf(tb);
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i];
    const out = op?.args[0];
    if (op === undefined || out === undefined || !mayWriteGlobal(op) || tb.temps[out]?.kind !== 'ebb') continue;
    const positions = uses.get(out) ?? [];
    const moves = positions.filter((p) => isMoveToGlobal(ops[p], out));
    moves.sort((p, q) => Number(isFlag(ops[p])) - Number(isFlag(ops[q])));
    for (const p of moves) {
      const global = ops[p]?.args[0];
      if (global === undefined || !canWriteAt(ops, i, p, global) || !holdsUntil(ops, p, positions, global)) continue;
      ops[p] = undefined;
      ops[i] = { ...op, args: [global, ...op.args.slice(1)] };
      for (const u of positions) {
        const user = ops[u];
        if (user !== undefined) ops[u] = { ...user, args: replaced(user, out, global) };
      }
      break;
    }
  }
  r.ops.push(...ops.filter((op) => op !== undefined));
  return r.finish();
}

/** Positions of the ops that read each ebb temp. */
function usesOf(tb: Tb): Map<TempId, number[]> {
  const uses = new Map<TempId, number[]>();
  tb.ops.forEach((op, i) => {
    for (const id of new Set(op.args.slice(outCount(op)))) {
      if (tb.temps[id]?.kind !== 'ebb') continue;
      const list = uses.get(id);
      if (list === undefined) uses.set(id, [i]);
      else list.push(i);
    }
  });
  return uses;
}

/** One output, and no side exit that could leave it half done. */
function mayWriteGlobal(op: Op): boolean {
  if (outCount(op) !== 1) return false;
  return isPure(op) || opDef(op.name).effects.every((e) => e === 'gread' || e === 'env-read');
}

const isGlobal = (id: TempId | undefined): id is TempId => id !== undefined && id < NB_GLOBALS;

function isMoveToGlobal(op: Op | undefined, from: TempId): boolean {
  return op !== undefined && op.name.startsWith('mov_') && op.args[1] === from && isGlobal(op.args[0]);
}

/** Moves to lazy-flag globals come last: a register is read more often. */
function isFlag(op: Op | undefined): boolean {
  const id = op?.args[0];
  return id === G.ccDst || id === G.ccSrc || id === G.ccSrc2 || id === G.ccOp;
}

/** True when `global` may be written at `from` instead of at `to`: no op between uses or observes it. */
function canWriteAt(ops: readonly (Op | undefined)[], from: number, to: number, global: TempId): boolean {
  for (let i = from + 1; i < to; i++) {
    const op = ops[i];
    if (op === undefined) continue;
    if (op.args.includes(global)) return false;
    if (!isPure(op) && !opDef(op.name).effects.every((e) => QUIET.has(e))) return false;
  }
  return true;
}

/** True when `global`, written at `from`, holds the value at all later `positions`. */
function holdsUntil(
  ops: readonly (Op | undefined)[],
  from: number,
  positions: readonly number[],
  global: TempId,
): boolean {
  const last = positions.at(-1) ?? from;
  for (let i = from + 1; i < last; i++) {
    const op = ops[i];
    if (op === undefined) continue;
    if (op.args.slice(0, outCount(op)).includes(global)) return false;
    if (globalsOf(helperOf(op)?.writes).includes(global)) return false;
  }
  return true;
}

/** Arguments of `op` with `to` read instead of `from`. */
function replaced(op: Op, from: TempId, to: TempId): TempId[] {
  const outs = outCount(op);
  return op.args.map((id, i) => (i >= outs && id === from ? to : id));
}
