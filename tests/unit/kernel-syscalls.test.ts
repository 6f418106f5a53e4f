/** System calls that one thread makes alone: clocks, sleeps, ids, limits, names, scheduling, the machine. Source: their man pages. */
import { describe, expect, test } from '@jest/globals';
import { seedRandom } from '../../runtime/linux/random.js';
import type { FakeThread } from '../support/fake-thread.js';
import { firstThread, MAPPED_END, sys } from '../support/fake-thread.js';

const AT = 0x2_0000;
const EFAULT = -14;
const EINVAL = -22;
const EPERM = -1;
const ESRCH = -3;

function pair(t: FakeThread, addr = AT): [number, number] {
  return [Number(t.mem.readU64(addr)), Number(t.mem.readU64(addr + 8))];
}

function setPair(t: FakeThread, a: number, b: number, addr = AT): void {
  t.mem.writeU64(addr, BigInt(a));
  t.mem.writeU64(addr + 8, BigInt(b));
}

function words(t: FakeThread, n: number): number[] {
  return Array.from({ length: n }, (_, i) => t.mem.readI32(AT + 4 * i) ?? -1);
}

describe('time', () => {
  test('clocks agree with the host', () => {
    const { t } = firstThread();
    /** The guest's clock in ms lies between the host's before and after, give or take `slack` ms. */
    const expectBetween = (before: number, guest: number, after: number, slack: number): void => {
      expect(guest).toBeGreaterThan(before - slack);
      expect(guest).toBeLessThan(after + slack);
    };
    const start = Date.now();
    expect(sys(t, 228, 0, AT)).toBe(0);
    const [sec, nsec] = pair(t);
    expectBetween(start, sec * 1e3 + nsec / 1e6, Date.now(), 25);
    const steady = Number(process.hrtime.bigint()) / 1e6;
    expect(sys(t, 228, 1, AT)).toBe(0);
    expectBetween(steady, pair(t)[0] * 1e3 + pair(t)[1] / 1e6, Number(process.hrtime.bigint()) / 1e6, 1);
    expect(sys(t, 96, AT, 0)).toBe(0);
    expectBetween(start, pair(t)[0] * 1e3, Date.now(), 1100);
    for (const clock of [2, 3, 4, 5, 6, 7, 11]) expect(sys(t, 228, clock, AT)).toBe(0);
    expect(sys(t, 228, 10, AT)).toBe(EINVAL);
    expect(sys(t, 228, 0, 8)).toBe(EFAULT);
    expect(sys(t, 229, 0, AT)).toBe(0);
    expect(pair(t)).toEqual([0, 1]);
  });

  test('CLOCK_MONOTONIC never goes back', () => {
    const { t } = firstThread();
    let last = 0;
    for (let i = 0; i < 1000; i++) {
      sys(t, 228, 1, AT);
      const [s, ns] = pair(t);
      expect(s * 1e9 + ns).toBeGreaterThanOrEqual(last);
      last = s * 1e9 + ns;
    }
  });

  test('sleeps: relative, absolute, bad times', () => {
    const { t } = firstThread();
    setPair(t, 0, 20_000_000);
    let start = performance.now();
    expect(sys(t, 35, AT, 0)).toBe(0);
    expect(performance.now() - start).toBeGreaterThanOrEqual(20);
    sys(t, 228, 0, AT);
    const [s, ns] = pair(t);
    setPair(t, ns + 2e7 >= 1e9 ? s + 1 : s, (ns + 2e7) % 1e9);
    start = performance.now();
    expect(sys(t, 230, 0, 1, AT, 0)).toBe(0);
    expect(performance.now() - start).toBeGreaterThan(15);
    setPair(t, 5, 0);
    expect(sys(t, 230, 1, 1, AT, 0)).toBe(0);
    setPair(t, 0, 1e9);
    expect(sys(t, 35, AT, 0)).toBe(EINVAL);
    setPair(t, -1, 0);
    expect(sys(t, 35, AT, 0)).toBe(EINVAL);
    expect(sys(t, 35, 8, 0)).toBe(EFAULT);
  });

  test('alarm and setitimer give the former timer', () => {
    const { t } = firstThread();
    expect(sys(t, 37, 10)).toBe(0);
    expect(sys(t, 37, 3)).toBe(10);
    setPair(t, 0, 0);
    setPair(t, 7, 500_000, AT + 16);
    expect(sys(t, 38, 0, AT, AT + 32)).toBe(0);
    expect(pair(t, AT + 48)[0]).toBeGreaterThanOrEqual(2);
    expect(sys(t, 36, 0, AT + 32)).toBe(0);
    expect(pair(t, AT + 48)[0]).toBe(7);
    expect(sys(t, 37, 0)).toBe(7);
    expect(sys(t, 38, 5, AT, 0)).toBe(EINVAL);
  });
});

describe('ids', () => {
  test('an ordinary user', () => {
    const { t } = firstThread();
    expect([102, 107, 104, 108].map((nr) => sys(t, nr))).toEqual([1000, 1000, 100, 100]);
    expect(sys(t, 105, 0)).toBe(EPERM);
    expect(sys(t, 117, -1, 1000, -1)).toBe(0);
    expect(sys(t, 117, -1, 5, -1)).toBe(EPERM);
    expect(sys(t, 118, AT, AT + 4, AT + 8)).toBe(0);
    expect(words(t, 3)).toEqual([1000, 1000, 1000]);
    t.mem.writeU32(AT, 0x2008_0522);
    t.mem.writeU32(AT + 4, 0);
    expect(sys(t, 125, AT, AT + 16)).toBe(0);
    expect(t.mem.readI32(AT + 16)).toBe(0);
    expect(sys(t, 126, AT, AT + 16)).toBe(0);
    t.mem.writeU32(AT + 16, 1);
    expect(sys(t, 126, AT, AT + 16)).toBe(EPERM);
  });

  test('process group, session, parent', () => {
    const { t } = firstThread();
    expect(sys(t, 39)).toBe(4459);
    expect(sys(t, 110)).toBe(77);
    expect(sys(t, 111)).toBe(4459);
    expect(sys(t, 124, 0)).toBe(4459);
    expect(sys(t, 112)).toBe(EPERM);
    expect(sys(t, 109, 0, 0)).toBe(EPERM);
    expect(sys(t, 121, 12345)).toBe(ESRCH);
    expect(sys(t, 61, -1, 0, 0, 0)).toBe(-10);
  });
});

describe('process', () => {
  test('prctl', () => {
    const { t } = firstThread();
    t.mem.write(AT, Buffer.from('a name that is too long\0'));
    expect(sys(t, 157, 15, AT)).toBe(0);
    expect(t.task.comm).toBe('a name that is ');
    expect(sys(t, 157, 16, AT + 64)).toBe(0);
    expect(Buffer.from(t.mem.cstring(AT + 64) ?? []).toString()).toBe('a name that is ');
    expect(sys(t, 157, 3)).toBe(1);
    expect(sys(t, 157, 38, 1, 0, 0, 0)).toBe(0);
    expect(sys(t, 157, 39, 0, 0, 0, 0)).toBe(1);
    expect(sys(t, 157, 9999)).toBe(EINVAL);
  });

  test('limits', () => {
    const { t } = firstThread();
    expect(sys(t, 97, 3, AT)).toBe(0);
    expect(pair(t)[0]).toBe(8 << 20);
    setPair(t, 100, 200);
    expect(sys(t, 302, 0, 7, AT, AT + 16)).toBe(0);
    expect(pair(t, AT + 16)).toEqual([1024, 4096]);
    setPair(t, 100, 300);
    expect(sys(t, 160, 7, AT)).toBe(EPERM);
    setPair(t, 300, 200);
    expect(sys(t, 160, 7, AT)).toBe(EINVAL);
    expect(sys(t, 97, 16, AT)).toBe(EINVAL);
    expect(sys(t, 302, 999, 7, 0, AT)).toBe(ESRCH);
  });

  test('uname, sysinfo, rusage, times', () => {
    const { t } = firstThread();
    expect(sys(t, 63, AT)).toBe(0);
    expect(Buffer.from(t.mem.cstring(AT) ?? []).toString()).toBe('Linux');
    expect(Buffer.from(t.mem.cstring(AT + 4 * 65) ?? []).toString()).toBe('x86_64');
    expect(sys(t, 99, AT)).toBe(0);
    expect(Number(t.mem.readU64(AT + 32))).toBe(3 * 2 ** 30);
    expect(t.mem.readU32(AT + 104)).toBe(1);
    for (const who of [0, 1, -1]) expect(sys(t, 98, who, AT)).toBe(0);
    expect(sys(t, 98, 2, AT)).toBe(EINVAL);
    expect(sys(t, 100, AT)).toBeGreaterThan(0);
    expect(sys(t, 63, MAPPED_END)).toBe(EFAULT);
  });

  test('getrandom, seeded and not', () => {
    const bytes: string[] = [];
    for (const seed of [5n, 5n, 6n]) {
      const { t, kernel } = firstThread();
      seedRandom(kernel, seed);
      expect(sys(t, 318, AT, 100, 0)).toBe(100);
      bytes.push(Buffer.from(t.mem.read(AT, 100) ?? []).toString('hex'));
    }
    expect(bytes[0]).toBe(bytes[1]);
    expect(bytes[0]).not.toBe(bytes[2]);
    const { t } = firstThread();
    expect(sys(t, 318, AT, 100_000, 1)).toBe(100_000);
    expect(sys(t, 318, AT, 1, 8)).toBe(EINVAL);
    expect(sys(t, 318, MAPPED_END - 10, 0x2_0000, 0)).toBe(EFAULT);
  });

  test('scheduling', () => {
    const { t } = firstThread();
    for (let i = 0; i < 20; i++) expect(sys(t, 24)).toBe(0);
    expect(sys(t, 204, 0, 4, AT)).toBe(EINVAL);
    expect(sys(t, 204, 0, 128, AT)).toBe(8);
    expect(sys(t, 203, 0, 8, AT)).toBe(0);
    t.mem.writeU64(AT, 0n);
    expect(sys(t, 203, 0, 8, AT)).toBe(EINVAL);
    expect([146, 147].map((nr) => sys(t, nr, 1))).toEqual([99, 1]);
    expect(sys(t, 140, 0, 0)).toBe(20);
    expect(sys(t, 141, 0, 0, 5)).toBe(0);
    expect(sys(t, 140, 0, 0)).toBe(15);
    expect(sys(t, 324, 0, 0)).toBe(0x7f);
    expect(sys(t, 324, 8, 0)).toBe(0);
  });

  test('clone is checked', () => {
    const { t } = firstThread();
    expect(sys(t, 56, 0x1_0100, 0x70_0000)).toBe(EINVAL);
    expect(sys(t, 56, 0x800 | 17, 0x70_0000)).toBe(EINVAL);
    expect(sys(t, 435, AT, 8)).toBe(EINVAL);
    expect(sys(t, 435, 8, 88)).toBe(EFAULT);
  });

  test('futex is checked', () => {
    const { t } = firstThread();
    t.mem.writeU32(AT, 5);
    expect(sys(t, 202, AT, 0, 4, 0)).toBe(-11);
    expect(sys(t, 202, AT + 1, 0, 4, 0)).toBe(EINVAL);
    expect(sys(t, 202, 8, 0, 4, 0)).toBe(EFAULT);
    setPair(t, 0, 20_000_000, AT + 16);
    expect(sys(t, 202, AT, 0, 5, AT + 16)).toBe(-110);
    expect(sys(t, 202, AT, 9, 5, 0, 0, 0)).toBe(EINVAL);
    expect(sys(t, 202, AT, 99, 5, 0)).toBe(-38);
    // Wake-op: 5 becomes 5 + 3; its old value was 5.
    expect(sys(t, 202, AT + 8, 5, 1, 1, AT, (1 << 28) | (3 << 12) | 5)).toBe(0);
    expect(t.mem.readU32(AT)).toBe(8);
    expect(sys(t, 202, AT + 8, 5, 1, 1, AT, (2 << 28) | (0x8 << 28) | (4 << 12))).toBe(0);
    expect(t.mem.readU32(AT)).toBe(8 | 16);
  });
});
