/**
 * Typed arrays over a guest process's shared memory, made once a worker. In: the WebAssembly.Memory. Out: views; indices are addresses divided by the element size.
 */
import { TB_HASH, TB_HASH_SIZE } from '../guest/memory-map.js';
import { TB } from '../guest/tb-header.js';

export interface MemoryViews {
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array<SharedArrayBuffer>;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly i64: BigInt64Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
}

/** Views over all 4 GiB of `memory`. */
export function memoryViews(memory: WebAssembly.Memory): MemoryViews {
  // The memory is created shared, so its buffer is a SharedArrayBuffer.
  const buffer = memory.buffer as unknown as SharedArrayBuffer;
  return {
    memory,
    u8: new Uint8Array(buffer),
    i32: new Int32Array(buffer),
    i64: new BigInt64Array(buffer),
    view: new DataView(buffer),
  };
}

/** Guest pc of the TB at `header`. */
export const tbPc = ({ i64 }: MemoryViews, header: number): number => Number(i64[(header + TB.PC) / 8]);

/** Calls `visit` with the header of each TB in the hash table; it may change the TB. */
export function eachTb({ i32 }: MemoryViews, visit: (header: number) => void): void {
  for (let bucket = 0; bucket < TB_HASH_SIZE; bucket++)
    for (
      let header = (i32[TB_HASH / 4 + bucket] ?? 0) >>> 0;
      header !== 0;
      header = (i32[(header + TB.HASH_NEXT) / 4] ?? 0) >>> 0
    )
      visit(header);
}
