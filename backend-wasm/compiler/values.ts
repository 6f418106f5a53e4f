/**
 * Where the values of a region live while its code is built. In: ops in order. Out: operand expressions, and the sets of locals that results need.
 *
 * A temp that is written once and read once, later in the same node, gets no local: its expression waits ("pending") and is nested into the op that reads it. What waits has no
 * effect but at most one guest load, so these hold:
 *
 *  - a waiting load is made real before any op with an effect and before the next load: guest accesses keep their order (DESIGN.md section 6);
 *  - what waits is made real before a local that it reads is written.
 */
import binaryen from 'binaryen';
import { InternalError } from '../../src/base/errors.js';
import { GLOBALS, NB_GLOBALS } from '../../src/ir/globals.js';
import { opInfo } from '../../src/ir/op-info.js';
import type { Op, Tb, Temp, Type } from '../../src/ir/types.js';
import type { CfgNode } from './cfg.js';
import type { Expr } from './flow.js';
import type { GlobalSet } from './global-set.js';
import { intConst } from './lower.js';

/** Locals of the parameters: the CPU block's address, and the bytes of the host's stack that calls may take. */
export const CPU_LOCAL = 0;
export const BUDGET_LOCAL = 1;
const PARAMS = 2;

const WASM_TYPES: Readonly<Record<Type, binaryen.Type>> = {
  i32: binaryen.i32,
  i64: binaryen.i64,
  f32: binaryen.f32,
  f64: binaryen.f64,
  v128: binaryen.v128,
};

export const wasmType = (t: Type): binaryen.Type => WASM_TYPES[t];

interface Pending {
  readonly expr: Expr;
  /** The expression is an i32 condition, the temp an i64. */
  readonly widen: boolean;
  /** Locals that it reads and that may be written while it waits. */
  readonly reads: readonly number[];
  /** Temps whose locals it reads and that are never written again: the last reader to be built in gives the local back. */
  readonly holds: readonly number[];
  readonly load: boolean;
}

/** `local` + `offset`, bytes; no wrap. */
export interface Alias {
  readonly local: number;
  readonly offset: number;
}

export class Values {
  /** Types of the locals behind the parameters. */
  private readonly types: Type[] = [];
  private readonly free = new Map<Type, number[]>();
  private readonly scratches = new Map<Type, number>();
  private readonly globalLocals: number[] = [];

  private tb: Tb | undefined;
  /** Of the temps of the TB: definitions, uses not yet built in, and whether the one use follows the one definition in its node. */
  private defs = new Int32Array(0);
  private uses = new Int32Array(0);
  private nested = new Uint8Array(0);
  private readonly tempLocals = new Map<number, number>();
  private readonly pending = new Map<number, Pending>();
  /** The one of them that is a load. */
  private pendingLoad: number | undefined;
  /** Temps that are a local of groupLocal and a constant. */
  private readonly aliases = new Map<number, Alias>();
  private readonly groupLocals: number[] = [];
  private groups = 0;
  private code: Expr[] = [];

  // What the op under way has taken up.
  private reads: number[] = [];
  private holds: number[] = [];
  private load = false;

  constructor(
    private readonly m: binaryen.Module,
    used: GlobalSet,
  ) {
    for (const id of used.ids()) this.globalLocals[id] = this.newLocal((GLOBALS[id] as Temp).type);
  }

  /** Starts a TB; `nodes` are those of it that are reached. The locals of the one before are given out anew. */
  beginTb(tb: Tb, nodes: readonly CfgNode[]): void {
    for (const local of this.tempLocals.values()) this.release(local);
    this.tempLocals.clear();
    this.aliases.clear();
    this.groups = 0;
    this.tb = tb;
    const { length } = tb.temps;
    const defs = (this.defs = new Int32Array(length));
    const uses = (this.uses = new Int32Array(length));
    const nested = (this.nested = new Uint8Array(length));
    const definedIn = new Int32Array(length).fill(-1);
    for (const { id: node, start, end } of nodes) {
      // The terminator's arguments count as the node's.
      for (let i = start; i <= end; i++) {
        const op = tb.ops[i] as Op;
        const { args } = op;
        const { outs } = opInfo(op);
        for (let n = 0; n < args.length; n++) {
          const id = args[n] as number;
          if (n < outs) {
            defs[id] = (defs[id] as number) + 1;
            definedIn[id] = node;
          } else {
            uses[id] = (uses[id] as number) + 1;
            nested[id] = definedIn[id] === node ? 1 : 0;
          }
        }
      }
    }
  }

  /** Starts a node, whose code goes to `code`. */
  beginNode(code: Expr[]): void {
    this.code = code;
    this.begin();
  }

  /** Ends a node. */
  endNode(): void {
    for (const id of this.pending.keys()) throw new InternalError(`${this.temp(id).name} waits at the end of its node`);
  }

  /** Starts an op. */
  begin(): void {
    this.reads.length = 0;
    this.holds.length = 0;
    this.load = false;
  }

  /** Input of the op under way; each of its arguments is asked for once. */
  operand(op: Op, i: number): Expr {
    const t = this.temp(op.args[i] as number);
    const alias = this.aliases.get(t.id);
    if (alias !== undefined) return this.sum(alias);
    const waiting = this.take(t);
    if (waiting !== undefined) return waiting.widen ? this.m.i64.extend_u(waiting.expr) : waiting.expr;
    return t.kind === 'const' ? this.constant(t) : this.m.local.get(this.localRead(t), wasmType(t.type));
  }

  /** As operand, for one that is read several times: the first expression must be evaluated before the others. */
  operandTwice(op: Op, i: number): { readonly first: Expr; readonly again: () => Expr } {
    const t = this.temp(op.args[i] as number);
    const type = wasmType(t.type);
    const alias = this.aliases.get(t.id);
    if (alias !== undefined) return { first: this.sum(alias), again: () => this.sum(alias) };
    const waiting = this.take(t);
    if (waiting !== undefined) {
      const [first] = this.twice(waiting.widen ? this.m.i64.extend_u(waiting.expr) : waiting.expr, t.type);
      const local = this.scratches.get(t.type) as number;
      return { first, again: () => this.m.local.get(local, type) };
    }
    if (t.kind === 'const') return { first: this.constant(t), again: () => this.constant(t) };
    const local = this.localRead(t);
    const again = (): Expr => this.m.local.get(local, type);
    return { first: again(), again };
  }

  /** What input `i` of the op is, when it is such a sum. */
  aliasOf(op: Op, i: number): Alias | undefined {
    return this.aliases.get(op.args[i] as number);
  }

  /** An i32 local for the address of a group of accesses, to the end of the TB. */
  groupLocal(): number {
    return (this.groupLocals[this.groups++] ??= this.newLocal('i32'));
  }

  /** Ends an op whose output is `alias`. */
  resultAlias(op: Op, alias: Alias): void {
    const t = this.temp(op.args[0] as number);
    if (t.kind !== 'global' && this.defs[t.id] === 1) {
      this.aliases.set(t.id, alias);
      this.giveBack();
    } else this.assign(op, this.sum(alias));
  }

  private sum({ local, offset }: Alias): Expr {
    const base = this.m.local.get(local, binaryen.i32);
    return offset === 0 ? base : this.m.i32.add(base, this.m.i32.const(offset));
  }

  /** Makes an operand that waits real, so that any of the arguments can be read several times; before the op's other operands. */
  settle(op: Op, i: number): () => Expr {
    const id = op.args[i] as number;
    const waiting = this.pending.get(id);
    if (waiting !== undefined) this.materialise(id, waiting);
    return this.operandTwice(op, i).again;
  }

  /** The i32 condition that input `i` of the op under way waits as, or undefined: a setcond that was not widened. */
  truth(op: Op, i: number): Expr | undefined {
    const id = op.args[i] as number;
    return this.pending.get(id)?.widen === true ? this.take(this.temp(id))?.expr : undefined;
  }

  /** Value of argument `i` when it is a constant. */
  constantOf(op: Op, i: number): bigint | undefined {
    const t = this.temp(op.args[i] as number);
    return t.kind === 'const' ? t.value : undefined;
  }

  /** A scratch local around one value: the first expression sets it. No other use of it may come between the two. */
  twice(value: Expr, type: Type): readonly [Expr, Expr] {
    let local = this.scratches.get(type);
    if (local === undefined) this.scratches.set(type, (local = this.newLocal(type)));
    return [this.m.local.tee(local, value, wasmType(type)), this.m.local.get(local, wasmType(type))];
  }

  /** Ends an op without effects, or a load, whose value is `expr`. `widen`: an i32 condition for an i64 temp. */
  result(op: Op, expr: Expr, widen = false): void {
    const t = this.temp(op.args[0] as number);
    if (t.kind !== 'global' && this.defs[t.id] === 1) {
      if (this.uses[t.id] === 0) {
        this.giveBack();
        return;
      }
      if (this.uses[t.id] === 1 && this.nested[t.id] === 1) {
        const { reads, holds, load } = this;
        this.pending.set(t.id, { expr, widen, reads, holds, load });
        if (load) this.pendingLoad = t.id;
        this.reads = [];
        this.holds = [];
        return;
      }
    }
    this.assign(op, widen ? this.m.i64.extend_u(expr) : expr);
  }

  /** Sets the op's output now: for ops with effects too. */
  assign(op: Op, expr: Expr): void {
    this.code.push(this.m.local.set(this.writable(op), expr));
    this.giveBack();
  }

  /** Local of the op's output, which the op's own code is going to set. */
  writable(op: Op): number {
    const t = this.temp(op.args[0] as number);
    const local = t.kind === 'global' ? this.globalLocal(t.id) : this.tempLocal(t);
    this.flushReaders(local);
    return local;
  }

  /** Ends an op with effects whose code is `exprs`. */
  statement(...exprs: readonly Expr[]): void {
    for (const expr of exprs) this.code.push(expr);
    this.giveBack();
  }

  /** The op under way reads guest memory and nothing else. */
  noteLoad(): void {
    this.flushLoads();
    this.load = true;
  }

  /** Makes the load that waits real, if there is one. */
  flushLoads(): void {
    const p = this.pendingLoad === undefined ? undefined : this.pending.get(this.pendingLoad);
    if (this.pendingLoad !== undefined && p !== undefined) this.materialise(this.pendingLoad, p);
  }

  /** Makes all that reads `local` real: it is going to be written. */
  flushReaders(local: number): void {
    if (this.pending.size === 0) return;
    for (const [id, p] of this.pending) if (p.reads.includes(local)) this.materialise(id, p);
  }

  globalLocal(id: number): number {
    const local = this.globalLocals[id];
    if (local === undefined) throw new InternalError(`global ${String(GLOBALS[id]?.name)} has no local`);
    return local;
  }

  /** Value of a global, for exits. */
  global(id: number): Expr {
    return this.m.local.get(this.globalLocal(id), wasmType((GLOBALS[id] as Temp).type));
  }

  newLocal(type: Type): number {
    this.types.push(type);
    return this.types.length - 1 + PARAMS;
  }

  /** Of all locals behind the parameters, for the function. */
  get localTypes(): binaryen.Type[] {
    return this.types.map(wasmType);
  }

  // ----------------------------------------------------------------

  private temp(id: number): Temp {
    const t = this.tb?.temps[id];
    if (t === undefined) throw new InternalError(`no temp ${id} in the TB`);
    return t;
  }

  /** Takes up what waits for `t`. */
  private take(t: Temp): Pending | undefined {
    const p = this.pending.get(t.id);
    if (p === undefined) return undefined;
    this.remove(t.id, p);
    for (const local of p.reads) this.reads.push(local);
    for (const id of p.holds) this.holds.push(id);
    this.load ||= p.load;
    return p;
  }

  /** Local of `t`, read by the op under way. */
  private localRead(t: Temp): number {
    if (t.id < NB_GLOBALS) {
      const local = this.globalLocal(t.id);
      this.reads.push(local);
      return local;
    }
    const local = this.tempLocals.get(t.id);
    if (local === undefined) throw new InternalError(`${t.name} is read before it is written`);
    if (t.kind === 'ebb' && this.defs[t.id] === 1) this.holds.push(t.id);
    else this.reads.push(local);
    return local;
  }

  private tempLocal(t: Temp): number {
    let local = this.tempLocals.get(t.id);
    if (local === undefined) {
      local = this.free.get(t.type)?.pop() ?? this.newLocal(t.type);
      this.tempLocals.set(t.id, local);
    }
    return local;
  }

  private remove(id: number, p: Pending): void {
    this.pending.delete(id);
    if (p.load) this.pendingLoad = undefined;
  }

  private materialise(id: number, p: Pending): void {
    this.remove(id, p);
    const t = this.temp(id);
    this.code.push(this.m.local.set(this.tempLocal(t), p.widen ? this.m.i64.extend_u(p.expr) : p.expr));
    this.drop(p.holds);
  }

  private giveBack(): void {
    this.drop(this.holds);
    this.begin();
  }

  /** What read the locals of these temps has been built in. */
  private drop(temps: readonly number[]): void {
    for (const id of temps) {
      const left = (this.uses[id] as number) - 1;
      this.uses[id] = left;
      if (left > 0) continue;
      this.release(this.tempLocals.get(id) as number);
      this.tempLocals.delete(id);
    }
  }

  private release(local: number): void {
    const type = this.types[local - PARAMS] as Type;
    const list = this.free.get(type);
    if (list === undefined) this.free.set(type, [local]);
    else list.push(local);
  }

  private constant(t: Temp): Expr {
    const { m } = this;
    const value = t.value ?? 0n;
    switch (t.type) {
      case 'i32':
      case 'i64':
        return intConst(m, t.type, value);
      // From the bits, so that no NaN goes through a JavaScript number.
      case 'f32':
        return m.f32.reinterpret(m.i32.const(Number(BigInt.asIntN(32, value))));
      case 'f64':
        return m.f64.reinterpret(m.i64.const(BigInt.asIntN(64, value)));
      case 'v128':
        return m.v128.const(Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)));
    }
  }
}
