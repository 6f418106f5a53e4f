/**
 * x87 exceptions that wait, environments and FXSAVE images, through decode, lift and the interpreter. Source: SDM volume 1, 8.6, 8.1.10, 10.5.1; volume 2A.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { InsnMachine } from '../support/insn-machine.js';
import { InsnState, MEMORY } from '../support/insn-state.js';

const SIGFPE = 8;
const SIGSEGV = 11;
const RSI = 6;
const PENDING = 0x8081;

let machine: InsnMachine;
beforeAll(() => {
  machine = new InsnMachine();
});

function state(): InsnState {
  const s = new InsnState();
  s.setGpr(RSI, BigInt(MEMORY));
  s.rflags = 0x202;
  s.mxcsr = 0x1f80;
  s.fcw = 0x37f;
  s.top = 6;
  s.empty = 0x3f;
  for (let i = 0; i < 8; i++) {
    s.setMm(i, 0x8000_0000_0000_0000n + BigInt(i));
    s.setExponent(i, 0x3fff + i);
  }
  return s;
}

const run = (code: string, s: InsnState): InsnState => machine.run(machine.add(Buffer.from(code, 'hex')), s);
const word = (s: InsnState, at: number): number =>
  new DataView(s.memory.buffer, s.memory.byteOffset).getUint16(at, true);

describe('a pending exception', () => {
  const pending = (): InsnState => {
    const s = state();
    s.fcw = 0x37e;
    s.fsw = PENDING;
    return s;
  };
  test.each([
    ['fwait', '9b'],
    ['fnop', 'd9d0'],
    ['fld1', 'd9e8'],
    ['fadd st, st(1)', 'd8c1'],
    ['fstp m64', 'dd1e'],
    ['fistp m32', 'db1e'],
    ['fucomi', 'dbe9'],
    ['fldcw', 'd92e'],
    ['fldenv', 'd926'],
    ['frstor', 'dd26'],
    ['fsin', 'd9fe'],
    ['ffree', 'ddc0'],
    ['fbstp', 'df36'],
  ])('is raised by %s', (_, code) => {
    expect(run(code, pending()).signal).toBe(SIGFPE);
  });
  test.each([
    ['fnstsw', 'dfe0'],
    ['fnstcw', 'd93e'],
    ['fnclex', 'dbe2'],
    ['fninit', 'dbe3'],
    ['fnstenv', 'd936'],
    ['fnsave', 'dd36'],
    ['fxsave', '0fae06'],
    ['fxrstor', '0fae0e'],
  ])('is not by %s', (_, code) => {
    expect(run(code, pending()).signal).toBe(0);
  });
  test('comes from unmasking a flag that is set', () => {
    const s = state();
    s.fsw = 0x20;
    s.memory[0] = 0x5f;
    s.memory[1] = 0x03;
    expect(run('d92e', s).fsw & 0xffff).toBe(0x80a0);
  });
});

describe('environment', () => {
  test('fnstenv stores 28 bytes and masks all exceptions', () => {
    const s = state();
    s.fcw = 0x340;
    s.setExponent(6, 0);
    s.setMm(6, 0n);
    const after = run('d936', s);
    expect([word(after, 0), word(after, 4), word(after, 8)]).toEqual([0x340, 0x3000, 0x1fff]);
    expect(word(after, 2)).toBe(0xffff);
    expect(after.fcw).toBe(0x37f);
    expect(after.memory[28]).toBe(0);
  });
  test('fnstenv with operand size 16 stores 14 bytes', () => {
    const after = run('66d936', state());
    expect([word(after, 0), word(after, 2), word(after, 4), word(after, 14)]).toEqual([0x37f, 0x3000, 0x0fff, 0]);
  });
  test('fnsave and frstor give the state back', () => {
    const s = state();
    s.fsw = 0x4500;
    const saved = run('dd36', s);
    expect([saved.fcw, saved.fsw & 0xffff, saved.top, saved.empty]).toEqual([0x37f, 0, 0, 0xff]);
    const back = run('dd26', saved);
    expect([back.fsw & 0x47ff, back.top, back.empty]).toEqual([0x4500, 6, 0x3f]);
    for (let i = 0; i < 8; i++) expect([back.mm(i), back.exponent(i)]).toEqual([s.mm(i), s.exponent(i)]);
  });
});

describe('fxsave', () => {
  test.each([
    ['fxsave', '0fae06', '0fae0e'],
    ['fxsave64', '480fae06', '480fae0e'],
  ])('%s and its fxrstor give the state back', (_, save, restore) => {
    const s = state();
    s.fsw = 0x4321;
    for (let i = 0; i < 16; i++) s.setXmm(i, BigInt(i) << 100n);
    const image = run(save, s);
    expect([word(image, 0), word(image, 2), image.memory[4], word(image, 24)]).toEqual([0x37f, 0x7321, 0xc0, 0x1f80]);
    image.top = 0;
    image.empty = 0xff;
    for (let i = 0; i < 16; i++) image.setXmm(i, 1n);
    const back = run(restore, image);
    expect([back.fsw & 0x47ff, back.top, back.empty, back.mxcsr]).toEqual([0x4321, 6, 0x3f, 0x1f80]);
    for (let i = 0; i < 16; i++) expect(back.xmm(i)).toBe(s.xmm(i));
    for (let i = 0; i < 8; i++) expect(back.exponent(i)).toBe(s.exponent(i));
  });
  test.each(['0fae06', '0fae0e'])('%s needs 16-byte alignment', (code) => {
    const s = state();
    s.setGpr(RSI, BigInt(MEMORY + 8));
    expect(run(code, s).signal).toBe(SIGSEGV);
  });
  test('fxrstor refuses reserved bits of MXCSR', () => {
    const s = state();
    s.memory[26] = 1;
    expect(run('0fae0e', s).signal).toBe(SIGSEGV);
  });
});
