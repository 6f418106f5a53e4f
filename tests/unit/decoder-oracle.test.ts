/** The decoder against iced-x86: all rows with prefixes and ModRM forms, random bytes, cut strings; and that the comparison can fail. The long run is tests/fuzz/decoder-fuzz.ts. */
import { describe, expect, test } from '@jest/globals';
import { allRows, createDecoder, decode, isInsn, rowKey } from '../../frontend/x86-64/decoder.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { STRIDE, opcodeBytes, randomStrings, seededRandom, tableStrings } from '../fuzz/decoder-generate.js';
import { OracleBatch } from '../fuzz/decoder-oracle.js';

const BASE = 0x400000;

function differences(strings: Uint8Array, decoder = decode): { found: string[]; rows: Set<string>; valid: number } {
  const batch = new OracleBatch(strings, BASE, decoder);
  const found: string[] = [];
  const rows = new Set<string>();
  let valid = 0;
  for (let offset = 0; offset < strings.length; offset += STRIDE) {
    const verdict = batch.check(offset);
    if (verdict.kind === 'valid') {
      valid++;
      rows.add(rowKey(verdict.insn.row));
    }
    if (verdict.kind === 'different') {
      found.push(`${Buffer.from(strings.subarray(offset, offset + STRIDE)).toString('hex')}: ${verdict.what}`);
    }
  }
  batch.free();
  return { found, rows, valid };
}

describe('decoder and iced-x86', () => {
  test('agree on the forms of every row, and every row is reached', () => {
    const { found, rows, valid } = differences(tableStrings(allRows(), 1, 7));
    expect(found).toEqual([]);
    expect(valid).toBeGreaterThan(100_000);
    expect(
      allRows()
        .map(rowKey)
        .filter((key) => !rows.has(key)),
    ).toEqual([]);
  });

  test('agree on 200,000 random strings', () => {
    const { found, valid } = differences(randomStrings(allRows(), 200_000, seededRandom(2)));
    expect(found).toEqual([]);
    expect(valid).toBeGreaterThan(50_000);
  });

  test('agree that a string cut short is truncated', () => {
    const strings = tableStrings(allRows(), 3, 97);
    const wrong: string[] = [];
    let cuts = 0;
    for (let offset = 0; offset < strings.length; offset += STRIDE) {
      const string = strings.subarray(offset, offset + STRIDE);
      const whole = decode({ bytes: string, base: BASE, readable: () => STRIDE }, BASE);
      if (!isInsn(whole)) continue;
      for (let length = 0; length < whole.length; length++) {
        const cut = decode({ bytes: string, base: BASE, readable: () => length }, BASE);
        if (isInsn(cut) || cut.kind !== 'truncated' || cut.at !== BASE + length) {
          wrong.push(`${Buffer.from(string).toString('hex')} after ${length} bytes`);
        }
        cuts++;
      }
      const batch = new OracleBatch(string.subarray(0, whole.length - 1), BASE);
      if (batch.check(0).kind !== 'truncated') wrong.push(`${Buffer.from(string).toString('hex')} one byte short`);
      batch.free();
    }
    expect(wrong).toEqual([]);
    expect(cuts).toBeGreaterThan(20_000);
  });

  test('differ where a row is wrong: the comparison can fail', () => {
    const broken = (enc: string, change: Partial<InsnRow>): string[] => {
      const row = allRows().find((candidate) => candidate.enc === enc);
      if (row === undefined) throw new Error(`no row '${enc}'`);
      const changed = { ...row, ...change };
      const rows = allRows().map((candidate) => (candidate === row ? changed : candidate));
      const strings = new Uint8Array(STRIDE);
      strings.set([...opcodeBytes(row, [], 0), 0x08, 0x90, 0x11, 0x22, 0x33, 0x44]);
      return differences(strings, createDecoder(new DispatchTables(rows))).found;
    };
    expect(broken('8B /r', { operands: 'Gv,Ev' })).toEqual([]);
    expect(broken('8B /r', { operands: 'Ev,Gv' })).toHaveLength(1);
    expect(broken('8B /r', { operands: 'Gv,Ew' })).toHaveLength(1);
    expect(broken('8B /r', { operands: 'Gv,Ev,Ib' })).toHaveLength(1);
    expect(broken('8B /r', { mnemonic: 'lea' })).toHaveLength(1);
    expect(broken('8B /r', { attrs: ['d64'] })).toHaveLength(1);
    expect(broken('8B /r', { attrs: ['reg-only'] })).toHaveLength(1);
    expect(broken('NP 0F 28 /r', { enc: '66 0F 29 /r' })[0] ?? '').toMatch(/invalid, iced says movaps/);
  });
});
