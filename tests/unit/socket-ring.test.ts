/** The receive ring of a socket: records, streams that are extended, the end of the ring. */
import { expect, test } from '@jest/globals';
import { Cursor, emptyRing, putRecord, putStream, ringFill } from '../../runtime/net/ring.js';
import { RING_BYTES, SOCKET } from '../../runtime/net/layout.js';
import { get, netLocked, newSocket } from '../../runtime/net/socket-table.js';
import type { Origin } from '../../runtime/net/ring.js';
import type { VfsState } from '../../runtime/vfs/state.js';
import { FakeThread, newRegion } from './vfs-fake.js';

const from = (pid: number, files: readonly number[] = [], name = ''): Origin => ({
  pid,
  uid: 1,
  gid: 2,
  files,
  name: Buffer.from(name),
});

function setUp(): { s: VfsState; socket: number } {
  const s = new FakeThread(newRegion(), 1, '/').files.state;
  return { s, socket: netLocked(s, () => newSocket(s, 1, 1, 0)) };
}

const bytes = (n: number, first: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (first + i) & 0xff);

function takeAll(s: VfsState, socket: number, most: number): Uint8Array {
  const cursor = new Cursor(s, socket);
  const out = new Uint8Array(most);
  let n = 0;
  while (n < most && cursor.open()) n += cursor.copy([out], n, most - n);
  cursor.store();
  return out.subarray(0, n);
}

test('records keep their bounds, addresses and descriptions', () => {
  const { s, socket } = setUp();
  putRecord(s, socket, [bytes(3, 1), bytes(4, 9)], 2, 4, from(7, [5, 6], '/a'));
  putRecord(s, socket, [], 0, 0, from(8));
  expect(get(s, socket, SOCKET.DATA)).toBe(4);
  const cursor = new Cursor(s, socket);
  expect(cursor.open()).toBe(true);
  expect(cursor.origin).toMatchObject({ pid: 7, uid: 1, gid: 2, files: [5, 6] });
  expect(Buffer.from(cursor.origin?.name ?? []).toString()).toBe('/a');
  const out = new Uint8Array(8);
  expect(cursor.copy([out.subarray(0, 1), out.subarray(1)], 0, 8)).toBe(4);
  expect([...out]).toEqual([3, 9, 10, 11, 0, 0, 0, 0]);
  expect(cursor.open()).toBe(true);
  expect(cursor.origin?.pid).toBe(8);
  expect(cursor.left).toBe(0);
  cursor.copy([], 0, 0);
  expect(cursor.open()).toBe(false);
  // Nothing is taken before it is stored.
  expect(get(s, socket, SOCKET.RECORDS)).toBe(2);
  cursor.store();
  expect([get(s, socket, SOCKET.RECORDS), ringFill(s, socket), get(s, socket, SOCKET.HEAD)]).toEqual([0, 0, 0]);
});

test('a stream extends its last record, but for another sender and behind descriptions', () => {
  const { s, socket } = setUp();
  const put = (o: Origin): number => putStream(s, socket, [bytes(10, 0)], 0, 10, o, RING_BYTES);
  expect([put(from(1)), put(from(1)), put(from(2)), put(from(2, [3])), put(from(2))]).toEqual([10, 10, 10, 10, 10]);
  expect(get(s, socket, SOCKET.RECORDS)).toBe(4);
  // Read in part, the first one is extended too.
  expect(takeAll(s, socket, 35)).toHaveLength(35);
  expect(emptyRing(s, socket)).toEqual([]);
  expect(put(from(1))).toBe(10);
  expect(takeAll(s, socket, 4)).toEqual(bytes(4, 0));
  expect(put(from(1))).toBe(10);
  expect(get(s, socket, SOCKET.RECORDS)).toBe(1);
  expect(takeAll(s, socket, 100)).toEqual(Uint8Array.from([...bytes(6, 4), ...bytes(10, 0)]));
});

test('data go round the end of the ring, and never beyond its size', () => {
  const { s, socket } = setUp();
  let [put, taken, checked] = [0, 0, 0];
  for (let round = 0; round < 40; round++) {
    const size = 30_000 + round * 101;
    put += putStream(s, socket, [bytes(size, put)], 0, size, from(1 + (round % 3)), RING_BYTES);
    expect(ringFill(s, socket)).toBeLessThanOrEqual(RING_BYTES);
    const out = takeAll(s, socket, round < 8 ? 1000 : 35_000);
    for (const b of out) if (b === ((taken + checked++ - taken) & 0xff)) taken++;
  }
  const rest = takeAll(s, socket, RING_BYTES);
  for (const b of rest) if (b === (checked++ & 0xff)) taken++;
  expect([taken, checked]).toEqual([put, put]);
});

test('descriptions in flight are given back when the ring is emptied', () => {
  const { s, socket } = setUp();
  putRecord(s, socket, [bytes(4, 0)], 0, 4, from(1, [11]));
  putRecord(s, socket, [bytes(4, 0)], 0, 4, from(1, [12, 13]));
  expect(emptyRing(s, socket)).toEqual([11, 12, 13]);
  expect(get(s, socket, SOCKET.DATA)).toBe(0);
});
