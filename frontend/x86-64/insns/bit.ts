/**
 * Bit tests, bit scans, counts, byte swaps, CRC32, additions on one carry flag. Out: rows. Source: SDM 2A/2B, BT BTS BTR BTC BSF BSR POPCNT LZCNT TZCNT BSWAP MOVBE CRC32 ADCX ADOX.
 * F3 0F BC and F3 0F BD are BSF and BSR on a CPU without BMI1 and LZCNT.
 */
import type { TempId } from '../../../src/base/ids.js';
import { CC, FLAG } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import { atomicOld } from '../atomic.js';
import type { LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { bits, LOG2, memPlace, type Place } from '../operands.js';
import type { InsnRow } from '../insn.js';

/** BT, BTS, BTR, BTC. A register offset reaches beyond a memory operand: whole operands away, signed (SDM 2A, table 3-2). CF alone changes. */
function bitTest(op: 'bt' | 'bts' | 'btr' | 'btc'): LiftFn {
  return (l) => {
    const size = l.size(0);
    const n = bits(size);
    const target = l.op(0);
    const offset = l.op(1);
    const raw = l.load(1);
    const index = l.and(raw, l.i64(n - 1));
    let place: Place;
    if (target.kind === 'mem') {
      const words =
        offset.kind === 'imm' ? undefined : l.shl(l.sar(l.sext(raw, size), l.i64(Math.log2(n))), l.i64(LOG2[size]));
      const ea = l.ea(target, words);
      place = memPlace(l, op === 'bt' ? l.guardRead(ea, size) : l.guardRW(ea, size), size);
    } else {
      place = l.dest(0);
    }
    const mask = l.shl(l.i64(1), index);
    const locked = l.insn.lock && op !== 'bt';
    const old = locked ? lockedBit(l, place, op, mask) : l.copy(place.load());
    const cf = l.and(l.shr(old, index), l.i64(1));
    l.flags.setEflags(l.or(l.and(l.flags.all(), l.i64(~FLAG.CF)), cf));
    if (op === 'bt' || locked) return;
    place.store(op === 'bts' ? l.or(old, mask) : op === 'btr' ? l.e('andc_i64', [old, mask]) : l.xor(old, mask));
  };
}

function lockedBit(l: Lifter, place: Place, op: 'bts' | 'btr' | 'btc', mask: TempId): TempId {
  switch (op) {
    case 'bts':
      return atomicOld(l, place, 'or', mask);
    case 'btr':
      return atomicOld(l, place, 'and', l.not(mask));
    case 'btc':
      return atomicOld(l, place, 'xor', mask);
  }
}

/** BSF and BSR: ZF says that the source is 0, and then the destination keeps its value (all 64 bits). */
function scan(l: Lifter, position: (source: TempId) => TempId): void {
  const size = l.size(0);
  const source = l.copy(l.loadZ(1));
  const d = l.reg(l.register(0), 8);
  const found = position(source);
  l.flags.set(CC.ZERO, size, source);
  const narrow = size === 2 ? l.e('deposit_i64', [d.load(), found], [0, 16]) : found;
  d.store(l.movcond('eq', source, l.i64(0), d.load(), narrow));
}
const bsf = (l: Lifter): void => {
  scan(l, (s) => l.e('ctz_i64', [s]));
};
const bsr = (l: Lifter): void => {
  scan(l, (s) => l.sub(l.i64(63), l.e('clz_i64', [s])));
};

/** TZCNT and LZCNT: CF when the source is 0, ZF when the result is. */
function count(op: 'tzcnt' | 'lzcnt'): LiftFn {
  return (l) => {
    const size = l.size(0);
    const n = bits(size);
    const source = l.loadZ(1);
    const r =
      op === 'tzcnt'
        ? l.e('ctz_i64', [size === 8 ? source : l.or(source, l.i64(1n << BigInt(n)))])
        : l.sub(l.e('clz_i64', [source]), l.i64(64 - n));
    const zf = l.shl(l.setcond('eq', r, l.i64(0)), l.i64(6));
    l.flags.setEflags(l.or(l.setcond('eq', source, l.i64(0)), zf));
    l.dest(0).store(r);
  };
}

function popcnt(l: Lifter): void {
  const r = l.e('popcnt_i64', [l.loadZ(1)]);
  l.flags.set(CC.ZERO, l.size(0), r);
  l.dest(0).store(r);
}

/** BSWAP. Of 16 bits: undefined in the SDM; processors store zero. */
function bswap(l: Lifter): void {
  const d = l.dest(0);
  if (d.size === 8) d.store(l.e('bswap_i64', [d.load()]));
  else if (d.size === 4) d.store(l.up(l.e('bswap_i32', [l.lo(d.load())])));
  else d.store(l.i64(0));
}

/** MOVBE: a move between register and memory, bytes reversed. */
function movbe(l: Lifter): void {
  const size = l.size(0);
  const value = l.loadZ(1);
  const swapped = l.e('bswap_i64', [value]);
  l.dest(0).store(size === 8 ? swapped : l.shr(swapped, l.i64(64 - bits(size))));
}

/** CRC32: accumulates the polynomial 0x11EDC6F41 (bits reflected) over the source's bytes; no flags. */
function crc32(l: Lifter): void {
  const d = G.reg(l.register(0));
  const data = l.load(1);
  l.mov(d, l.callFor('crc32c', [d, data, l.i32(l.size(1))]));
}

/** ADCX and ADOX: an addition with carry in and out through CF or OF alone. */
function addCarry(flag: typeof FLAG.CF | typeof FLAG.OF): LiftFn {
  return (l) => {
    const size = l.size(0);
    const position = l.i64(Math.log2(flag));
    const b = l.loadZ(1);
    const a = l.loadZ(0);
    const flags = l.flags.all();
    const carry = l.and(l.shr(flags, position), l.i64(1));
    const partial = l.add(a, b);
    const sum = l.add(partial, carry);
    const out = size === 4 ? l.shr(sum, l.i64(32)) : l.or(l.setcond('ltu', partial, a), l.setcond('ltu', sum, partial));
    l.flags.setEflags(l.or(l.and(flags, l.i64(~flag)), l.shl(out, position)));
    l.dest(0).store(sum);
  };
}

export const bitRows = [
  { enc: '0F A3 /r', mnemonic: 'bt', operands: 'Ev,Gv', feature: 'base', lift: bitTest('bt') },
  { enc: '0F AB /r', mnemonic: 'bts', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: bitTest('bts') },
  { enc: '0F B3 /r', mnemonic: 'btr', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: bitTest('btr') },
  { enc: '0F BB /r', mnemonic: 'btc', operands: 'Ev,Gv', feature: 'base', attrs: ['lock'], lift: bitTest('btc') },
  { enc: '0F BA /4', mnemonic: 'bt', operands: 'Ev,Ib', feature: 'base', lift: bitTest('bt') },
  { enc: '0F BA /5', mnemonic: 'bts', operands: 'Ev,Ib', feature: 'base', attrs: ['lock'], lift: bitTest('bts') },
  { enc: '0F BA /6', mnemonic: 'btr', operands: 'Ev,Ib', feature: 'base', attrs: ['lock'], lift: bitTest('btr') },
  { enc: '0F BA /7', mnemonic: 'btc', operands: 'Ev,Ib', feature: 'base', attrs: ['lock'], lift: bitTest('btc') },
  { enc: '0F BC /r', mnemonic: 'bsf', operands: 'Gv,Ev', feature: 'base', lift: bsf },
  { enc: '0F BD /r', mnemonic: 'bsr', operands: 'Gv,Ev', feature: 'base', lift: bsr },
  { enc: 'F3 0F BC /r', mnemonic: 'tzcnt', operands: 'Gv,Ev', feature: 'bmi1', lift: count('tzcnt') },
  { enc: 'F3 0F BD /r', mnemonic: 'lzcnt', operands: 'Gv,Ev', feature: 'lzcnt', lift: count('lzcnt') },
  { enc: 'F3 0F B8 /r', mnemonic: 'popcnt', operands: 'Gv,Ev', feature: 'popcnt', lift: popcnt },
  { enc: 'NFx 0F 38 F0 /r', mnemonic: 'movbe', operands: 'Gv,Mv', feature: 'movbe', lift: movbe },
  { enc: 'NFx 0F 38 F1 /r', mnemonic: 'movbe', operands: 'Mv,Gv', feature: 'movbe', lift: movbe },
  { enc: 'F2 0F 38 F0 /r', mnemonic: 'crc32', operands: 'Gy,Eb', feature: 'sse4.2', lift: crc32 },
  { enc: 'F2 0F 38 F1 /r', mnemonic: 'crc32', operands: 'Gy,Ev', feature: 'sse4.2', lift: crc32 },
  { enc: '66 0F 38 F6 /r', mnemonic: 'adcx', operands: 'Gy,Ey', feature: 'adx', lift: addCarry(FLAG.CF) },
  { enc: 'F3 0F 38 F6 /r', mnemonic: 'adox', operands: 'Gy,Ey', feature: 'adx', lift: addCarry(FLAG.OF) },
  { enc: '0F C8+r', mnemonic: 'bswap', operands: 'Zv', feature: 'base', lift: bswap },
] as const satisfies readonly InsnRow[];
