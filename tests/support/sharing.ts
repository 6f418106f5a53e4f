/**
 * Address spaces that share pages, in one thread: nobody else runs, so the lock is free and worlds stand still. In: nothing. Out: SharedSpaces.
 */
import { WASM_PAGES } from '../../src/guest/memory-map.js';
import { AddressSpace } from '../../runtime/memory/address-space.js';
import { SharedObjects } from '../../runtime/memory/shared-objects.js';
import type { Sharing } from '../../runtime/memory/sharing.js';
import { SpaceCore } from '../../runtime/memory/space-core.js';
import { AREA } from '../../runtime/process/layout.js';

export interface SharedSpace {
  readonly mm: AddressSpace;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly buffer: SharedArrayBuffer;
  /** Pages got from others so far. */
  grants: number;
}

/** `count` empty address spaces, indices 1 and up. */
export function sharedSpaces(count: number): { readonly spaces: SharedSpace[]; readonly objects: SharedObjects } {
  const objects = new SharedObjects(new Int32Array(new SharedArrayBuffer(AREA.VFS)));
  const hooks = { stopWorld: <T>(fn: () => T): T => fn(), invalidate: (): void => undefined };
  const spaces: SharedSpace[] = [];
  for (let mm = 1; mm <= count; mm++) {
    const memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
    // The memory is created shared.
    const buffer = memory.buffer as SharedArrayBuffer;
    let depth = 0;
    const sharing: Sharing = {
      mm,
      objects,
      get nested() {
        return depth > 1;
      },
      locked(fn) {
        depth++;
        try {
          return fn();
        } finally {
          depth--;
        }
      },
      space(other) {
        const theirs = spaces[other - 1];
        if (theirs === undefined) throw new RangeError(`no address space ${other}`);
        return new SpaceCore(theirs.buffer, hooks);
      },
      granted() {
        space.grants++;
      },
      tenure: () => 0,
      pause: () => undefined,
    };
    const space = {
      mm: new AddressSpace(buffer, { ...hooks, sharing }),
      bytes: new Uint8Array(buffer),
      buffer,
      grants: 0,
    };
    spaces.push(space);
  }
  return { spaces, objects };
}
