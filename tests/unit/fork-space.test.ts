/** The memory of a process: copied whole for fork, emptied for the next process, and taken by one. */
import { describe, expect, test } from '@jest/globals';
import { CPU, GPR } from '../../src/guest/cpu-state.js';
import {
  INVAL_LOG,
  PAGE_SIZE,
  PAGE_TBS,
  PCB,
  PCB_BASE,
  PERM_TABLE,
  SLOT_TABLE,
  TB_HASH,
} from '../../src/guest/memory-map.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import type { CompiledModule } from '../../src/engine/compile-protocol.js';
import { inherited } from '../../src/engine/compile-service.js';
import { LifeOver } from '../../src/engine/memory-life.js';
import { memoryViews } from '../../src/engine/memory-views.js';
import { emptyMemory, forkMemory, quietSpace } from '../../src/engine/process-memory.js';
import { RegionCompiler } from '../../src/engine/region-compiler.js';
import { slotOf } from '../../src/engine/slots.js';
import type { Region } from '../../backend-wasm/compiler/region.js';
import { decode } from '../../frontend/x86-64/decoder.js';
import { MAP, PROT } from '../../runtime/memory/address-space.js';
import { allocCpu } from '../../runtime/threads/cpu-slots.js';
import { makeMemory } from '../support/fake-thread.js';

const RW = PROT.READ | PROT.WRITE;
const ANON = MAP.PRIVATE | MAP.ANONYMOUS;
const nothing = (): void => undefined;

describe('fork', () => {
  const parent = memoryViews(makeMemory());
  const child = memoryViews(makeMemory());
  const space = quietSpace(parent);

  test('pages, mappings and registers are copied, and are each process own from then on', () => {
    const low = space.mmap({ addr: 0, length: 0x10_0000, prot: RW, flags: ANON });
    const high = space.mmap({ addr: 0x7f00_0000_0000, length: 0x4000, prot: RW, flags: ANON | MAP.FIXED });
    expect(space.materialise(high, 0x4000, true)).toBe(true);
    parent.u8[low + 12345] = 9;
    parent.u8[(space.offsetOf(high) ?? 0) + 5] = 8;
    const cpu = allocCpu(parent.i32);
    parent.i64[(cpu + CPU.REGS) / 8 + GPR.RBX] = 77n;
    const block = forkMemory(parent, space, cpu, child.memory, nothing);
    const copy = quietSpace(child);
    expect(child.i64[(block + CPU.REGS) / 8 + GPR.RBX]).toBe(77n);
    expect(copy.maps()).toBe(space.maps());
    expect([child.u8[low + 12345], child.u8[low + 1]]).toEqual([9, 0]);
    expect(child.u8[(copy.offsetOf(high) ?? 0) + 5]).toBe(8);
    child.u8[low + 12345] = 1;
    copy.munmap(high, 0x4000);
    expect(parent.u8[low + 12345]).toBe(9);
    expect(space.isMapped(high, 0x4000)).toBe(true);
  });

  test('a reservation above 3.5 GiB that nobody has touched is copied and emptied', () => {
    const [old, fresh] = [memoryViews(makeMemory()), memoryViews(makeMemory())];
    const reserving = quietSpace(old);
    reserving.mmap({ addr: 0x1000_0000_0000, length: 2 ** 44, prot: PROT.NONE, flags: ANON | MAP.FIXED });
    forkMemory(old, reserving, allocCpu(old.i32), fresh.memory, nothing);
    expect(quietSpace(fresh).maps()).toBe(reserving.maps());
    emptyMemory(fresh.memory);
    expect(quietSpace(fresh).maps()).toBe('');
  });

  test('an emptied memory is as a new one, also for what is mapped later', () => {
    emptyMemory(child.memory);
    const copy = quietSpace(child);
    expect(copy.maps()).toBe('');
    expect(child.u8.subarray(PERM_TABLE, PERM_TABLE + 0xe_0000).some((b) => b !== 0)).toBe(false);
    const at = copy.mmap({ addr: 0, length: 0x10_0000, prot: RW, flags: ANON });
    expect(child.u8.subarray(at, at + 0x10_0000).some((b) => b !== 0)).toBe(false);
    emptyMemory(child.memory);
  });

  test('the child has the regions that were complete before the copy, and not those that came after', () => {
    const [old, fresh] = [memoryViews(makeMemory()), memoryViews(makeMemory())];
    const copies = (views: typeof old): number => views.i32[(PCB_BASE + PCB.COPIES) / 4] ?? 0;
    const compiled = (): CompiledModule => ({
      module: new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])),
      generation: 0,
      copies: copies(old),
      entries: [],
      size: 8,
      text: undefined,
      record: undefined,
    });
    const [before, cpu] = [compiled(), allocCpu(old.i32)];
    forkMemory(old, quietSpace(old), cpu, fresh.memory, nothing);
    const forked = { parent: 1, child: 2, copies: copies(fresh) - 1 };
    const after = compiled();
    expect(inherited([before, after], forked)).toEqual([before]);
    // The copy's own copies have both what it was copied with and what was made for it.
    emptyMemory(child.memory);
    forkMemory(fresh, quietSpace(fresh), allocCpu(fresh.i32), child.memory, nothing);
    const grandchild = { parent: 2, child: 3, copies: copies(child) - 1 };
    expect(inherited([before, { ...before, copies: copies(fresh) - 1 }], grandchild)).toHaveLength(2);
    emptyMemory(child.memory);
  });

  test('a region for a process that is gone binds no slot in the memory of the next one', () => {
    const [old, fresh] = [memoryViews(makeMemory()), memoryViews(makeMemory())];
    const [loop, behind] = [0x40_1dd0, 0x40_1e05];
    const bound: number[] = [];
    const compiler = new RegionCompiler(fresh, new CodeCache(fresh, nothing), {
      decode,
      passes: [],
      compile: (_regions, slot) => {
        bound.push(slot(loop));
        emptyMemory(fresh.memory);
        bound.push(slot(behind));
        throw new Error('has a slot after the end');
      },
    });
    const region: Region = { head: loop, tbs: new Map(), jumps: new Map() };
    expect(() => compiler.compileRegions([region], 0)).toThrow(LifeOver);
    expect(bound).toEqual([1]);
    // The next process has none of the parent's slots, since that has none, and gets its own.
    forkMemory(old, quietSpace(old), allocCpu(old.i32), fresh.memory, nothing);
    expect([slotOf(fresh, loop), slotOf(fresh, behind)]).toEqual([1, 2]);
  });

  test('the tables in use, and no more, are copied and emptied', () => {
    // Without high pages, whose backing lies anywhere: page by page then.
    const parent = memoryViews(makeMemory());
    const space = quietSpace(parent);
    const at = space.mmap({ addr: 0, length: 0x2000, prot: RW, flags: ANON });
    const page = at / PAGE_SIZE;
    const words = [TB_HASH + 4 * 77, SLOT_TABLE + 16 * 99, INVAL_LOG + 4 * 2, PAGE_TBS + 4 * page].map((a) => a / 4);
    for (const w of words) parent.i32[w] = 5;
    for (const count of [PCB.TB_COUNT, PCB.SLOT_COUNT, PCB.CODE_GENERATION]) parent.i32[(PCB_BASE + count) / 4] = 3;
    // The TB that the hash table names is at address 5, all zero.
    forkMemory(parent, space, allocCpu(parent.i32), child.memory, nothing);
    expect(words.map((w) => child.i32[w])).toEqual([5, 5, 5, 5]);
    expect(child.u8[PERM_TABLE + page]).toBe(parent.u8[PERM_TABLE + page]);
    emptyMemory(child.memory);
    expect([...words.map((w) => child.i32[w]), child.u8[PERM_TABLE + page]]).toEqual([0, 0, 0, 0, 0]);
  });
});
