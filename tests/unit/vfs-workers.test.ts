/** The file layer between real workers: blocking, waking, shared offsets, locks. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import { releaseTable, shareTable } from '../../runtime/vfs/fd-table.js';
import { shareFs } from '../../runtime/vfs/fs-struct.js';
import { FakeThread, newRegion } from './vfs-fake.js';
import type { Job } from './vfs-workers-peer.js';

let dir = '';
let region: SharedArrayBuffer;
let t: FakeThread;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'lift64-workers-'));
  region = newRegion();
  t = new FakeThread(region, 1, dir);
});
afterEach(() => {
  releaseTable(t.files.state, t.files.table);
  fs.rmSync(dir, { recursive: true, force: true });
});

/** A thread of the same process in a worker. */
function peer(slot: number, job: Job['job'], fds: readonly number[]): Promise<unknown> {
  const { fdTable, fsStruct } = t.port;
  shareTable(t.files.state, fdTable);
  shareFs(t.files.state, fsStruct);
  const workerData: Job = { region, slot, cwd: dir, tables: { fdTable, fsStruct }, job, fds };
  const worker = new Worker(new URL('./vfs-workers-peer.js', import.meta.url), {
    workerData,
    trackUnmanagedFds: false,
  });
  return new Promise((resolve, reject) => {
    worker.once('message', (result) => {
      releaseTable(t.files.state, fdTable);
      resolve(result);
    });
    worker.once('error', reject);
  });
}

function pipe(): [read: number, write: number] {
  const at = t.alloc(8);
  t.call('pipe', at);
  return [t.mem.readI32(at) ?? -1, t.mem.readI32(at + 4) ?? -1];
}

test('a megabyte there and back through two pipes', async () => {
  const [there, back] = [pipe(), pipe()];
  // The peer has the table of this thread: its ends are counted once, so an end of file needs a message.
  const done = peer(2, 'echo', [there[0], back[1]]);
  const size = 5000;
  const data = t.put(Buffer.from(Array.from({ length: size }, (_, i) => i * 13)));
  const out = t.alloc(size);
  for (let round = 0; round < 200; round++) {
    expect(t.call('write', there[1], data, size)).toBe(size);
    for (let n = 0; n < size;) {
      const got = t.call('read', back[0], out + n, size - n);
      expect(got).toBeGreaterThan(0);
      n += got;
    }
    expect(t.bytes(out, size).equals(t.bytes(data, size))).toBe(true);
  }
  t.call('close', there[1]);
  expect(await done).toBe(200 * size);
});

test('threads that read one description share its offset', async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => String(i).padStart(7, '0'));
  fs.writeFileSync(path.join(dir, 'f'), lines.map((l) => l + '\n').join(''));
  const fd = t.call('open', 'f', 0, 0);
  const parts = (await Promise.all([2, 3].map((slot) => peer(slot, 'take', [fd])))) as string[][];
  expect(parts.flat().sort()).toEqual(lines);
});

test('an eventfd loses no count', async () => {
  const fd = t.call('eventfd2', 0, 0);
  const done = Promise.all([2, 3].map((slot) => peer(slot, 'count', [fd])));
  const at = t.alloc(8);
  let sum = 0n;
  while (sum < 2000n) {
    expect(t.call('read', fd, at, 8)).toBe(8);
    sum += t.mem.readU64(at) ?? 0n;
  }
  expect(sum).toBe(2000n);
  await done;
});

test('flock excludes', async () => {
  fs.writeFileSync(path.join(dir, 'lock'), '');
  fs.writeFileSync(path.join(dir, 'n'), '0');
  const fds = [t.call('open', 'n', 2, 0), t.call('open', 'n', 2, 0)];
  await Promise.all([2, 3].map((slot, i) => peer(slot, 'lock', [fds[i] ?? -1])));
  expect(fs.readFileSync(path.join(dir, 'n'), 'utf8')).toBe('400');
});
