/**
 * Stack operations. Out: rows. Source: SDM 2B, PUSH POP PUSHF POPF ENTER LEAVE.
 */
import type { TempId } from '../../../src/base/ids.js';
import { CPU, GPR } from '../../../src/guest/cpu-state.js';
import { FLAG } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import type { Lifter } from '../lifter.js';
import { memPlace, type Size, wide } from '../operands.js';
import type { InsnRow } from '../insn.js';
import { loadSegment, readSegment, segmentOf } from '../segments.js';

const RSP = G.reg(GPR.RSP);
const RBP = G.reg(GPR.RBP);

/** Pushes the low `size` bytes of `value`. */
export function pushValue(l: Lifter, value: TempId, size: Size): void {
  const sp = l.sub(RSP, l.i64(size));
  l.st(l.guardWrite(sp, size), value, size);
  l.mov(RSP, sp);
}

const stackSize = (l: Lifter): Size => wide(l.insn.opSize);

function push(l: Lifter): void {
  pushValue(l, l.load(0), stackSize(l));
}

/** POP: an address that uses RSP uses its value after the increment; POP RSP gives the value read. */
function pop(l: Lifter): void {
  const size = stackSize(l);
  const value = l.ld(l.guardRead(RSP, size), size);
  const o = l.op(0);
  const d =
    o.kind === 'mem'
      ? memPlace(l, l.guardWrite(l.ea(o, o.base === GPR.RSP ? l.i64(size) : undefined), size), size)
      : l.dest(0);
  l.mov(RSP, l.add(RSP, l.i64(size)));
  d.store(value);
}

function pushSegment(l: Lifter): void {
  pushValue(l, readSegment(l, segmentOf(l, 0)), stackSize(l));
}

function popSegment(l: Lifter): void {
  const size = stackSize(l);
  const write = loadSegment(l, segmentOf(l, 0), l.ld(l.guardRead(RSP, size), size));
  write();
  l.mov(RSP, l.add(RSP, l.i64(size)));
}

function pushf(l: Lifter): void {
  const size = stackSize(l);
  const sp = l.sub(RSP, l.i64(size));
  const host = l.guardWrite(sp, size);
  const df = l.and(l.up(G.df), l.i64(FLAG.DF));
  const rest = l.up(l.e('andc_i32', [l.env(CPU.EFLAGS_REST), l.i32(FLAG.RF)]));
  const value = l.or(l.or(l.flags.all(), df), l.or(rest, l.i64(FLAG.IF | 2)));
  l.st(host, value, size);
  l.mov(RSP, sp);
}

/** RFLAGS from the low `size` bytes of `value` (i64), at CPL 3: IF and IOPL stay. */
export function writeFlags(l: Lifter, value: TempId, size: Size): void {
  const lo = l.lo(value);
  const restMask = FLAG.TF | FLAG.NT | (size === 2 ? 0 : FLAG.AC | FLAG.ID);
  const kept = l.e('andc_i32', [l.env(CPU.EFLAGS_REST), l.i32(restMask)]);
  l.setEnv(CPU.EFLAGS_REST, l.e('or_i32', [kept, l.e('and_i32', [lo, l.i32(restMask)])]));
  // DF is bit 10: 1 - 2 * bit.
  l.emit('sub_i32', [G.df, l.i32(1), l.e('shl_i32', [l.e('extract_i32', [lo], [10, 1]), l.i32(1)])]);
  l.flags.setEflags(l.and(value, l.i64(FLAG.ARITH)));
}

/** With TF or AC in `flags`, the engine goes on from the next poll one instruction at a time (execute-loop.ts). */
export function kickIfWatched(l: Lifter, flags: TempId): void {
  const plain = l.label();
  l.brcond('tsteq', flags, l.i64(FLAG.TF | FLAG.AC), plain);
  l.call('kick', []);
  l.setLabel(plain);
}

/** POPF. TF takes effect after the next instruction: the TB ends here. */
function popf(l: Lifter): void {
  const size = stackSize(l);
  const value = l.copy(l.ld(l.guardRead(RSP, size), size), 'tb');
  writeFlags(l, value, size);
  l.mov(RSP, l.add(RSP, l.i64(size)));
  l.flags.sync();
  const plain = l.label();
  l.brcond('tsteq', value, l.i64(FLAG.TF | FLAG.AC), plain);
  l.call('kick', []);
  l.mov(G.rip, l.i64(l.next));
  l.emit('lookup_and_goto_ptr', []);
  l.setLabel(plain);
  l.jump(l.next);
}

/**
 * ENTER with nesting level 0 to 31: pushes RBP, then level - 1 frame pointers from below RBP and the new one. The copies read what the pushes have written where the two meet.
 * A fault of the first write below the new RSP is one of ENTER (SDM 2A, ENTER).
 */
function enter(l: Lifter): void {
  const size = stackSize(l);
  const alloc = l.op(0);
  const nesting = l.op(1);
  const bytes = alloc.kind === 'imm' ? BigInt.asUintN(16, alloc.value) : 0n;
  const level = nesting.kind === 'imm' ? Number(nesting.value) & 31 : 0;
  const below = (base: TempId, n: number): TempId => l.sub(base, l.i64(size * n));
  const slots = level === 0 ? 1 : level + 1;
  const hosts = Array.from({ length: slots }, (_, i) => l.guardWrite(below(RSP, i + 1), size));
  const sources = Array.from({ length: Math.max(0, level - 1) }, (_, i) => l.guardRead(below(RBP, i + 1), size));
  const frame = below(RSP, 1);
  const sp = l.sub(RSP, l.i64(BigInt(size * slots) + bytes));
  l.guardWrite(sp, size);
  hosts.forEach((host, i) => {
    const source = sources[i - 1];
    l.st(host, i === 0 ? RBP : source === undefined ? frame : l.ld(source, size), size);
  });
  l.reg(GPR.RBP, size).store(frame);
  l.mov(RSP, sp);
}

function leave(l: Lifter): void {
  const size = stackSize(l);
  const value = l.ld(l.guardRead(RBP, size), size);
  l.mov(RSP, l.add(RBP, l.i64(size)));
  l.reg(GPR.RBP, size).store(value);
}

export const stackRows = [
  { enc: '50+r', mnemonic: 'push', operands: 'Zv', feature: 'base', attrs: ['d64'], lift: push },
  { enc: '58+r', mnemonic: 'pop', operands: 'Zv', feature: 'base', attrs: ['d64'], lift: pop },
  { enc: '68', mnemonic: 'push', operands: 'Iz', feature: 'base', attrs: ['d64'], lift: push },
  { enc: '6A', mnemonic: 'push', operands: 'Ibs', feature: 'base', attrs: ['d64'], lift: push },
  { enc: '8F /0', mnemonic: 'pop', operands: 'Ev', feature: 'base', attrs: ['d64'], lift: pop },
  { enc: 'FF /6', mnemonic: 'push', operands: 'Ev', feature: 'base', attrs: ['d64'], lift: push },
  { enc: '9C', mnemonic: 'pushf/pushf/pushfq', operands: '', feature: 'base', attrs: ['d64'], lift: pushf },
  { enc: '9D', mnemonic: 'popf/popf/popfq', operands: '', feature: 'base', attrs: ['d64'], lift: popf },
  { enc: 'C8', mnemonic: 'enter', operands: 'Iw,Ib', feature: 'base', attrs: ['d64'], lift: enter },
  { enc: 'C9', mnemonic: 'leave', operands: '', feature: 'base', attrs: ['d64'], lift: leave },
  { enc: '0F A0', mnemonic: 'push', operands: 'FS', feature: 'base', attrs: ['d64'], lift: pushSegment },
  { enc: '0F A1', mnemonic: 'pop', operands: 'FS', feature: 'base', attrs: ['d64'], lift: popSegment },
  { enc: '0F A8', mnemonic: 'push', operands: 'GS', feature: 'base', attrs: ['d64'], lift: pushSegment },
  { enc: '0F A9', mnemonic: 'pop', operands: 'GS', feature: 'base', attrs: ['d64'], lift: popSegment },
] as const satisfies readonly InsnRow[];
