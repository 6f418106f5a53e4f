/**
 * A thread that maps, stores, checks and unmaps while others do the same. In: workerData { memory, slot, rounds }. Out: a message: what it found wrong, empty when nothing.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { CPU, THREAD_STATE } from '../../src/guest/cpu-state.js';
import { CPU_BASE, CPU_BLOCK_SIZE, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { AddressSpace, MAP, PROT } from '../../runtime/memory/address-space.js';
import { SharedGuestMemory } from '../../runtime/memory/guest-memory.js';
import { setCode } from '../../runtime/memory/perms.js';
import { Quiesce } from '../../runtime/threads/quiesce.js';

export interface SpaceWork {
  readonly memory: WebAssembly.Memory;
  readonly slot: number;
  readonly rounds: number;
}

const PAGE = 4096;
const RW = PROT.READ | PROT.WRITE;
const ANON = MAP.PRIVATE | MAP.ANONYMOUS;
/** Pages of the threads lie in turn here, so that their backing runs meet. */
const HIGH = 0x7000_0000_0000;
const THREADS = 4;

const { memory, slot, rounds } = workerData as SpaceWork;
const buffer = memory.buffer as unknown as SharedArrayBuffer;
const bytes = new Uint8Array(buffer);
const words = new Int32Array(buffer);
const cpu = CPU_BASE + slot * CPU_BLOCK_SIZE;
const quiesce = new Quiesce(words, cpu);
const stopWorld = <T>(fn: () => T): T => quiesce.stopWorld(fn);
const invalidate = (addr: number, size: number): void => {
  stopWorld(() => {
    for (let page = addr >>> 12; page <= (addr + size - 1) >>> 12; page++)
      if (((bytes[PERM_TABLE + page] ?? 0) & PERM.CODE) !== 0) setCode(bytes, page, false);
  });
};
const mm = new AddressSpace(buffer, { stopWorld, invalidate });
const mem = new SharedGuestMemory(buffer, invalidate, (addr, size, write) => mm.materialise(addr, size, write));
const wrong: string[] = [];
let x = 12345 + slot;
const random = (below: number): number => {
  x = (x * 48271) % 2147483647;
  return x % below;
};

function expectBytes(what: string, addr: number, size: number, value: number): void {
  const got = mem.read(addr, size);
  if (got === undefined || got.some((b) => b !== value)) wrong.push(`${what} at 0x${addr.toString(16)}`);
}

function low(): void {
  const pages = 1 + random(40);
  const prot = random(2) === 0 ? RW : RW | PROT.EXEC;
  const at = mm.mmap({ addr: 0, length: pages * PAGE, prot, flags: ANON });
  expectBytes('fresh pages', at, pages * PAGE, 0);
  if ((prot & PROT.EXEC) !== 0) setCode(bytes, at / PAGE + random(pages), true);
  mem.write(at, new Uint8Array(pages * PAGE).fill(slot + 1));
  mm.mprotect(at, PAGE, PROT.READ);
  quiesce.safepoint();
  expectBytes('own pages', at, pages * PAGE, slot + 1);
  const moved = mm.mremap(at, pages * PAGE, (pages + 1) * PAGE, 1, 0);
  // The first page is a mapping of its own now, unless there is but one.
  const whole = moved < 0 ? at : moved;
  quiesce.safepoint();
  expectBytes('pages after mremap', whole, pages * PAGE, slot + 1);
  mm.munmap(whole, (moved < 0 ? pages : pages + 1) * PAGE);
}

function high(round: number): void {
  const at = HIGH + ((round % 64) * THREADS + slot) * 8 * PAGE;
  if (mm.mmap({ addr: at, length: 8 * PAGE, prot: RW, flags: ANON | MAP.FIXED }) !== at) wrong.push('high mmap');
  mem.write(at + random(8) * PAGE, new Uint8Array(16));
  mem.write(at, new Uint8Array(8 * PAGE).fill(slot + 1));
  quiesce.safepoint();
  expectBytes('high pages', at, 8 * PAGE, slot + 1);
  if (random(3) === 0) mm.munmap(at, 8 * PAGE);
}

quiesce.leaveParked();
for (let round = 0; round < rounds; round++) {
  quiesce.safepoint();
  low();
  quiesce.safepoint();
  if (round % 4 === 0) high(round / 4);
}
Atomics.store(words, (cpu + CPU.STATE) / 4, THREAD_STATE.FREE);
Atomics.notify(words, (cpu + CPU.STATE) / 4);
parentPort?.postMessage(wrong.slice(0, 5).join('; '));
