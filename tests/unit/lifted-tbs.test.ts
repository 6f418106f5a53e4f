/** TBs that regions are formed from: lifted once, and anew when their bytes may have changed. */
import { describe, expect, test } from '@jest/globals';
import { decode } from '../../frontend/x86-64/decoder.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { LiftedTbs } from '../../src/engine/lifted-tbs.js';
import { memoryViews } from '../../src/engine/memory-views.js';
import { PAGE_SHIFT, PAGE_SIZE, PERM, PERM_TABLE, WASM_PAGES } from '../../src/guest/memory-map.js';
import { PASSES } from '../../src/opt/pipeline.js';

const PAGE = 0x40_0000;
const INC_RAX = [0x48, 0xff, 0xc0];
const RET = [0xc3];

function setUp() {
  const views = memoryViews(new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true }));
  CodeCache.initialise(views);
  const mark = (page: number, code: boolean): void => {
    views.u8[PERM_TABLE + page] = PERM.R | PERM.X | (code ? PERM.CODE : 0);
  };
  const cache = new CodeCache(views, mark);
  const page = PAGE >>> PAGE_SHIFT;
  mark(page, true);
  mark(page + 1, true);
  let decoded = 0;
  const tbs = new LiftedTbs(views, cache, {
    decode: (reader, pc) => {
      decoded++;
      return decode(reader, pc);
    },
    passes: PASSES,
  });
  return {
    tbs,
    cache,
    page,
    mark,
    write: (at: number, ...bytes: readonly number[]): void => {
      views.u8.set(bytes, at);
    },
    decoded: (): number => decoded,
  };
}

describe('lifted TBs', () => {
  test('are lifted once', () => {
    const { tbs, write, decoded } = setUp();
    write(PAGE, ...INC_RAX, ...RET);
    const first = tbs.at(PAGE);
    expect(first?.insns).toBe(2);
    expect(tbs.at(PAGE)).toBe(first);
    expect(decoded()).toBe(2);
  });

  test('are lifted anew once code has been invalidated', () => {
    const { tbs, cache, page, mark, write } = setUp();
    write(PAGE, ...INC_RAX, ...RET);
    expect(tbs.at(PAGE)?.insns).toBe(2);
    cache.invalidatePage(page);
    write(PAGE, ...INC_RAX, ...INC_RAX, ...RET);
    expect(tbs.at(PAGE)).toBeUndefined();
    mark(page, true);
    expect(tbs.at(PAGE)?.insns).toBe(3);
  });

  test('that nothing watches are not given, nor kept for the time when something does', () => {
    const { tbs, page, mark, write } = setUp();
    const pc = PAGE + PAGE_SIZE - 3;
    write(pc, ...INC_RAX, ...RET);
    mark(page + 1, false);
    expect(tbs.at(pc)).toBeUndefined();
    write(pc + 3, ...INC_RAX, ...RET);
    mark(page + 1, true);
    expect(tbs.at(pc)?.insns).toBe(3);
    mark(page, false);
    expect(tbs.at(pc)).toBeUndefined();
  });

  test('are not given where nothing can be executed', () => {
    const { tbs } = setUp();
    expect(tbs.at(PAGE + 2 * PAGE_SIZE)).toBeUndefined();
  });
});
