/**
 * Permission checks of one node that one check covers: accesses at constant distances from one base. In: a CfgNode. Out: groups by the position of their guards.
 *
 *     guard_w t2, rsp-8, 8       one check of [rsp-24, rsp) for writes; t2, t4, t6 are
 *     gst_i64 t2, rbp, 0         offsets from its address
 *     guard_w t4, rsp-16, 8
 *     gst_i64 t4, rbx, 0
 *     guard_r t6, rsp-24, 8
 *
 * The check stands where the group's first guard stood. It asks for what all of them ask for, so where it fails, nothing follows for any of them: the region is left at that
 * instruction, and the interpreter does it with its own checks (EXIT.CLOSE_LOOK). Within the rule of DESIGN.md section 6: no group reaches over a call that is not pure, an atomic or
 * a fence; polls are at the ends of nodes.
 */
import { NB_GLOBALS } from '../../src/ir/globals.js';
import type { Op, Tb } from '../../src/ir/types.js';
import type { CfgNode } from './cfg.js';
import type { GuardKind } from './module-parts.js';
import { callInfo, opInfo } from './op-info.js';

export interface GuardGroup {
  /** Position of the first guard among the TB's ops. */
  readonly lead: number;
  /** 'r' when all of them are, else 'w' (what may be written may be read). */
  readonly kind: GuardKind;
  /** Bytes that the check covers. */
  readonly size: number;
  /** Distance of each guard's address from the lowest one, bytes, by position. */
  readonly offsets: ReadonlyMap<number, number>;
}

/** Bytes that a check may cover: RFAST and WFAST hold for 4096. */
const MAX_SIZE = 2048;

interface OpenGroup {
  readonly members: { readonly at: number; readonly offset: number }[];
  low: number;
  high: number;
  writes: boolean;
}

/** A value as a base and a constant; bases are numbers of values. */
interface Sum {
  readonly base: number;
  readonly offset: number;
}

/** Groups of two guards or more, by the position of each of their guards. */
export function planGuards({ tb, start, end }: CfgNode): ReadonlyMap<number, GuardGroup> {
  const plan = new Map<number, GuardGroup>();
  const sums = new Map<number, Sum>();
  let values = 0;
  let groups = new Map<number, OpenGroup>();
  const close = (): void => {
    for (const group of groups.values()) finish(group, plan);
    groups = new Map();
  };
  const sumOf = (id: number): Sum => {
    let sum = sums.get(id);
    if (sum === undefined) sums.set(id, (sum = { base: values++, offset: 0 }));
    return sum;
  };
  for (let i = start; i < end; i++) {
    const op = tb.ops[i] as Op;
    const kind = /^guard_(r|w|rw)$/.exec(op.name)?.[1];
    const address = op.args[1];
    if (kind !== undefined && address !== undefined && tb.temps[address]?.kind !== 'const') {
      const { base, offset } = sumOf(address);
      const size = Number(op.imms[0]);
      let group = groups.get(base);
      if (group !== undefined && Math.max(group.high, offset + size) - Math.min(group.low, offset) > MAX_SIZE) {
        finish(group, plan);
        group = undefined;
      }
      if (group === undefined) groups.set(base, (group = { members: [], low: offset, high: offset, writes: false }));
      group.members.push({ at: i, offset });
      group.low = Math.min(group.low, offset);
      group.high = Math.max(group.high, offset + size);
      group.writes ||= kind !== 'r';
    } else if (separates(op)) close();
    const sum = sumOfResult(tb, op, sumOf);
    for (const id of op.args.slice(0, opInfo(op).outs)) sums.delete(id);
    if (op.name === 'call' && !opInfo(op).pure)
      for (const id of callInfo(String(op.imms[0])).writes.ids()) if (id < NB_GLOBALS) sums.delete(id);
    if (sum !== undefined && op.args[0] !== undefined) sums.set(op.args[0], sum);
  }
  close();
  return plan;
}

const separates = (op: Op): boolean =>
  op.name.startsWith('atomic_') || op.name === 'fence' || (op.name === 'call' && !opInfo(op).pure);

function sumOfResult(tb: Tb, op: Op, sumOf: (id: number) => Sum): Sum | undefined {
  const [, a, b] = op.args;
  if (a === undefined || tb.temps[a]?.kind === 'const') return undefined;
  if (op.name === 'mov_i64') return sumOf(a);
  const constant = tb.temps[b ?? 0]?.value;
  if ((op.name !== 'add_i64' && op.name !== 'sub_i64') || b === undefined || constant === undefined) return undefined;
  const distance = BigInt.asIntN(64, constant);
  // Far beyond any group, and exact as a number.
  if (distance < -0x4000_0000n || distance > 0x4000_0000n) return undefined;
  const { base, offset } = sumOf(a);
  return { base, offset: op.name === 'add_i64' ? offset + Number(distance) : offset - Number(distance) };
}

function finish({ members, low, high, writes }: OpenGroup, plan: Map<number, GuardGroup>): void {
  const lead = members[0]?.at;
  if (lead === undefined || members.length < 2) return;
  const offsets = new Map(members.map(({ at, offset }) => [at, offset - low]));
  const group: GuardGroup = { lead, kind: writes ? 'w' : 'r', size: high - low, offsets };
  for (const { at } of members) plan.set(at, group);
}
