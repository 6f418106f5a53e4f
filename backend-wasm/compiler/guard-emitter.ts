/**
 * Code of permission checks. In: guard ops and where they stand. Out: code in Values; addresses in locals, or sums of a local and a constant (guard-plan.ts).
 *
 *     block $ok
 *       block $rare
 *         block $slow
 *           br_if $slow (address != zero-extended (host = low half of address))
 *           br_if $ok ((byte = permission byte of host's page) & bit for this page and the next)
 *           br_if $rare (byte allows it on this page and the access stays there)
 *         end
 *         br_if $exit (look_x(cpu, address, size, pc, cc_op))
 *       end
 *     end
 *
 * The slow path either allows the access where it is or leaves the region, so that the address is the low half of the guest's on all paths: were it one of two values, V8 would copy it
 * at each access. What lies elsewhere (GUEST_END and above) is left to the interpreter, EXIT.CLOSE_LOOK; plain guards get the address from the slow path.
 *
 * Where the address is known to be below GUEST_END (value-ranges.ts), the first line is gone, and where all that it may be is on two pages, a look at the first of them, a constant one, comes
 * before the others: a table and a narrow index.
 *
 *           br_if $ok (byte of the lowest address's page & bit for this page and the next)
 *
 * The second chance is for the last page of a mapping: stacks, .bss and thread blocks end there. It meets the slow path before $ok: V8 would join its jump there with that of
 * the fast path, far from both. Out of the way as it is, it costs V8's spills, so TBs that the interpreter has seen mostly there (TB.EDGES) have it beside the first look. What can't leave its page needs
 * this look alone. branch-hints.ts knows the pattern by its load from the permission table.
 */
import binaryen from 'binaryen';
import { GUEST_END, PAGE_SHIFT, PAGE_SIZE, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import type { GuardKind } from '../../src/ir/op-info.js';
import type { Op } from '../../src/ir/types.js';
import type { CfgNode } from './cfg.js';
import type { Expr } from './flow.js';
import { type RegionChecks } from './guard-facts.js';
import { type GuardGroup, planGuards } from './guard-plan.js';
import { intConst } from './lower.js';
import type { ModuleParts } from './module-parts.js';
import { type ValueRange, valueRange } from './value-ranges.js';
import { CPU_LOCAL, type Values } from './values.js';

/** The guest instruction around a guard, and where to leave the region. */
export interface GuardPlace {
  /** Position among the TB's ops. */
  readonly at: number;
  readonly pc: number;
  /** CC_OP, -1: in the global. */
  readonly ccOp: number;
}

/** Permission bit of the fast path. What may be written may be read (mmap(2) on x86), so rw asks for WFAST alone. */
const FAST = { r: PERM.RFAST, w: PERM.WFAST, rw: PERM.WFAST } as const satisfies Record<GuardKind, number>;

/** Bits of a page's permission byte that an access within the page asks for, and those that it looks at. */
const ON_PAGE = {
  read: { may: PERM.R, mask: PERM.R | PERM.SLOW },
  write: { may: PERM.W, mask: PERM.W | PERM.SLOW | PERM.CODE },
} as const;

interface Labels {
  readonly ok: string;
  readonly rare: string;
  readonly slow: string;
}

export class GuardEmitter {
  private readonly m: binaryen.Module;
  private guards = 0;
  private node: CfgNode | undefined;
  private isAtEdges = false;
  private plan: ReadonlyMap<number, GuardGroup> = new Map();
  /** Locals of the groups whose first guard has been emitted, by its position. */
  private readonly bases = new Map<number, number>();

  constructor(
    private readonly parts: ModuleParts,
    private readonly values: Values,
    private readonly known: RegionChecks,
  ) {
    this.m = parts.m;
  }

  beginNode(node: CfgNode): void {
    const { plainGuards, passes } = this.parts;
    this.plan =
      plainGuards || !passes.on('guard-groups')
        ? new Map()
        : (this.known.plans[node.id] ?? planGuards(node, undefined, this.known.hulls)).groups;
    this.bases.clear();
    this.isAtEdges = this.parts.atEdges(node.tb.pc);
    this.node = node;
  }

  /** @param exit gives the label to leave the region by, at the instruction of `place` */
  emit(op: Op, kind: GuardKind, place: GuardPlace, exit: () => string): void {
    if (this.parts.unchecked) this.unchecked(op);
    else {
      const group = this.plan.get(place.at);
      if (group === undefined) this.single(op, kind, place, exit);
      else this.grouped(op, group, place, exit);
    }
  }

  /** The address is taken as it is. */
  private unchecked(op: Op): void {
    const { values, m } = this;
    values.result(op, m.i32.wrap(values.operand(op, 1)));
  }

  private single(op: Op, kind: GuardKind, place: GuardPlace, exit: () => string): void {
    const { m, values, parts } = this;
    const size = Number(op.imms[0]);
    values.flushLoads();
    const known = values.constantOf(op, 1);
    const { first, again } = values.operandTwice(op, 1);
    const host = values.writable(op);
    const labels = this.labels();
    const inline: Expr[] = [];
    if (known === undefined) {
      const range = this.rangeBelowEnd(op, place);
      const low = m.i32.wrap(range === undefined ? again() : first);
      const page = m.i32.shr_u(m.local.get(host, binaryen.i32), m.i32.const(PAGE_SHIFT));
      const checks = this.checks(labels, kind, host, size, 0, page);
      if (range === undefined)
        checks.unshift(m.br_if(labels.slow, m.i64.ne(first, m.i64.extend_u(m.local.tee(host, low, binaryen.i32)))));
      else {
        inline.push(m.local.set(host, low));
        if (range.high + size - range.low <= PAGE_SIZE) inline.push(this.tableCheck(labels, kind, range.low));
      }
      inline.push(m.block(labels.slow, checks));
    } else {
      inline.push(m.local.set(host, intConst(m, 'i32', BigInt.asIntN(32, known))));
      if (known >= 0n && known < GUEST_END) {
        const page = Number(known >> BigInt(PAGE_SHIFT));
        const isOnPage = (Number(known) & (PAGE_SIZE - 1)) + size <= PAGE_SIZE;
        const checks = this.checks(labels, kind, host, isOnPage ? 1 : size, page, m.i32.const(0));
        inline.push(m.block(labels.slow, checks));
      }
    }
    const look = parts.plainGuards
      ? m.i32.eqz(
          m.local.tee(host, parts.slowGuard(kind, this.cpu(), again(), size, place.pc, place.ccOp), binaryen.i32),
        )
      : parts.look(kind, this.cpu(), again(), size, place.pc, place.ccOp);
    values.statement(m.block(labels.ok, [m.block(labels.rare, [...inline, m.br_if(exit(), look)])]));
  }

  /** A guard of a group: the first one checks for all of them, and what fails is left to the interpreter. */
  private grouped(op: Op, group: GuardGroup, place: GuardPlace, exit: () => string): void {
    const { m, values } = this;
    const offset = group.offsets.get(place.at) ?? 0;
    let base = this.bases.get(group.lead);
    if (base === undefined) {
      this.bases.set(group.lead, (base = values.groupLocal()));
      if (group.kind !== undefined) values.flushLoads();
      const address = values.operand(op, 1);
      const lowest = offset === 0 ? address : m.i64.sub(address, m.i64.const(BigInt(offset)));
      if (group.kind === undefined) {
        values.statement(m.local.set(base, m.i32.wrap(lowest)));
        values.resultAlias(op, { local: base, offset });
        return;
      }
      const [first, again] = values.twice(lowest, 'i64');
      const labels = this.labels();
      const low = m.local.tee(base, m.i32.wrap(again), binaryen.i32);
      const page = m.i32.shr_u(m.local.get(base, binaryen.i32), m.i32.const(PAGE_SHIFT));
      const checks = m.block(labels.slow, [
        m.br_if(labels.slow, m.i64.ne(first, m.i64.extend_u(low))),
        ...this.checks(labels, group.kind, base, group.size, 0, page),
      ]);
      const leave = [this.parts.closeLook(this.cpu(), place.pc, place.ccOp), m.br(exit())];
      values.statement(m.block(labels.ok, [m.block(labels.rare, [checks, ...leave])]));
    } else values.operand(op, 1);
    values.resultAlias(op, { local: base, offset });
  }

  /** What the address of a guard may be, where all of that is below GUEST_END. */
  private rangeBelowEnd(op: Op, { at }: GuardPlace): ValueRange | undefined {
    const range = this.node && valueRange(this.node, op.args[1], at);
    return range !== undefined && range.low >= 0 && range.high < GUEST_END ? range : undefined;
  }

  /** The look at the page of `low` that allows a page's bytes from there on. */
  private tableCheck({ ok }: Labels, kind: GuardKind, low: number): Expr {
    const { m } = this;
    const perm = this.permission(low >>> PAGE_SHIFT, m.i32.const(0));
    return m.br_if(ok, m.i32.and(perm, m.i32.const(FAST[kind])));
  }

  private labels(): Labels {
    const n = this.guards++;
    return { ok: `G${n}`, rare: `R${n}`, slow: `S${n}` };
  }

  /** The looks at the permission byte of `page`, whose number is `base` more; one is enough for an access that can't leave the page. */
  private checks(labels: Labels, kind: GuardKind, host: number, size: number, base: number, page: Expr): Expr[] {
    const { m, values } = this;
    const perm = this.permission(base, page);
    if (size === 1) return [m.br_if(labels.rare, this.allowed(kind, perm))];
    const [first, again] = values.twice(perm, 'i32');
    const bit = m.i32.const(FAST[kind]);
    const isFast = this.isAtEdges ? m.i32.and(bit, first) : m.i32.and(first, bit);
    return [m.br_if(labels.ok, isFast), m.br_if(labels.rare, this.allowedOnPage(kind, again, host, size))];
  }

  /** Whether an access of `size` bytes stays on its page, and `perm`, the page's permission byte, allows it. */
  private allowedOnPage(kind: GuardKind, perm: Expr, host: number, size: number): Expr {
    const { m } = this;
    const offset = m.i32.and(m.local.get(host, binaryen.i32), m.i32.const(PAGE_SIZE - 1));
    return m.i32.and(this.allowed(kind, perm), m.i32.le_u(offset, m.i32.const(PAGE_SIZE - size)));
  }

  private allowed(kind: GuardKind, perm: Expr): Expr {
    const { m } = this;
    const { may, mask } = kind === 'r' ? ON_PAGE.read : ON_PAGE.write;
    return m.i32.eq(m.i32.and(perm, m.i32.const(mask)), m.i32.const(may));
  }

  /** The permission byte of `page`, whose number is `base` more. */
  private permission(base: number, page: Expr): Expr {
    return this.m.i32.load8_u(PERM_TABLE + base, 1, page);
  }

  private cpu(): Expr {
    return this.m.local.get(CPU_LOCAL, binaryen.i32);
  }
}
