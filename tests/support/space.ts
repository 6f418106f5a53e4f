/**
 * An address space without an engine, for tests: a shared memory, hooks that count. In: nothing. Out: Space.
 */
import { PERM, PERM_TABLE, WASM_PAGES } from '../../src/guest/memory-map.js';
import { AddressSpace, MAP, PROT } from '../../runtime/memory/address-space.js';
import { SharedGuestMemory } from '../../runtime/memory/guest-memory.js';
import { setCode } from '../../runtime/memory/perms.js';

export interface Space {
  readonly mm: AddressSpace;
  readonly mem: SharedGuestMemory;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Ranges that were invalidated, as [offset, size]; their CODE marks are cleared, as the engine does. */
  readonly invalidated: (readonly [number, number])[];
  /** How often the world was stopped. */
  stops: number;
}

export const RW = PROT.READ | PROT.WRITE;
export const ANON = MAP.PRIVATE | MAP.ANONYMOUS;
export const PAGE = 4096;

let shared: WebAssembly.Memory | undefined;

/** The memory that the tests of a file share: 4 GiB of addresses, of which touched pages cost. */
export function memory(): WebAssembly.Memory {
  shared ??= new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
  return shared;
}

/** An empty address space. One at a time: it empties the one before. */
export function makeSpace(): Space {
  const buffer = memory().buffer as unknown as SharedArrayBuffer;
  const bytes = new Uint8Array(buffer);
  const invalidate = (addr: number, size: number): void => {
    space.invalidated.push([addr, size]);
    for (let page = addr >>> 12; page <= (addr + size - 1) >>> 12; page++)
      if (((bytes[PERM_TABLE + page] ?? 0) & PERM.CODE) !== 0) setCode(bytes, page, false);
  };
  const mm = new AddressSpace(buffer, {
    stopWorld: (fn) => {
      space.stops++;
      return fn();
    },
    invalidate,
  });
  const mem = new SharedGuestMemory(buffer, invalidate, (addr, size, write) => mm.materialise(addr, size, write));
  const space: Space = { mm, mem, bytes, invalidated: [], stops: 0 };
  mm.reset();
  space.stops = 0;
  space.invalidated.length = 0;
  return space;
}

/** Permission bits R W X as in maps, and f for RFAST, F for WFAST, s for SLOW. */
export function permsAt(bytes: Uint8Array, addr: number): string {
  const p = bytes[PERM_TABLE + (addr >>> 12)] ?? 0;
  const names = [
    [PERM.R, 'r'],
    [PERM.W, 'w'],
    [PERM.X, 'x'],
    [PERM.CODE, 'c'],
    [PERM.SLOW, 's'],
    [PERM.RFAST, 'f'],
    [PERM.WFAST, 'F'],
  ] as const;
  return names.map(([bit, name]) => ((p & bit) !== 0 ? name : '')).join('');
}

/** An anonymous private mapping anywhere; its address. Throws when there is none. */
export function anon(mm: AddressSpace, pages: number, prot: number = RW, flags: number = ANON, addr = 0): number {
  const at = mm.mmap({ addr, length: pages * PAGE, prot, flags });
  if (at < 0) throw new Error(`mmap: errno ${-at}`);
  return at;
}
