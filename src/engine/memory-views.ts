/**
 * Typed arrays over a guest process's shared memory, made once a worker. In: the WebAssembly.Memory. Out: views; indices are addresses divided by the element size.
 */
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
