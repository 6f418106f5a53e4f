/**
 * Constant folding, copy and constant propagation and algebraic identities, forward over each ebb ("global forwarding").
 *
 *     before:  mov_i64 rax, $0x5          after:  mov_i64 rax, $0x5
 *              add_i64 t0, rax, $0x2              mov_i64 t0, $0x7
 *              mov_i64 rbx, t0                    mov_i64 rbx, $0x7
 *              add_i64 t1, rcx, $0x0              mov_i64 t1, rcx
 *              gst_i64 t2, t1, 0                  gst_i64 t2, rcx, 0
 *
 * A conditional branch on constants becomes none, or an unconditional one, and what follows that up to the next label goes.
 *
 * Requirements of any rule here: it computes what the op's row says for all inputs; it folds no float (NaN payloads); it neither adds, drops nor moves an op with effects that can be reached.
 */
import type { TempId } from '../base/ids.js';
import { opDef } from '../ir/ops.js';
import type { Imm, Op, Tb } from '../ir/types.js';
import { KnownWidths } from './known-width.js';
import { LowBits } from './low-bits.js';
import { globalsOf, helperOf, outCount, Rewrite } from './rewrite.js';

/** What an op with constant operands becomes: a constant, one of its inputs, or unknown. */
type Simplified = { readonly value: bigint } | { readonly copy: TempId } | undefined;

export function foldConstants(tb: Tb): Tb {
  const r = new Rewrite(tb);
  const widths = new KnownWidths(r.temps);
  const low = new LowBits();
  /** Temp or global -> the constant or older temp that holds the same value. */
  const same = new Map<TempId, TempId>();
  /** Reverse of `same`: source -> copies, so that a write to the source drops them. */
  const copies = new Map<TempId, Set<TempId>>();

  const forget = (id: TempId): void => {
    widths.forget(id);
    low.forget(id);
    const source = same.get(id);
    if (source !== undefined) copies.get(source)?.delete(id);
    same.delete(id);
    for (const copy of copies.get(id) ?? []) same.delete(copy);
    copies.delete(id);
  };
  const learn = (id: TempId, source: TempId): void => {
    if (id === source) return;
    same.set(id, source);
    let set = copies.get(source);
    if (set === undefined) copies.set(source, (set = new Set()));
    set.add(id);
  };
  const value = (id: TempId | undefined): bigint | undefined => (id === undefined ? undefined : r.temps[id]?.value);

  let reachable = true;
  for (const op of tb.ops) {
    if (op.name === 'set_label') {
      reachable = true;
      same.clear();
      copies.clear();
      widths.clear();
      low.clear();
    }
    // Behind a branch that has become unconditional, what was one ebb with it would now be another, which the ebb temps of the first do not reach.
    if (!reachable) continue;
    const outs = outCount(op);
    const args = op.args.map((id, i) => (i < outs ? id : (same.get(id) ?? id)));
    let next: Op = { name: op.name, args, imms: op.imms };
    const branch = foldBranch(next, value);
    if (branch === 'never') continue;
    if (branch !== undefined) next = branch;
    reachable = branch === undefined;
    const out = args[0];
    if (outs === 1 && out !== undefined && opDef(op.name).effects.length === 0) {
      const simple = simplify(next, value) ?? narrowed(next, widths);
      const type = r.temps[out]?.type ?? 'i64';
      if (simple !== undefined && !op.name.startsWith('mov_')) {
        next = {
          name: `mov_${type}`,
          args: [out, 'value' in simple ? r.constant(type, simple.value) : simple.copy],
          imms: [],
        };
      }
    }
    next = low.narrowed(next);
    r.ops.push(next);
    const width = outs === 1 ? widths.result(next) : undefined;
    const lowPart = low.result(next);
    for (const id of next.args.slice(0, outs)) forget(id);
    for (const id of globalsOf(helperOf(op)?.writes)) forget(id);
    if (/^mov_[ifv]/.test(next.name) && next.args[0] !== undefined && next.args[1] !== undefined)
      learn(next.args[0], next.args[1]);
    if (out !== undefined) {
      widths.learn(out, width);
      low.learn(out, lowPart);
    }
  }
  return r.finish();
}

/** A conditional branch on constants: 'never' taken, or a plain br. */
function foldBranch(op: Op, value: (id: TempId | undefined) => bigint | undefined): Op | 'never' | undefined {
  if (!op.name.startsWith('brcond_')) return undefined;
  const a = value(op.args[0]);
  const b = value(op.args[1]);
  if (a === undefined || b === undefined) return undefined;
  const taken = opDef(op.name.replace('brcond', 'setcond')).fold?.([a, b], [op.imms[0] as Imm]);
  if (taken === undefined) return undefined;
  return taken === 0n ? 'never' : { name: 'br', args: [], imms: [op.imms[1] as Imm] };
}

function simplify(op: Op, value: (id: TempId | undefined) => bigint | undefined): Simplified {
  const inputs = op.args.slice(1);
  const values = inputs.map(value);
  if (op.name !== 'call' && inputs.length > 0 && values.every((v) => v !== undefined)) {
    const folded = opDef(op.name).fold?.(values, op.imms);
    if (folded !== undefined) return { value: folded };
  }
  return identity(op, inputs, values);
}

/** An extension of what is no wider already. */
function narrowed(op: Op, widths: KnownWidths): Simplified {
  const m = /^ext(8|16|32)([us])_i64$/.exec(op.name);
  const a = op.args[1];
  if (m === null || a === undefined) return undefined;
  const bits = Number(m[1]);
  return widths.of(a) <= (m[2] === 'u' ? bits : bits - 1) ? { copy: a } : undefined;
}

/** Algebraic identities of the integer ops. */
function identity(op: Op, inputs: readonly TempId[], values: readonly (bigint | undefined)[]): Simplified {
  const [a, b] = inputs;
  const [va, vb] = values;
  const m = /^(\w+)_(i32|i64)$/.exec(op.name);
  if (m === null || a === undefined) return undefined;
  const ones = m[2] === 'i32' ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
  switch (m[1]) {
    case 'add':
      if (vb === 0n) return { copy: a };
      return va === 0n && b !== undefined ? { copy: b } : undefined;
    case 'sub':
      if (vb === 0n) return { copy: a };
      return a === b ? { value: 0n } : undefined;
    case 'xor':
      if (vb === 0n) return { copy: a };
      if (va === 0n && b !== undefined) return { copy: b };
      return a === b ? { value: 0n } : undefined;
    case 'or':
      if (vb === 0n || a === b) return { copy: a };
      return va === 0n && b !== undefined ? { copy: b } : undefined;
    case 'and':
      if (vb === 0n || va === 0n) return { value: 0n };
      if (vb === ones || a === b) return { copy: a };
      return va === ones && b !== undefined ? { copy: b } : undefined;
    case 'shl':
    case 'shr':
    case 'sar':
    case 'rotl':
    case 'rotr':
      return vb === 0n ? { copy: a } : undefined;
    case 'mul':
      if (vb === 1n) return { copy: a };
      return vb === 0n ? { value: 0n } : undefined;
    default:
      return undefined;
  }
}
