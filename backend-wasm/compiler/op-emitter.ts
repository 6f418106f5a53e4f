/**
 * Code of single ops within a node. In: an op and where it stands. Out: code and values in Values.
 */
import binaryen from 'binaryen';
import { InternalError } from '../../src/base/errors.js';
import { CPU } from '../../src/guest/cpu-state.js';
import { GUEST_END, PAGE_SHIFT, PAGE_SIZE, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { G } from '../../src/ir/globals.js';
import type { Cond, Op } from '../../src/ir/types.js';
import { sideExitStores } from './dataflow.js';
import type { CfgNode } from './cfg.js';
import type { Exits } from './exits.js';
import type { Expr } from './flow.js';
import type { GlobalSet } from './global-set.js';
import { type GuardGroup, planGuards } from './guard-plan.js';
import { compare, intConst, LOWER } from './lower.js';
import type { GuardKind, ModuleParts } from './module-parts.js';
import { callInfo, opInfo } from './op-info.js';
import { CPU_LOCAL, type Values, wasmType } from './values.js';

/** The guest instruction around an op: its pc, its CC_OP (-1: in the global), and the globals that differ from their home. */
export interface OpPlace {
  /** Position among the TB's ops. */
  readonly at: number;
  readonly pc: number;
  readonly ccOp: number;
  readonly dirty: GlobalSet;
}

type Build = (...args: readonly (number | readonly number[])[]) => Expr;

/** Permission bit of the fast path. What may be written may be read (mmap(2) on x86), so rw asks for WFAST alone. */
const FAST = { r: PERM.RFAST, w: PERM.WFAST, rw: PERM.WFAST } as const satisfies Record<GuardKind, number>;

/** Bits of a page's permission byte that an access within the page asks for, and those that it looks at. */
const ON_PAGE = {
  read: { may: PERM.R, mask: PERM.R | PERM.SLOW },
  write: { may: PERM.W, mask: PERM.W | PERM.SLOW | PERM.CODE },
} as const;

export class OpEmitter {
  private readonly m: binaryen.Module;
  private readonly builders = new Map<string, Build>();
  private guards = 0;
  private plan: ReadonlyMap<number, GuardGroup> = new Map();
  /** Locals of the groups whose first guard has been emitted. */
  private readonly bases = new Map<GuardGroup, number>();

  constructor(
    private readonly parts: ModuleParts,
    private readonly values: Values,
    private readonly exits: Exits,
    /** Globals that the region names. */
    private readonly used: GlobalSet,
  ) {
    this.m = parts.m;
  }

  beginNode(node: CfgNode): void {
    this.plan = this.parts.groupGuards ? planGuards(node) : new Map();
    this.bases.clear();
  }

  emit(op: Op, place: OpPlace): void {
    this.values.begin();
    switch (op.name) {
      case 'guard_r':
        this.guard(op, 'r', place);
        return;
      case 'guard_w':
        this.guard(op, 'w', place);
        return;
      case 'guard_rw':
        this.guard(op, 'rw', place);
        return;
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
    const atomic = /^atomic_([a-z]+)(\d+)$/.exec(op.name);
    if (atomic !== null) this.atomic(op, atomic[1] ?? '', Number(atomic[2]) / 8);
    else if (opInfo(op).pure) this.values.result(op, this.pure(op));
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
    const { values, m } = this;
    const { def, outs } = opInfo(op);
    const args = op.args.slice(outs).map((_, i) => values.operand(op, outs + i));
    const lower = LOWER.get(op.name);
    if (lower !== undefined) return lower({ m, twice: (value, type) => values.twice(value, type) }, args, op.imms);
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
    const args = op.args
      .slice(outs)
      .map((_, i) =>
        i === 0 && group !== undefined ? m.local.get(group.local, binaryen.i32) : values.operand(op, outs + i),
      );
    if (effects.has('env-read') || effects.has('env-write')) args.unshift(this.cpu());
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

  /**
   * A permission check: inline where the page's byte allows the access, else a close look, and out when that fails too.
   *
   *     block $ok
   *       block $rare
   *         block $slow
   *           br_if $slow (address != zero-extended (host = low half of address))
   *           br_if $ok ((byte = permission byte of host's page) & bit for this page and the next)
   *           br_if $rare (byte allows it on this page and the access stays there)
   *         end
   *         br_if $exit (host = slow_x(cpu, address, size, pc, cc_op)) == 0
   *       end
   *     end
   *
   * The second chance is for the last page of a mapping: stacks, .bss and thread blocks end there. It meets the slow path before $ok: V8 would join its jump there with that of
   * the fast path, far from both. branch-hints.ts knows the pattern by its load from the permission table.
   */
  private guard(op: Op, kind: GuardKind, place: OpPlace): void {
    const { m, values } = this;
    const group = this.plan.get(place.at);
    if (group !== undefined) {
      this.grouped(op, group, place);
      return;
    }
    const size = Number(op.imms[0]);
    values.flushLoads();
    const known = values.constantOf(op, 1);
    const { first, again } = values.operandTwice(op, 1);
    const host = values.writable(op);
    const n = this.guards++;
    const [ok, rare, slow] = [`G${n}`, `R${n}`, `S${n}`];
    const check = (base: number, page: Expr): Expr[] => {
      const [perm, again] = values.twice(m.i32.load8_u(PERM_TABLE + base, 1, page), 'i32');
      const fast = m.br_if(ok, m.i32.and(perm, m.i32.const(FAST[kind])));
      return [fast, m.br_if(rare, this.allowedOnPage(kind, again, host, size))];
    };
    const inline: Expr[] = [];
    if (known === undefined) {
      const low = m.local.tee(host, m.i32.wrap(again()), binaryen.i32);
      inline.push(
        m.block(slow, [
          m.br_if(slow, m.i64.ne(first, m.i64.extend_u(low))),
          ...check(0, m.i32.shr_u(m.local.get(host, binaryen.i32), m.i32.const(PAGE_SHIFT))),
        ]),
      );
    } else if (known < GUEST_END) {
      inline.push(
        m.local.set(host, intConst(m, 'i32', known)),
        m.block(slow, check(Number(known >> BigInt(PAGE_SHIFT)), m.i32.const(0))),
      );
    }
    const look = this.parts.slowGuard(kind, this.cpu(), again(), size, place.pc, place.ccOp);
    const exit = m.br_if(this.faultLabel(place), m.i32.eqz(m.local.tee(host, look, binaryen.i32)));
    values.statement(m.block(ok, [m.block(rare, [...inline, exit])]));
  }

  /** A guard of a group: the first one checks for all of them, as guard() does, but what fails is left to the interpreter. */
  private grouped(op: Op, group: GuardGroup, place: OpPlace): void {
    const { m, values } = this;
    const offset = group.offsets.get(place.at) ?? 0;
    let base = this.bases.get(group);
    if (base === undefined) {
      this.bases.set(group, (base = values.groupLocal()));
      values.flushLoads();
      const address = values.operand(op, 1);
      const lowest = offset === 0 ? address : m.i64.sub(address, m.i64.const(BigInt(offset)));
      const [first, again] = values.twice(lowest, 'i64');
      const n = this.guards++;
      const [ok, rare, slow] = [`G${n}`, `R${n}`, `S${n}`];
      const low = m.local.tee(base, m.i32.wrap(again), binaryen.i32);
      const page = m.i32.shr_u(m.local.get(base, binaryen.i32), m.i32.const(PAGE_SHIFT));
      const outside = m.i64.ne(first, m.i64.extend_u(low));
      const [perm, byte] = values.twice(m.i32.load8_u(PERM_TABLE, 1, page), 'i32');
      const checks = m.block(slow, [
        m.br_if(slow, outside),
        m.br_if(ok, m.i32.and(perm, m.i32.const(FAST[group.kind]))),
        m.br_if(rare, this.allowedOnPage(group.kind, byte, base, group.size)),
      ]);
      const leave = [this.parts.closeLook(this.cpu(), place.pc, place.ccOp), m.br(this.faultLabel(place))];
      values.statement(m.block(ok, [m.block(rare, [checks, ...leave])]));
    } else values.operand(op, 1);
    values.resultAlias(op, { local: base, offset });
  }

  private allowedOnPage(kind: GuardKind, perm: Expr, host: number, size: number): Expr {
    const { m } = this;
    const { may, mask } = kind === 'r' ? ON_PAGE.read : ON_PAGE.write;
    const allowed = m.i32.eq(m.i32.and(perm, m.i32.const(mask)), m.i32.const(may));
    if (size === 1) return allowed;
    const offset = m.i32.and(m.local.get(host, binaryen.i32), m.i32.const(PAGE_SIZE - 1));
    return m.i32.and(allowed, m.i32.le_u(offset, m.i32.const(PAGE_SIZE - size)));
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

  /** Aligned: one Wasm atomic; else the core, under its lock. */
  private atomic(op: Op, kind: string, size: number): void {
    const { m, values } = this;
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
