/**
 * Code of single ops within a node. In: an op and where it stands. Out: code and values in Values.
 */
import binaryen from 'binaryen';
import { InternalError } from '../../src/base/errors.js';
import { CPU } from '../../src/guest/cpu-state.js';
import { CC } from '../../src/guest/flags.js';
import { G } from '../../src/ir/globals.js';
import { opInfo } from '../../src/ir/op-info.js';
import type { Cond, Op } from '../../src/ir/types.js';
import { sideExitStores } from './dataflow.js';
import type { CfgNode } from './cfg.js';
import type { Exits } from './exits.js';
import type { Expr } from './flow.js';
import { hostForm } from './host-forms.js';
import type { GlobalSet } from './global-set.js';
import type { RegionChecks } from './guard-facts.js';
import { GuardEmitter, type GuardPlace } from './guard-emitter.js';
import { compare, intConst, LOWER, type LowerContext } from './lower.js';
import type { ModuleParts } from './module-parts.js';
import { callInfo } from './call-info.js';
import { CPU_LOCAL, type Values, wasmType } from './values.js';

/** The guest instruction around an op, and the globals that differ from their home. */
export interface OpPlace extends GuardPlace {
  readonly dirty: GlobalSet;
}

type Build = (...args: readonly (number | readonly number[])[]) => Expr;

export class OpEmitter {
  private readonly m: binaryen.Module;
  private readonly builders = new Map<string, Build>();
  private readonly guards: GuardEmitter;
  private readonly lowering: LowerContext;

  constructor(
    private readonly parts: ModuleParts,
    private readonly values: Values,
    private readonly exits: Exits,
    /** Globals that the region names. */
    private readonly used: GlobalSet,
    checks: RegionChecks,
  ) {
    this.m = parts.m;
    this.lowering = { m: parts.m, host: parts.host, twice: (value, type) => values.twice(value, type) };
    this.guards = new GuardEmitter(parts, values, checks);
  }

  beginNode(node: CfgNode): void {
    this.guards.beginNode(node);
  }

  emit(op: Op, place: OpPlace): void {
    this.values.begin();
    const { guard, pure } = opInfo(op);
    if (guard !== undefined) {
      this.guards.emit(op, guard, place, () => this.faultLabel(place));
      return;
    }
    switch (op.name) {
      case 'align_check':
        this.alignCheck(op, place);
        return;
      case 'call':
        this.call(op, place);
        return;
      case 'setcond_i32':
        this.values.result(op, this.condition(op, 1, false));
        return;
      case 'setcond_i64':
        this.values.result(op, this.condition(op, 1, false), true);
        return;
      case 'movcond_i32':
      case 'movcond_i64': {
        const cond = this.condition(op, 1);
        this.values.result(op, this.m.select(cond, this.values.operand(op, 3), this.values.operand(op, 4)));
        return;
      }
      default:
    }
    if (pure) this.values.result(op, this.pure(op));
    else if (op.name.startsWith('atomic_')) this.atomic(op);
    else this.access(op);
  }

  /** The i32 condition of a brcond, setcond or movcond whose comparands are arguments `i` and `i + 1`; with `truth`, any value but 0 may stand for true. */
  condition(op: Op, i: number, truth = true): Expr {
    const { m, values } = this;
    const type = op.name.endsWith('_i32') ? 'i32' : 'i64';
    const cond = op.imms[0] as Cond;
    const zero = values.constantOf(op, i + 1) === 0n;
    if (zero && (cond === 'ne' || cond === 'eq')) {
      const known = values.truth(op, i);
      if (known !== undefined) return cond === 'ne' ? known : m.i32.eqz(known);
      if (cond === 'eq') return m[type].eqz(values.operand(op, i));
      if (truth && type === 'i32') return values.operand(op, i);
    }
    return compare(m, type, cond, values.operand(op, i), values.operand(op, i + 1), truth);
  }

  private pure(op: Op): Expr {
    const { def, outs } = opInfo(op);
    const args: Expr[] = [];
    for (let i = outs; i < op.args.length; i++) args.push(this.values.operand(op, i));
    const lower = LOWER.get(op.name);
    if (lower !== undefined) return lower(this.lowering, args, op.imms);
    if (def.wasm === undefined) throw new InternalError(`the compiler has no lowering for ${op.name}`);
    return this.builder(def.wasm)(...args);
  }

  /** Loads and stores of CPU state and of guarded guest memory, and fences. */
  private access(op: Op): void {
    const { m, values } = this;
    const { def, outs, effects, load } = opInfo(op);
    if (def.wasm === undefined) throw new InternalError(`the compiler has no lowering for ${op.name}`);
    const build = this.builder(def.wasm);
    // The address of a group of accesses: the distance from it is the instruction's offset.
    const group = values.aliasOf(op, outs);
    const args: Expr[] = [];
    if (effects.has('env-read') || effects.has('env-write')) args.push(this.cpu());
    for (let i = outs; i < op.args.length; i++)
      args.push(i === outs && group !== undefined ? m.local.get(group.local, binaryen.i32) : values.operand(op, i));
    // Guest accesses are of any alignment.
    const expr = effects.has('fence') ? build() : build(Number(op.imms[0]) + (group?.offset ?? 0), 1, ...args);
    if (load) {
      values.noteLoad();
      values.result(op, expr);
      return;
    }
    values.flushLoads();
    if (outs > 0) values.assign(op, expr);
    else values.statement(expr);
  }

  private alignCheck(op: Op, place: OpPlace): void {
    const { m, values } = this;
    values.flushLoads();
    const low = m.i32.and(m.i32.wrap(values.operand(op, 0)), m.i32.const(Number(op.imms[0]) - 1));
    const raise = this.parts.protection(this.cpu(), place.pc, place.ccOp);
    values.statement(m.if(low, m.block(null, [raise, m.br(this.faultLabel(place))])));
  }

  private call(op: Op, place: OpPlace): void {
    const { m, values, exits } = this;
    const { helper, stores, writes, info } = callInfo(String(op.imms[0]));
    const form = hostForm(this.parts.host, helper.name);
    if (form !== undefined) {
      const operands = helper.params.map((_, i) => values.settle(op, info.outs + i));
      const context = {
        m,
        twice: (value: Expr) => values.twice(value, 'v128'),
        constant: (i: number) => Number(values.constantOf(op, info.outs + i)),
        helper: () =>
          this.parts.core(
            helper.name,
            helper.params,
            helper.ret,
            operands.map((o) => o()),
          ),
      };
      values.result(op, form(context, operands));
      return;
    }
    if (helper.name === 'cc_compute_c') {
      values.result(op, this.carry(op));
      return;
    }
    const args = helper.params.map((_, i) => values.operand(op, info.outs + i));
    if (info.pure) {
      values.result(op, this.parts.core(helper.name, helper.params, helper.ret, args));
      return;
    }
    values.flushLoads();
    // What the call's own result is written to keeps that.
    const reload = writes
      .intersection(this.used)
      .ids()
      .filter((id) => info.outs === 0 || id !== op.args[0]);
    for (const id of reload) values.flushReaders(values.globalLocal(id));
    const before = exits.stores(place.dirty.intersection(stores));
    const faults = helper.faults === true;
    // The helper's flags, not those of the instruction's start, count when it has left in its middle.
    const ownFlags = stores.has(G.ccOp);
    if (faults && ownFlags && place.ccOp >= 0) before.push(exits.storeGlobal(G.ccOp, m.i32.const(place.ccOp)));
    const call = this.parts.core(helper.name, ['i32', ...helper.params], helper.ret, [this.cpu(), ...args]);
    const output = helper.ret === undefined ? undefined : values.writable(op);
    const after: Expr[] = [];
    if (faults) {
      const left = place.dirty.clone();
      left.subtract(stores);
      after.push(
        m.if(
          m.i32.load(CPU.EXIT_REASON, 4, this.cpu()),
          m.block(null, [
            this.parts.fault(this.cpu(), place.pc, ownFlags ? -1 : place.ccOp),
            m.br(this.faultLabel({ ...place, dirty: left })),
          ]),
        ),
      );
    }
    values.statement(
      ...before,
      output === undefined ? call : m.local.set(output, call),
      ...after,
      ...reload.map((id) => exits.loadGlobal(id)),
    );
  }

  /** CF where the code does not know CC_OP: behind INC and DEC, which keep it in loops, it is in cc_src; else the helper tells. */
  private carry(op: Op): Expr {
    const { m, values, parts } = this;
    const [ccOp, dst, src, src2] = op.args.slice(1).map((_, i) => values.settle(op, i + 1));
    if (ccOp === undefined || dst === undefined || src === undefined || src2 === undefined)
      throw new InternalError(`${op.name} lacks an argument`);
    const kept = m.i32.lt_u(m.i32.sub(ccOp(), m.i32.const(CC.INC)), m.i32.const(CC.DEC + 4 - CC.INC));
    const params = ['i32', 'i64', 'i64', 'i64'] as const;
    const call = parts.core('cc_compute_c', params, 'i64', [ccOp(), dst(), src(), src2()]);
    return m.if(kept, m.i64.and(src(), m.i64.const(1n)), call);
  }

  /** Aligned: one Wasm atomic; else the core, under its lock. */
  private atomic(op: Op): void {
    const { m, values } = this;
    const [, kind = '', bits] = /^atomic_([a-z]+)(\d+)$/.exec(op.name) ?? [];
    const size = Number(bits) / 8;
    values.flushLoads();
    const [address, ...rest] = op.args.slice(1).map((_, i) => values.settle(op, i + 1));
    if (address === undefined) throw new InternalError(`${op.name} has no address`);
    const operands = rest.map((get, i) => {
      // The expected value counts with its low bits alone.
      const narrow = kind === 'cmpxchg' && i === 0 && size < 8;
      return narrow ? m.i64.and(get(), intConst(m, 'i64', (1n << BigInt(8 * size)) - 1n)) : get();
    });
    const width = size === 8 ? '' : `${8 * size}_u`;
    const inline = this.builder(`i64.atomic.rmw${width}.${kind}`)(0, address(), ...operands);
    if (size === 1) {
      values.assign(op, inline);
      return;
    }
    const name = kind === 'cmpxchg' ? `atomicCmpxchg${size}` : `atomicRmw${size}_${kind}`;
    const split = this.parts.core(name, ['i32', ...rest.map(() => 'i64' as const)], 'i64', [
      address(),
      ...rest.map((get) => get()),
    ]);
    values.assign(op, m.if(m.i32.and(address(), m.i32.const(size - 1)), split, inline));
  }

  private faultLabel({ dirty, ccOp }: OpPlace): string {
    return this.exits.label(sideExitStores(dirty, ccOp));
  }

  private cpu(): Expr {
    return this.m.local.get(CPU_LOCAL, wasmType('i32'));
  }

  /** The Binaryen builder at a path such as 'i64.atomic.rmw8_u.add'. Throws InternalError when there is none. */
  private builder(path: string): Build {
    const known = this.builders.get(path);
    if (known !== undefined) return known;
    let at: unknown = this.m;
    for (const name of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[name];
    if (typeof at !== 'function') throw new InternalError(`Binaryen has no ${path}`);
    const build = at as Build;
    this.builders.set(path, build);
    return build;
  }
}
