/** Several threads of a process map and unmap at the same time: no store is lost, no page is two threads', the permission bytes agree with each other at the end. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CPU, THREAD_STATE } from '../../src/guest/cpu-state.js';
import { CPU_BASE, CPU_BLOCK_SIZE, GUEST_PAGES, PCB, PCB_BASE, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { makeSpace, memory } from '../support/space.js';
import type { SpaceWork } from '../support/space-worker.js';

test('four threads', async () => {
  const { mm, bytes } = makeSpace();
  const words = new Int32Array(bytes.buffer);
  const count = 4;
  words[(PCB_BASE + PCB.CPU_HIGH) / 4] = count;
  for (let slot = 0; slot < count; slot++)
    words[(CPU_BASE + slot * CPU_BLOCK_SIZE + CPU.STATE) / 4] = THREAD_STATE.PARKED;
  const results = await Promise.all(
    Array.from({ length: count }, async (_, slot) => {
      const workerData: SpaceWork = { memory: memory(), slot, rounds: 120 };
      const worker = new Worker(new URL('../support/space-worker.js', import.meta.url), { workerData });
      const [found] = (await once(worker, 'message')) as [string];
      await worker.terminate();
      return found;
    }),
  );
  expect(results).toEqual(['', '', '', '']);
  const perms = bytes.subarray(PERM_TABLE, PERM_TABLE + GUEST_PAGES);
  for (let page = 0; page < GUEST_PAGES; page++) {
    const here = perms[page] ?? 0;
    const next = page + 1 < GUEST_PAGES ? (perms[page + 1] ?? 0) : 0;
    if (here === 0) continue;
    const slow = ((here | next) & PERM.SLOW) !== 0;
    const code = ((here | next) & PERM.CODE) !== 0;
    const read = (here & next & PERM.R) !== 0 && !slow;
    const write = (here & next & PERM.W) !== 0 && !slow && !code;
    if (((here & PERM.RFAST) !== 0) !== read || ((here & PERM.WFAST) !== 0) !== write)
      throw new Error(`page ${page}: 0x${here.toString(16)} before 0x${next.toString(16)}`);
  }
  mm.reset();
  expect(perms.every((b) => b === 0)).toBe(true);
}, 60_000);
