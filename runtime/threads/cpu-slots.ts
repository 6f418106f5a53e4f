/**
 * CPU blocks of a memory: taking one for a new thread, giving it back. In: the memory. Out: addresses of CPU blocks.
 * A block in use has STATE PARKED or RUNNING; a new one is PARKED until its thread passes the gate (quiesce.ts).
 */
import { CPU, THREAD_STATE } from '../../src/guest/cpu-state.js';
import { CPU_BASE, CPU_BLOCK_SIZE, MAX_THREADS, PCB, PCB_BASE } from '../../src/guest/memory-map.js';

const HIGH = (PCB_BASE + PCB.CPU_HIGH) / 4;

/** Takes a free block: STATE becomes PARKED, SLOT its number; all else below CPU.FRAME is zeroed. 0 when MAX_THREADS are in use. */
export function allocCpu(words: Int32Array<SharedArrayBuffer>): number {
  for (let slot = 0; slot < MAX_THREADS; slot++) {
    const base = (CPU_BASE + slot * CPU_BLOCK_SIZE) / 4;
    const state = base + CPU.STATE / 4;
    if (Atomics.compareExchange(words, state, THREAD_STATE.FREE, THREAD_STATE.PARKED) !== THREAD_STATE.FREE) continue;
    words.fill(0, base, state);
    words.fill(0, state + 1, base + CPU.FRAME / 4);
    words[base + CPU.SLOT / 4] = slot;
    let high = Atomics.load(words, HIGH);
    while (high <= slot)
      high = Atomics.compareExchange(words, HIGH, high, slot + 1) === high ? slot + 1 : Atomics.load(words, HIGH);
    return base * 4;
  }
  return 0;
}

/**
 * Takes a block for a child of the thread in block `parent`: the architectural state (registers, flags, segments, x87, SSE) and RUN_FLAGS are the parent's, TID is
 * `tid`. CACHE_GENERATION is -1: the engine empties the jump cache before the first instruction. 0 when there is none.
 */
export function cloneCpu(words: Int32Array<SharedArrayBuffer>, parent: number, tid: number): number {
  const child = allocCpu(words);
  if (child === 0) return 0;
  words.copyWithin(child / 4, parent / 4, (parent + CPU.CONTROL) / 4);
  words[(child + CPU.RUN_FLAGS) / 4] = words[(parent + CPU.RUN_FLAGS) / 4] ?? 0;
  words[(child + CPU.TID) / 4] = tid;
  words[(child + CPU.CACHE_GENERATION) / 4] = -1;
  return child;
}

/** As cloneCpu, for the first thread of a copy of the process in another memory, `child`; TID is not set. */
export function forkCpu(
  words: Int32Array<SharedArrayBuffer>,
  parent: number,
  child: Int32Array<SharedArrayBuffer>,
): number {
  const cpu = allocCpu(child);
  if (cpu === 0) return 0;
  child.set(words.subarray(parent / 4, (parent + CPU.CONTROL) / 4), cpu / 4);
  child[(cpu + CPU.RUN_FLAGS) / 4] = words[(parent + CPU.RUN_FLAGS) / 4] ?? 0;
  child[(cpu + CPU.CACHE_GENERATION) / 4] = -1;
  return cpu;
}

/** Gives a block back. Its thread has left guest code for good. */
export function freeCpu(words: Int32Array<SharedArrayBuffer>, cpu: number): void {
  const state = (cpu + CPU.STATE) / 4;
  Atomics.store(words, state, THREAD_STATE.FREE);
  Atomics.notify(words, state);
}
