/** The compile worker's queue: what is compiled first, and what is put off. */
import { describe, expect, test } from '@jest/globals';
import type { Region } from '../../backend-wasm/compiler/region.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { COLD_HEAT, entriesSinceAsked, isWarm, WARM_HEAT } from '../../src/engine/heat.js';
import { HotQueue } from '../../src/engine/hot-queue.js';
import { lifeOf } from '../../src/engine/memory-life.js';
import { memoryViews } from '../../src/engine/memory-views.js';
import { PCB, PCB_BASE, WASM_PAGES } from '../../src/guest/memory-map.js';
import { HEAT_OFF, TB, TB_FLAG, TB_STATE } from '../../src/guest/tb-header.js';
import { IrBuilder } from '../../src/ir/builder.js';

/** A queue over TBs of one instruction; `covers`: further pcs of the region at a pc. */
function setUp(covers: Readonly<Record<number, readonly number[]>> = {}) {
  const views = memoryViews(new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true }));
  CodeCache.initialise(views);
  const cache = new CodeCache(views, () => undefined);
  const tb = (pc: number) => {
    const b = new IrBuilder(pc);
    b.insnStart(pc, -1);
    b.emit('exit', [], [2, 0, pc + 1]);
    return b.finish(1);
  };
  const form = (pc: number): Region => ({
    head: pc,
    tbs: new Map([pc, ...(covers[pc] ?? [])].map((at) => [at, tb(at)])),
    jumps: new Map(),
  });
  const queue = new HotQueue(views, lifeOf(views), cache, form);
  return {
    views,
    queue,
    /** Enters a TB into the cache. */
    add: (pc: number, heat: number, flags = 0): number => {
      const header = cache.allocate(TB.CODE);
      views.i64[(header + TB.PC) / 8] = BigInt(pc);
      for (const [field, value] of [
        [TB.STATE, TB_STATE.VALID],
        [TB.HEAT, heat],
        [TB.FLAGS, flags],
      ] as const)
        views.i32[(header + field) / 4] = value;
      cache.insert(header, pc, 1);
      return header;
    },
    heads: () => queue.take().map((r) => r.head),
  };
}

describe('hot queue', () => {
  test('entries since a TB was asked for', () => {
    const { views, add } = setUp();
    expect(entriesSinceAsked(views, add(0x40_0000, HEAT_OFF - 7))).toBe(7);
    expect(entriesSinceAsked(views, add(0x40_0010, COLD_HEAT - 9, TB_FLAG.COLD | TB_FLAG.ASKED))).toBe(9);
    expect(entriesSinceAsked(views, add(0x40_0020, WARM_HEAT - 5))).toBe(COLD_HEAT + 5);
  });

  test('warm is a TB that was entered an eighth as often as makes it hot, or has been hot', () => {
    const { views, add } = setUp();
    views.i32[(PCB_BASE + PCB.HOT_THRESHOLD) / 4] = 1000;
    const after = (entries: number): number => add(0x40_0000 + 16 * entries, 1000 - entries, TB_FLAG.COLD);
    expect(isWarm(views, 0)).toBe(false);
    expect(isWarm(views, after(124))).toBe(false);
    expect(isWarm(views, after(125))).toBe(true);
    expect(isWarm(views, add(0x41_0000, COLD_HEAT, TB_FLAG.COLD | TB_FLAG.ASKED))).toBe(true);
    expect(isWarm(views, add(0x41_0010, WARM_HEAT))).toBe(true);
    const compiled = after(0);
    views.i32[(compiled + TB.SLOT) / 4] = 3;
    expect(isWarm(views, compiled)).toBe(true);
  });

  test('what has been entered most often since comes first', () => {
    const { add, queue, heads } = setUp();
    add(0x40_0000, HEAT_OFF - 10);
    add(0x40_0100, WARM_HEAT - 1);
    add(0x40_0200, COLD_HEAT - 400, TB_FLAG.COLD | TB_FLAG.ASKED);
    for (const pc of [0x40_0000, 0x40_0100, 0x40_0200]) queue.push(pc);
    expect(heads()).toEqual([0x40_0100, 0x40_0200, 0x40_0000]);
    expect(queue.empty).toBe(true);
  });

  test('equally hot ones come in the order in which they were asked for, each once', () => {
    const { add, queue, heads } = setUp();
    const pcs = [0x40_0300, 0x40_0100, 0x40_0200];
    for (const pc of pcs) add(pc, HEAT_OFF);
    for (const pc of [...pcs, 0x40_0300]) queue.push(pc);
    expect(heads()).toEqual(pcs);
  });

  test('what a region of late holds is put off once', () => {
    const { add, queue, heads } = setUp({ 0x40_0000: [0x40_0100] });
    add(0x40_0000, HEAT_OFF - 2);
    add(0x40_0100, HEAT_OFF - 1);
    queue.push(0x40_0100);
    queue.push(0x40_0000);
    expect(heads()).toEqual([0x40_0000]);
    queue.push(0x40_0100);
    expect(heads()).toEqual([0x40_0100]);
  });
});
