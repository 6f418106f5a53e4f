/**
 * Permission checks of one node that one check covers: accesses at constant distances from one base. In: a CfgNode, and what has been checked on all paths to it (guard-facts.ts).
 * Out: groups by the position of their guards, and what has been checked behind it.
 *
 *     guard_w t2, rsp-8, 8       one check of [rsp-24, rsp) for writes; t2, t4, t6 are
 *     gst_i64 t2, rbp, 0         offsets from its address
 *     guard_w t4, rsp-16, 8
 *     gst_i64 t4, rbx, 0
 *     guard_r t6, rsp-24, 8
 *
 * The check stands where the group's first guard stood. It asks for what all of them ask for, so where it fails, nothing follows for any of them: the region is left at that
 * instruction, and the interpreter does it with its own checks (EXIT.CLOSE_LOOK). No group reaches over a call that is not pure, an atomic or a fence, so that what fails is left
 * to the interpreter before those; what has been checked holds behind them, as long as the function is not left (ARCHITECTURE.md, rule 4).
 */
import { NB_GLOBALS } from '../../src/ir/globals.js';
import { type GuardKind, opInfo } from '../../src/ir/op-info.js';
import type { Op, Tb } from '../../src/ir/types.js';
import type { CfgNode } from './cfg.js';
import { type Checked, covered, type Facts, type Hulls, shifted, widened } from './checked.js';

export interface GuardGroup {
  /** Position of the first guard among the TB's ops. */
  readonly lead: number;
  /** 'r' when all of them are, else 'w' (what may be written may be read); undefined: all have been checked before, and only the address is wanted. */
  readonly kind: GuardKind | undefined;
  /** Bytes that the check covers. */
  readonly size: number;
  /** Distance of each guard's address from the lowest one, bytes, by position. */
  readonly offsets: ReadonlyMap<number, number>;
}

export interface GuardPlan {
  /** By the position of each of their guards. What is not in it has a check of its own. */
  readonly groups: ReadonlyMap<number, GuardGroup>;
  /** Behind the node's last op. */
  readonly after: Facts;
}

/** Bytes that a check may cover: RFAST and WFAST hold for 4096. */
export const MAX_SIZE = 2048;

interface OpenGroup {
  readonly members: { readonly at: number; readonly offset: number }[];
  low: number;
  high: number;
  writes: boolean;
}

/** Guards of one base that need no check; `low`: what their common address is, from the base on. */
interface FreeGroup {
  readonly lead: number;
  readonly low: number;
  readonly offsets: Map<number, number>;
}

/** A value as a base and a constant; bases are numbers of values. */
interface Sum {
  readonly base: number;
  readonly offset: number;
}

const NOTHING: Facts = new Map();

/**
 * @param before what has been checked where the node starts, by global
 * @param hulls what a check of a global's value at the node's start is to cover at least
 */
export function planGuards(node: CfgNode, before: Facts = NOTHING, hulls: Hulls = new Map()): GuardPlan {
  return new Planner(node, before, hulls).plan();
}

class Planner {
  private readonly groups = new Map<number, GuardGroup>();
  private readonly sums = new Map<number, Sum>();
  private readonly written = new Set<number>();
  /** By base. */
  private readonly checked = new Map<number, Checked>();
  private readonly globals = new Map<number, number>();
  private readonly free = new Map<number, FreeGroup>();
  private open = new Map<number, OpenGroup>();
  private bases = 0;

  constructor(
    private readonly node: CfgNode,
    private readonly before: Facts,
    private readonly hulls: Hulls,
  ) {}

  plan(): GuardPlan {
    const { tb, start, end } = this.node;
    for (let i = start; i < end; i++) {
      const op = tb.ops[i] as Op;
      const { guard, separates, outs, writes } = opInfo(op);
      const address = op.args[1];
      if (guard !== undefined && address !== undefined && tb.temps[address]?.kind !== 'const')
        this.guard(i, this.sumOf(address), Number(op.imms[0]), guard !== 'r');
      else if (separates) this.close();
      const sum = this.sumOfResult(tb, op);
      for (let n = 0; n < outs; n++) this.write(op.args[n] as number);
      for (const id of writes) this.write(id);
      if (sum !== undefined && op.args[0] !== undefined) this.sums.set(op.args[0], sum);
    }
    this.close();
    return { groups: this.groups, after: this.after() };
  }

  private write(id: number): void {
    this.sums.delete(id);
    this.written.add(id);
  }

  private sumOf(id: number): Sum {
    let sum = this.sums.get(id);
    if (sum === undefined) {
      const base = this.bases++;
      this.sums.set(id, (sum = { base, offset: 0 }));
      if (id < NB_GLOBALS && !this.written.has(id)) {
        this.globals.set(base, id);
        const fact = this.before.get(id);
        if (fact !== undefined) this.checked.set(base, fact);
      }
    }
    return sum;
  }

  private guard(at: number, { base, offset }: Sum, size: number, writes: boolean): void {
    const range = covered(this.checked.get(base), offset, size, writes);
    if (range !== undefined) {
      let group = this.free.get(base);
      if (group === undefined || offset < group.low) {
        group = { lead: at, low: range.low, offsets: new Map() };
        this.free.set(base, group);
      }
      group.offsets.set(at, offset - group.low);
      this.groups.set(at, { lead: group.lead, kind: undefined, size: 0, offsets: group.offsets });
      return;
    }
    let group = this.open.get(base);
    if (group !== undefined && Math.max(group.high, offset + size) - Math.min(group.low, offset) > MAX_SIZE) {
      this.finish(base, group);
      group = undefined;
    }
    if (group === undefined) this.open.set(base, (group = { members: [], low: offset, high: offset, writes: false }));
    group.members.push({ at, offset });
    group.low = Math.min(group.low, offset);
    group.high = Math.max(group.high, offset + size);
    group.writes ||= writes;
  }

  private close(): void {
    for (const [base, group] of this.open) this.finish(base, group);
    this.open = new Map();
  }

  private finish(base: number, { members, low, high, writes }: OpenGroup): void {
    const lead = members[0]?.at;
    if (lead === undefined) return;
    const global = this.globals.get(base);
    const hull = global === undefined ? undefined : this.hulls.get(global)?.[writes ? 'w' : 'r'];
    let range = { low, high };
    if (hull !== undefined) {
      const wide = { low: Math.min(low, hull.low), high: Math.max(high, hull.high) };
      if (wide.high - wide.low <= MAX_SIZE) range = wide;
    }
    this.checked.set(base, widened(this.checked.get(base), range, writes));
    if (members.length < 2 && range.low === low && range.high === high) return;
    const offsets = new Map(members.map(({ at, offset }) => [at, offset - range.low]));
    const group: GuardGroup = { lead, kind: writes ? 'w' : 'r', size: range.high - range.low, offsets };
    for (const { at } of members) this.groups.set(at, group);
  }

  private after(): Facts {
    const after = new Map<number, Checked>();
    for (const [id, fact] of this.before) if (!this.written.has(id)) after.set(id, fact);
    for (const [id, { base, offset }] of this.sums) {
      if (id >= NB_GLOBALS) continue;
      const fact = shifted(this.checked.get(base), -offset);
      if (fact === undefined) after.delete(id);
      else after.set(id, fact);
    }
    return after;
  }

  private sumOfResult(tb: Tb, op: Op): Sum | undefined {
    const [, a, b] = op.args;
    if (a === undefined || tb.temps[a]?.kind === 'const') return undefined;
    if (op.name === 'mov_i64') return this.sumOf(a);
    const constant = tb.temps[b ?? 0]?.value;
    if ((op.name !== 'add_i64' && op.name !== 'sub_i64') || b === undefined || constant === undefined) return undefined;
    const distance = BigInt.asIntN(64, constant);
    // Far beyond any group, and exact as a number.
    if (distance < -0x4000_0000n || distance > 0x4000_0000n) return undefined;
    const { base, offset } = this.sumOf(a);
    return { base, offset: op.name === 'add_i64' ? offset + Number(distance) : offset - Number(distance) };
  }
}
