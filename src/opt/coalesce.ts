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
import { opInfo } from '../ir/op-info.js';
import type { Op, Tb } from '../ir/types.js';
import { withOps } from './rewrite.js';

export function coalesceMoves(tb: Tb): Tb {
  const ops: (Op | undefined)[] = tb.ops.slice();
  const uses = usesOf(tb);
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i];
    const out = op?.args[0];
    const positions = out === undefined ? undefined : uses[out];
    if (op === undefined || out === undefined || positions === undefined || !opInfo(op).value) continue;
    // Moves to lazy-flag globals come last: a register is read more often.
    const p = moveFrom(ops, i, positions, false) ?? moveFrom(ops, i, positions, true);
    const global = p === undefined ? undefined : ops[p]?.args[0];
    if (p === undefined || global === undefined) continue;
    ops[p] = undefined;
    ops[i] = withArg(op, 0, global);
    for (const u of positions) {
      const user = ops[u];
      if (user !== undefined) ops[u] = reading(user, out, global);
    }
  }
  return withOps(
    tb,
    ops.filter((op) => op !== undefined),
  );
}

/** Among `positions`, that of the first move of the output of the op at `from` to a lazy-flag global, or to another one, that can be written at once. */
function moveFrom(
  ops: readonly (Op | undefined)[],
  from: number,
  positions: readonly number[],
  toFlag: boolean,
): number | undefined {
  for (const p of positions) {
    const op = ops[p];
    const global = op?.args[0];
    if (op === undefined || !opInfo(op).move || !isGlobal(global) || isFlag(global) !== toFlag) continue;
    if (canWriteAt(ops, from, p, global) && holdsUntil(ops, p, positions, global)) return p;
  }
  return undefined;
}

/** Positions of the ops that read each ebb temp, by temp. */
function usesOf({ temps, ops }: Tb): (number[] | undefined)[] {
  const uses = temps.map((): number[] | undefined => undefined);
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op;
    for (let n = opInfo(op).outs; n < op.args.length; n++) {
      const id = op.args[n] as TempId;
      if (temps[id]?.kind !== 'ebb') continue;
      const list = uses[id];
      if (list === undefined) uses[id] = [i];
      else if (list[list.length - 1] !== i) list.push(i);
    }
  }
  return uses;
}

const isGlobal = (id: TempId | undefined): id is TempId => id !== undefined && id < NB_GLOBALS;

const isFlag = (id: TempId): boolean => id === G.ccDst || id === G.ccSrc || id === G.ccSrc2 || id === G.ccOp;

/** True when `global` may be written at `from` instead of at `to`: no op between uses or observes it. */
function canWriteAt(ops: readonly (Op | undefined)[], from: number, to: number, global: TempId): boolean {
  for (let i = from + 1; i < to; i++) {
    const op = ops[i];
    if (op !== undefined && (op.args.includes(global) || !opInfo(op).quiet)) return false;
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
  const last = positions[positions.length - 1] ?? from;
  for (let i = from + 1; i < last; i++) {
    const op = ops[i];
    if (op === undefined) continue;
    const { outs, writes } = opInfo(op);
    for (let n = 0; n < outs; n++) if (op.args[n] === global) return false;
    if (writes.includes(global)) return false;
  }
  return true;
}

function withArg(op: Op, at: number, id: TempId): Op {
  const args = op.args.slice();
  args[at] = id;
  return { name: op.name, args, imms: op.imms };
}

/** `op` with `to` read instead of `from`. */
function reading(op: Op, from: TempId, to: TempId): Op {
  const args = op.args.slice();
  for (let i = opInfo(op).outs; i < args.length; i++) if (args[i] === from) args[i] = to;
  return { name: op.name, args, imms: op.imms };
}
