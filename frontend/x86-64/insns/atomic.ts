/**
 * Read-modify-write instructions that are used as atomics. XCHG with memory locks without the prefix. Out: rows. Source: SDM 2A to 2D, XCHG XADD CMPXCHG CMPXCHG8B/16B.
 */
import { GPR } from '../../../src/guest/cpu-state.js';
import { CC, FLAG } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import { atomicOld, compareExchange, lockedOld } from '../atomic.js';
import type { LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import type { InsnRow } from '../insn.js';

/** XCHG: with memory it is atomic with or without LOCK. */
function xchg(l: Lifter): void {
  const d = l.rmw(0);
  const s = l.dest(1);
  const value = l.copy(s.load());
  const old = d.host === undefined ? l.copy(d.load()) : atomicOld(l, d, 'xchg', value);
  if (d.host === undefined) d.store(value);
  s.store(old);
}

function xadd(l: Lifter): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const s = l.dest(1);
  const b = l.copy(s.load());
  const a = lockedOld(l, d, 'add', b) ?? l.copy(d.load());
  const r = l.add(a, b);
  l.flags.set(CC.ADD, size, r, b);
  s.store(a);
  if (!l.insn.lock) d.store(r);
}

/** CMPXCHG: flags as of CMP accumulator, destination. Memory is written in any case, so it must be writable. */
function cmpxchg(l: Lifter): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const value = l.load(1);
  const acc = l.reg(GPR.RAX, size);
  const expected = l.zext(l.copy(acc.load()), size);
  const old = l.insn.lock ? compareExchange(l, d, expected, value) : l.zext(l.copy(d.load()), size);
  const equal = l.setcond('eq', old, expected);
  l.flags.setSub(size, expected, old, l.sub(expected, old));
  const zero = l.i64(0);
  if (!l.insn.lock) {
    const stored = l.movcond('ne', equal, zero, value, old);
    const full = d.host === undefined ? G.reg(l.register(0)) : undefined;
    // A register destination of 32 bits keeps its upper half when the comparison fails.
    if (full !== undefined && size === 4) l.mov(full, l.movcond('ne', equal, zero, l.zext(value, 4), full));
    else d.store(stored);
  }
  const rax = G.reg(GPR.RAX);
  const loaded = size === 4 ? old : size === 8 ? old : l.e('deposit_i64', [rax, old], [0, 8 * size]);
  l.mov(rax, l.movcond('ne', equal, zero, rax, loaded));
}
/** CMPXCHG8B and CMPXCHG16B, always atomic: a helper that gives ZF and writes rDX:rAX. */
function cmpxchgPair(helper: 'cmpxchg8b' | 'cmpxchg16b'): LiftFn {
  return (l) => {
    const m = l.mem(0);
    const ea = l.ea(m);
    if (helper === 'cmpxchg16b') l.emit('align_check', [ea], [16]);
    const host = l.guardRW(ea, helper === 'cmpxchg16b' ? 16 : 8);
    const flags = l.flags.all();
    const zf = l.callFor(helper, [host]);
    l.flags.setEflags(l.or(l.and(flags, l.i64(~FLAG.ZF)), l.shl(zf, l.i64(6))));
  };
}

export const atomicRows = [
  { enc: '86 /r', mnemonic: 'xchg', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: xchg },
  { enc: '87 /r', mnemonic: 'xchg', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: xchg },
  { enc: '90+r', mnemonic: 'xchg', operands: 'Zv,rAX', feature: 'base', lift: xchg },
  { enc: '0F C0 /r', mnemonic: 'xadd', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: xadd },
  { enc: '0F C1 /r', mnemonic: 'xadd', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: xadd },
  { enc: '0F B0 /r', mnemonic: 'cmpxchg', operands: 'Eb,Gb', feature: 'base', attrs: ['lock'], lift: cmpxchg },
  { enc: '0F B1 /r', mnemonic: 'cmpxchg', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: cmpxchg },
  {
    enc: '0F C7 /1',
    mnemonic: 'cmpxchg8b',
    operands: 'Mq',
    feature: 'base',
    attrs: ['lock'],
    lift: cmpxchgPair('cmpxchg8b'),
  },
  {
    enc: 'REX.W 0F C7 /1',
    mnemonic: 'cmpxchg16b',
    operands: 'Mdq',
    feature: 'cx16',
    attrs: ['lock'],
    lift: cmpxchgPair('cmpxchg16b'),
  },
] as const satisfies readonly InsnRow[];
