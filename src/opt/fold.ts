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
import { opInfo, type OpInfo } from '../ir/op-info.js';
import { opDef } from '../ir/ops.js';
import { ConstTemps } from '../ir/temps.js';
import type { Imm, Op, Tb, Temp, Type } from '../ir/types.js';
import { Copies } from './copies.js';
import { KnownWidths } from './known-width.js';
import { LowBits } from './low-bits.js';
import { withOps } from './rewrite.js';

/** What an op with constant operands becomes: a constant, one of its inputs, or unknown. */
type Simplified = bigint | TempId | undefined;

export function foldConstants(tb: Tb): Tb {
  return new Folder(tb).fold();
}

class Folder {
  private readonly temps: Temp[];
  private readonly ops: Op[] = [];
  private readonly copies: Copies;
  private readonly widths: KnownWidths;
  private readonly low: LowBits;
  private consts: ConstTemps | undefined;

  constructor(private readonly tb: Tb) {
    this.temps = tb.temps.slice();
    // An op becomes one constant at most.
    const most = tb.temps.length + tb.ops.length;
    this.copies = new Copies(most);
    this.widths = new KnownWidths(this.temps, most);
    this.low = new LowBits(most);
  }

  fold(): Tb {
    let reachable = true;
    for (const op of this.tb.ops) {
      if (op.name === 'set_label') {
        reachable = true;
        this.copies.clear();
        this.widths.clear();
        this.low.clear();
      }
      // Behind a branch that has become unconditional, what was one ebb with it would now be another, which the ebb temps of the first do not reach.
      if (reachable) reachable = this.step(op);
    }
    return withOps(this.tb, this.ops, this.temps);
  }

  /** Adds what becomes of `op`; false when nothing behind it is reached. */
  private step(op: Op): boolean {
    const before = opInfo(op);
    const read = this.withSources(op, before.outs);
    if (before.branches && !before.ends) return this.branch(read);
    const simple = before.outs === 1 && before.effects.size === 0 ? this.simplified(read, before) : read;
    const info = simple === read ? before : opInfo(simple);
    const next = this.low.narrowed(simple, info);
    this.ops.push(next);
    this.learn(next, info);
    return true;
  }

  private branch(op: Op): boolean {
    const taken = this.isTaken(op);
    if (taken === undefined) this.ops.push(op);
    else if (taken) this.ops.push({ name: 'br', args: [], imms: [op.imms[1] as Imm] });
    return taken !== true;
  }

  /** Whether a conditional branch on constants is taken. */
  private isTaken({ name, args, imms }: Op): boolean | undefined {
    const a = this.value(args[0]);
    const b = this.value(args[1]);
    if (a === undefined || b === undefined) return undefined;
    const taken = opDef(name.replace('brcond', 'setcond')).fold?.([a, b], [imms[0] as Imm]);
    return taken === undefined ? undefined : taken !== 0n;
  }

  /** `op` with the oldest temps that hold the values that it reads. */
  private withSources(op: Op, outs: number): Op {
    const { args } = op;
    let copied: TempId[] | undefined;
    for (let i = outs; i < args.length; i++) {
      const id = args[i] as TempId;
      const source = this.copies.sourceOf(id);
      if (source === id) continue;
      copied ??= args.slice();
      copied[i] = source;
    }
    return copied === undefined ? op : { name: op.name, args: copied, imms: op.imms };
  }

  private simplified(op: Op, info: OpInfo): Op {
    if (info.move) return op;
    const simple = this.folded(op, info) ?? this.identity(op, info) ?? this.narrowed(op, info);
    if (simple === undefined) return op;
    const out = op.args[0] as TempId;
    const { type } = this.temps[out] as Temp;
    const source = typeof simple === 'bigint' ? this.constant(type, simple) : simple;
    return { name: `mov_${type}`, args: [out, source], imms: [] };
  }

  private learn(op: Op, info: OpInfo): void {
    const { args } = op;
    const width = info.outs === 1 ? this.widths.result(op, info) : undefined;
    const part = this.low.result(op, info);
    for (let i = 0; i < info.outs; i++) this.forget(args[i] as TempId);
    for (const id of info.writes) this.forget(id);
    const [out, source] = args;
    if (out === undefined) return;
    if (info.move && source !== undefined) this.copies.learn(out, source);
    this.widths.learn(out, width);
    this.low.learn(out, part);
  }

  private forget(id: TempId): void {
    this.copies.forget(id);
    this.widths.forget(id);
    this.low.forget(id);
  }

  private constant(type: Type, value: bigint): TempId {
    if (this.consts === undefined) {
      this.consts = new ConstTemps(this.temps);
      this.consts.learn();
    }
    return this.consts.of(type, value);
  }

  private value(id: TempId | undefined): bigint | undefined {
    return id === undefined ? undefined : (this.temps[id] as Temp).value;
  }

  /** All operands are constants. */
  private folded({ args, imms }: Op, { def }: OpInfo): bigint | undefined {
    if (def.fold === undefined || args.length < 2) return undefined;
    const values: bigint[] = [];
    for (let i = 1; i < args.length; i++) {
      const value = this.value(args[i]);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return def.fold(values, imms);
  }

  /** An extension of what is no wider already. */
  private narrowed({ args }: Op, { stem, type }: OpInfo): Simplified {
    const bits = type === 'i64' ? EXTENDED[stem] : undefined;
    const a = args[1];
    return bits !== undefined && a !== undefined && this.widths.of(a) <= bits ? a : undefined;
  }

  /** Algebraic identities of the integer ops. */
  private identity({ args }: Op, { stem, type }: OpInfo): Simplified {
    const [, a, b] = args;
    if (type === undefined || a === undefined || b === undefined) return undefined;
    const va = this.value(a);
    const vb = this.value(b);
    switch (stem) {
      case 'add':
        return vb === 0n ? a : va === 0n ? b : undefined;
      case 'sub':
        return vb === 0n ? a : a === b ? 0n : undefined;
      case 'xor':
        return vb === 0n ? a : va === 0n ? b : a === b ? 0n : undefined;
      case 'or':
        return vb === 0n || a === b ? a : va === 0n ? b : undefined;
      case 'and':
        if (vb === 0n || va === 0n) return 0n;
        return vb === ONES[type] || a === b ? a : va === ONES[type] ? b : undefined;
      case 'shl':
      case 'shr':
      case 'sar':
      case 'rotl':
      case 'rotr':
        return vb === 0n ? a : undefined;
      case 'mul':
        return vb === 1n ? a : vb === 0n ? 0n : undefined;
      default:
        return undefined;
    }
  }
}

const ONES = { i32: 0xffff_ffffn, i64: 0xffff_ffff_ffff_ffffn } as const;

/** Of extensions to 64 bits: what has no more bits is what it was. */
const EXTENDED: Readonly<Record<string, number>> = {
  ext8u: 8,
  ext16u: 16,
  ext32u: 32,
  ext8s: 7,
  ext16s: 15,
  ext32s: 31,
};
