/**
 * The control flow graph of a region. In: a Region. Out: nodes: runs of ops without a label or a transfer inside, each with its terminator.
 *
 * A goto_tb to a TB of the region is a jump to that TB's first node. It polls CPU.CONTROL when its edge is retreating in a depth-first search over the
 * TBs from the head: every cycle over TBs contains such an edge, or a call or an indirect jump, which poll too (a cycle within one TB, between its labels, does not).
 */
import { InternalError } from '../../src/base/errors.js';
import { hex } from '../../src/base/hex.js';
import type { Op, Tb } from '../../src/ir/types.js';
import { opInfo } from './op-info.js';
import type { Region } from './region.js';
import { nextPcs, type Transfer, transferOf } from './transfer.js';

export type Terminator =
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'branch'; readonly op: Op; readonly taken: number; readonly next: number }
  /** goto_tb within the region. */
  | { readonly kind: 'goto'; readonly pc: number; readonly to: number; readonly poll: boolean }
  /** goto_tb out of the region. */
  | { readonly kind: 'leave'; readonly pc: number }
  /** To `pc`, undefined: to rip; the function goes on at `to`, the node of `back`, when it is returned to there. `to` is undefined when `back` is not in the region. */
  | { readonly kind: 'call'; readonly pc: number | undefined; readonly back: number; readonly to: number | undefined }
  /** To rip, by a RET. */
  | { readonly kind: 'return' }
  /** To rip; `targets`: where in the region that often is. */
  | { readonly kind: 'lookup'; readonly targets: readonly JumpTarget[] }
  | { readonly kind: 'exit'; readonly op: Op };

/** A guest pc and its node. */
export interface JumpTarget {
  readonly pc: number;
  readonly to: number;
}

export interface CfgNode {
  readonly id: number;
  readonly tb: Tb;
  /** Ops [start, end) of the TB; the terminator is not among them. */
  readonly start: number;
  readonly end: number;
  /** Guest pc and CC_OP (-1: in the global) of the insn_start that holds at the start. */
  readonly pc: number;
  readonly ccOp: number;
  readonly term: Terminator;
}

export interface Cfg {
  /** By id, those of a TB in a row in the order of its ops, TBs in the order of the region. */
  readonly nodes: readonly CfgNode[];
  readonly entry: number;
}

/** Where control may go from `term`. */
export function successors(term: Terminator): readonly number[] {
  switch (term.kind) {
    case 'jump':
    case 'goto':
      return [term.to];
    case 'branch':
      return [term.taken, term.next];
    case 'call':
      return term.to === undefined ? [] : [term.to];
    case 'lookup':
      return term.targets.map(({ to }) => to);
    case 'leave':
    case 'return':
    case 'exit':
      return [];
  }
}

/** A TB cut into nodes; targets are resolved once all TBs have been cut. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly pc: number;
  readonly ccOp: number;
  readonly label: number | undefined;
}

export function buildCfg(region: Region): Cfg {
  const polls = retreatingEdges(region);
  const pieces = new Map<Tb, readonly Piece[]>();
  const first = new Map<number, number>();
  const labels = new Map<Tb, ReadonlyMap<number, number>>();
  let count = 0;
  for (const [pc, tb] of region.tbs) {
    const cut = cutTb(tb);
    pieces.set(tb, cut);
    first.set(pc, count);
    labels.set(tb, new Map(cut.flatMap((p, i) => (p.label === undefined ? [] : [[p.label, count + i]]))));
    count += cut.length;
  }
  const nodes: CfgNode[] = [];
  for (const [tbPc, tb] of region.tbs) {
    const transfer = transferOf(tb);
    for (const { start, end, pc, ccOp } of pieces.get(tb) ?? []) {
      const id = nodes.length;
      const term = terminator(tb, end, id, {
        label: (l) => labels.get(tb)?.get(l),
        tb: (target) => first.get(target),
        poll: (target) => polls.has(edgeKey(tbPc, target)),
        transfer,
        jumps: (region.jumps?.get(tbPc) ?? []).flatMap((target) => {
          const to = first.get(target);
          return to === undefined ? [] : [{ pc: target, to }];
        }),
      });
      nodes.push({ id, tb, start, end, pc, ccOp, term });
    }
  }
  const entry = first.get(region.head);
  if (entry === undefined) throw new InternalError(`the region has no TB at its head 0x${hex(region.head)}`);
  return { nodes, entry };
}

/** Code that no path reaches (between an unconditional transfer and the next label) is left out. */
function cutTb(tb: Tb): readonly Piece[] {
  const pieces: Piece[] = [];
  let pc = tb.pc;
  let ccOp = -1;
  let open: { start: number; pc: number; ccOp: number; label: number | undefined } | undefined = {
    start: 0,
    pc,
    ccOp,
    label: undefined,
  };
  tb.ops.forEach((op, i) => {
    if (op.name === 'insn_start') {
      pc = Number(op.imms[0]);
      ccOp = Number(op.imms[1]);
    }
    if (op.name === 'set_label') {
      if (open !== undefined) pieces.push({ ...open, end: i });
      open = { start: i + 1, pc, ccOp, label: Number(op.imms[0]) };
      return;
    }
    const info = opInfo(op);
    if (open !== undefined && (info.ends || info.branches || op.name === 'goto_tb')) {
      pieces.push({ ...open, end: i });
      open = info.ends || op.name === 'goto_tb' ? undefined : { start: i + 1, pc, ccOp, label: undefined };
    }
  });
  return pieces;
}

interface Targets {
  label(label: number): number | undefined;
  tb(pc: number): number | undefined;
  poll(pc: number): boolean;
  readonly transfer: Transfer;
  readonly jumps: readonly JumpTarget[];
}

/** The terminator of node `id`, which ends before op `end`. A node that ends at a label or after a conditional branch falls into the next one. */
function terminator(tb: Tb, end: number, id: number, targets: Targets): Terminator {
  const op = tb.ops[end];
  const fail = (what: string): never => {
    throw new InternalError(`${what} in the TB at 0x${hex(tb.pc)}`);
  };
  if (op === undefined) return fail('control runs off the end');
  const callTerm = (back: number, pc?: number): Terminator => ({ kind: 'call', pc, back, to: targets.tb(back) });
  const label = (n: number): number => targets.label(n) ?? fail(`no label L${n}`);
  switch (op.name) {
    case 'set_label':
      return { kind: 'jump', to: label(Number(op.imms[0])) };
    case 'br':
      return { kind: 'jump', to: label(Number(op.imms[0])) };
    case 'goto_tb': {
      const pc = Number(op.imms[1]);
      if (targets.transfer.kind === 'call') return callTerm(targets.transfer.back, pc);
      const to = targets.tb(pc);
      return to === undefined ? { kind: 'leave', pc } : { kind: 'goto', pc, to, poll: targets.poll(pc) };
    }
    case 'lookup_and_goto_ptr':
      if (targets.transfer.kind === 'call') return callTerm(targets.transfer.back);
      return targets.transfer.kind === 'return' ? { kind: 'return' } : { kind: 'lookup', targets: targets.jumps };
    case 'exit':
      return { kind: 'exit', op };
    case 'brcond_i32':
    case 'brcond_i64':
      return { kind: 'branch', op, taken: label(Number(op.imms[1])), next: id + 1 };
    default:
      return fail(`${op.name} ends a node`);
  }
}

const edgeKey = (from: number, to: number): string => `${from},${to}`;

/** Edges between TBs that lead back to a TB on the search's own path. */
function retreatingEdges(region: Region): ReadonlySet<string> {
  const edges = new Set<string>();
  const state = new Map<number, 'open' | 'done'>();
  const stack: { pc: number; next: number[] }[] = [];
  const enter = (pc: number): void => {
    state.set(pc, 'open');
    const tb = region.tbs.get(pc);
    stack.push({ pc, next: tb === undefined ? [] : nextPcs(tb).filter((t) => region.tbs.has(t)) });
  };
  enter(region.head);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const to = top.next.shift();
    if (to === undefined) {
      state.set(top.pc, 'done');
      stack.pop();
    } else if (state.get(to) === 'open') edges.add(edgeKey(top.pc, to));
    else if (state.get(to) === undefined) enter(to);
  }
  return edges;
}
