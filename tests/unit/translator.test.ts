/** Cold and optimised TBs: what is encoded when, and how the second takes the first one's place. */
import { describe, expect, test } from '@jest/globals';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { setCode, setPerms } from '../../runtime/memory/perms.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { GuestCodeReader } from '../../src/engine/code-reader.js';
import { COLD_HEAT } from '../../src/engine/heat.js';
import { memoryViews } from '../../src/engine/memory-views.js';
import { MAX_TB_INSNS, Translator } from '../../src/engine/translator.js';
import { CPU_BASE, PERM, PERM_TABLE, WASM_PAGES } from '../../src/guest/memory-map.js';
import { TB, TB_FLAG, TB_STATE } from '../../src/guest/tb-header.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';

const PC = 0x40_0000;
/** add rax, 1; add rax, 2; ret: the flags of the first addition are dead. */
const CODE = [0x48, 0x83, 0xc0, 0x01, 0x48, 0x83, 0xc0, 0x02, 0xc3];

interface Setup {
  readonly translator: Translator;
  readonly field: (header: number, offset: number) => number;
  readonly set: (header: number, offset: number, value: number) => void;
  readonly optimised: () => number;
  readonly isMarked: () => boolean;
}

/** A translator over a memory with CODE at PC. `optimised` counts the optimiser's runs. */
function setUp(coldFirst: boolean): Setup {
  const views = memoryViews(new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true }));
  CodeCache.initialise(views);
  const mark = (page: number, on: boolean): void => {
    setCode(views.u8, page, on);
  };
  setPerms(views.u8, PC >>> 12, (PC >>> 12) + 1, PERM.R | PERM.X);
  views.u8.set(CODE, PC);
  const reader = new GuestCodeReader(views, () => undefined);
  let optimised = 0;
  const translator = new Translator({
    views,
    cache: new CodeCache(views, mark),
    cpu: CPU_BASE,
    lift: (pc, maxInsns) => translate(reader, pc, { maxInsns }),
    optimise: (tb) => {
      optimised++;
      return optimise(tb, PASSES);
    },
    encode: (tb, allocate, heat) => encodeTb(tb, views.i32, allocate, heat),
    stopWorld: (fn) => fn(),
    setCode: mark,
    maxInsns: MAX_TB_INSNS,
    heat: COLD_HEAT,
    coldFirst,
  });
  return {
    translator,
    field: (header, offset) => views.i32[(header + offset) / 4] ?? 0,
    set: (header, offset, value) => {
      views.i32[(header + offset) / 4] = value;
    },
    optimised: () => optimised,
    isMarked: () => ((views.u8[PERM_TABLE + (PC >>> 12)] ?? 0) & PERM.CODE) !== 0,
  };
}

describe('translator', () => {
  test('a TB is encoded as lifted first', () => {
    const { translator, field, optimised } = setUp(true);
    const header = translator.translate(PC);
    expect(field(header, TB.FLAGS)).toBe(TB_FLAG.COLD);
    expect(field(header, TB.HEAT)).toBe(COLD_HEAT);
    expect(optimised()).toBe(0);
    expect(translator.translate(PC)).toBe(header);
  });

  test('warm: the optimised TB, which is smaller, takes its place and its slot', () => {
    const { translator, field, set, optimised } = setUp(true);
    const cold = translator.translate(PC);
    set(cold, TB.SLOT, 7);
    translator.warm(cold);
    const warm = translator.translate(PC);
    expect(warm).not.toBe(cold);
    expect(optimised()).toBe(1);
    expect(field(cold, TB.STATE)).toBe(TB_STATE.DEAD);
    expect(field(warm, TB.STATE)).toBe(TB_STATE.VALID);
    expect(field(warm, TB.FLAGS)).toBe(0);
    expect(field(warm, TB.SLOT)).toBe(7);
    expect(field(warm, TB.INSNS)).toBe(3);
    expect(field(warm, TB.ARENA_SIZE)).toBeLessThan(field(cold, TB.ARENA_SIZE));
  });

  test('warm: nothing for a dead TB, and nothing a second time', () => {
    const { translator, field, optimised } = setUp(true);
    const cold = translator.translate(PC);
    translator.invalidate(PC, 1);
    translator.warm(cold);
    expect(optimised()).toBe(0);
    const again = translator.translate(PC);
    translator.warm(again);
    const warm = translator.translate(PC);
    translator.warm(warm);
    translator.warm(again);
    expect(translator.translate(PC)).toBe(warm);
    expect(field(warm, TB.STATE)).toBe(TB_STATE.VALID);
    expect(optimised()).toBe(1);
  });

  test('for dumps and checks each TB is optimised at once', () => {
    const { translator, field, optimised } = setUp(false);
    const header = translator.translate(PC);
    expect(field(header, TB.FLAGS)).toBe(0);
    expect(optimised()).toBe(1);
  });

  describe('a page that is written to again and again', () => {
    const isChecked = ({ translator, field }: Setup): boolean =>
      (field(translator.translate(PC), TB.FLAGS) & TB_FLAG.SELF_CHECK) !== 0;
    /** Writes that kill the page's code until its TBs check themselves. */
    const writes = (setup: Setup): number => {
      for (let n = 0; ; n++) {
        if (isChecked(setup)) return n;
        setup.translator.invalidate(PC, 1);
      }
    };

    test('its TBs check themselves, as lifted, and the page is not marked', () => {
      const setup = setUp(true);
      expect(writes(setup)).toBe(33);
      expect(setup.optimised()).toBe(0);
      expect(setup.isMarked()).toBe(false);
    });

    test('when it is calm, it is marked again, with less patience for writes and more for the next time', () => {
      const setup = setUp(true);
      const { translator, field } = setup;
      writes(setup);
      const first = translator.translate(PC);
      translator.calm(first);
      expect(field(first, TB.STATE)).toBe(TB_STATE.DEAD);
      expect(isChecked(setup)).toBe(false);
      expect(setup.isMarked()).toBe(true);
      expect(writes(setup)).toBe(3);
      expect(field(translator.translate(PC), TB.HEAT)).toBe(2 * field(first, TB.HEAT));
    });
  });
});
