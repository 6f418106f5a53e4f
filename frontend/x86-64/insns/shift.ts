/**
 * Shifts and rotates. Out: rows. Source: SDM 2B, RCL/RCR/ROL/ROR, SAL/SAR/SHL/SHR, SHLD, SHRD.
 */
import type { TempId } from '../../../src/base/ids.js';
import { GPR } from '../../../src/guest/cpu-state.js';
import { CC, FLAG } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import type { Lifter } from '../lifter.js';
import { bits, type Size } from '../operands.js';
import type { InsnRow } from '../insn.js';

/** The shift count: a constant, or CL masked to 5 or 6 bits. */
type Count = { readonly known: number } | { readonly value: TempId };

function countOf(l: Lifter, i: number, size: Size): Count {
  const mask = size === 8 ? 63 : 31;
  const o = l.op(i);
  return o.kind === 'imm' ? { known: Number(o.value) & mask } : { value: l.and(G.reg(GPR.RCX), l.i64(mask)) };
}

/** What a shift computes from its operand: the result, and the source of the flags (see CC.SHL and CC.SAR). */
interface Shifted {
  readonly result: TempId;
  readonly before: TempId;
}

/**
 * Shifts: with count 0 the flags stay (the destination is written all the same). `f(n, nMinus1)` gives the result and the value shifted by one less.
 */
function shift(
  l: Lifter,
  family: typeof CC.SHL | typeof CC.SAR,
  at: number,
  f: (a: TempId, n: TempId, less: TempId) => Shifted,
): void {
  const size = l.size(0);
  const d = l.rmw(0);
  const a = d.load();
  const count = countOf(l, at, size);
  if ('known' in count) {
    if (count.known === 0) {
      d.store(a);
      return;
    }
    const { result, before } = f(a, l.i64(count.known), l.i64(count.known - 1));
    l.flags.set(family, size, result, before);
    d.store(result);
    return;
  }
  const n = count.value;
  const zero = l.i64(0);
  const { result, before } = f(a, n, l.and(l.sub(n, l.i64(1)), l.i64(63)));
  const r = l.movcond('eq', n, zero, a, result);
  l.flags.setUnless('eq', n, zero, family, size, r, before);
  d.store(r);
}

const shl = (l: Lifter): void => {
  shift(l, CC.SHL, 1, (a, n, less) => ({ result: l.shl(a, n), before: l.shl(a, less) }));
};
const shr = (l: Lifter): void => {
  const size = l.size(0);
  shift(l, CC.SAR, 1, (a, n, less) => {
    const z = l.zext(a, size);
    return { result: l.shr(z, n), before: l.shr(z, less) };
  });
};
const sar = (l: Lifter): void => {
  const size = l.size(0);
  shift(l, CC.SAR, 1, (a, n, less) => {
    const s = l.sext(a, size);
    return { result: l.sar(s, n), before: l.sar(s, less) };
  });
};

/** SHLD. Of 16 bits with a count past 16 (undefined in the SDM) the second operand comes in again, as on AMD. */
const shld = (l: Lifter): void => {
  const size = l.size(0);
  const b = l.load(1);
  shift(l, CC.SHL, 2, (a, n, less) => {
    if (size === 2) {
      const z = l.zext(b, 2);
      const all = l.or(l.or(l.shl(a, l.i64(32)), l.shl(z, l.i64(16))), z);
      const down = (by: TempId): TempId => l.shr(all, l.and(l.sub(l.i64(32), by), l.i64(63)));
      return { result: down(n), before: down(less) };
    }
    const low = l.shr(l.zext(b, size), l.and(l.sub(l.i64(bits(size)), n), l.i64(63)));
    return { result: l.or(l.shl(a, n), low), before: l.shl(a, less) };
  });
};
/** SHRD, likewise. OF is the change of the top bit by the last of the single shifts. */
const shrd = (l: Lifter): void => {
  const size = l.size(0);
  const b = l.load(1);
  shift(l, CC.SAR, 2, (a, n, less) => {
    if (size === 8) {
      const high = l.shl(b, l.and(l.sub(l.i64(64), n), l.i64(63)));
      const result = l.or(l.shr(a, n), high);
      // Bit 62 of the result was the top bit one shift before; CF is the lowest bit of then.
      return { result, before: l.e('deposit_i64', [l.shl(result, l.i64(1)), l.shr(a, less)], [0, 1]) };
    }
    const z = l.zext(b, size);
    const twice = size === 2 ? l.or(z, l.shl(z, l.i64(16))) : z;
    const all = l.or(l.zext(a, size), l.shl(twice, l.i64(bits(size))));
    return { result: l.shr(all, n), before: l.shr(all, less) };
  });
};

/** Rotates write CF and OF alone; with count 0 none. `cf` and `of` are 0 or 1. */
function rotateFlags(l: Lifter, count: Count, cf: TempId, of: TempId): void {
  const all = l.flags.all();
  const kept = l.and(all, l.i64(~(FLAG.CF | FLAG.OF)));
  const changed = l.or(kept, l.or(cf, l.shl(of, l.i64(11))));
  l.flags.setEflags('known' in count ? changed : l.movcond('eq', count.value, l.i64(0), all, changed));
}

const bit = (l: Lifter, v: TempId, n: number): TempId => l.e('extract_i64', [v], [n, 1]);

function rotate(l: Lifter, left: boolean): void {
  const size = l.size(0);
  const n = bits(size);
  const d = l.rmw(0);
  const a = d.load();
  const count = countOf(l, 1, size);
  if ('known' in count && count.known === 0) {
    d.store(a);
    return;
  }
  const by = 'known' in count ? l.i64(count.known % n) : l.and(count.value, l.i64(n - 1));
  const r = rotated(l, l.zext(a, size), by, size, left);
  const top = bit(l, r, n - 1);
  const cf = left ? bit(l, r, 0) : top;
  rotateFlags(l, count, cf, left ? l.xor(top, cf) : l.xor(top, bit(l, r, n - 2)));
  d.store(r);
}

function rotated(l: Lifter, z: TempId, by: TempId, size: Size, left: boolean): TempId {
  if (size === 8) return l.e(left ? 'rotl_i64' : 'rotr_i64', [z, by]);
  if (size === 4) return l.up(l.e(left ? 'rotl_i32' : 'rotr_i32', [l.lo(z), l.lo(by)]));
  const rest = l.sub(l.i64(bits(size)), by);
  return left ? l.or(l.shl(z, by), l.shr(z, rest)) : l.or(l.shr(z, by), l.shl(z, rest));
}
const rol = (l: Lifter): void => {
  rotate(l, true);
};
const ror = (l: Lifter): void => {
  rotate(l, false);
};

/** RCL and RCR: a rotate of width + 1 bits, CF on top. */
function rotateCarry(l: Lifter, left: boolean): void {
  const size = l.size(0);
  const n = bits(size);
  const d = l.rmw(0);
  const a = d.load();
  const count = countOf(l, 1, size);
  if ('known' in count && count.known === 0) {
    d.store(a);
    return;
  }
  const c = l.flags.carry();
  const { r, cf } =
    size === 8 ? rotateCarry64(l, a, c, count, left) : rotateCarrySmall(l, l.zext(a, size), c, count, n, left);
  const top = bit(l, r, n - 1);
  rotateFlags(l, count, cf, left ? l.xor(top, cf) : l.xor(top, bit(l, r, n - 2)));
  d.store('known' in count ? r : l.movcond('eq', count.value, l.i64(0), a, r));
}

function rotateCarrySmall(
  l: Lifter,
  z: TempId,
  c: TempId,
  count: Count,
  n: number,
  left: boolean,
): { r: TempId; cf: TempId } {
  const by = 'known' in count ? l.i64(count.known % (n + 1)) : l.e('remu_i64', [count.value, l.i64(n + 1)]);
  const rest = l.sub(l.i64(n + 1), by);
  const v = l.or(z, l.shl(c, l.i64(n)));
  const r = left ? l.or(l.shl(v, by), l.shr(v, rest)) : l.or(l.shr(v, by), l.shl(v, rest));
  return { r, cf: bit(l, r, n) };
}

function rotateCarry64(l: Lifter, a: TempId, c: TempId, count: Count, left: boolean): { r: TempId; cf: TempId } {
  const n = 'known' in count ? l.i64(count.known) : count.value;
  const one = l.i64(1);
  const back = l.and(l.sub(l.i64(64), n), l.i64(63));
  const less = l.and(l.sub(n, one), l.i64(63));
  if (left) {
    const r = l.or(l.or(l.shl(a, n), l.shl(c, less)), l.shr(l.shr(a, one), back));
    return { r, cf: l.and(l.shr(a, back), one) };
  }
  const r = l.or(l.or(l.shr(a, n), l.shl(c, back)), l.shl(l.shl(a, one), back));
  return { r, cf: l.and(l.shr(a, less), one) };
}
const rcl = (l: Lifter): void => {
  rotateCarry(l, true);
};
const rcr = (l: Lifter): void => {
  rotateCarry(l, false);
};

export const shiftRows = [
  { enc: 'C0 /0', mnemonic: 'rol', operands: 'Eb,Ib', feature: 'base', lift: rol },
  { enc: 'C1 /0', mnemonic: 'rol', operands: 'Ev,Ib', feature: 'base', lift: rol },
  { enc: 'D0 /0', mnemonic: 'rol', operands: 'Eb,1', feature: 'base', lift: rol },
  { enc: 'D1 /0', mnemonic: 'rol', operands: 'Ev,1', feature: 'base', lift: rol },
  { enc: 'D2 /0', mnemonic: 'rol', operands: 'Eb,CL', feature: 'base', lift: rol },
  { enc: 'D3 /0', mnemonic: 'rol', operands: 'Ev,CL', feature: 'base', lift: rol },
  { enc: 'C0 /1', mnemonic: 'ror', operands: 'Eb,Ib', feature: 'base', lift: ror },
  { enc: 'C1 /1', mnemonic: 'ror', operands: 'Ev,Ib', feature: 'base', lift: ror },
  { enc: 'D0 /1', mnemonic: 'ror', operands: 'Eb,1', feature: 'base', lift: ror },
  { enc: 'D1 /1', mnemonic: 'ror', operands: 'Ev,1', feature: 'base', lift: ror },
  { enc: 'D2 /1', mnemonic: 'ror', operands: 'Eb,CL', feature: 'base', lift: ror },
  { enc: 'D3 /1', mnemonic: 'ror', operands: 'Ev,CL', feature: 'base', lift: ror },
  { enc: 'C0 /2', mnemonic: 'rcl', operands: 'Eb,Ib', feature: 'base', lift: rcl },
  { enc: 'C1 /2', mnemonic: 'rcl', operands: 'Ev,Ib', feature: 'base', lift: rcl },
  { enc: 'D0 /2', mnemonic: 'rcl', operands: 'Eb,1', feature: 'base', lift: rcl },
  { enc: 'D1 /2', mnemonic: 'rcl', operands: 'Ev,1', feature: 'base', lift: rcl },
  { enc: 'D2 /2', mnemonic: 'rcl', operands: 'Eb,CL', feature: 'base', lift: rcl },
  { enc: 'D3 /2', mnemonic: 'rcl', operands: 'Ev,CL', feature: 'base', lift: rcl },
  { enc: 'C0 /3', mnemonic: 'rcr', operands: 'Eb,Ib', feature: 'base', lift: rcr },
  { enc: 'C1 /3', mnemonic: 'rcr', operands: 'Ev,Ib', feature: 'base', lift: rcr },
  { enc: 'D0 /3', mnemonic: 'rcr', operands: 'Eb,1', feature: 'base', lift: rcr },
  { enc: 'D1 /3', mnemonic: 'rcr', operands: 'Ev,1', feature: 'base', lift: rcr },
  { enc: 'D2 /3', mnemonic: 'rcr', operands: 'Eb,CL', feature: 'base', lift: rcr },
  { enc: 'D3 /3', mnemonic: 'rcr', operands: 'Ev,CL', feature: 'base', lift: rcr },
  { enc: 'C0 /4', mnemonic: 'shl', operands: 'Eb,Ib', feature: 'base', lift: shl },
  { enc: 'C1 /4', mnemonic: 'shl', operands: 'Ev,Ib', feature: 'base', lift: shl },
  { enc: 'D0 /4', mnemonic: 'shl', operands: 'Eb,1', feature: 'base', lift: shl },
  { enc: 'D1 /4', mnemonic: 'shl', operands: 'Ev,1', feature: 'base', lift: shl },
  { enc: 'D2 /4', mnemonic: 'shl', operands: 'Eb,CL', feature: 'base', lift: shl },
  { enc: 'D3 /4', mnemonic: 'shl', operands: 'Ev,CL', feature: 'base', lift: shl },
  { enc: 'C0 /5', mnemonic: 'shr', operands: 'Eb,Ib', feature: 'base', lift: shr },
  { enc: 'C1 /5', mnemonic: 'shr', operands: 'Ev,Ib', feature: 'base', lift: shr },
  { enc: 'D0 /5', mnemonic: 'shr', operands: 'Eb,1', feature: 'base', lift: shr },
  { enc: 'D1 /5', mnemonic: 'shr', operands: 'Ev,1', feature: 'base', lift: shr },
  { enc: 'D2 /5', mnemonic: 'shr', operands: 'Eb,CL', feature: 'base', lift: shr },
  { enc: 'D3 /5', mnemonic: 'shr', operands: 'Ev,CL', feature: 'base', lift: shr },
  // /6 is an undocumented alias of /4.
  { enc: 'C0 /6', mnemonic: 'sal', operands: 'Eb,Ib', feature: 'base', lift: shl },
  { enc: 'C1 /6', mnemonic: 'sal', operands: 'Ev,Ib', feature: 'base', lift: shl },
  { enc: 'D0 /6', mnemonic: 'sal', operands: 'Eb,1', feature: 'base', lift: shl },
  { enc: 'D1 /6', mnemonic: 'sal', operands: 'Ev,1', feature: 'base', lift: shl },
  { enc: 'D2 /6', mnemonic: 'sal', operands: 'Eb,CL', feature: 'base', lift: shl },
  { enc: 'D3 /6', mnemonic: 'sal', operands: 'Ev,CL', feature: 'base', lift: shl },
  { enc: 'C0 /7', mnemonic: 'sar', operands: 'Eb,Ib', feature: 'base', lift: sar },
  { enc: 'C1 /7', mnemonic: 'sar', operands: 'Ev,Ib', feature: 'base', lift: sar },
  { enc: 'D0 /7', mnemonic: 'sar', operands: 'Eb,1', feature: 'base', lift: sar },
  { enc: 'D1 /7', mnemonic: 'sar', operands: 'Ev,1', feature: 'base', lift: sar },
  { enc: 'D2 /7', mnemonic: 'sar', operands: 'Eb,CL', feature: 'base', lift: sar },
  { enc: 'D3 /7', mnemonic: 'sar', operands: 'Ev,CL', feature: 'base', lift: sar },
  { enc: '0F A4 /r', mnemonic: 'shld', operands: 'Ev,Gv,Ib', feature: 'base', lift: shld },
  { enc: '0F A5 /r', mnemonic: 'shld', operands: 'Ev,Gv,CL', feature: 'base', lift: shld },
  { enc: '0F AC /r', mnemonic: 'shrd', operands: 'Ev,Gv,Ib', feature: 'base', lift: shrd },
  { enc: '0F AD /r', mnemonic: 'shrd', operands: 'Ev,Gv,CL', feature: 'base', lift: shrd },
] as const satisfies readonly InsnRow[];
