/** Threads that set V8's flags and put them back at the same time, for v8-flags.test.ts. Out: on stdout, how often each found relaxed SIMD off while it had asked for it; and whether the flags are as before. */
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { hasRelaxedSimd } from '../../backend-wasm/compiler/host-simd.js';
import { keptModules, keptModulesAhead, optimisedModules, regionModules } from '../../src/engine/v8-flags.js';

const [THREADS, ROUNDS] = [4, 3000] as const;

async function refusedByThread(): Promise<readonly number[]> {
  let running: number = THREADS;
  const refused = Array.from({ length: THREADS }, async () => {
    const worker = new Worker(new URL(import.meta.url));
    const count = await new Promise<number>((done, fail) => worker.once('message', done).once('error', fail));
    running--;
    return count;
  });
  while (running > 0) await keptModulesAhead(() => new Promise((done) => setImmediate(done)));
  return Promise.all(refused);
}

function countRefused(): number {
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const modules of [regionModules, keptModules, optimisedModules]) if (!modules(hasRelaxedSimd)) refused++;
  }
  return refused;
}

if (isMainThread) {
  const before = hasRelaxedSimd();
  const refused = await refusedByThread();
  console.log(`${refused.join(' ')}, ${hasRelaxedSimd() === before ? 'as before' : 'changed'}`);
} else {
  parentPort?.postMessage(countRefused());
}
