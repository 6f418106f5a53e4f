/**
 * Byte strings to decode, from the instruction rows and at random. In: rows, a seed. Out: strings of 16 bytes, one behind the other. The same seed gives the
 * same strings. Source: mulberry32 for the pseudo-random numbers.
 */
import { OPCODE_MAPS, VEX_MAP, parseEncoding } from '../../frontend/x86-64/encoding.js';
import type { Encoding } from '../../frontend/x86-64/encoding.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';

/** Bytes of a string: one more than the longest instruction. */
export const STRIDE = 16;

/** Looked up once: in jest's context every look at a global is slow. */
const { imul } = Math;

/** Uniform integers in 0..n-1, seeded. */
export function seededRandom(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = imul(state ^ (state >>> 15), state | 1);
    t ^= t + imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const LEGACY_PREFIXES = [0x66, 0x66, 0xf2, 0xf3, 0xf2, 0xf3, 0x67, 0xf0, 0x64, 0x65, 0x2e, 0x26, 0x36, 0x3e];

/** Prefixes that every form of a row is tried with, before the row's own: none, each of them, pairs that meet, REX bits. */
export const PREFIX_SETS: readonly (readonly number[])[] = [
  [],
  [0x66],
  [0x67],
  [0xf2],
  [0xf3],
  [0xf0],
  [0x64],
  [0x65, 0x3e],
  [0x66, 0xf3],
  [0x66, 0xf2],
  [0xf2, 0xf3],
  [0xf3, 0xf2],
  [0x40],
  [0x41],
  [0x42, 0x67],
  [0x44],
  [0x48],
  [0x4f],
  [0x66, 0x48],
  [0x66, 0x41],
  [0x67, 0x47],
  [0xf0, 0x4d],
  [0x48, 0x66],
];

/**
 * The bytes of a row before ModRM: its own prefix and REX.W after `prefixes`, then the opcode with `low` added for '+r'.
 * VEX rows: bits of REX in `prefixes` become those of VEX, the lowest bit of `low` is VEX.L where the row takes both, the next two say which register stands in VEX.vvvv.
 */
export function opcodeBytes(row: InsnRow, prefixes: readonly number[], low: number): number[] {
  const encoding = parseEncoding(row);
  if (encoding.map > VEX_MAP) return vexBytes(encoding, prefixes, low);
  const legacy = prefixes.filter((byte) => (byte & 0xf0) !== 0x40);
  const rex = prefixes.filter((byte) => (byte & 0xf0) === 0x40);
  const own = encoding.prefix > 0 ? ([[], [0x66], [0xf3], [0xf2]][encoding.prefix] ?? []) : [];
  let last = rex.at(-1) ?? 0;
  if (encoding.rexW === 1) last |= 0x48;
  // A set that ends in a legacy prefix tests that REX before it is dropped.
  const dropped = rex.length > 0 && prefixes.at(-1) !== rex.at(-1);
  const bytes =
    dropped && encoding.rexW !== 1 ? [...prefixes, ...own] : [...legacy, ...own, ...(last === 0 ? [] : [last])];
  const map = (OPCODE_MAPS[encoding.map] ?? '')
    .split(' ')
    .filter((text) => text !== '')
    .map((text) => parseInt(text, 16));
  return [...bytes, ...map, encoding.opcode + (encoding.plusReg ? low : 0)];
}

const VVVV = [0, 1, 7, 13];

function vexBytes(encoding: Encoding, prefixes: readonly number[], low: number): number[] {
  // A REX prefix before a VEX prefix is invalid: now and then, one of the sets that end in a legacy prefix says so.
  const legacy = prefixes.at(-1) === 0x66 ? prefixes : prefixes.filter((byte) => (byte & 0xf0) !== 0x40);
  const rex = prefixes.reduce((bits, byte) => ((byte & 0xf0) === 0x40 ? bits | byte : bits), 0);
  const short = (low & 1) === 0;
  return [...legacy, ...vexPrefix(encoding, rex, low & 1, VVVV[(low >> 1) & 3] ?? 0, short), encoding.opcode];
}

/** A VEX prefix with bits W, R, X, B of `rex`, L and W where the row leaves them open, a register in vvvv; `short`: of two bytes where that can be. */
export function vexPrefix(encoding: Encoding, rex: number, length: number, vvvv: number, short: boolean): number[] {
  const w = encoding.rexW < 0 ? (rex & 8) !== 0 : encoding.rexW === 1;
  const l = encoding.vexL < 0 ? length : encoding.vexL;
  const last = ((~vvvv & 15) << 3) | (l << 2) | encoding.prefix;
  const map = encoding.map - VEX_MAP;
  // Every register bit is inverted; the short form has R alone.
  if (map === 1 && !w && (rex & 3) === 0 && short) return [0xc5, ((~rex & 4) << 5) | last];
  return [0xc4, ((~rex & 7) << 5) | map, (w ? 0x80 : 0) | last];
}

/** Appends random bytes up to `STRIDE`. */
function fill(out: Uint8Array, offset: number, bytes: readonly number[], random: (n: number) => number): void {
  for (let at = 0; at < STRIDE; at++) out[offset + at] = bytes[at] ?? random(256);
}

/** ModRM bytes that a row takes; an empty list for a row without ModRM. */
function modrmBytes(row: InsnRow): number[] {
  const { hasModrm, reg, rm, mod } = parseEncoding(row);
  if (!hasModrm) return [];
  return Array.from({ length: 256 }, (_, byte) => byte).filter(
    (byte) =>
      (reg < 0 || ((byte >> 3) & 7) === reg) &&
      (rm < 0 || (byte & 7) === rm) &&
      (mod < 0 || (mod === 1) === byte >= 0xc0),
  );
}

const VEX_CONFLICTS: readonly number[] = [0x66, 0xf2, 0xf3, 0xf0];

/** All forms of the rows: each prefix set with each ModRM byte (or each '+r'), random SIB, displacement and immediate behind. `every`: one in so many, and
 * the first of each row. */
export function tableStrings(rows: readonly InsnRow[], seed: number, every = 1): Uint8Array {
  const random = seededRandom(seed);
  let out = new Uint8Array(1024 * STRIDE);
  let strings = 0;
  let count = 0;
  const add = (bytes: readonly number[]): void => {
    if ((strings + 1) * STRIDE > out.length) {
      const larger = new Uint8Array(2 * out.length);
      larger.set(out);
      out = larger;
    }
    fill(out, strings++ * STRIDE, bytes, random);
  };
  for (const row of rows) {
    const { hasModrm, map, plusReg } = parseEncoding(row);
    const tails = hasModrm ? modrmBytes(row).map((byte) => [byte]) : [[]];
    const lows = map > VEX_MAP ? 2 : plusReg ? 8 : 1;
    PREFIX_SETS.forEach((prefixes, set) => {
      // A prefix that no VEX prefix may follow: a few of the ModRM bytes are enough.
      const step = map > VEX_MAP && prefixes.some((byte) => VEX_CONFLICTS.includes(byte)) ? 61 : 1;
      for (let low = 0; low < lows; low++) {
        const head = opcodeBytes(row, prefixes, map > VEX_MAP ? low + 2 * set : low);
        tails.forEach((tail, index) => {
          const first = prefixes.length === 0 && low === 0 && index === 0;
          if (first || (index % step === 0 && count++ % every === 0)) add([...head, ...tail]);
        });
      }
    });
  }
  return out.subarray(0, strings * STRIDE);
}

/** EVEX and XOP prefixes, and the VEX prefixes that no map stands behind: their reserved bits mostly as they have to be. */
function rarePrefix(random: (n: number) => number): number[] {
  const w = random(2) << 7;
  const v = random(2) === 0 ? 0x78 : random(16) << 3;
  switch (random(4)) {
    case 0:
    case 1: {
      const fixed = random(8) === 0 ? random(256) : 0xf0 | (1 + random(3));
      return [0x62, fixed, w | v | 4 | random(4), random(2) === 0 ? 0x08 | (random(3) << 5) : random(256)];
    }
    case 2:
      return [0x8f, (random(8) << 5) | (random(8) === 0 ? random(32) : 8 + random(3)), w | v | random(8)];
    default:
      return [0xc4, (random(8) << 5) | random(32), w | v | random(8)];
  }
}

/**
 * `count` random strings: a fifth each of plain random bytes behind random prefixes, in the 0F maps, of a row's bytes with one bit flipped, behind a VEX prefix, behind an EVEX or XOP prefix
 * (those bits that are fixed mostly right).
 */
export function randomStrings(rows: readonly InsnRow[], count: number, random: (n: number) => number): Uint8Array {
  const out = new Uint8Array(count * STRIDE);
  for (let index = 0; index < count; index++) {
    const bytes: number[] = [];
    for (let left = random(5); left > 0; left--) {
      bytes.push(random(3) === 0 ? 0x40 + random(16) : (LEGACY_PREFIXES[random(LEGACY_PREFIXES.length)] ?? 0));
    }
    // Now and then enough prefixes to pass 15 bytes.
    if (random(64) === 0) for (let left = random(14); left > 0; left--) bytes.push(0x2e);
    const kind = random(5);
    if (kind === 1) bytes.push(0x0f);
    if (kind === 1 && random(8) === 0) bytes.push(random(2) === 0 ? 0x38 : 0x3a);
    if (kind === 3 && random(4) > 0) bytes.length = 0;
    if (kind === 3) bytes.push(0xc4 + random(2));
    if (kind === 3 && bytes.at(-1) === 0xc4 && random(4) > 0) bytes.push((random(8) << 5) | (1 + random(3)));
    if (kind === 4 && random(4) > 0) bytes.length = 0;
    if (kind === 4) bytes.push(...rarePrefix(random));
    if (kind === 2) {
      const row = rows[random(rows.length)];
      if (row !== undefined) bytes.push(...opcodeBytes(row, [], random(8)));
      const at = random(bytes.length);
      if (random(2) === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    }
    fill(out, index * STRIDE, bytes, random);
  }
  return out;
}
