/**
 * One region as one Wasm function. In: a Region, a Binaryen module with its imports, the slots of other regions. Out: a function `(cpu: i32) -> i32` added to the module.
 *
 * Globals that the region names live in locals: loaded at the entry where a path reads them first, stored where the region is left if they may have changed (dataflow.ts).
 * Side exits share their code: a guard that fails sets the locals for rip and cc_op and branches to the exit of its set of changed globals, behind the body.
 */
import binaryen from 'binaryen';
import { InternalError } from '../../src/base/errors.js';
import { CPU, EXC, EXIT, JUMP_CACHE_BITS, JUMP_CACHE_SIZE } from '../../src/guest/cpu-state.js';
import { PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { G, GLOBALS, NB_GLOBALS } from '../../src/ir/globals.js';
import type { Cond, Op, Tb, Temp, Type } from '../../src/ir/types.js';
import { buildCfg, type Cfg, type CfgNode } from './cfg.js';
import { analyse, exitStores, sideExitStores, stepOp, type Dataflow } from './dataflow.js';
import { makeReducible, reversePostorder, type Expr, type FlowNode, type FlowTerm } from './flow.js';
import { GlobalSet } from './global-set.js';
import { compare, intConst, LOWER } from './lower.js';
import { callInfo, opInfo } from './op-info.js';
import { successors } from './cfg.js';
import { structure } from './structure.js';
import type { Region } from './region.js';

export interface EmitContext {
  readonly m: binaryen.Module;
  /** Function-table slot of a guest pc; 0: none, the exit goes through the dispatcher. */
  readonly slotOf: (pc: number) => number;
  /** Name of the imported core function; adds the import when it is the first use. */
  readonly core: (name: string, params: readonly Type[], result: Type | undefined) => string;
}

export const TABLE = 'table';
const CPU_LOCAL = 0;

export function wasmType(t: Type): binaryen.Type {
  return { i32: binaryen.i32, i64: binaryen.i64, f32: binaryen.f32, f64: binaryen.f64, v128: binaryen.v128 }[t];
}

/** Adds the function `name`. Throws InternalError when an op can't be lowered. */
export function emitRegion(c: EmitContext, region: Region, name: string): void {
  const cfg = buildCfg(region);
  const order = reversePostorder((n) => successors((cfg.nodes[n] as CfgNode).term), cfg.entry).map(
    (n) => cfg.nodes[n] as CfgNode,
  );
  new Emitter(c, cfg, analyse(cfg, order), order).emit(name);
}

/** Kinds of shared exits: a fault whose reason is in CPU state, or a poll. */
type ExitKind = 'fault' | 'poll';

class Emitter {
  private readonly m: binaryen.Module;
  private readonly locals: binaryen.Type[] = [];
  private readonly globalLocals = new Map<number, number>();
  /** Locals of temps by type; those of a TB are given out anew for the next one. */
  private readonly pools = new Map<Type, number[]>();
  private readonly tempLocals = new Map<number, number>();
  private readonly poolUsed = new Map<Type, number>();
  private readonly exits = new Map<
    string,
    { readonly label: string; readonly kind: ExitKind; readonly stores: GlobalSet }
  >();
  private readonly ripLocal: number;
  private readonly ccLocal: number;
  private tb: Tb | undefined;
  private pc = 0;
  private ccOp = -1;

  constructor(
    private readonly c: EmitContext,
    private readonly cfg: Cfg,
    private readonly flow: Dataflow,
    private readonly order: readonly CfgNode[],
  ) {
    this.m = c.m;
    this.ripLocal = this.local('i64');
    this.ccLocal = this.local('i32');
    for (const id of flow.used.ids()) this.globalLocals.set(id, this.local((GLOBALS[id] as Temp).type));
  }

  emit(name: string): void {
    const { m } = this;
    const nodes: FlowNode[] = this.cfg.nodes.map(() => ({ code: [], term: { kind: 'stop' } }));
    // TB by TB, so that a TB's temps keep their locals over all of its nodes.
    for (const node of [...this.order].sort((a, b) => a.id - b.id)) nodes[node.id] = this.node(node);
    const entry = nodes.length;
    nodes.push({
      code: this.flow.entryLoads.ids().flatMap((id) => this.loadGlobal(id)),
      term: { kind: 'jump', to: this.cfg.entry },
    });
    makeReducible(nodes, entry, {
      local: () => this.local('i32'),
      set: (local, value) => m.local.set(local, m.i32.const(value)),
    });
    let body = structure(m, nodes, entry);
    for (const { label, kind, stores } of this.exits.values())
      body = [m.block(label, body), ...this.exitCode(kind, stores)];
    m.addFunction(
      name,
      binaryen.createType([binaryen.i32]),
      binaryen.i32,
      this.locals,
      m.block(null, [...body, m.unreachable()], binaryen.i32),
    );
  }

  // ---------------------------------------------------------------- nodes

  private node(node: CfgNode): FlowNode {
    if (this.tb !== node.tb) {
      this.tb = node.tb;
      this.tempLocals.clear();
      this.poolUsed.clear();
    }
    this.pc = node.pc;
    this.ccOp = node.ccOp;
    const dirty = (this.flow.dirty[node.id] as GlobalSet).clone();
    const code: Expr[] = [];
    for (let i = node.start; i < node.end; i++) {
      const op = node.tb.ops[i] as Op;
      if (op.name === 'insn_start') {
        this.pc = Number(op.imms[0]);
        this.ccOp = Number(op.imms[1]);
        continue;
      }
      this.op(op, dirty, code);
      stepOp(op, this.ccOp, dirty, this.flow.used);
    }
    return { code, term: this.terminate(node, dirty, code) };
  }

  private terminate(node: CfgNode, dirty: GlobalSet, code: Expr[]): FlowTerm {
    const { m } = this;
    const { term } = node;
    switch (term.kind) {
      case 'jump':
        return { kind: 'jump', to: term.to };
      case 'branch': {
        const type = term.op.name === 'brcond_i32' ? 'i32' : 'i64';
        const cond = compare(m, type, term.op.imms[0] as Cond, this.arg(term.op, 0), this.arg(term.op, 1), true);
        return { kind: 'branch', cond, taken: term.taken, next: term.next };
      }
      case 'goto':
        if (term.poll) {
          code.push(m.if(this.control(), m.block(null, this.sideExit('poll', exitStores(term, dirty), term.pc, -1))));
        }
        return { kind: 'jump', to: term.to };
      case 'leave': {
        code.push(
          ...this.stores(exitStores(term, dirty)),
          this.storeRip(m.i64.const(BigInt(term.pc))),
          this.pollOrGo(),
        );
        const slot = this.c.slotOf(term.pc);
        code.push(slot === 0 ? m.return(m.i32.const(0)) : this.tailCall(m.i32.const(slot)));
        return { kind: 'stop' };
      }
      case 'lookup':
        code.push(...this.stores(exitStores(term, dirty)), this.pollOrGo(), ...this.lookup());
        return { kind: 'stop' };
      case 'exit': {
        const [reason, argument, pc] = term.op.imms.map(Number);
        code.push(
          ...this.stores(exitStores(term, dirty)),
          this.storeRip(m.i64.const(BigInt(pc ?? 0))),
          m.i64.store(CPU.EXIT_ARG0, 8, this.cpu(), m.i64.const(BigInt(argument ?? 0))),
          this.leaveWith(reason ?? 0),
        );
        return { kind: 'stop' };
      }
    }
  }

  /** EXIT_POLL when CONTROL is not 0; rip has been stored. */
  private pollOrGo(): Expr {
    return this.m.if(this.control(), this.leaveWith(EXIT.POLL));
  }

  private leaveWith(reason: number): Expr {
    const { m } = this;
    return m.block(null, [
      m.i32.store(CPU.EXIT_REASON, 4, this.cpu(), m.i32.const(reason)),
      m.return(m.i32.const(reason)),
    ]);
  }

  private control(): Expr {
    return this.m.i32.atomic.load(CPU.CONTROL, this.cpu());
  }

  private tailCall(slot: Expr): Expr {
    return this.m.return_call_indirect(TABLE, slot, [this.cpu()], binaryen.createType([binaryen.i32]), binaryen.i32);
  }

  /** Probe of the jump cache: { i64 pc, i32 TB header, i32 slot }; else back to the dispatcher. */
  private lookup(): Expr[] {
    const { m } = this;
    const rip = this.globalLocals.get(G.rip) as number;
    const entry = this.local('i32');
    const lo = (): Expr => m.i32.wrap(m.local.get(rip, binaryen.i64));
    const index = m.i32.and(
      m.i32.xor(lo(), m.i32.shr_u(lo(), m.i32.const(JUMP_CACHE_BITS))),
      m.i32.const(JUMP_CACHE_SIZE - 1),
    );
    const at = (): Expr => m.local.get(entry, binaryen.i32);
    const slot = this.local('i32');
    return [
      m.local.set(entry, m.i32.add(this.cpu(), m.i32.shl(index, m.i32.const(4)))),
      m.local.set(slot, m.i32.load(CPU.JUMP_CACHE + 12, 4, at())),
      m.if(
        m.i32.and(
          m.i64.eq(m.i64.load(CPU.JUMP_CACHE, 8, at()), m.local.get(rip, binaryen.i64)),
          m.i32.ne(m.local.get(slot, binaryen.i32), m.i32.const(0)),
        ),
        this.tailCall(m.local.get(slot, binaryen.i32)),
      ),
      m.return(m.i32.const(0)),
    ];
  }

  // ---------------------------------------------------------------- exits

  /** Sets the locals that the shared exit wants, and goes there. */
  private sideExit(kind: ExitKind, stores: GlobalSet, pc: number, ccOp: number): Expr[] {
    const { m } = this;
    const key = `${kind}.${stores.key}`;
    let exit = this.exits.get(key);
    if (exit === undefined)
      this.exits.set(key, (exit = { label: `X${this.exits.size}`, kind, stores: stores.clone() }));
    return [
      m.local.set(this.ripLocal, m.i64.const(BigInt(pc))),
      m.local.set(this.ccLocal, m.i32.const(ccOp)),
      m.br(exit.label),
    ];
  }

  private exitCode(kind: ExitKind, stores: GlobalSet): Expr[] {
    const { m } = this;
    const code = [...this.stores(stores), this.storeRip(m.local.get(this.ripLocal, binaryen.i64))];
    const cc = (): Expr => m.local.get(this.ccLocal, binaryen.i32);
    code.push(m.if(m.i32.ge_s(cc(), m.i32.const(0)), m.i32.store(CPU.CC_OP, 4, this.cpu(), cc())));
    code.push(kind === 'poll' ? this.leaveWith(EXIT.POLL) : m.return(m.i32.load(CPU.EXIT_REASON, 4, this.cpu())));
    return code;
  }

  private stores(set: GlobalSet): Expr[] {
    return set.ids().map((id) => {
      const g = GLOBALS[id] as Temp;
      const value = this.global(id);
      const offset = g.offset ?? 0;
      const { m } = this;
      if (g.type === 'v128') return m.v128.store(offset, 16, this.cpu(), value);
      return g.type === 'i32' ? m.i32.store(offset, 4, this.cpu(), value) : m.i64.store(offset, 8, this.cpu(), value);
    });
  }

  private storeRip(value: Expr): Expr {
    return this.m.i64.store(CPU.RIP, 8, this.cpu(), value);
  }

  private loadGlobal(id: number): Expr[] {
    const local = this.globalLocals.get(id);
    if (local === undefined) return [];
    const { m } = this;
    const g = GLOBALS[id] as Temp;
    const offset = g.offset ?? 0;
    const value =
      g.type === 'v128'
        ? m.v128.load(offset, 16, this.cpu())
        : g.type === 'i32'
          ? m.i32.load(offset, 4, this.cpu())
          : m.i64.load(offset, 8, this.cpu());
    return [m.local.set(local, value)];
  }

  // ---------------------------------------------------------------- ops

  private op(op: Op, dirty: GlobalSet, code: Expr[]): void {
    const { m } = this;
    switch (op.name) {
      case 'guard_r':
        this.guard(op, 'r', PERM.RFAST, dirty, code);
        return;
      case 'guard_w':
        this.guard(op, 'w', PERM.WFAST, dirty, code);
        return;
      case 'guard_rw':
        this.guard(op, 'rw', PERM.RFAST | PERM.WFAST, dirty, code);
        return;
      case 'align_check': {
        const low = m.i64.and(this.arg(op, 0), m.i64.const(BigInt(Number(op.imms[0]) - 1)));
        const raise = [
          m.i32.store(CPU.EXIT_REASON, 4, this.cpu(), m.i32.const(EXIT.EXCEPTION)),
          m.i64.store(CPU.EXIT_ARG0, 8, this.cpu(), m.i64.const(BigInt(EXC.GP))),
          m.i64.store(CPU.EXIT_ARG1, 8, this.cpu(), m.i64.const(0n)),
          ...this.fault(dirty),
        ];
        code.push(m.if(m.i64.ne(low, m.i64.const(0n)), m.block(null, raise)));
        return;
      }
      case 'call':
        this.call(op, dirty, code);
        return;
      case 'fence':
        code.push(m.atomic.fence());
        return;
      default:
    }
    if (op.name.startsWith('setcond_')) {
      const type = op.name === 'setcond_i32' ? 'i32' : 'i64';
      const truth = compare(m, type, op.imms[0] as Cond, this.arg(op, 1), this.arg(op, 2));
      code.push(this.set(op.args[0] as number, type === 'i64' ? m.i64.extend_u(truth) : truth));
      return;
    }
    const atomic = /^atomic_(add|and|or|xor|xchg|cmpxchg)(\d+)$/.exec(op.name);
    if (atomic !== null) {
      this.atomic(op, atomic[1] ?? '', Number(atomic[2]) / 8, code);
      return;
    }
    const def = opInfo(op).def;
    const memory = this.memoryAccess(op);
    if (memory !== undefined) {
      code.push(def.outs.length === 0 ? memory : this.set(op.args[0] as number, memory));
      return;
    }
    code.push(this.set(op.args[0] as number, this.value(op)));
  }

  /** Value of a pure op. */
  private value(op: Op): Expr {
    const { def, outs } = opInfo(op);
    const args = op.args.slice(outs).map((_, i) => this.arg(op, outs + i));
    const lower = LOWER.get(op.name);
    if (lower !== undefined) {
      return lower(
        {
          m: this.m,
          twice: (value, type) => {
            const local = this.local(type);
            return [this.m.local.tee(local, value, wasmType(type)), this.m.local.get(local, wasmType(type))];
          },
        },
        args,
        op.imms,
      );
    }
    if (def.wasm === undefined) throw new InternalError(`the compiler has no lowering for ${op.name}`);
    return builder(this.m, def.wasm)(...args);
  }

  /** Loads and stores of CPU state and of guarded guest memory; undefined for other ops. */
  private memoryAccess(op: Op): Expr | undefined {
    const { def } = opInfo(op);
    if (def.wasm === undefined) return undefined;
    const offset = Number(op.imms[0]);
    const align = 1;
    const build = (...args: readonly number[]): Expr => builder(this.m, def.wasm ?? '')(offset, align, ...args);
    if (def.effects.includes('env-read')) return build(this.cpu());
    if (def.effects.includes('env-write')) return build(this.cpu(), this.arg(op, 0));
    if (op.name.startsWith('gld')) return build(this.arg(op, 1));
    if (op.name.startsWith('gst')) return build(this.arg(op, 0), this.arg(op, 1));
    return undefined;
  }

  /** A permission check: inline where the page's byte allows the access, else the core looks closely. */
  private guard(op: Op, kind: 'r' | 'w' | 'rw', bits: number, dirty: GlobalSet, code: Expr[]): void {
    const { m } = this;
    const host = op.args[0] as number;
    const address = (): Expr => this.arg(op, 1);
    const low = (): Expr => m.i32.wrap(address());
    const perm = m.i32.load8_u(PERM_TABLE, 1, m.i32.shr_u(low(), m.i32.const(12)));
    const refused = m.i32.ne(m.i32.and(perm, m.i32.const(bits)), m.i32.const(bits));
    const high = m.i32.wrap(m.i64.shr_u(address(), m.i64.const(32n)));
    const slow = this.c.core(`guardSlow_${kind}`, ['i32', 'i64', 'i32'], 'i32');
    code.push(
      this.set(host, low()),
      m.if(
        m.i32.or(refused, high),
        m.if(
          m.i32.eqz(
            this.tee(host, m.call(slow, [this.cpu(), address(), m.i32.const(Number(op.imms[0]))], binaryen.i32)),
          ),
          m.block(null, this.fault(dirty)),
        ),
      ),
    );
  }

  private fault(dirty: GlobalSet): Expr[] {
    return this.sideExit('fault', sideExitStores(dirty, this.ccOp), this.pc, this.ccOp);
  }

  private call(op: Op, dirty: GlobalSet, code: Expr[]): void {
    const { m } = this;
    const { helper, stores, writes, info } = callInfo(String(op.imms[0]));
    const name = this.c.core(helper.name, helper.pure === true ? helper.params : ['i32', ...helper.params], helper.ret);
    const args = helper.params.map((_, i) => this.arg(op, info.outs + i));
    if (helper.pure !== true) {
      args.unshift(this.cpu());
      code.push(...this.stores(dirty.intersection(stores)));
    }
    const call = m.call(name, args, helper.ret === undefined ? binaryen.none : wasmType(helper.ret));
    code.push(helper.ret === undefined ? call : this.set(op.args[0] as number, call));
    if (helper.pure === true) return;
    for (const id of writes.intersection(this.flow.used).ids()) code.push(...this.loadGlobal(id));
    if (helper.faults === true) {
      const after = dirty.clone();
      after.subtract(stores);
      code.push(m.if(m.i32.load(CPU.EXIT_REASON, 4, this.cpu()), m.block(null, this.fault(after))));
    }
  }

  /** Aligned: one Wasm atomic; else the core, under its lock. */
  private atomic(op: Op, kind: string, size: number, code: Expr[]): void {
    const { m } = this;
    const exchange = kind === 'cmpxchg';
    const args = (): Expr[] => op.args.slice(1).map((_, i) => this.arg(op, i + 1));
    const name = this.c.core(
      exchange ? `atomicCmpxchg${size}` : `atomicRmw${size}_${kind}`,
      exchange ? ['i32', 'i64', 'i64'] : ['i32', 'i64'],
      'i64',
    );
    const [pointer = 0, ...values] = args();
    const suffix = size === 8 ? '' : `${8 * size}_u`;
    const inline = builder(m, `i64.atomic.rmw${suffix}.${kind}`)(0, pointer, ...values);
    const result =
      size === 1
        ? inline
        : m.if(m.i32.and(this.arg(op, 1), m.i32.const(size - 1)), m.call(name, args(), binaryen.i64), inline);
    code.push(this.set(op.args[0] as number, result));
  }

  // ---------------------------------------------------------------- locals

  private cpu(): Expr {
    return this.m.local.get(CPU_LOCAL, binaryen.i32);
  }

  private local(type: Type): number {
    this.locals.push(wasmType(type));
    return this.locals.length;
  }

  private arg(op: Op, i: number): Expr {
    const id = op.args[i] as number;
    const t = this.tb?.temps[id];
    if (t === undefined) throw new InternalError(`${op.name} has no argument ${i}`);
    if (t.kind === 'const') return this.constant(t);
    return id < NB_GLOBALS ? this.global(id) : this.m.local.get(this.tempLocal(t), wasmType(t.type));
  }

  private global(id: number): Expr {
    const local = this.globalLocals.get(id);
    if (local === undefined) throw new InternalError(`global ${id} has no local`);
    return this.m.local.get(local, wasmType((GLOBALS[id] as Temp).type));
  }

  private constant(t: Temp): Expr {
    const { m } = this;
    const value = t.value ?? 0n;
    switch (t.type) {
      case 'i32':
      case 'i64':
        return intConst(m, t.type, value);
      case 'f32':
        return m.f32.reinterpret(m.i32.const(Number(BigInt.asIntN(32, value))));
      case 'f64':
        return m.f64.reinterpret(m.i64.const(BigInt.asIntN(64, value)));
      case 'v128':
        return m.v128.const(Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)));
    }
  }

  private localOf(id: number): number {
    const t = this.tb?.temps[id];
    if (t === undefined) throw new InternalError(`no temp ${id}`);
    const local = id < NB_GLOBALS ? this.globalLocals.get(id) : this.tempLocal(t);
    if (local === undefined) throw new InternalError(`${t.name} has no local`);
    return local;
  }

  private set(id: number, value: Expr): Expr {
    return this.m.local.set(this.localOf(id), value);
  }

  private tee(id: number, value: Expr): Expr {
    const t = this.tb?.temps[id];
    return this.m.local.tee(this.localOf(id), value, wasmType(t?.type ?? 'i32'));
  }

  private tempLocal(t: Temp): number {
    const known = this.tempLocals.get(t.id);
    if (known !== undefined) return known;
    let pool = this.pools.get(t.type);
    if (pool === undefined) this.pools.set(t.type, (pool = []));
    const n = this.poolUsed.get(t.type) ?? 0;
    this.poolUsed.set(t.type, n + 1);
    const local = pool[n] ?? this.local(t.type);
    pool[n] = local;
    this.tempLocals.set(t.id, local);
    return local;
  }
}

/** The Binaryen builder at a path such as 'i64.atomic.rmw8_u.add'. Throws InternalError when there is none. */
export function builder(m: binaryen.Module, path: string): (...args: readonly number[]) => Expr {
  let at: unknown = m;
  for (const name of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[name];
  if (typeof at !== 'function') throw new InternalError(`Binaryen has no ${path}`);
  return at as (...args: readonly number[]) => Expr;
}
