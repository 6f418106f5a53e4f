/** TBs that begin on one page and end on the next: kept, and taken where both pages have the content that they were translated from. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodeStore } from '../../src/engine/code-store.js';
import { HEAT_OFF, TB } from '../../src/guest/tb-header.js';
import { PERM } from '../../src/guest/memory-map.js';
import { setCode } from '../../runtime/memory/perms.js';
import { CoreMachine, singleTb } from '../support/core-machine.js';

const PAGE = 0x400;
const AT = PAGE * 4096;
const SPANNING = AT + 4095;
/** As many as are worth a file. */
const ALONE = Array.from({ length: 80 }, (_, n) => AT + 16 * n);

let directory = '';
beforeAll(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'lift64-store-'));
});
afterAll(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

/** A machine with code on two pages, and its store. */
function setUp(): { readonly m: CoreMachine; readonly store: CodeStore; readonly mark: (page: number) => void } {
  const m = new CoreMachine();
  m.allow(AT, PERM.R | PERM.X);
  m.allow(AT + 4096, PERM.R | PERM.X);
  m.views.u8.fill(0x90, AT, AT + 8192);
  const store = new CodeStore({
    options: { directory, variant: 'test' },
    views: m.views,
    cache: m.cache,
    program: () => process.execPath,
    isFile: () => true,
    core: m.core,
    heat: HEAT_OFF,
    keptOn: () => [],
  });
  const mark = (page: number): void => {
    setCode(m.views.u8, page, true);
  };
  return { m, store, mark };
}

test('of an earlier run', () => {
  const first = setUp();
  first.mark(PAGE);
  first.mark(PAGE + 1);
  for (const pc of ALONE) first.m.add(singleTb(pc, () => undefined));
  first.m.add({ ...singleTb(SPANNING, () => undefined), size: 2 });
  const hints = (m: CoreMachine): (number | undefined)[] =>
    [TB.TARGETS, TB.EDGES].map((hint) => m.views.i32[(m.cache.lookup(AT) + hint) / 4]);
  for (const hint of [TB.TARGETS, TB.EDGES]) first.m.views.i32[(first.m.cache.lookup(AT) + hint) / 4] = 7;
  expect(first.store.save()).toBe(ALONE.length + 1);

  const { m, store, mark } = setUp();
  mark(PAGE);
  // The next page may be written to until it is marked, so its content is not certain.
  expect(store.take(PAGE)).toBe(PAGE + 1);
  expect(m.cache.lookup(AT)).not.toBe(0);
  // Places stay what they were; entries begin anew, and so does what is counted beside them.
  expect(hints(m)).toEqual([7, 0]);
  expect(m.cache.lookup(SPANNING)).toBe(0);
  mark(PAGE + 1);
  expect(store.take(PAGE)).toBe(0);
  expect(m.cache.lookup(SPANNING)).not.toBe(0);
  expect(m.cache.invalidatePage(PAGE + 1)).toBe(1);
  expect(m.cache.lookup(SPANNING)).toBe(0);
});

test('not when the second page has other content, or can be written', () => {
  for (const change of [
    (m: CoreMachine) => (m.views.u8[AT + 8191] = 0xcc),
    (m: CoreMachine) => {
      m.allow(AT + 4096, PERM.R | PERM.W | PERM.X);
    },
    (m: CoreMachine) => {
      m.allow(AT + 4096, PERM.R);
    },
  ]) {
    const { m, store, mark } = setUp();
    change(m);
    mark(PAGE);
    if (store.take(PAGE) !== 0) mark(PAGE + 1);
    expect(store.take(PAGE)).toBe(0);
    expect(m.cache.lookup(AT)).not.toBe(0);
    expect(m.cache.lookup(SPANNING)).toBe(0);
  }
});
