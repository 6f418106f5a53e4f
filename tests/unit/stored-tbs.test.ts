/** The core's part in the code store: its hash is the one that JavaScript computes, and TBs that lie as the store keeps them are entered as CodeCache enters them. */
import { describe, expect, test } from '@jest/globals';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { padded, wordsHash } from '../../src/engine/code-store-file.js';
import { CODE_ARENA, PAGE_TBS, PCB, PCB_BASE } from '../../src/guest/memory-map.js';
import { TB, TB_STATE } from '../../src/guest/tb-header.js';
import { CoreMachine, DONE, singleTb } from '../support/core-machine.js';

const m = new CoreMachine();
const PAGE = 0x400;
const PCS = [0x40_0000, 0x40_0010, 0x40_0ff0];

/** Lays TBs at `pcs` into the arena without entering them, as the code store does; gives where they lie. */
function lay(pcs: readonly number[]): { readonly start: number; readonly end: number } {
  const start = m.cache.allocate(0);
  for (const pc of pcs) {
    const header = encodeTb(
      singleTb(pc, () => undefined),
      m.views.i32,
      (bytes) => m.cache.allocate(bytes),
      5,
    );
    m.setWord(header + TB.INSN_TABLE, m.word(header + TB.INSN_TABLE) - header);
    expect(m.cache.allocate(0)).toBe(header + padded(m.word(header + TB.ARENA_SIZE)));
  }
  return { start, end: m.cache.allocate(0) };
}

const control = (field: number): number => m.word(PCB_BASE + field);

describe('TBs of earlier runs', () => {
  test('are found, run, and are on the list of their page', () => {
    m.clear();
    const before = control(PCB.TB_COUNT);
    const { start, end } = lay(PCS);
    expect(PCS.map((pc) => m.cache.lookup(pc))).toEqual([0, 0, 0]);
    expect(m.core.takeTbs(start | 0, end | 0, 77)).toBe(3);
    const headers = PCS.map((pc) => m.cache.lookup(pc));
    for (const header of headers) {
      expect(m.word(header + TB.HEAT)).toBe(77);
      expect(m.word(header + TB.INSN_TABLE)).toBeGreaterThan(header);
      expect(m.word(header + TB.INSN_TABLE)).toBeLessThan(end);
    }
    expect(headers.map((header) => m.word(header + TB.ID))).toEqual([before, before + 1, before + 2]);
    expect(PCS.map((pc) => m.run(pc))).toEqual([DONE, DONE, DONE]);
    expect(m.cache.invalidatePage(PAGE)).toBe(3);
    expect(PCS.map((pc) => m.cache.lookup(pc))).toEqual([0, 0, 0]);
  });

  test('do not take the place of those that are there', () => {
    m.clear();
    const known = m.add(singleTb(0x40_0010, () => undefined));
    const { start, end } = lay(PCS);
    expect(m.core.takeTbs(start | 0, end | 0, 77)).toBe(2);
    expect(m.cache.lookup(0x40_0010)).toBe(known);
    expect(m.word(known + TB.HEAT)).not.toBe(77);
  });

  test('do take the place of dead ones', () => {
    m.clear();
    const dead = m.add(singleTb(0x40_0010, () => undefined));
    m.setWord(dead + TB.STATE, TB_STATE.DEAD);
    const { start, end } = lay([0x40_0010]);
    expect(m.core.takeTbs(start | 0, end | 0, 77)).toBe(1);
    expect(m.cache.lookup(0x40_0010)).toBe(start);
  });

  test('on two pages are on the lists of both', () => {
    m.clear();
    const pc = 0x40_0fff;
    const { start, end } = lay([pc]);
    m.setWord(start + TB.SIZE, 2);
    expect(m.core.takeTbs(start | 0, end | 0, 77)).toBe(1);
    for (const page of [PAGE, PAGE + 1]) expect(m.word(m.word(PAGE_TBS + 4 * page) + 4)).toBe(start);
    expect(m.cache.invalidatePage(PAGE + 1)).toBe(1);
    expect(m.cache.lookup(pc)).toBe(0);
  });
});

test.each([0, 1, 2, 3, 4, 5, 7, 8, 1023, 1024])('the hash of %i words is the one of JavaScript', (count) => {
  let random = count + 1;
  const words = Int32Array.from({ length: count }, () => (random = (Math.imul(random, 1103515245) + 12345) | 0));
  const at = CODE_ARENA + 0x1000;
  m.views.i32.set(words, at / 4);
  const hash = wordsHash(words, 0, count);
  expect(m.core.wordsHash(at | 0, count)).toBe(hash);
  expect(Number.isSafeInteger(hash)).toBe(true);
  if (count === 0) return;
  // Each bit of each word counts.
  const seen = new Set([hash]);
  for (let n = 0; n < count; n++) {
    for (const bit of [0, 15, 31]) {
      words[n] = (words[n] ?? 0) ^ (1 << bit);
      seen.add(wordsHash(words, 0, count));
      words[n] = (words[n] ?? 0) ^ (1 << bit);
    }
  }
  expect(seen.size).toBe(1 + 3 * count);
});
