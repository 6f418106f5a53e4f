/** Atomic ops: results at every alignment, and their atomicity between threads. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { Worker } from 'node:worker_threads';
import { PCB, PCB_BASE, PERM } from '../../src/guest/memory-map.js';
import { G } from '../../src/ir/globals.js';
import { CoreMachine, DONE, singleTb } from '../support/core-machine.js';

const PAGE = 0x60_0000;
const m = new CoreMachine();
m.allow(PAGE, PERM.R | PERM.W);
const LOCK = PCB_BASE + PCB.SPLIT_LOCK;

type Rmw = 'add' | 'and' | 'or' | 'xor' | 'xchg';
const RESULT: Record<Rmw, (old: bigint, v: bigint) => bigint> = {
  add: (old, v) => old + v,
  and: (old, v) => old & v,
  or: (old, v) => old | v,
  xor: (old, v) => old ^ v,
  xchg: (_old, v) => v,
};
const BYTES = Uint8Array.from({ length: 32 }, (_, i) => (i * 0x9d + 0x35) & 0xff);

function value(bytes: Uint8Array, at: number, size: number): bigint {
  let v = 0n;
  for (let i = size - 1; i >= 0; i--) v = (v << 8n) | BigInt(bytes[at + i] ?? 0);
  return v;
}
function withValue(at: number, size: number, v: bigint): Uint8Array {
  const bytes = BYTES.slice();
  for (let i = 0; i < size; i++) bytes[at + i] = Number((v >> BigInt(8 * i)) & 0xffn);
  return bytes;
}

/** Runs the op on guest memory at PAGE + offset; rax gets the old value. */
function run(name: string, size: number, offset: number, args: readonly bigint[]): bigint {
  m.views.u8.set(BYTES, PAGE);
  m.set('rcx', BigInt(PAGE + offset));
  args.forEach((v, i) => {
    m.set(i === 0 ? 'rdx' : 'rbx', v);
  });
  const reason = m.runTb(
    singleTb(0x40_0000, (b) => {
      const host = b.temp('i32');
      b.emit('guard_rw', [host, G.reg(1)], [size]);
      b.emit(name, [G.reg(0), host, ...args.map((_, i) => G.reg(i === 0 ? 2 : 3))]);
      b.free(host);
    }),
  );
  expect(reason).toBe(DONE);
  return m.get('rax');
}
const memory = (): Uint8Array => m.views.u8.slice(PAGE, PAGE + BYTES.length);

describe.each([1, 2, 4, 8])('%d bytes at every alignment', (size) => {
  const bits = BigInt(8 * size);
  test.each(Object.keys(RESULT) as Rmw[])('%s', (op) => {
    for (let offset = 0; offset <= 16; offset++) {
      const v = 0xfedc_ba98_7654_3210n ^ BigInt(offset);
      const old = value(BYTES, offset, size);
      expect(run(`atomic_${op}${bits}`, size, offset, [v])).toBe(old);
      const result = BigInt.asUintN(Number(bits), RESULT[op](old, v));
      expect([offset, ...memory()]).toEqual([offset, ...withValue(offset, size, result)]);
      expect(m.word(LOCK) & 1).toBe(0);
    }
  });

  test('cmpxchg', () => {
    for (let offset = 0; offset <= 16; offset++) {
      const old = value(BYTES, offset, size);
      const next = 0x0123_4567_89ab_cdefn;
      // What stands above the width in the comparand does not count.
      const comparand = size === 8 ? old : old | (0x5an << bits);
      expect(run(`atomic_cmpxchg${bits}`, size, offset, [comparand, next])).toBe(old);
      expect([offset, ...memory()]).toEqual([offset, ...withValue(offset, size, next)]);
      expect(run(`atomic_cmpxchg${bits}`, size, offset, [old ^ 1n, next])).toBe(old);
      expect([offset, ...memory()]).toEqual([offset, ...BYTES]);
    }
  });
});

describe('between threads', () => {
  const ROUNDS = 40_000;
  const THREADS = 3;
  const workers: Worker[] = [];
  afterAll(async () => {
    await Promise.all(workers.map((w) => w.terminate()));
  });

  /** Runs `body` (JS source; e: exports, n: thread number) in THREADS threads at a time. */
  async function together(body: string): Promise<void> {
    const source = `
      const { parentPort, workerData: { module, memory, n, rounds } } = require('node:worker_threads');
      const table = new WebAssembly.Table({ element: 'anyfunc', initial: 16 });
      const e = new WebAssembly.Instance(module, { env: { memory, table, clock: () => 0n, random: () => 0n, syscall: () => 0 } }).exports;
      for (let i = 0; i < rounds; i++) { ${body} }
      parentPort.postMessage(n);`;
    const started = Array.from({ length: THREADS }, (_, n) => {
      const workerData = { module: m.module, memory: m.memory, n, rounds: ROUNDS };
      const worker = new Worker(source, { eval: true, workerData });
      workers.push(worker);
      return new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    });
    await Promise.all(started);
  }

  test.each([
    ['across eight bytes', 6],
    ['within eight bytes', 2],
  ])('no unaligned addition is lost, %s', async (_name, offset) => {
    m.views.u8.fill(0, PAGE, PAGE + 32);
    await together(`e.atomicRmw4_add(${PAGE + offset}, 1n);`);
    expect(value(memory(), offset, 4)).toBe(BigInt(ROUNDS * THREADS));
  });

  test('no unaligned addition within eight bytes is lost to aligned ones beside it', async () => {
    m.views.u8.fill(0, PAGE, PAGE + 32);
    await together(`n === 0 ? e.atomicRmw4_add(${PAGE + 2}, 1n) : e.atomicRmw2_add(${PAGE + 6}, 1n);`);
    expect(value(memory(), 2, 4)).toBe(BigInt(ROUNDS));
    expect(value(memory(), 6, 2)).toBe(BigInt.asUintN(16, BigInt(ROUNDS * (THREADS - 1))));
  });

  test('no compare-exchange of 16 bytes is lost', async () => {
    m.views.u8.fill(0, PAGE, PAGE + 32);
    // Each thread has registers of its own: rdx:rax is what it saw last, rcx:rbx one more.
    const body = `
      const cpu = ${m.cpu} + 0x10000 * (n + 1), v = new DataView(memory.buffer, cpu);
      for (;;) {
        v.setBigUint64(24, v.getBigUint64(0, true) + 1n, true);
        v.setBigUint64(8, v.getBigUint64(16, true) + 1n, true);
        if (e.cmpxchg16b(cpu, ${PAGE}) === 1n) break;
      }`;
    for (let n = 0; n < THREADS; n++) m.views.u8.fill(0, m.cpu + 0x10000 * (n + 1), m.cpu + 0x10000 * (n + 1) + 64);
    await together(body);
    expect(value(memory(), 0, 8)).toBe(BigInt(ROUNDS * THREADS));
    expect(value(memory(), 8, 8)).toBe(BigInt(ROUNDS * THREADS));
  });

  test('a lock whose holder has died is taken over', () => {
    m.setWord(LOCK, 1);
    m.views.u8.fill(0, PAGE, PAGE + 32);
    const add = m.core.exports['atomicRmw8_add'] as (host: number, v: bigint) => bigint;
    expect(add(PAGE + 3, 5n)).toBe(0n);
    expect(value(memory(), 3, 8)).toBe(5n);
    expect(m.word(LOCK) & 1).toBe(0);
  });
});
