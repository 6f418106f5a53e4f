/** Guest memory for system calls, and the guards of translated code: the same answers from the same tables. */
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CPU, EXIT, PF } from '../../src/guest/cpu-state.js';
import { CPU_BASE, GUEST_END, PERM_TABLE } from '../../src/guest/memory-map.js';
import { instantiateCore } from '../../src/engine/core.js';
import { MAP, PROT } from '../../runtime/memory/address-space.js';
import { setCode } from '../../runtime/memory/perms.js';
import { anon, ANON, makeSpace, memory, PAGE, RW, type Space } from '../support/space.js';

let s: Space;
beforeEach(() => {
  s = makeSpace();
});

describe('SharedGuestMemory', () => {
  test('whole ranges are checked, before anything is written', () => {
    const a = anon(s.mm, 4);
    s.mm.mprotect(a + 2 * PAGE, PAGE, PROT.READ);
    s.mm.mprotect(a + 3 * PAGE, PAGE, PROT.NONE);
    const { mem } = s;
    expect(mem.write(a, new Uint8Array(2 * PAGE).fill(1))).toBe(true);
    expect(mem.write(a + PAGE, new Uint8Array(PAGE + 1).fill(2))).toBe(false);
    expect(mem.read(a + PAGE, 2 * PAGE)?.slice(PAGE - 1, PAGE + 1)).toEqual(new Uint8Array([1, 0]));
    expect(mem.read(a + PAGE, 2 * PAGE + 1)).toBeUndefined();
    expect([mem.canRead(a, 3 * PAGE), mem.canWrite(a, 3 * PAGE), mem.canWrite(a, 2 * PAGE)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(mem.writeU32(a + 2 * PAGE - 4, 0xdeadbeef)).toBe(true);
    expect(mem.writeU32(a + 2 * PAGE - 3, 1)).toBe(false);
    expect([mem.readU32(a + 2 * PAGE - 4), mem.readI32(a + 2 * PAGE - 4)]).toEqual([0xdeadbeef, -559038737]);
    expect(mem.writeU64(a, 0x1122334455667788n)).toBe(true);
    expect([mem.readU64(a), mem.readU64(a + 3 * PAGE - 4)]).toEqual([0x1122334455667788n, undefined]);
    expect(mem.slice(a, 16, true)?.byteOffset).toBe(a);
    expect(mem.offset(a, 8, true)).toBe(a);
    expect(mem.offset(a + 3 * PAGE, 8, false)).toBeUndefined();
  });

  test('addresses that no mapping can have', () => {
    const { mem } = s;
    for (const addr of [
      0,
      1,
      -1,
      GUEST_END - 1,
      GUEST_END,
      PERM_TABLE,
      2 ** 32,
      2 ** 47,
      2 ** 47 - 1,
      2 ** 63,
      NaN,
      Infinity,
    ]) {
      expect([addr, mem.canRead(addr, 1), mem.write(addr, new Uint8Array(1))]).toEqual([addr, false, false]);
      expect(mem.cstring(addr)).toBeUndefined();
    }
    expect(mem.canRead(0, 0)).toBe(true);
    expect(mem.read(0x1234, 0)).toEqual(new Uint8Array(0));
    expect(mem.canRead(0x1_0000, 2 ** 53)).toBe(false);
  });

  test('strings end at their NUL, at the limit, or at a page that is not there', () => {
    const a = anon(s.mm, 2);
    s.bytes.fill(0x61, a, a + 2 * PAGE);
    s.bytes[a + PAGE + 3] = 0;
    expect(s.mem.cstring(a + PAGE - 2)).toEqual(new Uint8Array(5).fill(0x61));
    expect(s.mem.cstring(a, 4)).toEqual(new Uint8Array(4).fill(0x61));
    expect(s.mem.cstring(a, PAGE)).toHaveLength(PAGE);
    expect(s.mem.cstring(a + PAGE + 4)).toBeUndefined();
    expect(s.mem.cstring(a + PAGE + 3)).toEqual(new Uint8Array(0));
    expect(s.mem.cstring(a + 2 * PAGE - 4, 4)).toHaveLength(4);
  });

  test('a string that another thread cuts short while it is read has no NUL', () => {
    const a = anon(s.mm, 1);
    s.bytes.fill(0x61, a, a + 10);
    const { bytes } = s.mem;
    const subarray = jest.spyOn(bytes, 'subarray').mockImplementationOnce((from, to) => {
      const here = new Uint8Array(bytes.buffer, from, (to ?? 0) - (from ?? 0));
      const find = here.indexOf.bind(here);
      here.indexOf = (value) => {
        const found = find(value);
        s.bytes.fill(0, a + 4, a + 10);
        return found;
      };
      return here;
    });
    expect(s.mem.cstring(a)).toEqual(new Uint8Array(4).fill(0x61));
    subarray.mockRestore();
  });
});

describe('guards of translated code', () => {
  const core = instantiateCore(new WebAssembly.Module(readFileSync('dist/core.wasm')), memory());
  const guard = (kind: 'r' | 'w' | 'rw', addr: number | bigint, size: number): number =>
    (core.exports[`guardSlow_${kind}`] as (cpu: number, addr: bigint, size: number) => number)(
      CPU_BASE,
      BigInt(addr),
      size,
    ) >>> 0;
  const view = new DataView(memory().buffer as unknown as SharedArrayBuffer);
  const exit = (): [number, bigint, bigint] => [
    view.getInt32(CPU_BASE + CPU.EXIT_REASON, true),
    view.getBigUint64(CPU_BASE + CPU.EXIT_ARG0, true),
    view.getBigUint64(CPU_BASE + CPU.EXIT_ARG1, true),
  ];
  const HIGH = 0x7000_0000_0000;

  test('low pages', () => {
    const a = anon(s.mm, 2);
    expect(guard('rw', a + PAGE - 4, 8)).toBe(a + PAGE - 4);
    expect(guard('r', a + 2 * PAGE - 4, 8)).toBe(0);
    expect(exit()).toEqual([EXIT.PAGE_FAULT, BigInt(a + 2 * PAGE), BigInt(PF.USER)]);
  });

  test('high pages: a fault until they are made, then the backing, also across pages', () => {
    anon(s.mm, 64, RW, ANON | MAP.FIXED, HIGH);
    expect(guard('w', HIGH + 5, 4)).toBe(0);
    expect(exit()).toEqual([EXIT.PAGE_FAULT, BigInt(HIGH + 5), BigInt(PF.USER | PF.WRITE)]);
    expect(s.mm.fault(exit()[1], Number(exit()[2]))).toBe('retry');
    expect(guard('w', HIGH + 5, 4)).toBe(s.mm.offsetOf(HIGH + 5));
    expect(guard('rw', HIGH + PAGE - 8, 4096)).toBe(s.mm.offsetOf(HIGH + PAGE - 8));
    s.mm.mprotect(HIGH + PAGE, PAGE, PROT.READ);
    expect(guard('r', HIGH + PAGE - 8, 16)).toBe(s.mm.offsetOf(HIGH + PAGE - 8));
    expect(guard('w', HIGH + PAGE - 8, 16)).toBe(0);
    expect(exit()).toEqual([EXIT.PAGE_FAULT, BigInt(HIGH + PAGE), BigInt(PF.USER | PF.WRITE | PF.PRESENT)]);
    s.mm.munmap(HIGH, PAGE);
    expect(guard('r', HIGH, 1)).toBe(0);
  });

  test('a store to translated code on a high page names the place in the memory', () => {
    anon(s.mm, 1, RW | PROT.EXEC, ANON | MAP.FIXED, HIGH);
    s.mem.write(HIGH, new Uint8Array(1));
    const at = s.mm.offsetOf(HIGH) ?? 0;
    setCode(s.bytes, at / PAGE, true);
    expect(guard('r', HIGH + 16, 8)).toBe(at + 16);
    expect(guard('w', HIGH + 16, 8)).toBe(0);
    expect(exit()).toEqual([EXIT.CODE_WRITE, BigInt(at + 16), 8n]);
    setCode(s.bytes, at / PAGE, false);
  });

  test('addresses outside of the 47 bits', () => {
    expect(guard('r', 2n ** 47n, 1)).toBe(0);
    expect(exit()[0]).toBe(EXIT.EXCEPTION);
    expect(guard('r', 2n ** 47n - 1n, 2)).toBe(0);
    expect(exit()[0]).toBe(EXIT.EXCEPTION);
    expect(guard('r', -8n, 8)).toBe(0);
    expect(exit().slice(0, 2)).toEqual([EXIT.PAGE_FAULT, 2n ** 64n - 8n]);
    expect(guard('r', 2n ** 47n - 1n, 1)).toBe(0);
    expect(exit().slice(0, 2)).toEqual([EXIT.PAGE_FAULT, 2n ** 47n - 1n]);
  });
});
