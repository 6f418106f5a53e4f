/**
 * Instructions that can't be recorded, because no two processors, kernels or moments agree on what they give: RDRAND, RDSEED, RDTSC, RDTSCP, RDPID, SGDT and relatives, INT1. In: machine code. Out: what the
 * SDM and Linux promise of them, in every engine. Source: SDM 2B, each instruction; Linux arch/x86 (UMIP).
 */
import { describe, expect, test } from '@jest/globals';
import { FLAG } from '../../src/guest/flags.js';
import { InsnMachine } from '../support/insn-machine.js';
import { type InsnState, MEMORY, plainState } from '../support/insn-state.js';
import { addForms, ENGINES } from '../support/vector-check.js';

const [RAX, RCX, RDX] = [0, 1, 2] as const;
const hex = (code: string): Uint8Array => Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex'));
const machine = new InsnMachine();

describe.each(ENGINES)('%s', (engine) => {
  const run = (code: string, before: InsnState = plainState()): InsnState => {
    const [pc] = addForms(machine, [{ code: hex(code) }], engine);
    return machine.run(pc ?? 0, before);
  };

  test.each([
    ['rdrand', '0fc7f1'],
    ['rdseed', '0fc7f9'],
  ])('%s: CF alone of the flags, another number each time, at each width', (_, code) => {
    const before = plainState();
    const numbers = [0, 1, 2, 3].map(() => run(`48${code}`).gpr(RCX));
    expect(new Set(numbers).size).toBe(4);
    for (const [prefix, kept] of [
      ['48', 0n],
      ['', 0n],
      ['66', before.gpr(RCX) >> 16n],
    ] as const) {
      const after = run(prefix + code);
      expect(after.rflags & FLAG.ARITH).toBe(FLAG.CF);
      if (prefix === '') expect(after.gpr(RCX) >> 32n).toBe(kept);
      if (prefix === '66') expect(after.gpr(RCX) >> 16n).toBe(kept);
    }
  });

  test('RDTSC and RDTSCP go up, in halves of 32 bits; RDTSCP and RDPID give processor 0', () => {
    const time = (s: InsnState): bigint => (s.gpr(RDX) << 32n) | s.gpr(RAX);
    const [first, second] = [run('0f31'), run('0f01f9')];
    expect(time(second)).toBeGreaterThanOrEqual(time(first));
    for (const s of [first, second]) expect([s.gpr(RAX) >> 32n, s.gpr(RDX) >> 32n]).toEqual([0n, 0n]);
    expect(first.gpr(RCX)).toBe(plainState().gpr(RCX));
    expect(second.gpr(RCX)).toBe(0n);
    expect(run('f30fc7f9').gpr(RCX)).toBe(0n);
  });

  test('SGDT, SIDT, SLDT, STR, SMSW give what Linux makes up', () => {
    const bytes = (code: string): string => Buffer.from(run(code).memory.subarray(0, 10)).toString('hex');
    expect(bytes('0f0106')).toBe('00000000feffffffffff');
    expect(bytes('0f010e')).toBe('00000000ffffffffffff');
    expect([run('0f00c1'), run('0f00c9'), run('0f01e1')].map((s) => s.gpr(RCX) & 0xffffn)).toEqual([0n, 0x40n, 0x33n]);
  });

  test('INT1 is a trap of its own kind', () => {
    const before = plainState();
    const after = run('f1', before);
    expect([after.signal, after.code]).toEqual([5, 1]);
    expect(after.gpr(6)).toBe(BigInt(MEMORY));
  });
});
