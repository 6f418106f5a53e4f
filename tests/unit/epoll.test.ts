/** epoll: what a wait costs, and what a wake does, without a kernel. The rest is compared with the native run (tests/guest/src/epoll.c). */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EINTR } from '../../runtime/linux/errno.js';
import { releaseTable } from '../../runtime/vfs/fd-table.js';
import { epollWaiters } from '../../runtime/vfs/epoll-watches.js';
import { counterOps } from '../../runtime/vfs/kinds/counter.js';
import { enqueue } from '../../runtime/vfs/queue-bits.js';
import { FakeThread, newRegion } from './vfs-fake.js';

const ADD = 1;
const EPOLLIN = 1;
const EPOLLET = 0x8000_0000;

let region: SharedArrayBuffer;
let t: FakeThread;
beforeEach(() => {
  region = newRegion();
  t = new FakeThread(region, 1, '/');
});
afterEach(() => {
  jest.restoreAllMocks();
  releaseTable(t.files.state, t.files.table);
});

function event(events: number, data: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const v = new DataView(bytes.buffer);
  v.setUint32(0, events, true);
  v.setUint32(4, data, true);
  return bytes;
}

/** Data of the events that a wait of `thread` gives, or its errno. */
function wait(thread: FakeThread, ep: number, most: number, timeout: number): number[] | number {
  const at = thread.alloc(most * 12);
  const n = thread.call('epoll_wait', ep, at, most, timeout);
  if (n < 0) return n;
  return Array.from({ length: n }, (_, i) => thread.bytes(at + i * 12, 12).readUInt32LE(4));
}

const one = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

describe('a wait', () => {
  test('looks at what has been woken, not at all that is watched', () => {
    const ep = t.call('epoll_create1', 0);
    const fds = Array.from({ length: 300 }, () => t.call('eventfd2', 0, 0));
    fds.forEach((fd, i) => {
      expect(t.call('epoll_ctl', ep, ADD, fd, event(EPOLLIN, i))).toBe(0);
    });
    const looks = jest.spyOn(counterOps, 'readiness');
    expect(wait(t, ep, 8, 0)).toEqual([]);
    expect(looks).not.toHaveBeenCalled();
    for (const i of [7, 123, 299]) t.call('write', fds[i] ?? -1, one, 8);
    expect(wait(t, ep, 8, 0)).toEqual([7, 123, 299]);
    expect(looks).toHaveBeenCalledTimes(3);
  });

  test('ends with EINTR, and leaves what is ready', () => {
    const ep = t.call('epoll_create1', 0);
    const fd = t.call('eventfd2', 0, 0);
    t.call('epoll_ctl', ep, ADD, fd, event(EPOLLIN | EPOLLET, 5));
    t.port.interruptedNow = true;
    expect(wait(t, ep, 1, -1)).toBe(-EINTR);
    t.call('write', fd, one, 8);
    expect(wait(t, ep, 1, -1)).toEqual([5]);
    expect(wait(t, ep, 1, -1)).toBe(-EINTR);
  });
});

test('each wake takes one waiter out of the queue', () => {
  const ep = t.call('epoll_create1', 0);
  const fds = [t.call('eventfd2', 0, 0), t.call('eventfd2', 0, 0)];
  fds.forEach((fd, i) => {
    t.call('epoll_ctl', ep, ADD, fd, event(EPOLLIN | EPOLLET, i));
  });
  const waiters = [2, 3].map((slot) => new FakeThread(region, slot, '/'));
  // The first instance of the region.
  const queue = epollWaiters(0);
  for (const w of waiters) enqueue(w.files.state, queue);
  const sequences = (): number[] => waiters.map((w) => w.port.sequence());
  const [a = 0, b = 0] = sequences();
  t.call('write', fds[0] ?? -1, one, 8);
  expect(sequences()).toEqual([a + 1, b]);
  t.call('write', fds[1] ?? -1, one, 8);
  expect(sequences()).toEqual([a + 1, b + 1]);
  for (const w of waiters) releaseTable(w.files.state, w.files.table);
});
