/** The address space: mappings, protections, contents, heap, faults; permission bytes; /proc/self/maps. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PF } from '../../src/guest/cpu-state.js';
import { PAGE_USED } from '../../src/guest/memory-map.js';
import { EEXIST, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP, EPERM } from '../../runtime/linux/errno.js';
import { MAP, PROT } from '../../runtime/memory/address-space.js';
import { setCode } from '../../runtime/memory/perms.js';
import { anon, ANON, makeSpace, PAGE, permsAt, RW, type Space } from '../support/space.js';

let s: Space;
beforeEach(() => {
  s = makeSpace();
});
/** Whether the host has no memory for pages that were read and never written to. */
function readingIsFree(): boolean {
  const bytes = new Uint8Array(new SharedArrayBuffer(64 << 20));
  const before = process.memoryUsage().rss;
  let sum = 0;
  for (let at = 0; at < bytes.length; at += PAGE) sum += bytes[at] ?? 0;
  expect(sum).toBe(0);
  return process.memoryUsage().rss - before < 32 << 20;
}
const lines = (): string[] =>
  s.mm
    .maps()
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => l.trimEnd().replace(/ +/g, ' '));

describe('mmap', () => {
  test('anonymous pages are zero, readable, writable, placed top down and merged', () => {
    const a = anon(s.mm, 4);
    const b = anon(s.mm, 2);
    expect(a).toBe(0xdf00_0000 - 4 * PAGE);
    expect(b).toBe(a - 2 * PAGE);
    expect(s.mem.read(a, 16)).toEqual(new Uint8Array(16));
    expect(lines()).toEqual([`${b.toString(16)}-df000000 rw-p 00000000 00:00 0`]);
    expect(permsAt(s.bytes, a)).toBe('rwfF');
    expect(permsAt(s.bytes, a + 3 * PAGE)).toBe('rw');
  });

  test('what was written is gone when the pages are mapped again', () => {
    const a = anon(s.mm, 64);
    s.bytes.fill(0xaa, a, a + 64 * PAGE);
    expect(s.mm.munmap(a, 64 * PAGE)).toBe(0);
    expect(anon(s.mm, 64)).toBe(a);
    expect(s.bytes.subarray(a, a + 64 * PAGE).every((b) => b === 0)).toBe(true);
    s.bytes.fill(0xaa, a + 20 * PAGE, a + 40 * PAGE);
    anon(s.mm, 16, PROT.READ, ANON | MAP.FIXED, a + 24 * PAGE);
    expect(s.bytes.subarray(a + 24 * PAGE, a + 40 * PAGE).every((b) => b === 0)).toBe(true);
    expect(s.bytes[a + 23 * PAGE]).toBe(0xaa);
  });

  test('arguments that Linux refuses', () => {
    const map = (addr: number, length: number, flags: number, prot: number = RW): number =>
      s.mm.mmap({ addr, length, prot, flags });
    expect(map(0, 0, ANON)).toBe(-EINVAL);
    expect(map(0, PAGE, MAP.ANONYMOUS)).toBe(-EINVAL);
    expect(map(0x10_0001, PAGE, ANON | MAP.FIXED)).toBe(-EINVAL);
    expect(map(0x1000, PAGE, ANON | MAP.FIXED)).toBe(-EPERM);
    expect(map(0, 2 ** 47 + 1, ANON)).toBe(-ENOMEM);
    expect(map(0, Number(2n ** 64n - 1n), ANON)).toBe(-ENOMEM);
    expect(map(2 ** 47 - PAGE, 2 * PAGE, ANON | MAP.FIXED)).toBe(-ENOMEM);
    expect(map(0, PAGE, MAP.SHARED_VALIDATE | MAP.ANONYMOUS | 0x80000)).toBe(-EOPNOTSUPP);
    expect(map(0, PAGE, MAP.SHARED | MAP.ANONYMOUS | MAP.GROWSDOWN)).toBe(-EINVAL);
    expect(map(0, 2 << 20, ANON | MAP.HUGETLB)).toBe(-ENOMEM);
  });

  test('hints, MAP_FIXED_NOREPLACE, MAP_32BIT', () => {
    expect(anon(s.mm, 1, RW, ANON, 0x2000_0123)).toBe(0x2000_1000);
    expect(anon(s.mm, 1, RW, ANON, 0x2000_1000)).toBe(0xdf00_0000 - PAGE);
    expect(anon(s.mm, 1, RW, ANON, 0x5555_5555_4000)).toBe(0xdf00_0000 - 2 * PAGE);
    expect(s.mm.mmap({ addr: 0x2000_0000, length: 2 * PAGE, prot: RW, flags: ANON | MAP.FIXED_NOREPLACE })).toBe(
      -EEXIST,
    );
    expect(anon(s.mm, 1, RW, ANON | MAP.FIXED_NOREPLACE, 0x2000_0000)).toBe(0x2000_0000);
    expect(anon(s.mm, 1, RW, ANON | MAP.MAP_32BIT)).toBe(0x8000_0000 - PAGE);
  });

  test('a GROWSDOWN mapping keeps its guard, and grows within the stack limit', () => {
    const top = 0xdf00_0000;
    anon(s.mm, 4, RW, ANON | MAP.GROWSDOWN | MAP.FIXED, top - 4 * PAGE);
    expect(anon(s.mm, 1)).toBe(top - 4 * PAGE - 257 * PAGE);
    expect(s.mm.fault(top - 100 * PAGE, PF.WRITE | PF.USER)).toBe('maperr');
    s.mm.munmap(top - 261 * PAGE, PAGE);
    s.mm.setStackLimit(64 * PAGE);
    expect(s.mm.fault(top - 65 * PAGE, PF.WRITE | PF.USER)).toBe('maperr');
    expect(s.mm.fault(top - 64 * PAGE + 8, PF.WRITE | PF.USER)).toBe('retry');
    expect(lines()).toEqual([`${(top - 64 * PAGE).toString(16)}-df000000 rw-p 00000000 00:00 0`]);
    expect(permsAt(s.bytes, top - 64 * PAGE)).toBe('rwfF');
  });

  test('a large mapping costs nothing before it is touched, and no more than what was touched when it is made again', () => {
    const a = anon(s.mm, 65536);
    s.bytes[a + 123] = 1;
    s.mm.munmap(a, 65536 * PAGE);
    const before = process.memoryUsage().rss;
    expect(anon(s.mm, 65536)).toBe(a);
    expect(s.bytes[a + 123]).toBe(0);
    const grown = process.memoryUsage().rss - before;
    // It is read, to be zeroed where it is not zero. Some virtual machines have memory for what is only read.
    if (readingIsFree()) expect(grown).toBeLessThan(64 << 20);
  });
});

describe('munmap and mprotect', () => {
  test('splitting, permission bytes at the edges, holes', () => {
    const a = anon(s.mm, 8);
    expect(s.mm.munmap(a + 2 * PAGE, 2 * PAGE)).toBe(0);
    expect(['rwfF', 'rw', '', '', 'rwfF']).toEqual([0, 1, 2, 3, 4].map((i) => permsAt(s.bytes, a + i * PAGE)));
    expect(s.mm.munmap(a + 2 * PAGE, 2 * PAGE)).toBe(0);
    expect(s.mm.munmap(a + 1, PAGE)).toBe(-EINVAL);
    expect(s.mm.munmap(a, 0)).toBe(-EINVAL);
    expect(s.mm.munmap(2 ** 47, PAGE)).toBe(-EINVAL);
    expect(s.mm.mprotect(a, 4 * PAGE, PROT.READ)).toBe(-ENOMEM);
    expect([0, 1, 4].map((i) => permsAt(s.bytes, a + i * PAGE))).toEqual(['rf', 'r', 'rwfF']);
    expect(s.mm.isMapped(a, 2 * PAGE)).toBe(true);
    expect(s.mm.isMapped(a, 2 * PAGE + 1)).toBe(false);
  });

  test('fast bits follow the next page, and W or X make a page readable', () => {
    const a = anon(s.mm, 4);
    s.mm.mprotect(a + PAGE, PAGE, PROT.WRITE);
    expect(permsAt(s.bytes, a + PAGE)).toBe('rwfF');
    s.mm.mprotect(a + PAGE, PAGE, PROT.EXEC);
    expect([0, 1, 2].map((i) => permsAt(s.bytes, a + i * PAGE))).toEqual(['rwf', 'rxf', 'rwfF']);
    s.mm.mprotect(a + PAGE, PAGE, PROT.NONE);
    expect([0, 1, 2].map((i) => permsAt(s.bytes, a + i * PAGE))).toEqual(['rw', '', 'rwfF']);
    expect(s.mm.mprotect(a, PAGE, 16)).toBe(-EINVAL);
    expect(s.mm.mprotect(a + 1, PAGE, RW)).toBe(-EINVAL);
    expect(s.mm.mprotect(a, 0, RW)).toBe(0);
    expect(s.mm.mprotect(a, 1, RW | PROT.SEM)).toBe(0);
    expect(s.mm.mprotect(a, PAGE, RW | PROT.GROWSDOWN)).toBe(-EINVAL);
  });

  test('PROT_GROWSDOWN reaches down to the start of the stack', () => {
    const a = anon(s.mm, 8, RW, ANON | MAP.GROWSDOWN);
    expect(s.mm.mprotect(a + 6 * PAGE, PAGE, RW | PROT.EXEC | PROT.GROWSDOWN)).toBe(0);
    expect(lines().map((l) => l.slice(9 + 9, 9 + 13))).toEqual(['rwxp', 'rw-p']);
  });

  test('the world is stopped for reductions, not for additions', () => {
    const a = anon(s.mm, 8, PROT.NONE);
    s.mm.mprotect(a, 4 * PAGE, RW);
    s.mm.mprotect(a, 2 * PAGE, RW | PROT.EXEC);
    expect(s.stops).toBe(0);
    s.mm.mprotect(a, PAGE, PROT.READ);
    expect(s.stops).toBe(1);
    s.mm.munmap(a, PAGE);
    expect(s.stops).toBe(2);
    s.mm.munmap(a, PAGE);
    expect(s.stops).toBe(2);
  });

  test('code on the pages is invalidated before they go, or become something else', () => {
    const a = anon(s.mm, 4, RW | PROT.EXEC);
    const code = (): void => {
      setCode(s.bytes, a / PAGE + 1, true);
      s.invalidated.length = 0;
    };
    code();
    expect([0, 1].map((i) => permsAt(s.bytes, a + i * PAGE))).toEqual(['rwxf', 'rwxcf']);
    expect(s.mem.write(a, new Uint8Array(16))).toBe(true);
    expect(s.invalidated).toEqual([]);
    expect(s.mem.write(a + PAGE - 8, new Uint8Array(16))).toBe(true);
    expect(s.invalidated).toEqual([[a + PAGE - 8, 16]]);
    code();
    s.mm.mprotect(a, 4 * PAGE, PROT.READ | PROT.EXEC);
    expect(s.invalidated).toEqual([]);
    expect(permsAt(s.bytes, a + PAGE)).toBe('rxcf');
    s.mm.mprotect(a, 4 * PAGE, PROT.READ);
    expect(s.invalidated).toHaveLength(1);
    s.mm.mprotect(a, 4 * PAGE, RW | PROT.EXEC);
    code();
    s.mm.munmap(a, 4 * PAGE);
    expect(s.invalidated).toHaveLength(1);
    // A fetch from an unmapped page is translated to a fault; mapping the page undoes that.
    code();
    anon(s.mm, 4, RW, ANON | MAP.FIXED, a);
    expect(s.invalidated).toHaveLength(1);
    code();
    expect(s.mm.madvise(a, 4 * PAGE, 4)).toBe(0);
    expect(s.invalidated).toHaveLength(1);
  });
});

describe('mremap', () => {
  test('grows in place, shrinks, moves with the contents', () => {
    const a = anon(s.mm, 8, RW, ANON, 0x3000_0000);
    s.bytes.fill(7, a, a + 8 * PAGE);
    expect(s.mm.mremap(a, 8 * PAGE, 12 * PAGE, 0, 0)).toBe(a);
    expect(s.bytes[a + 12 * PAGE - 1]).toBe(0);
    expect(permsAt(s.bytes, a + 7 * PAGE)).toBe('rwfF');
    expect(s.mm.mremap(a, 12 * PAGE, 2 * PAGE, 0, 0)).toBe(a);
    expect(permsAt(s.bytes, a + 2 * PAGE)).toBe('');
    anon(s.mm, 1, RW, ANON | MAP.FIXED, a + 2 * PAGE);
    s.mm.mprotect(a + 2 * PAGE, PAGE, PROT.READ);
    expect(s.mm.mremap(a, 2 * PAGE, 4 * PAGE, 0, 0)).toBe(-ENOMEM);
    const b = s.mm.mremap(a, 2 * PAGE, 4 * PAGE, 1, 0);
    expect(b).toBe(0xdf00_0000 - 4 * PAGE);
    expect([s.bytes[b], s.bytes[b + 2 * PAGE - 1], s.bytes[b + 2 * PAGE]]).toEqual([7, 7, 0]);
    expect(s.mem.canRead(a, 1)).toBe(false);
    expect(s.mm.mremap(b, 4 * PAGE, 4 * PAGE, 3, 0x3100_0000)).toBe(0x3100_0000);
    expect(s.bytes[0x3100_0000]).toBe(7);
    expect(s.mm.mremap(0x3100_0000, 4 * PAGE, 4 * PAGE, 5, 0)).toBe(b);
    expect([s.bytes[b], s.bytes[0x3100_0000], permsAt(s.bytes, 0x3100_0000)]).toEqual([7, 0, 'rwfF']);
  });

  test('arguments that Linux refuses', () => {
    const a = anon(s.mm, 4);
    expect(s.mm.mremap(a + 1, PAGE, PAGE, 0, 0)).toBe(-EINVAL);
    expect(s.mm.mremap(a, PAGE, 0, 0, 0)).toBe(-EINVAL);
    expect(s.mm.mremap(a, PAGE, PAGE, 2, 0x3000_0000)).toBe(-EINVAL);
    expect(s.mm.mremap(a, PAGE, PAGE, 8, 0)).toBe(-EINVAL);
    expect(s.mm.mremap(a, 4 * PAGE, 4 * PAGE, 3, a + PAGE)).toBe(-EINVAL);
    expect(s.mm.mremap(a, PAGE, 2 * PAGE, 5, 0)).toBe(-EINVAL);
    expect(s.mm.mremap(0x3000_0000, PAGE, 2 * PAGE, 1, 0)).toBe(-EFAULT);
    expect(s.mm.mremap(a, 5 * PAGE, 8 * PAGE, 1, 0)).toBe(-EFAULT);
  });
});

describe('brk', () => {
  test('grows, shrinks, reads as zero again, and stops before a mapping', () => {
    s.mm.initHeap(0x1000_0000);
    expect(s.mm.brk(0)).toBe(0x1000_0000);
    expect(s.mm.brk(0x1000_1801)).toBe(0x1000_1801);
    expect(lines()).toEqual(['10000000-10002000 rw-p 00000000 00:00 0 [heap]']);
    s.bytes.fill(1, 0x1000_0000, 0x1000_2000);
    expect(s.mm.brk(0x1000_0010)).toBe(0x1000_0010);
    expect(s.mm.brk(0x1000_2000)).toBe(0x1000_2000);
    expect([s.bytes[0x1000_0800], s.bytes[0x1000_1000]]).toEqual([1, 0]);
    anon(s.mm, 1, RW, ANON | MAP.FIXED, 0x1000_4000);
    expect(s.mm.brk(0x1000_4000)).toBe(0x1000_2000);
    expect(s.mm.brk(0x1000_3000)).toBe(0x1000_3000);
    expect(s.mm.brk(0xfff)).toBe(0x1000_3000);
    expect(s.mm.brk(2 ** 40)).toBe(0x1000_3000);
  });
});

describe('madvise, msync, mincore', () => {
  test('DONTNEED zeroes; others change nothing; unknown advice and holes', () => {
    const a = anon(s.mm, 6);
    s.bytes.fill(5, a, a + 6 * PAGE);
    for (const harmless of [0, 3, 8, 14]) expect(s.mm.madvise(a, PAGE, harmless)).toBe(0);
    expect(s.bytes[a]).toBe(5);
    expect(s.mm.madvise(a + PAGE, 2 * PAGE, 4)).toBe(0);
    expect(s.stops).toBe(0);
    expect([0, 1, 2, 3].map((i) => s.bytes[a + i * PAGE])).toEqual([5, 0, 0, 5]);
    s.bytes[a + PAGE] = 9;
    s.mm.munmap(a + 2 * PAGE, PAGE);
    expect(s.mm.madvise(a, 6 * PAGE, 4)).toBe(-ENOMEM);
    expect([0, 1, 3, 5].map((i) => s.bytes[a + i * PAGE])).toEqual([0, 0, 0, 0]);
    expect(s.mm.madvise(a, PAGE, 77)).toBe(-EINVAL);
    expect(s.mm.madvise(a + 1, PAGE, 4)).toBe(-EINVAL);
    const shared = anon(s.mm, 1, RW, MAP.SHARED | MAP.ANONYMOUS, 0x3000_0000);
    s.bytes[shared] = 3;
    expect(s.mm.madvise(shared, PAGE, 4)).toBe(0);
    expect(s.bytes[shared]).toBe(3);
    expect(s.mm.madvise(shared, PAGE, 8)).toBe(-EINVAL);
    expect(s.mm.madvise(shared, PAGE, 9)).toBe(0);
    expect(s.bytes[shared]).toBe(0);
    expect(s.mm.mincore(a, 2 * PAGE)).toEqual(new Uint8Array([1, 1]));
    expect(s.mm.mincore(a, 3 * PAGE)).toBe(-ENOMEM);
    expect(s.mm.mincore(a, 2 ** 46)).toBe(-ENOMEM);
    expect(s.mm.msync(a, 2 * PAGE)).toBe(0);
    expect(s.mm.msync(a, 3 * PAGE)).toBe(-ENOMEM);
  });
});

describe('faults', () => {
  test('why an access faults', () => {
    const a = anon(s.mm, 2, PROT.READ);
    expect(s.mm.fault(a - 1, PF.USER)).toBe('maperr');
    expect(s.mm.fault(a, PF.USER | PF.WRITE)).toBe('accerr');
    expect(s.mm.fault(a, PF.USER | PF.INSTR)).toBe('accerr');
    expect(s.mm.fault(a, PF.USER)).toBe('retry');
    expect(s.mm.fault(0n, PF.USER)).toBe('maperr');
    expect(s.mm.fault(-8n, PF.USER)).toBe('maperr');
    expect([s.mm.faultKind(a), s.mm.faultKind(a + 2 * PAGE), s.mm.faultKind(2n ** 46n)]).toEqual([
      'accerr',
      'maperr',
      'maperr',
    ]);
    expect(s.mm.isPresent(a)).toBe(false);
    s.mm.mprotect(a, PAGE, RW);
    expect(s.mm.isPresent(a)).toBe(true);
    expect(s.bytes[PAGE_USED + a / PAGE]).toBe(1);
  });
});

test('thousands of mappings stay sorted and are found again', () => {
  const base = 0x4000_0000;
  const count = 4000;
  const order = Array.from({ length: count }, (_, i) => (i * 1543) % count);
  for (const i of order) anon(s.mm, 1, i % 2 === 0 ? RW : PROT.READ, ANON | MAP.FIXED, base + i * PAGE);
  expect(lines()).toHaveLength(count);
  for (const i of order) if (i % 4 === 1) expect(s.mm.munmap(base + i * PAGE, PAGE)).toBe(0);
  expect(lines()).toHaveLength((count * 3) / 4);
  expect(order.every((i) => s.mm.isMapped(base + i * PAGE, 1) === (i % 4 !== 1))).toBe(true);
  expect(s.mm.mprotect(base, PAGE * 5, RW)).toBe(-ENOMEM);
  expect(s.mm.munmap(base, count * PAGE)).toBe(0);
  expect(s.mm.maps()).toBe('');
  expect(s.mm.usage()).toEqual({ vsize: 0, rss: 0 });
});
