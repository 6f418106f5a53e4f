/**
 * The control flow graph of a region. In: a Region. Out: nodes: runs of ops without a label or a transfer inside, each with its terminator.
 *
 * A goto_tb to a TB of the same body is a jump to that TB's first node, a call of an inlined function one to the function's first node. It polls CPU.CONTROL when its edge is retreating in a
 * depth-first search over the TBs of its body from the head, where a call's edge leads to its return address: every cycle over TBs contains such an edge, or a call, a system call or an
 * indirect jump, which poll too (a cycle within one TB, between its labels, does not).
 *
 * What leaves an inlined function otherwise than by a return (a jump to another function, which returns in its place) is a call that is to return to where the inlined function would.
 */
import { InternalError } from '../../src/base/errors.js';
import { hex } from '../../src/base/hex.js';
import type { Op, Tb } from '../../src/ir/types.js';
import { cutTb, type Piece } from './pieces.js';
import type { Body, Region } from './region.js';
import { isSyscall, nextPcs, type Transfer, transferOf } from './transfer.js';

export type Terminator =
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'branch'; readonly op: Op; readonly taken: number; readonly next: number }
  /** To `taken` when rip is `pc`. */
  | { readonly kind: 'guess'; readonly pc: number; readonly taken: number; readonly next: number }
  /** goto_tb within the region. */
  | { readonly kind: 'goto'; readonly pc: number; readonly to: number; readonly poll: boolean }
  /** goto_tb out of the region. */
  | { readonly kind: 'leave'; readonly pc: number }
  /** To `pc`, undefined: to rip; the function goes on at `to` when it is returned to at `back`. */
  | { readonly kind: 'call'; readonly pc: number | undefined; readonly back: number; readonly to: number }
  /** A system call; the function goes on at `to`, the node of `back`, when it was served in place. */
  | { readonly kind: 'syscall'; readonly back: number; readonly to: number }
  /** To rip, by a RET. */
  | { readonly kind: 'return' }
  /** To the node of rip among `targets`, else to `other`. */
  | { readonly kind: 'table'; readonly targets: readonly JumpTarget[]; readonly other: number }
  /** To rip, out of the region. */
  | { readonly kind: 'lookup' }
  | { readonly kind: 'exit'; readonly op: Op };

/** A guest pc and its node. */
export interface JumpTarget {
  readonly pc: number;
  readonly to: number;
}

export interface CfgNode {
  readonly id: number;
  readonly tb: Tb;
  /** Number of the TB, counted anew where it is inlined. */
  readonly block: number;
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
    case 'call':
    case 'syscall':
      return [term.to];
    case 'branch':
    case 'guess':
      return [term.taken, term.next];
    case 'table':
      return [...term.targets.map(({ to }) => to), term.other];
    case 'leave':
    case 'return':
    case 'lookup':
    case 'exit':
      return [];
  }
}

export function buildCfg(region: Region): Cfg {
  return new CfgBuilder().build(region);
}

/** A TB and its nodes: `first` is that of the first piece, the others follow. */
interface Block {
  readonly tb: Tb;
  readonly transfer: Transfer;
  readonly number: number;
  readonly first: number;
  readonly pieces: readonly Piece[];
}

/** A body as it stands at one place of the region. */
interface Instance {
  readonly body: Body;
  readonly blocks: ReadonlyMap<number, Block>;
  readonly entry: number;
  /** By the calling TB's pc and the function's. */
  readonly callees: ReadonlyMap<number, ReadonlyMap<number, Instance>>;
  /** Edges between TBs of the body that poll. */
  readonly polls: Edges;
}

class CfgBuilder {
  private readonly nodes: CfgNode[] = [];
  private count = 0;
  private blocks = 0;

  build(region: Region): Cfg {
    const whole = this.place(region);
    // Nodes without ops of their own come behind those of the pieces.
    this.nodes.length = this.count;
    this.fill(whole, undefined);
    return { nodes: this.nodes, entry: whole.entry };
  }

  /** Gives all pieces their ids. */
  private place(body: Body): Instance {
    const blocks = new Map<number, Block>();
    for (const [pc, tb] of body.tbs) {
      const pieces = cutTb(tb);
      blocks.set(pc, { tb, transfer: transferOf(tb), number: this.blocks++, first: this.count, pieces });
      this.count += pieces.length;
    }
    const entry = blocks.get(body.head)?.first;
    if (entry === undefined) throw new InternalError(`the region has no TB at its head 0x${hex(body.head)}`);
    const callees = new Map<number, ReadonlyMap<number, Instance>>();
    for (const [from, byPc] of body.callees ?? []) {
      const placed = new Map<number, Instance>();
      for (const [pc, callee] of byPc) placed.set(pc, this.place(callee));
      callees.set(from, placed);
    }
    return { body, blocks, entry, callees, polls: retreatingEdges(body) };
  }

  /** Makes the nodes of `instance`, which returns to `back` when it is inlined. */
  private fill(instance: Instance, back: JumpTarget | undefined): void {
    for (const block of instance.blocks.values()) new BlockTerms(this, instance, block, back).fill();
    for (const [from, byPc] of instance.callees)
      for (const callee of byPc.values()) this.fill(callee, behind(instance, from) ?? back);
  }

  set(node: CfgNode): void {
    this.nodes[node.id] = node;
  }

  /** A node of its own for `term`, which stands at op `at` of the block. */
  add({ tb }: Block, at: number, term: Terminator): number {
    const id = this.nodes.length;
    this.nodes.push({ id, tb, block: this.blocks++, start: at, end: at, pc: tb.pc, ccOp: -1, term });
    return id;
  }
}

/** What a call at the end of the TB at `from` returns to; undefined when that is a jump. */
function behind({ blocks }: Instance, from: number): JumpTarget | undefined {
  const transfer = blocks.get(from)?.transfer;
  if (transfer?.kind !== 'call') return undefined;
  const to = blocks.get(transfer.back)?.first;
  if (to === undefined) throw new InternalError(`the region has nothing behind the call in the TB at 0x${hex(from)}`);
  return { pc: transfer.back, to };
}

/** The terminators of one TB's nodes. */
class BlockTerms {
  constructor(
    private readonly cfg: CfgBuilder,
    private readonly instance: Instance,
    private readonly block: Block,
    private readonly back: JumpTarget | undefined,
  ) {}

  fill(): void {
    const { tb, first, number, pieces } = this.block;
    let id = first;
    for (const { start, end, pc, ccOp } of pieces) {
      this.cfg.set({ id, tb, block: number, start, end, pc, ccOp, term: this.terminator(end, id) });
      id++;
    }
  }

  private fail(what: string): never {
    throw new InternalError(`${what} in the TB at 0x${hex(this.block.tb.pc)}`);
  }

  /** The terminator of node `id`, which ends before op `end`. A node that ends at a label or after a conditional branch falls into the next one. */
  private terminator(end: number, id: number): Terminator {
    const op = this.block.tb.ops[end];
    if (op === undefined) return this.fail('control runs off the end');
    switch (op.name) {
      case 'set_label':
      case 'br':
        return { kind: 'jump', to: this.label(Number(op.imms[0])) };
      case 'goto_tb':
        return this.direct(end, Number(op.imms[1]));
      case 'lookup_and_goto_ptr':
        return this.indirect(end);
      case 'exit':
        return this.exit(op);
      case 'brcond_i32':
      case 'brcond_i64':
        return { kind: 'branch', op, taken: this.label(Number(op.imms[1])), next: id + 1 };
      default:
        return this.fail(`${op.name} ends a node`);
    }
  }

  /** A system call leaves where what is behind it is not in the body. */
  private exit(op: Op): Terminator {
    const { transfer } = this.block;
    if (transfer.kind !== 'syscall' || !isSyscall(op, transfer.back)) return { kind: 'exit', op };
    const to = this.instance.blocks.get(transfer.back)?.first;
    return to === undefined ? { kind: 'exit', op } : { kind: 'syscall', back: transfer.back, to };
  }

  private label(label: number): number {
    const { pieces, first } = this.block;
    const i = pieces.findIndex((p) => p.label === label);
    return i < 0 ? this.fail(`no label L${label}`) : first + i;
  }

  private direct(at: number, pc: number): Terminator {
    const { transfer } = this.block;
    return transfer.kind === 'call' ? this.call(at, pc, transfer.back) : this.jump(pc, false);
  }

  private indirect(at: number): Terminator {
    const { instance, block, back } = this;
    const { transfer } = block;
    switch (transfer.kind) {
      case 'call':
        return this.guess(at, (pc) => this.call(at, pc, transfer.back), this.call(at, undefined, transfer.back));
      case 'return':
        if (back === undefined) return { kind: 'return' };
        return { kind: 'guess', pc: back.pc, taken: back.to, next: this.cfg.add(block, at, { kind: 'return' }) };
      case 'syscall':
      case 'jump': {
        const away: Terminator =
          back === undefined ? { kind: 'lookup' } : { kind: 'call', pc: undefined, back: back.pc, to: back.to };
        const targets = (instance.body.jumps?.get(block.tb.pc) ?? []).flatMap((pc) => {
          const to = instance.blocks.get(pc)?.first;
          return to === undefined ? [] : [{ pc, to }];
        });
        if (targets.length === 0) return this.guess(at, (pc) => this.jump(pc, true), away);
        return { kind: 'table', targets, other: this.cfg.add(block, at, away) };
      }
    }
  }

  /** Comparisons of rip with what is guessed for it, each leading to what `known` makes of the pc. */
  private guess(at: number, known: (pc: number) => Terminator, other: Terminator): Terminator {
    const { cfg, block, instance } = this;
    return (instance.body.guesses?.get(block.tb.pc) ?? []).reduceRight<Terminator>((next, pc) => {
      const taken = cfg.add(block, at, known(pc));
      return { kind: 'guess', pc, taken, next: cfg.add(block, at, next) };
    }, other);
  }

  private call(at: number, pc: number | undefined, back: number): Terminator {
    const { instance, block, cfg } = this;
    const callee = pc === undefined ? undefined : instance.callees.get(block.tb.pc)?.get(pc);
    if (callee !== undefined && pc !== undefined) return { kind: 'goto', pc, to: callee.entry, poll: this.polls(back) };
    const to = instance.blocks.get(back)?.first ?? cfg.add(block, at, this.jump(back, false));
    return { kind: 'call', pc, back, to };
  }

  /** Whether the edge to `pc` does. */
  private polls(pc: number): boolean {
    return this.instance.polls.get(this.block.tb.pc)?.has(pc) === true;
  }

  /** A jump to `pc`; `poll`: in any case. */
  private jump(pc: number, poll: boolean): Terminator {
    const { instance, block, back } = this;
    const to = instance.blocks.get(pc)?.first ?? instance.callees.get(block.tb.pc)?.get(pc)?.entry;
    if (to !== undefined) return { kind: 'goto', pc, to, poll: poll || this.polls(pc) };
    return back === undefined ? { kind: 'leave', pc } : { kind: 'call', pc, back: back.pc, to: back.to };
  }
}

/** Targets by the TB that an edge leaves. */
type Edges = ReadonlyMap<number, ReadonlySet<number>>;

/** Edges between TBs that lead back to a TB on the search's own path. The search starts again at each TB that direct jumps from the head do not reach: those behind tables and guesses. */
function retreatingEdges({ head, tbs }: Body): Edges {
  const edges = new Map<number, Set<number>>();
  const state = new Map<number, 'open' | 'done'>();
  const stack: { readonly pc: number; readonly targets: readonly number[]; next: number }[] = [];
  const enter = (pc: number, tb: Tb): void => {
    state.set(pc, 'open');
    stack.push({ pc, targets: nextPcs(tb), next: 0 });
  };
  const search = (): void => {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const to = top.targets[top.next++];
      if (to === undefined) {
        state.set(top.pc, 'done');
        stack.pop();
        continue;
      }
      const tb = tbs.get(to);
      if (tb === undefined) continue;
      const seen = state.get(to);
      if (seen === undefined) enter(to, tb);
      else if (seen === 'open') edges.set(top.pc, (edges.get(top.pc) ?? new Set()).add(to));
    }
  };
  const first = tbs.get(head);
  if (first !== undefined) enter(head, first);
  search();
  for (const [pc, tb] of tbs) {
    if (state.has(pc)) continue;
    enter(pc, tb);
    search();
  }
  return edges;
}
