/** The other thread of vfs-workers.test.ts: does one job on the shared region, and tells the result. */
import { parentPort, workerData } from 'node:worker_threads';
import { FakeThread, type Tables } from './vfs-fake.js';

export interface Job {
  readonly region: SharedArrayBuffer;
  readonly slot: number;
  readonly cwd: string;
  readonly tables: Tables;
  readonly job: 'echo' | 'take' | 'count' | 'lock';
  /** Descriptors that the job works on. */
  readonly fds: readonly number[];
}

const CHUNK = 10_000;

function run(j: Job): unknown {
  const t = new FakeThread(j.region, j.slot, j.cwd, {}, j.tables);
  const [a = -1, b = -1] = j.fds;
  const buffer = t.alloc(CHUNK);
  switch (j.job) {
    // Sends back what comes, until the end.
    case 'echo': {
      let total = 0;
      for (;;) {
        const n = t.call('read', a, buffer, CHUNK);
        if (n <= 0) return n === 0 ? total : n;
        for (let done = 0; done < n;) done += t.call('write', b, buffer + done, n - done);
        total += n;
      }
    }
    // Reads lines of 8 bytes from one description that others read too.
    case 'take': {
      const lines: string[] = [];
      while (t.call('read', a, buffer, 8) === 8) lines.push(t.text(buffer, 7));
      return lines;
    }
    // Adds 1 a thousand times.
    case 'count':
      t.mem.writeU64(buffer, 1n);
      for (let i = 0; i < 1000; i++) t.call('write', a, buffer, 8);
      return 0;
    // Takes an exclusive lock 200 times, and adds 1 to a number in a file under it.
    case 'lock':
      for (let i = 0; i < 200; i++) {
        const fd = t.call('open', 'lock', 2, 0);
        t.call('flock', fd, 2);
        const n = Number(t.readText(a, 16));
        t.call('lseek', a, 0, 0);
        t.writeText(a, String(n + 1));
        t.call('lseek', a, 0, 0);
        t.call('close', fd);
      }
      return 0;
  }
}

parentPort?.postMessage(run(workerData as Job));
