/**
 * States for integer instructions: register values with edges, addresses at page boundaries, counts and dividends that make sense. In: an instruction and a seed. Out: an IntegerState.
 * The same seed gives the same state.
 */
import type { Insn, MemOperand } from '../../frontend/x86-64/insn.js';
import { FLAG } from '../../src/guest/flags.js';
import { fastRandom, random64 } from '../support/random.js';
import { DATA, GS_BASE, IntegerState, WINDOWS } from '../support/integer-state.js';

export type Random = (n: number) => number;

const [RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const FLAG_BITS = [FLAG.CF, FLAG.PF, FLAG.AF, FLAG.ZF, FLAG.SF, FLAG.OF] as const;

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  0xfn,
  0x10n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ff00n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];
const SHIFT_COUNTS = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 18, 24, 30, 31, 32, 33, 47, 62, 63, 64, 65, 0x80, 0xff] as const;

/** An edge, an edge under noise, a small number or noise. */
function value(random: Random): bigint {
  const edge = EDGES[random(EDGES.length)] ?? 0n;
  switch (random(5)) {
    case 0:
    case 1:
      return edge;
    case 2:
      return BigInt.asUintN(64, (random64(random) << 32n) | (edge & 0xffff_ffffn));
    case 3:
      return BigInt(random(300));
    default:
      return random64(random);
  }
}

/** An address: most around the boundary of two pages that can be written, some where an access faults in whole or in part. */
function place(random: Random, canFault = true): bigint {
  const kind = random(canFault ? 12 : 7);
  if (kind < 7) return BigInt(DATA + 0x1000 + random(112) - 56);
  if (kind === 7) return BigInt(DATA + 0x2000 + random(32) - 16);
  if (kind === 8) return BigInt(DATA + 0x5000 - random(24));
  if (kind === 9) return BigInt(DATA + 0x4000 + random(48));
  if (kind === 10) return BigInt(DATA + 0x3000 + random(0x1000));
  // Not canonical: #GP.
  return 0x8000_0000_0000n + BigInt(random(0x1000));
}

/** On the stack an address that is not canonical is #SS, which has a signal of its own: none is made there. */
const onStack = (address: bigint): bigint => (address > 0xffff_ffffn ? BigInt(DATA + 0x1000) : address);

/** Multiplicative inverse of an odd number modulo 2**64. */
function inverse(odd: bigint): bigint {
  let x = odd;
  for (let i = 0; i < 6; i++) x = BigInt.asUintN(64, x * (2n - odd * x));
  return x;
}

/** Sets the registers of `m` so that its address becomes `target`, or one a little below. */
function aim(s: IntegerState, m: MemOperand, target: bigint, random: Random): void {
  const noise = m.addrSize === 4 ? random64(random) << 32n : 0n;
  const want = target - (m.seg === 'gs' ? BigInt(GS_BASE) : 0n) - m.disp;
  const scale = BigInt(m.scale);
  const set = (reg: number, v: bigint): void => {
    s.setGpr(reg, m.addrSize === 4 ? noise | BigInt.asUintN(32, v) : v);
  };
  if (m.base < 0 && m.index < 0) return;
  if (m.base < 0) set(m.index, want / scale);
  else if (m.index < 0) set(m.base, want);
  else if (m.base === m.index) set(m.base, scale === 1n ? want / 2n : want * inverse(scale + 1n));
  else {
    const index = BigInt(random(64) - 32);
    set(m.index, index);
    set(m.base, want - index * scale);
  }
}

function fillMemory(s: IntegerState, random: Random): void {
  let start = 0;
  for (const { size } of WINDOWS) {
    const kind = random(4);
    const same = random(256);
    for (let i = start; i < start + size; i++)
      s.memory[i] = kind === 0 ? same : kind === 1 ? random(2) : random(8) === 0 ? 0 : random(256);
    start += size;
  }
}

/** A dividend whose quotient fits, half of the time: the upper half is small, or the sign of the lower. */
function dividend(s: IntegerState, size: number, random: Random): void {
  const kind = random(4);
  const upper = kind === 0 ? 0n : kind === 1 ? -(s.gpr(RAX) >> BigInt(8 * size - 1)) : kind === 2 ? BigInt(random(3)) : undefined;
  if (upper === undefined) return;
  if (size === 1) s.setGpr(RAX, (s.gpr(RAX) & ~0xff00n) | (BigInt.asUintN(8, upper) << 8n));
  else s.setGpr(RDX, size === 2 ? (s.gpr(RDX) & ~0xffffn) | BigInt.asUintN(16, upper) : BigInt.asUintN(8 * size, upper));
}

/** What the instruction's kind wants of its registers. */
function suit(s: IntegerState, insn: Insn, random: Random): void {
  const { mnemonic } = insn.row;
  const size = insn.operands[0] !== undefined && 'size' in insn.operands[0] ? insn.operands[0].size : 8;
  if (/^(sh|sa|ro|rc)[lr]|^sh[lr]d/.test(mnemonic) && random(4) > 0)
    s.setGpr(RCX, (s.gpr(RCX) & ~0xffn) | BigInt(SHIFT_COUNTS[random(SHIFT_COUNTS.length)] ?? 0));
  if (/^i?div$/.test(mnemonic)) dividend(s, size, random);
  if (/^bt/.test(mnemonic) && insn.operands[0]?.kind === 'mem') {
    const o = insn.operands[1];
    if (o?.kind === 'gpr') s.setGpr(o.reg, BigInt.asUintN(8 * size, BigInt(random(900) - 450)) | (size < 8 ? random64(random) << BigInt(8 * size) : 0n));
  }
  if (/^(enter|leave)/.test(mnemonic)) s.setGpr(RBP, place(random, false));
  if (/^(loop|jrcxz)/.test(mnemonic)) s.setGpr(RCX, [0n, 1n, 2n, 5n, 0x1_0000_0000n, 0x1_0000_0001n][random(6)] ?? 0n);
}

/** String instructions: few elements, so that they stay within the windows; now and then source and destination overlap. */
function suitString(s: IntegerState, insn: Insn, random: Random): void {
  const noise = insn.addrSize === 4 ? random64(random) << 32n : 0n;
  s.setGpr(RCX, noise | BigInt(random(9)));
  if (random(3) > 0) return;
  s.setGpr(RDI, noise | BigInt.asUintN(insn.addrSize * 8, s.gpr(RSI) + BigInt(random(25) - 12)));
}

const isString = (mnemonic: string): boolean => /^(movs[bw]|cmps[bw]|stos|lods|scas)/.test(mnemonic);

/** The state before a case of the instructions of which `insn` is the first. */
function stateFor(insn: Insn, seed: number): IntegerState {
  const random = fastRandom(seed);
  const s = new IntegerState();
  const { mnemonic } = insn.row;
  s.rip = insn.addr;
  for (let n = 0; n < 16; n++) s.setGpr(n, value(random));
  s.rflags = FLAG.IF | 2;
  for (const bit of FLAG_BITS) if (random(2) === 0) s.rflags |= bit;
  if (random(isString(mnemonic) ? 2 : 8) === 0) s.rflags |= FLAG.DF;
  fillMemory(s, random);
  // ENTER is no exception: what it has pushed before a fault stays pushed on processors.
  const mayFault = insn.row.attrs?.includes('d64') === true && mnemonic !== 'enter' && random(2) === 0;
  s.setGpr(RSP, onStack(place(random, mayFault) & ~7n));
  suit(s, insn, random);
  let target = 0n;
  for (const o of insn.operands) {
    if (o.kind !== 'mem') continue;
    target = place(random);
    if (o.seg === 'ss') target = onStack(target);
    if (o.size === 16 && random(4) > 0) target &= ~15n;
    if (mnemonic === 'xlatb') s.setGpr(RBX, target - (s.gpr(RAX) & 0xffn));
    else aim(s, o, target, random);
  }
  if (isString(mnemonic)) suitString(s, insn, random);
  if (mnemonic.startsWith('cmpxchg') && random(2) === 0) equalDestination(s, insn, target);
  return s;
}

/** The windows' bytes at `address`, zero outside of them. */
function peek(s: IntegerState, address: bigint, size: number): bigint {
  let start = 0;
  let result = 0n;
  for (const w of WINDOWS) {
    for (let i = 0; i < size; i++) {
      const at = Number(address) + i - w.at;
      if (at >= 0 && at < w.size) result |= BigInt(s.memory[start + at] ?? 0) << BigInt(8 * i);
    }
    start += w.size;
  }
  return result;
}

/** The accumulator becomes what the destination of a CMPXCHG holds. */
function equalDestination(s: IntegerState, insn: Insn, target: bigint): void {
  const d = insn.operands[0];
  if (d?.kind === 'gpr') s.setGpr(RAX, d.high8 ? (s.gpr(d.reg) >> 8n) & 0xffn : s.gpr(d.reg));
  if (d?.kind !== 'mem') return;
  if (insn.row.mnemonic === 'cmpxchg') s.setGpr(RAX, peek(s, target, d.size));
  else {
    s.setGpr(RAX, peek(s, target, d.size / 2));
    s.setGpr(RDX, peek(s, target + BigInt(d.size / 2), d.size / 2));
  }
}

/** The state before a sequence: rsi, rdi and rsp point into the windows. */
function sequenceState(insn: Insn, seed: number): IntegerState {
  const random = fastRandom(seed);
  const s = stateFor(insn, seed);
  s.rflags &= ~FLAG.DF;
  for (const reg of [RSI, RDI, RSP]) s.setGpr(reg, BigInt(DATA + 0xfc0 + 8 * random(8)));
  return s;
}

/** The state before a case of a form, by its kind. */
export function stateBefore(insn: Insn, text: string, seed: number): IntegerState {
  return text.startsWith('sequence') ? sequenceState(insn, seed) : stateFor(insn, seed);
}
