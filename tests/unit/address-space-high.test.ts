/** Guest addresses from GUEST_END up: the radix table and its backing. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PF } from '../../src/guest/cpu-state.js';
import { GUEST_END } from '../../src/guest/memory-map.js';
import { ENOMEM } from '../../runtime/linux/errno.js';
import { MAP, PROT } from '../../runtime/memory/address-space.js';
import { setCode } from '../../runtime/memory/perms.js';
import { anon, ANON, makeSpace, PAGE, RW, type Space } from '../support/space.js';

const HIGH = 0x5555_5555_4000;
let s: Space;
beforeEach(() => {
  s = makeSpace();
});
const fixed = (addr: number, pages: number, prot: number = RW): number =>
  anon(s.mm, pages, prot, ANON | MAP.FIXED, addr);
/** Where the page of a high address lies in the memory, after its first touch. */
function touch(addr: number, error: number = PF.USER | PF.WRITE): number {
  expect(s.mm.fault(addr, error)).toBe('retry');
  const at = s.mm.offsetOf(addr);
  if (at === undefined) throw new Error('not present');
  return at;
}

test('a fixed mapping is where it was asked for, reads as zero and keeps what is stored', () => {
  expect(fixed(HIGH, 8)).toBe(HIGH);
  expect(s.mm.offsetOf(HIGH)).toBeUndefined();
  expect([s.mm.faultKind(HIGH), s.mm.faultKind(HIGH + 8 * PAGE)]).toEqual(['maperr', 'maperr']);
  expect(s.mm.isPresent(HIGH)).toBe(false);
  expect(s.mm.grow(HIGH)).toBe(true);
  expect(s.mm.isPresent(HIGH)).toBe(true);
  expect(s.mm.faultKind(HIGH)).toBe('accerr');
  expect(s.mem.write(HIGH + PAGE - 2, new Uint8Array([1, 2, 3, 4]))).toBe(true);
  expect(s.mem.read(HIGH + PAGE - 2, 5)).toEqual(new Uint8Array([1, 2, 3, 4, 0]));
  expect(s.mem.read(HIGH + 8 * PAGE - 2, 4)).toBeUndefined();
  expect(s.mm.maps()).toBe('555555554000-55555555c000 rw-p 00000000 00:00 0 \n');
  // The backing is no memory of the guest.
  const at = touch(HIGH);
  expect(s.mem.canRead(at, 1)).toBe(false);
  expect(s.mm.faultKind(at)).toBe('maperr');
  expect(s.mm.mprotect(at, PAGE, RW)).toBe(-ENOMEM);
  expect(s.mm.munmap(at, PAGE)).toBe(0);
  expect(s.mem.readU32(HIGH + PAGE)).toBe(0x0403);
});

test('protections, and pages that are unmapped and mapped again', () => {
  fixed(HIGH, 4);
  s.bytes[touch(HIGH)] = 9;
  expect(s.mm.mprotect(HIGH, PAGE, PROT.READ)).toBe(0);
  expect([s.mem.canRead(HIGH, 1), s.mem.canWrite(HIGH, 1), s.mem.canWrite(HIGH + PAGE, 1)]).toEqual([
    true,
    false,
    true,
  ]);
  expect(s.mm.fault(HIGH, PF.USER | PF.WRITE)).toBe('accerr');
  expect(s.mm.highCode(HIGH / PAGE)).toBeUndefined();
  s.mm.mprotect(HIGH, PAGE, PROT.READ | PROT.EXEC);
  expect(s.mm.highCode(HIGH / PAGE)).toBe(s.mm.offsetOf(HIGH));
  s.mm.mprotect(HIGH, PAGE, PROT.NONE);
  expect([s.mem.canRead(HIGH, 1), s.mm.fault(HIGH, PF.USER)]).toEqual([false, 'accerr']);
  s.mm.mprotect(HIGH, PAGE, RW);
  expect(s.mem.read(HIGH, 1)).toEqual(new Uint8Array([9]));
  expect(s.mm.munmap(HIGH, PAGE)).toBe(0);
  expect([s.mm.offsetOf(HIGH), s.mm.fault(HIGH, PF.USER)]).toEqual([undefined, 'maperr']);
  fixed(HIGH, 1);
  expect(s.mem.read(HIGH, 1)).toEqual(new Uint8Array([0]));
});

test('16 TiB that are only reserved cost nothing; pages touched here and there are found again', () => {
  const size = 2 ** 44;
  const base = 0x1000_0000_0000;
  const before = process.memoryUsage().rss;
  expect(anon(s.mm, size / PAGE, RW, ANON | MAP.FIXED | MAP.NORESERVE, base)).toBe(base);
  const places = Array.from({ length: 300 }, (_, i) => base + ((i * 7919 * (2 ** 34 + PAGE)) % size));
  places.forEach((addr, i) => {
    const page = addr - (addr % PAGE);
    s.bytes[touch(page)] = i % 251;
  });
  expect(places.every((addr, i) => s.mem.read(addr - (addr % PAGE), 1)?.[0] === i % 251)).toBe(true);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  expect(s.mm.usage().vsize).toBe(size);
  expect(s.mm.munmap(base, size)).toBe(0);
  expect(s.mm.usage()).toEqual({ vsize: 0, rss: 0 });
  // Its tables are used again.
  for (let round = 0; round < 3; round++) {
    anon(s.mm, size / PAGE, RW, ANON | MAP.FIXED | MAP.NORESERVE, base + round * PAGE);
    for (const addr of places.slice(0, 100)) touch(Math.min(addr - (addr % PAGE) + round * PAGE, base + size - PAGE));
    s.mm.munmap(base + round * PAGE, size);
  }
});

test('what is too large for low memory is placed high when it is only reserved', () => {
  const at = anon(s.mm, 2 ** 40 / PAGE, PROT.NONE, ANON | MAP.NORESERVE);
  expect(at).toBeGreaterThan(GUEST_END);
  expect(s.mm.mprotect(at + 2 ** 30, PAGE, RW)).toBe(0);
  touch(at + 2 ** 30);
  expect(s.mm.fault(at, PF.USER)).toBe('accerr');
  const low = anon(s.mm, 2 ** 31 / PAGE, PROT.NONE);
  expect(low).toBeLessThan(GUEST_END);
  expect(anon(s.mm, 2 ** 31 / PAGE, PROT.NONE)).toBeGreaterThan(GUEST_END);
  expect(s.mm.mmap({ addr: 0, length: 2 ** 31, prot: RW, flags: ANON })).toBe(-ENOMEM);
});

test('adjacent pages have adjacent backing, in whatever order they are touched', () => {
  const base = 0x2000_0000_0000;
  const pages = 6000;
  fixed(base, pages);
  let x = 1;
  for (let i = 0; i < 300; i++) {
    x = (x * 16807) % 2147483647;
    const page = base + (x % pages) * PAGE;
    new DataView(s.bytes.buffer).setFloat64(touch(page), page, true);
  }
  let present = 0;
  for (let i = 0; i + 1 < pages; i++) {
    const here = s.mm.offsetOf(base + i * PAGE);
    const next = s.mm.offsetOf(base + (i + 1) * PAGE);
    if (here === undefined) continue;
    present++;
    if (next !== undefined) expect(next - here).toBe(PAGE);
    const mark = new DataView(s.bytes.buffer).getFloat64(here, true);
    expect([0, base + i * PAGE]).toContain(mark);
  }
  expect(present).toBeGreaterThan(3000);
  // One buffer of a system call over all of it.
  expect(s.mem.slice(base, pages * PAGE, true)?.length).toBe(pages * PAGE);
  // Mappings on both sides join the run.
  fixed(base - 4 * PAGE, 4);
  fixed(base + pages * PAGE, 4);
  expect(s.mem.slice(base - 4 * PAGE, (pages + 8) * PAGE, true)?.length).toBe((pages + 8) * PAGE);
});

test('backing makes room for a mapping that insists on its place', () => {
  fixed(HIGH, 4);
  const at = touch(HIGH);
  s.bytes[at + 5] = 99;
  expect(fixed(at - 2 * PAGE, 6)).toBe(at - 2 * PAGE);
  expect(s.mm.offsetOf(HIGH)).not.toBe(at);
  expect(s.mem.read(HIGH + 5, 1)).toEqual(new Uint8Array([99]));
  expect(s.mem.read(at + 5, 1)).toEqual(new Uint8Array([0]));
  expect(s.mm.mmap({ addr: at, length: PAGE, prot: RW, flags: ANON | MAP.FIXED_NOREPLACE })).toBeLessThan(0);
});

test('mremap between and within high memory, madvise', () => {
  fixed(HIGH, 4);
  s.bytes[touch(HIGH + PAGE)] = 7;
  const low = s.mm.mremap(HIGH, 4 * PAGE, 4 * PAGE, 3, 0x3000_0000);
  expect(low).toBe(0x3000_0000);
  expect([s.bytes[low], s.bytes[low + PAGE], s.mm.fault(HIGH, PF.USER)]).toEqual([0, 7, 'maperr']);
  expect(s.mm.mremap(low, 4 * PAGE, 8 * PAGE, 3, HIGH)).toBe(HIGH);
  expect(s.mem.read(HIGH + PAGE, 1)).toEqual(new Uint8Array([7]));
  expect(s.mm.mremap(HIGH, 8 * PAGE, 1000 * PAGE, 0, 0)).toBe(HIGH);
  expect(s.mem.write(HIGH + 999 * PAGE, new Uint8Array([1]))).toBe(true);
  expect(s.mem.read(HIGH + PAGE, 1)).toEqual(new Uint8Array([7]));
  expect(s.mm.madvise(HIGH + PAGE, PAGE, 4)).toBe(0);
  expect(s.mem.read(HIGH + PAGE, 1)).toEqual(new Uint8Array([0]));
  s.mem.write(HIGH, new Uint8Array([5]));
  expect(s.mm.madvise(HIGH, 1000 * PAGE, 4)).toBe(0);
  expect(s.mm.offsetOf(HIGH)).toBeUndefined();
  expect(s.mem.read(HIGH, 1)).toEqual(new Uint8Array([0]));
  const moved = s.mm.mremap(HIGH, 1000 * PAGE, 1000 * PAGE, 5, 0);
  expect(moved).toBeGreaterThan(0);
  expect(s.mm.mincore(HIGH, PAGE)).toEqual(new Uint8Array([0]));
});

describe('code', () => {
  test('is marked on the backing and invalidated there', () => {
    fixed(HIGH, 2, RW | PROT.EXEC);
    const at = touch(HIGH, PF.USER | PF.INSTR);
    setCode(s.bytes, at / PAGE, true);
    expect(s.mem.write(HIGH, new Uint8Array(4))).toBe(true);
    expect(s.invalidated).toEqual([[at, 4]]);
    setCode(s.bytes, at / PAGE, true);
    s.invalidated.length = 0;
    s.mm.mprotect(HIGH, 2 * PAGE, PROT.READ);
    expect(s.invalidated.map(([addr]) => addr)).toEqual([at]);
    setCode(s.bytes, at / PAGE, true);
    s.invalidated.length = 0;
    s.mm.munmap(HIGH, 2 * PAGE);
    expect(s.invalidated.map(([addr]) => addr)).toEqual([at]);
  });
});

test('no mapping may lie on both sides of GUEST_END', () => {
  expect(s.mm.mmap({ addr: GUEST_END - 4 * PAGE, length: 8 * PAGE, prot: RW, flags: ANON | MAP.FIXED })).toBe(-ENOMEM);
  expect(fixed(GUEST_END - 4 * PAGE, 3)).toBe(GUEST_END - 4 * PAGE);
  expect(fixed(GUEST_END, 3)).toBe(GUEST_END);
  s.bytes[touch(GUEST_END)] = 1;
  expect(s.mem.read(GUEST_END, 1)).toEqual(new Uint8Array([1]));
  expect(s.mem.read(GUEST_END - PAGE, 2 * PAGE)).toBeUndefined();
});

test('fixed mappings up to the end of the address space', () => {
  const last = 2 ** 47 - 2 * PAGE;
  expect(fixed(last, 1)).toBe(last);
  s.mem.write(last + PAGE - 1, new Uint8Array([3]));
  expect(s.mem.read(last + PAGE - 1, 1)).toEqual(new Uint8Array([3]));
  expect(s.mem.read(last + PAGE - 1, 2)).toBeUndefined();
});
