/**
 * The control flow of a sequence: skips, alternatives, loops, calls, jumps through registers and tables, balanced use of the stack, and the instructions that need others before them.
 * In: registers, rows, a number of instructions. Out: a program that ends, unless something in it faults.
 */
import { GPR } from '../../../src/guest/cpu-state.js';
import { DATA } from '../../support/sequence-state.js';
import { vexPrefix } from '../decoder-generate.js';
import { encodeRandom } from './encode.js';
import {
  call,
  callRegister,
  decrement,
  defineFlags,
  group1,
  insn,
  jcc,
  jmp,
  jumpRegister,
  labelAddress,
  labelItem,
  lea,
  loopInsn,
  movImmediate,
  moveStack,
  onAddress,
  pointTo,
  pop,
  push,
  pushLabel,
  ret,
  testSelf,
  zero,
} from './instructions.js';
import { addressBytes, int32, maskRegister, memoryOperand } from './memory-operand.js';
import { ALL_FLAGS, END, type InsnItem, type Item, NO_FLAGS, type Program } from './program.js';
import { type Known, MEMORY_HIGH, MEMORY_LOW, pick, type Random, type Registers } from './registers.js';
import { type GenRow, rowsNamed } from './rows.js';

const { RAX, RCX, RDX, RBX, RBP, RSI, RDI } = { ...GPR };
const W = 8;
const OPERAND_SIZE = 0x66;
const NO_BYTES: readonly number[] = [];
/** Bytes that a string instruction may go either way. */
const STRING_REACH = 128;
const DEPTH = 3;

const STRING_ROWS = rowsNamed(/^(movs[bw]|cmps[bw]|stosb|stosw|lods[bw]|scas[bw])(\/|$)/).filter(({ row }) =>
  /[XY]/.test(row.operands),
);
const DIVIDE_ROWS = rowsNamed(/^i?div$/);
const MASKMOV_ROWS = rowsNamed(/^v?maskmov(q|dqu)$/);
const GATHER_ROWS = rowsNamed(/^vp?gather/);
const RESET_ROWS = rowsNamed(/^(emms|fninit|vzeroall)$/);
const STMXCSR_ROWS = rowsNamed(/^v?stmxcsr$/);

const image = (save: string, restore: string, start: number, room: number): [GenRow, GenRow, number, number] => {
  const [s] = rowsNamed(new RegExp(`^${save}$`));
  const [r] = rowsNamed(new RegExp(`^${restore}$`));
  if (s === undefined || r === undefined) throw new Error(`no rows ${save}, ${restore}`);
  return [s, r, start, room];
};
/** Instructions that save and restore, an offset among the images, how many multiples of 64 further it may be. XSAVEOPT is not there: what it leaves out is the processor's choice. */
const IMAGES = [
  image('fxsave', 'fxrstor', 0, 1),
  image('fxsave64', 'fxrstor64', 0, 1),
  image('xsave', 'xrstor', 0, 1),
  image('xsave64', 'xrstor64', 0, 1),
  image('xsavec', 'xrstor', 0x400, 1),
  image('xsavec64', 'xrstor64', 0x400, 1),
  image('fnstenv', 'fldenv', 0, 6),
  image('fnsave', 'frstor', 0, 5),
];

interface Subroutine {
  readonly label: number;
  /** Registers that it may write, and pointers that it may use. */
  readonly free: ReadonlySet<number>;
  readonly walkers: readonly Known[];
  readonly pops: number;
}

export interface Choice {
  /** Rows for plain instructions. */
  readonly row: () => GenRow;
  /** MXCSR may be changed and read. */
  readonly preciseFloat: boolean;
}

export class Structure {
  private labels = 0;
  private readonly behind: Item[] = [];
  private readonly subroutines: Subroutine[] = [];
  private callDepth = 0;

  constructor(
    private readonly r: Registers,
    private readonly choice: Choice,
  ) {}

  private get random(): Random {
    return this.r.random;
  }

  /** The whole program, of about `insns` instructions. */
  program(insns: number): Program {
    const main = this.block(insns, 0);
    return [...main, END, ...this.behind];
  }

  private label(): number {
    return this.labels++;
  }

  private block(insns: number, depth: number): Item[] {
    const items: Item[] = [];
    let left = insns;
    while (left > 0) {
      const unit = this.random(100) < 72 ? this.plain() : this.unit(Math.max(1, left - 2), depth);
      items.push(...unit);
      left -= unit.filter((item) => item.kind === 'insn').length;
    }
    return items;
  }

  private plain(): Item[] {
    for (let tries = 0; tries < 20; tries++) {
      const items = encodeRandom(this.choice.row(), this.r);
      if (items !== undefined) return items;
    }
    return [defineFlags(this.r, this.random)];
  }

  private unit(most: number, depth: number): Item[] {
    const inner = 1 + this.random(Math.min(most, 8));
    const isDeep = depth >= DEPTH;
    const kind = this.random(27);
    if (kind < 6) return isDeep ? this.skip(1, depth) : this.skip(inner, depth);
    if (kind < 8 && !isDeep) return this.alternatives(inner, depth);
    if (kind < 11 && !isDeep) return this.loop(inner, depth);
    if (kind < 13) return this.strings();
    if (kind < 15) return this.pushPop(isDeep ? 1 : inner, depth);
    if (kind < 17 && !isDeep) return this.calls(inner, depth);
    if (kind === 17) return this.divide();
    if (kind === 18) return this.indirectJump(inner, depth + 1);
    if (kind === 19) return this.control();
    if (kind === 20) return this.gather();
    if (kind === 21) return this.implicit();
    if (kind === 22 && !isDeep) return this.frame(inner, depth);
    if (kind === 23 && !isDeep) return this.recursion(inner, depth);
    if (kind === 24) return this.image();
    if (kind > 24) return this.group();
    return this.plain();
  }

  // ---------------------------------------------------------------- branches

  private skip(inner: number, depth: number): Item[] {
    const { random } = this;
    const over = this.label();
    const body = this.block(inner, depth + 1);
    const short = inner < 6 && random(4) > 0;
    const before = random(3) === 0 ? [defineFlags(this.r, random)] : [];
    if (random(8) === 0) return [...before, jmp(over, short), ...body, labelItem(over)];
    if (random(10) === 0 && short) return [loopInsn(3, over), ...body, labelItem(over)];
    return [...before, jcc(random(16), over, short), ...body, labelItem(over)];
  }

  private alternatives(inner: number, depth: number): Item[] {
    const { random } = this;
    const [otherwise, end] = [this.label(), this.label()];
    const cc = random(16);
    return [
      jcc(cc, otherwise, false),
      ...this.block(inner, depth + 1),
      jmp(end, false),
      labelItem(otherwise),
      ...this.block(inner, depth + 1),
      labelItem(end),
    ];
  }

  private loop(inner: number, depth: number): Item[] {
    const { random, r } = this;
    const kind = random(8);
    const counter = r.reserve(kind === 2 || kind === 5 ? RCX : undefined);
    if (counter === undefined) return this.plain();
    const times = 1 + random(depth === 0 ? 6 : 3);
    const [top, middle, latch, out] = [this.label(), this.label(), this.label(), this.label()];
    const w = random(2) * W;
    const isUp = kind === 4;
    const start: Item[] = [movImmediate(counter, isUp ? 0 : times)];
    const walker = this.walker(times, start);
    if (random(8) === 0) start.push(jcc(random(16), middle, false));
    const body = [...this.block(inner, depth + 1), labelItem(middle)];
    if (random(3) === 0)
      body.push(jcc(random(16), random(2) === 0 ? out : latch, false), ...this.block(1 + random(2), depth + 1));
    body.push(labelItem(latch));
    if (walker !== undefined) body.push(...this.step(walker));
    r.release(counter);
    return [...start, labelItem(top), ...body, ...this.backEdge(kind, counter, times, w, top, out), labelItem(out)];
  }

  /** A pointer that the loop moves by its unit; its start goes to `start`. */
  private walker(times: number, start: Item[]): (Known & { readonly step: number }) | undefined {
    const { random, r } = this;
    const reg = random(3) > 0 ? r.reserve() : undefined;
    if (reg === undefined) return undefined;
    const unit = pick(random, [1, 2, 4, 8, 8, 16, 16, 32]);
    const range = times * unit;
    const value = r.address(16, random(2) === 0 ? 16 : 1, range + 16);
    const isUp = random(4) > 0;
    start.push(pointTo(r, reg, isUp ? value : value + range));
    const known = { reg, value, range, unit, step: isUp ? unit : -unit };
    r.walkers.push(known);
    return known;
  }

  private step(walker: Known & { readonly step: number }): Item[] {
    const { random, r } = this;
    r.walkers.splice(
      r.walkers.findIndex((k) => k.reg === walker.reg),
      1,
    );
    r.release(walker.reg);
    return [random(2) === 0 ? lea(walker.reg, walker.reg, walker.step) : group1(0, walker.reg, walker.step, W)];
  }

  private backEdge(kind: number, counter: number, times: number, w: number, top: number, out: number): Item[] {
    const { random } = this;
    const [NE, JA, JG] = [5, 7, 15];
    switch (kind) {
      case 1:
        return [group1(5, counter, 1, w), jcc(pick(random, [NE, JA, JG]), top, false)];
      case 2:
        return this.loopBack(2, top, out);
      case 3:
        return [lea(counter, counter, -1), testSelf(counter, w), jcc(pick(random, [NE, JG]), top, false)];
      case 4:
        return [group1(0, counter, 1, w), group1(7, counter, times, w), jcc(pick(random, [2, NE, 12]), top, false)];
      case 5:
        return this.loopBack(random(2), top, out);
      case 6:
        return [decrement(counter, w), jcc(4, out, false), jmp(top, false)];
      default:
        return [decrement(counter, w), jcc(NE, top, false)];
    }
  }

  /** LOOPcc reaches 128 bytes only: by way of a jump. */
  private loopBack(which: number, top: number, out: number): Item[] {
    const again = this.label();
    return [loopInsn(which, again), jmp(out, false), labelItem(again), jmp(top, false)];
  }

  private indirectJump(inner: number, depth: number): Item[] {
    const { random, r } = this;
    const target = this.label();
    const reg = r.target();
    const dead = depth > DEPTH ? this.plain() : this.block(Math.min(inner, 3), depth);
    if (random(4) === 0) return [pushLabel(target), ret(0), ...dead, labelItem(target)];
    const at = r.address(8, 8);
    const other = this.label();
    switch (random(3)) {
      case 0:
        return [labelAddress(reg, target, random(2) === 0), jumpRegister(reg), ...dead, labelItem(target)];
      case 1:
        return [
          labelAddress(reg, target, random(2) === 0),
          onAddress(r, NO_BYTES, [0x89], reg, at, [], W),
          { ...onAddress(r, NO_BYTES, [0xff], 4, at), flow: 'jump' },
          ...dead,
          labelItem(target),
        ];
      default: {
        // A table of two.
        const index = r.target();
        const from = r.address(16, 8);
        const a = addressBytes(-1, index, 3, from);
        return [
          labelAddress(reg, target, false),
          onAddress(r, NO_BYTES, [0x89], reg, from, [], W),
          labelAddress(reg, other, false),
          onAddress(r, NO_BYTES, [0x89], reg, from + 8, [], W),
          maskRegister(index, 1),
          insn(
            [...(a.rex === 0 ? [] : [0x40 | a.rex]), 0xff, (a.bytes[0] ?? 0) | (4 << 3), ...a.bytes.slice(1)],
            NO_FLAGS,
            'jump',
          ),
          labelItem(other),
          ...dead,
          labelItem(target),
        ];
      }
    }
  }

  // ---------------------------------------------------------------- calls

  private calls(inner: number, depth: number): Item[] {
    const { random, r } = this;
    if (this.callDepth >= 2) return this.plain();
    const usable = this.subroutines.filter(
      (s) => [...s.free].every((reg) => r.isFree(reg)) && s.walkers.every((k) => r.walkers.includes(k)),
    );
    if (usable.length > 0 && random(2) === 0) return this.callOf(pick(random, usable));
    const kind = random(8);
    if (kind === 0) {
      // Returns past an instruction.
      const label = this.label();
      const skipped = group1(random(8), r.target(), random(256), W);
      this.add(label, inner, depth, [onStackAdd(skipped.bytes.length), ret(0)]);
      return [call(label), skipped];
    }
    if (kind === 1) {
      // Never returns, but goes on elsewhere.
      const [label, away] = [this.label(), this.label()];
      this.add(label, inner, depth, [moveStack(8), jmp(away, false)]);
      return [call(label), ...this.plain(), labelItem(away)];
    }
    if (kind === 2) {
      // The address of what follows.
      const next = this.label();
      return [call(next), labelItem(next), pop(r.target())];
    }
    const label = this.label();
    const pops = random(4) === 0 ? 8 * (1 + random(3)) : 0;
    const free = new Set(Array.from({ length: 16 }, (_, reg) => reg).filter((reg) => r.isFree(reg)));
    const walkers = [...r.walkers];
    const reg = r.target();
    this.add(label, inner, depth, kind === 3 && pops === 0 ? [pop(reg), jumpRegister(reg)] : [ret(pops)]);
    const s = { label, free, walkers, pops };
    this.subroutines.push(s);
    return this.callOf(s);
  }

  private callOf(s: Subroutine): Item[] {
    const { random, r } = this;
    const before = Array.from({ length: s.pops / 8 }, () => push(r.source()));
    if (random(3) > 0) return [...before, call(s.label)];
    const reg = r.target();
    if (random(2) === 0) return [labelAddress(reg, s.label, random(2) === 0), ...before, callRegister(reg)];
    const at = r.address(8, 8);
    return [
      labelAddress(reg, s.label, false),
      onAddress(r, NO_BYTES, [0x89], reg, at, [], W),
      ...before,
      { ...onAddress(r, NO_BYTES, [0xff], 2, at), flow: 'call' },
    ];
  }

  private add(label: number, inner: number, depth: number, end: readonly Item[]): void {
    this.callDepth++;
    const body = this.block(inner, depth + 1);
    this.callDepth--;
    this.behind.push(labelItem(label), ...body, ...end);
  }

  private recursion(inner: number, depth: number): Item[] {
    const { random, r } = this;
    const counter = this.callDepth > 0 ? undefined : r.reserve();
    if (counter === undefined) return this.plain();
    const [label, out] = [this.label(), this.label()];
    const w = random(2) * W;
    const after = random(2) === 0 ? this.plain() : [];
    this.add(label, Math.min(inner, 4), depth, [
      decrement(counter, w),
      jcc(4, out, false),
      call(label),
      ...after,
      labelItem(out),
      ret(0),
    ]);
    r.release(counter);
    return [movImmediate(counter, 1 + random(5)), call(label)];
  }

  // ---------------------------------------------------------------- stack

  private pushPop(inner: number, depth: number): Item[] {
    const { random, r } = this;
    const body = (): Item[] => this.block(Math.min(inner, 3), depth + 1);
    switch (random(6)) {
      case 0:
        // Arithmetic flags and DF, from an immediate.
        return [
          insn([0x68, ...int32((random(0x1000) & 0x8d5) | 0x202 | (random(6) === 0 ? 0x400 : 0))]),
          insn([0x9d], { reads: 0, kills: ALL_FLAGS, undefines: 0 }),
        ];
      case 1:
        return [insn([0x9c], { reads: ALL_FLAGS, kills: 0, undefines: 0 }), ...body(), pop(r.target())];
      case 2: {
        const wide = random(3) > 0;
        const size = wide ? NO_BYTES : [OPERAND_SIZE];
        const reg = r.target();
        const low = insn([...size, ...(reg > 7 ? [0x41] : []), 0x58 | (reg & 7)]);
        return [insn(wide ? [0x6a, random(256)] : [OPERAND_SIZE, 0x68, random(256), random(256)]), ...body(), low];
      }
      case 3: {
        const m = memoryOperand(r, { size: 8, alignment: 1, writes: true });
        if (m.reference !== undefined) return [push(r.source()), ...body(), pop(r.target())];
        const rex = m.rex === 0 ? [] : [0x40 | m.rex];
        const isPush = random(2) === 0;
        const bytes = isPush ? [0xff, (m.bytes[0] ?? 0) | (6 << 3)] : [0x8f, m.bytes[0] ?? 0];
        const item = insn([...m.prefixes, ...rex, ...bytes, ...m.bytes.slice(1)]);
        // PUSH reads below what POP would have popped: both operands stay within the stack's window.
        return isPush
          ? [...m.before, item, ...body(), pop(r.target())]
          : [push(r.source()), ...body(), ...m.before, item];
      }
      default:
        return [push(r.source()), ...body(), pop(r.target())];
    }
  }

  private frame(inner: number, depth: number): Item[] {
    const { random, r } = this;
    if (r.reserve(RBP) === undefined) return this.plain();
    const size = 16 * random(4);
    const level = random(3) === 0 ? random(3) : 0;
    // ENTER of more levels reads below rbp; what it has pushed before that faults stays pushed on processors, not here.
    const enter =
      random(2) === 0
        ? [...(level > 1 ? [insn([0x48, 0x89, 0xe5])] : []), insn([0xc8, size, 0, level])]
        : [push(RBP), insn([0x48, 0x89, 0xe5]), moveStack(-size)];
    const body = this.block(inner, depth + 1);
    r.release(RBP);
    return [...enter, ...body, insn([0xc9])];
  }

  // ---------------------------------------------------------------- what needs something before it

  private strings(): Item[] {
    const { random, r } = this;
    const needs = [RAX, RCX, RSI, RDI];
    if (needs.some((reg) => !r.isFree(reg))) return this.plain();
    const { row, encoding, flags } = pick(random, STRING_ROWS);
    const low = MEMORY_LOW + STRING_REACH;
    const place = (): number =>
      random(100) < r.faults ? r.faultAddress(32, 1) : low + random(MEMORY_HIGH - low - STRING_REACH - 8);
    const items: Item[] = [pointTo(r, RSI, place())];
    if (random(3) === 0) items.push(lea(RDI, RSI, random(33) - 16));
    else items.push(pointTo(r, RDI, place()));
    const rep = row.attrs?.includes('rep') === true ? pick(random, [0, 0xf3, 0xf2, 0xf3]) : 0;
    if (rep !== 0 || random(4) === 0)
      items.push(random(3) === 0 ? maskRegister(RCX, 15) : movImmediate(RCX, random(14)));
    const backward = random(4) === 0;
    if (backward) items.push(insn([0xfd]));
    const size =
      /[vz]/.test(row.operands) || row.operands.includes('rAX') ? pick(random, [[], [OPERAND_SIZE], [0x48]]) : [];
    const prefixes = [...(random(10) === 0 ? [0x67] : []), ...(rep === 0 ? [] : [rep])];
    const compares = /^(cmps|scas)/.test(row.mnemonic);
    const use = compares && rep === 0 ? { reads: 0, kills: ALL_FLAGS, undefines: 0 } : flags;
    items.push(insn([...prefixes, ...size, encoding.opcode], use));
    if (backward || random(3) === 0) items.push(insn([0xfc]));
    return items;
  }

  private divide(): Item[] {
    const { random, r } = this;
    if (!r.isFree(RAX) || !r.isFree(RDX)) return this.plain();
    const g = pick(random, DIVIDE_ROWS);
    const isSigned = g.row.mnemonic === 'idiv';
    const isByte = g.row.operands === 'Eb';
    const w = isByte ? 0 : random(2) * W;
    const divisor = r.target();
    const isGuarded = random(12) > 0;
    if (divisor === RAX || divisor === RDX || (isByte && divisor > 3)) return this.plain();
    const items: InsnItem[] = [];
    if (isGuarded) {
      items.push(group1(1, divisor, 1 + random(7), W));
      if (isByte) items.push(isSigned ? insn([OPERAND_SIZE, 0x98]) : insn([0x0f, 0xb6, 0xc0]));
      else items.push(isSigned ? insn(w === 0 ? [0x99] : [0x48, 0x99]) : zero(RDX));
    }
    const rex = w | (divisor > 7 ? 1 : 0);
    items.push(
      insn(
        [...(rex === 0 ? [] : [0x40 | rex]), isByte ? 0xf6 : 0xf7, 0xc0 | (g.encoding.reg << 3) | (divisor & 7)],
        g.flags,
      ),
    );
    return items;
  }

  /** Control words: of the x87, and MXCSR. */
  private control(): Item[] {
    const { random, r, choice } = this;
    const at = r.address(4, 1);
    const masks = (): number => (random(12) === 0 ? random(64) : 0x3f);
    if (choice.preciseFloat && random(3) > 0) {
      if (random(3) === 0) return encodeRandom(pick(random, STMXCSR_ROWS), r) ?? [];
      const mxcsr =
        (masks() << 7) |
        (random(4) << 13) |
        (random(3) === 0 ? 0x8000 : 0) |
        (random(3) === 0 ? 0x40 : 0) |
        (random(2) === 0 ? random(64) : 0);
      const load = onAddress(r, NO_BYTES, [0x0f, 0xae], 2, at);
      // VLDMXCSR, where no REX is in the way.
      const isVex = random(3) === 0 && load.bytes[0] === 0x0f;
      const store = onAddress(r, NO_BYTES, [0xc7], 0, at, int32(mxcsr));
      return [store, isVex ? insn([0xc5, 0xf8, ...load.bytes.slice(1)]) : load];
    }
    if (random(4) === 0) return encodeRandom(pick(random, RESET_ROWS), r) ?? [];
    const cw = 0x40 | masks() | (pick(random, [0, 2, 3, 3]) << 8) | (random(4) << 10);
    return [onAddress(r, [OPERAND_SIZE], [0xc7], 0, at, [cw & 0xff, cw >> 8]), onAddress(r, NO_BYTES, [0xd9], 5, at)];
  }

  /** Instructions whose operands lie at constant distances from one base: one check may serve them all. */
  private group(): Item[] {
    const { random, r } = this;
    r.only = r.edge !== undefined && random(2) === 0 ? r.edge : pick(random, [...r.bases, ...r.walkers]);
    const items = Array.from({ length: 2 + random(4) }, () => this.plain()).flat();
    r.only = undefined;
    return items;
  }

  /** State saved in an image and brought back from it, with instructions between that have no memory operand: pointers in the image would differ. */
  private image(): Item[] {
    const { random, r } = this;
    const [save, restore, start, room] = pick(random, IMAGES);
    const at = DATA + start + 64 * random(room);
    const isX = start !== 0 || save.row.mnemonic.startsWith('xsave');
    if (isX && !(r.isFree(RAX) && r.isFree(RDX))) return this.plain();
    const mask = (): Item[] => (isX ? [movImmediate(RAX, random(4) === 0 ? random(8) : 7), movImmediate(RDX, 0)] : []);
    const between = Array.from({ length: random(4) }, () => encodeRandom(this.choice.row(), r, true) ?? []).flat();
    const on = ({ encoding }: GenRow): Item =>
      onAddress(
        r,
        NO_BYTES,
        encoding.map === 1 ? [0x0f, encoding.opcode] : [encoding.opcode],
        encoding.reg,
        at,
        [],
        encoding.rexW === 1 ? W : 0,
      );
    return [...mask(), on(save), ...between, ...mask(), on(restore)];
  }

  private gather(): Item[] {
    const { random, r } = this;
    const g = pick(random, GATHER_ROWS);
    const { encoding, row } = g;
    const [target, mask, index] = [r.vector(), r.vector(), r.vector()];
    if (target === mask || mask === index || target === index) return this.plain();
    const isQuad = row.operands.includes('vm64');
    const length = random(2);
    const source = r.vector();
    // VPSRLD or VPSRLQ: 0 to 31 remain.
    const shift = [
      0xc4,
      (source > 7 ? 0 : 0x20) | 0xc0 | 1,
      ((~index & 15) << 3) | 4 | 1,
      isQuad ? 0x73 : 0x72,
      0xd0 | (source & 7),
      isQuad ? 59 : 27,
    ];
    const scale = random(4);
    const base = pick(random, r.bases);
    const disp = r.address(8, 1, 31 << scale) - base.value;
    const rex = (target > 7 ? 4 : 0) | (index > 7 ? 2 : 0) | (base.reg > 7 ? 1 : 0);
    const head = vexPrefix(encoding, rex, length, mask, false);
    const sib = (scale << 6) | ((index & 7) << 3) | (base.reg & 7);
    return [insn(shift), insn([...head, encoding.opcode, 0x80 | ((target & 7) << 3) | 4, sib, ...int32(disp)])];
  }

  /** XLAT, MASKMOV: memory by registers that they do not name. */
  private implicit(): Item[] {
    const { random, r } = this;
    if (random(2) === 0 && r.isFree(RBX) && r.isFree(RAX)) return [pointTo(r, RBX, r.address(1, 1, 255)), insn([0xd7])];
    if (!r.isFree(RDI)) return this.plain();
    const move = encodeRandom(pick(random, MASKMOV_ROWS), r);
    return move === undefined ? this.plain() : [pointTo(r, RDI, r.address(16, 1)), ...move];
  }
}

/** ADD qword [rsp], imm8. */
const onStackAdd = (value: number): InsnItem =>
  insn([0x48, 0x83, 0x04, 0x24, value], { reads: 0, kills: ALL_FLAGS, undefines: 0 });
