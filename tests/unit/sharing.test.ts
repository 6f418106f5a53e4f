/** Pages that address spaces share: who holds them, with which permissions, and what is in them. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PF } from '../../src/guest/cpu-state.js';
import { MAP, PROT } from '../../runtime/memory/address-space.js';
import { sharedSpaces, type SharedSpace } from '../support/sharing.js';
import { PAGE, permsAt, RW } from '../support/space.js';

const dir = mkdtempSync(join(tmpdir(), 'lift64-sharing-'));
const path = join(dir, 'file');
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const PAGES = 24;

function mapFile({ mm }: SharedSpace, prot: number = RW): number {
  const fd = openSync(path, 'r+');
  try {
    const file = { hostFd: fd, path, offset: 0, size: PAGES * PAGE, writable: true };
    return mm.mmap({ addr: 0, length: PAGES * PAGE, prot, flags: MAP.SHARED, file });
  } finally {
    closeSync(fd);
  }
}

const read = (s: SharedSpace, addr: number): number => {
  expect(s.mm.fault(addr, 0)).toBe('retry');
  return s.bytes[addr] ?? -1;
};

function write(s: SharedSpace, addr: number, value: number): void {
  expect(s.mm.fault(addr, PF.WRITE)).toBe('retry');
  s.bytes[addr] = value;
}

describe('shared pages', () => {
  const { spaces, objects } = sharedSpaces(2);
  const [a, b] = spaces as [SharedSpace, SharedSpace];
  let at = 0;
  let there = 0;

  test('one process alone has its pages present and writable', () => {
    writeFileSync(path, Buffer.alloc(PAGES * PAGE, 1));
    at = mapFile(a);
    expect([permsAt(a.bytes, at), objects.isContended(1, 1)]).toEqual(['rwfF', false]);
    a.bytes[at] = 2;
  });

  test('another one finds them absent, and gets them at the first touch: both have a clean copy', () => {
    there = mapFile(b);
    expect([permsAt(b.bytes, there), objects.isContended(1, 1)]).toEqual(['s', true]);
    expect(read(b, there)).toBe(2);
    expect([permsAt(a.bytes, at), permsAt(b.bytes, there), readFileSync(path)[0]]).toEqual(['rf', 'r', 2]);
    expect([a.grants, b.grants]).toEqual([0, 1]);
  });

  test('a store takes the other copy away', () => {
    write(b, there + 1, 3);
    expect([permsAt(a.bytes, at), permsAt(b.bytes, there)]).toEqual(['s', 'rw']);
    expect([read(a, at + 1), permsAt(b.bytes, there)]).toEqual([3, 'r']);
  });

  test('going through pages brings those ahead that nobody holds alone', () => {
    expect(read(b, there + PAGE)).toBe(1);
    expect([permsAt(b.bytes, there + PAGE), permsAt(b.bytes, there + 2 * PAGE)]).toEqual(['r', 's']);
    a.mm.munmap(at + 4 * PAGE, 20 * PAGE);
    expect(read(b, there + 2 * PAGE)).toBe(1);
    write(b, there + 3 * PAGE, 1);
    write(b, there + 4 * PAGE, 1);
    expect(permsAt(b.bytes, there + 12 * PAGE)).toBe('rwfF');
  });

  test('mprotect gives no W to a page that the other may have', () => {
    expect(read(a, at)).toBe(2);
    expect(a.mm.mprotect(at, PAGE, PROT.READ)).toBe(0);
    expect(a.mm.mprotect(at, PAGE, RW)).toBe(0);
    expect(permsAt(a.bytes, at)).toBe('rf');
    write(a, at, 7);
    expect(read(b, there)).toBe(7);
  });

  test('futex words have one place', () => {
    expect(a.mm.sharedPlace(at + 8)).toEqual({ object: 1, offset: 8 });
    expect(b.mm.sharedPlace(there + 8)).toEqual({ object: 1, offset: 8 });
  });

  test('the end of one leaves the other alone', () => {
    write(a, at + 5, 9);
    a.mm.munmap(at, 4 * PAGE);
    expect(objects.isContended(1, 2)).toBe(false);
    write(b, there + 5, read(b, there + 5) + 1);
    expect([b.bytes[there + 5], permsAt(b.bytes, there)]).toEqual([10, 'rwfF']);
    b.mm.munmap(there, PAGES * PAGE);
    expect([readFileSync(path)[5], objects.anyNamed]).toEqual([10, false]);
  });

  test('anonymous memory is zero, and shows in no directory', () => {
    at = a.mm.mmap({ addr: 0, length: 3 * PAGE, prot: RW, flags: MAP.SHARED | MAP.ANONYMOUS });
    expect([a.bytes[at], permsAt(a.bytes, at)]).toEqual([0, 'rwfF']);
    expect(a.mm.maps()).toContain('/dev/zero (deleted)');
    expect([objects.anyNamed, a.mm.sharedPlace(at)?.offset]).toEqual([false, 0]);
  });
});
