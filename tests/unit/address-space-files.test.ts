/** Mapped files: contents, private and shared, ends of files, large ones page by page, files that change, descriptors. */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PF } from '../../src/guest/cpu-state.js';
import { EACCES } from '../../runtime/linux/errno.js';
import { MAP, PROT } from '../../runtime/memory/address-space.js';
import { anon, ANON, makeSpace, PAGE, permsAt, RW, type Space } from '../support/space.js';

const dir = mkdtempSync(join(tmpdir(), 'lift64-mm-'));
const opened: number[] = [];
afterAll(() => {
  for (const fd of opened) closeSync(fd);
  rmSync(dir, { recursive: true });
});
let s: Space;
beforeEach(() => {
  s = makeSpace();
});

let number = 0;
/** A file of `size` bytes, byte i being (i >> 8) * 31 + i; open for reading and writing. */
function file(size: number): { fd: number; path: string } {
  const path = join(dir, `file ${++number}`);
  writeFileSync(path, Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i >> 8) * 31 + i)));
  const fd = openSync(path, 'r+');
  opened.push(fd);
  return { fd, path };
}
function mapFile(
  f: { fd: number; path: string },
  length: number,
  prot: number,
  flags: number,
  offset = 0,
  writable = true,
): number {
  return s.mm.mmap({
    addr: 0,
    length,
    prot,
    flags,
    file: { hostFd: f.fd, path: f.path, offset, size: fstatSync(f.fd).size, writable },
  });
}

describe('private', () => {
  test('contents, zeros behind the end, SIGBUS behind its page, maps line', () => {
    const f = file(2 * PAGE + 100);
    const a = mapFile(f, 5 * PAGE, PROT.READ, MAP.PRIVATE, PAGE);
    const disk = readFileSync(f.path);
    expect(Buffer.compare(s.bytes.subarray(a, a + PAGE + 100), disk.subarray(PAGE))).toBe(0);
    expect(s.bytes.subarray(a + PAGE + 100, a + 2 * PAGE).every((b) => b === 0)).toBe(true);
    expect([1, 2, 4].map((i) => permsAt(s.bytes, a + i * PAGE))).toEqual(['r', '', '']);
    expect(s.mm.fault(a + 2 * PAGE, PF.USER)).toBe('bus');
    expect(s.mm.faultKind(a + 4 * PAGE)).toBe('bus');
    expect(s.mm.fault(a + 4 * PAGE, PF.USER | PF.WRITE)).toBe('accerr');
    expect(s.mm.fault(a + 5 * PAGE, PF.USER)).toBe('maperr');
    const stat = fstatSync(f.fd);
    const dev = `${(stat.dev >> 8).toString(16).padStart(2, '0')}:${(stat.dev & 255).toString(16).padStart(2, '0')}`;
    const line = `${a.toString(16)}-${(a + 5 * PAGE).toString(16)} r--p 00001000 ${dev} ${stat.ino} `;
    expect(s.mm.maps()).toBe(`${line.padEnd(73)}${f.path}\n`);
    expect(s.mm.fileAt(a + PAGE + 5)).toEqual({ path: f.path, offset: 2 * PAGE + 5 });
  });

  test('stores stay private; DONTNEED brings the file back; munmap writes nothing', () => {
    const f = file(PAGE);
    const before = readFileSync(f.path);
    const a = mapFile(f, PAGE, RW, MAP.PRIVATE);
    s.bytes.fill(0xee, a, a + PAGE);
    expect(s.mm.msync(a, PAGE)).toBe(0);
    expect(s.mm.madvise(a, PAGE, 4)).toBe(0);
    expect(Buffer.compare(s.bytes.subarray(a, a + PAGE), before)).toBe(0);
    s.bytes.fill(0xee, a, a + PAGE);
    s.mm.munmap(a, PAGE);
    expect(readFileSync(f.path).equals(before)).toBe(true);
  });

  test('the partial page of a cut mapping, and a mapping grown by mremap', () => {
    const f = file(6 * PAGE);
    const a = mapFile(f, 2 * PAGE, PROT.READ, MAP.PRIVATE);
    const b = s.mm.mremap(a, 2 * PAGE, 8 * PAGE, 1, 0);
    expect(Buffer.compare(s.bytes.subarray(b, b + 6 * PAGE), readFileSync(f.path))).toBe(0);
    expect(s.mm.faultKind(b + 6 * PAGE)).toBe('bus');
    s.mm.munmap(b, 3 * PAGE);
    expect(s.mm.fileAt(b + 3 * PAGE)).toEqual({ path: f.path, offset: 3 * PAGE });
    expect(s.mm.faultKind(b + 6 * PAGE)).toBe('bus');
  });
});

describe('shared', () => {
  test('stores reach the file at msync and munmap, and never make it longer', () => {
    const f = file(PAGE + 10);
    const a = mapFile(f, 2 * PAGE, RW, MAP.SHARED);
    s.bytes[a + 1] = 0x77;
    expect(s.mm.msync(a, 2 * PAGE)).toBe(0);
    expect(readFileSync(f.path)[1]).toBe(0x77);
    s.bytes[a + PAGE + 9] = 0x78;
    s.bytes[a + PAGE + 10] = 0x79;
    s.mm.munmap(a, 2 * PAGE);
    const disk = readFileSync(f.path);
    expect([disk.length, disk[PAGE + 9]]).toEqual([PAGE + 10, 0x78]);
  });

  test('a page that was not stored to is not written over what others wrote', () => {
    const f = file(3 * PAGE);
    const a = mapFile(f, 3 * PAGE, RW, MAP.SHARED);
    s.bytes[a] = 1;
    s.mm.writeAll();
    expect(s.mm.sharesFiles).toBe(true);
    const { dev, ino } = fstatSync(f.fd, { bigint: true });
    writeSync(f.fd, 'written by a system call', 2 * PAGE);
    s.mm.fileWritten({ dev, ino }, 2 * PAGE, 24);
    expect(Buffer.from(s.bytes.slice(a + 2 * PAGE, a + 2 * PAGE + 24)).toString()).toBe('written by a system call');
    s.bytes[a + 5] = 0x55;
    s.mm.beforeFileRead({ dev, ino });
    const disk = readFileSync(f.path);
    expect([disk[5], disk.subarray(2 * PAGE, 2 * PAGE + 24).toString()]).toEqual([0x55, 'written by a system call']);
  });

  test('a file that is read-only stays so; one opened for both may be made writable', () => {
    const f = file(PAGE);
    const readOnly = mapFile(f, PAGE, PROT.READ, MAP.SHARED, 0, false);
    expect(s.mm.mprotect(readOnly, PAGE, RW)).toBe(-EACCES);
    const both = mapFile(f, PAGE, PROT.READ, MAP.SHARED);
    expect(s.mm.mprotect(both, PAGE, RW)).toBe(0);
    s.mem.write(both, Uint8Array.of(0x42));
    s.mm.munmap(both, PAGE);
    expect(readFileSync(f.path)[0]).toBe(0x42);
  });

  test('a file that grows makes its pages reachable; one that is cut takes them away', () => {
    const f = file(PAGE);
    const a = mapFile(f, 4 * PAGE, RW, MAP.SHARED);
    expect(s.mm.fault(a + 2 * PAGE, PF.USER)).toBe('bus');
    ftruncateSync(f.fd, 3 * PAGE);
    expect(s.mm.fault(a + 2 * PAGE, PF.USER)).toBe('retry');
    expect(s.mm.fault(a + 3 * PAGE, PF.USER)).toBe('bus');
    expect([0, 1, 2, 3].map((i) => permsAt(s.bytes, a + i * PAGE))).toEqual(['rwfF', 'rwfF', 'rw', '']);
    ftruncateSync(f.fd, 100);
    const { dev, ino } = fstatSync(f.fd, { bigint: true });
    s.mm.fileResized({ dev, ino }, 100);
    expect([0, 1, 2, 3].map((i) => permsAt(s.bytes, a + i * PAGE))).toEqual(['rw', '', '', '']);
    expect(s.bytes.subarray(a + 100, a + PAGE).every((b) => b === 0)).toBe(true);
    expect(s.mm.fault(a + PAGE, PF.USER)).toBe('bus');
  });
});

test('a large file is read where it is touched', () => {
  const f = file(PAGE);
  const size = 40 << 20;
  ftruncateSync(f.fd, size);
  writeSync(f.fd, 'far away', 30 << 20);
  writeSync(f.fd, 'end', size - 3);
  const a = mapFile(f, size, RW, MAP.PRIVATE);
  const far = a + (30 << 20);
  expect(permsAt(s.bytes, far)).toBe('s');
  expect(s.mm.faultKind(far)).toBe('maperr');
  expect(s.mm.grow(far)).toBe(true);
  expect(permsAt(s.bytes, far)).toBe('rwfF');
  expect(s.mm.faultKind(far)).toBe('accerr');
  expect(Buffer.from(s.bytes.slice(far, far + 8)).toString()).toBe('far away');
  // A system call reaches it without a fault.
  expect(Buffer.from(s.mem.read(a + size - 3, 3) ?? []).toString()).toBe('end');
  // Across a change of protection, and a move, absent pages stay absent.
  s.mm.mprotect(a, size, PROT.READ);
  expect([permsAt(s.bytes, far), permsAt(s.bytes, a)]).toEqual(['rf', 's']);
  const b = s.mm.mremap(a, size, size, 3, 0x4000_0000);
  expect(b).toBe(0x4000_0000);
  expect([permsAt(s.bytes, b + (30 << 20)), permsAt(s.bytes, b)]).toEqual(['rf', 's']);
  expect(Buffer.from(s.bytes.slice(b + (30 << 20), b + (30 << 20) + 8)).toString()).toBe('far away');
  expect(s.mm.fault(b, PF.USER | PF.WRITE)).toBe('accerr');
  expect(s.mm.fault(b, PF.USER)).toBe('retry');
  expect(s.bytes[b + 257]).toBe(32);
  expect(s.mm.munmap(b, size)).toBe(0);
  expect(permsAt(s.bytes, b)).toBe('');
});

test('descriptors are closed once the last mapping of a file has gone', () => {
  const count = (): number => readdirSync('/proc/self/fd').length;
  const before = count();
  const f = file(2 * PAGE);
  const at = Array.from({ length: 10 }, () => mapFile(f, 2 * PAGE, PROT.READ, MAP.PRIVATE));
  expect(count()).toBe(before + 2);
  for (const a of at) s.mm.munmap(a, PAGE);
  expect(count()).toBe(before + 2);
  for (const a of at) anon(s.mm, 1, RW, ANON | MAP.FIXED, a + PAGE);
  expect(count()).toBe(before + 1);
  for (let i = 0; i < 5000; i++) {
    const a = mapFile(f, PAGE, PROT.READ, MAP.PRIVATE);
    s.mm.munmap(a, PAGE);
  }
  expect(count()).toBe(before + 1);
});

describe('several shared mappings of one page', () => {
  test('one copy is present at a time: the access that needs another takes it, with what was stored', () => {
    const f = file(2 * PAGE);
    const a = mapFile(f, 2 * PAGE, RW, MAP.SHARED);
    const b = mapFile(f, PAGE, RW, MAP.SHARED, PAGE);
    const high = s.mm.mmap({
      addr: 0x7f00_0000_0000,
      length: PAGE,
      prot: PROT.READ,
      flags: MAP.SHARED | MAP.FIXED,
      file: { hostFd: f.fd, path: f.path, offset: PAGE, size: 2 * PAGE },
    });
    expect([permsAt(s.bytes, a + PAGE), permsAt(s.bytes, b)]).toEqual(['rw', 's']);
    expect(s.mem.write(a + PAGE + 10, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(s.mem.read(b + 10, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect([permsAt(s.bytes, a), permsAt(s.bytes, a + PAGE)]).toEqual(['rw', 's']);
    s.mem.write(b + 11, Uint8Array.of(9));
    expect(s.mm.fault(high + 10, 0)).toBe('retry');
    const at = s.mm.offsetOf(high + 10) ?? 0;
    expect(s.bytes.slice(at, at + 3)).toEqual(Uint8Array.of(1, 9, 3));
    expect(permsAt(s.bytes, b)).toBe('s');
    expect(s.mem.read(a + PAGE + 10, 3)).toEqual(Uint8Array.of(1, 9, 3));
    expect(s.mm.isPresent(high)).toBe(false);
    s.mm.munmap(a, 2 * PAGE);
    expect([...readFileSync(f.path).subarray(PAGE + 10, PAGE + 13)]).toEqual([1, 9, 3]);
  });

  test('a private mapping made later has what was stored through a shared one', () => {
    const f = file(PAGE);
    const a = mapFile(f, PAGE, RW, MAP.SHARED);
    s.mem.write(a + 5, Uint8Array.of(77));
    const p = mapFile(f, PAGE, RW, MAP.PRIVATE);
    expect(s.mem.read(p + 5, 1)).toEqual(Uint8Array.of(77));
  });
});
