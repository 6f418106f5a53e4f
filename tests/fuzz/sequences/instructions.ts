/**
 * Instructions that the structure of a sequence is made of. In: registers, labels. Out: items. Source: SDM 2A and 2B, the opcodes named.
 */
import { addressBytes, int32 } from './memory-operand.js';
import { ALL_FLAGS, type Flow, type FlagUse, type InsnItem, type Item, NO_FLAGS, type Reference } from './program.js';
import type { Random, Registers } from './registers.js';
import { conditionFlags } from './rows.js';

const KILLS: FlagUse = { reads: 0, kills: ALL_FLAGS, undefines: 0 };

export function insn(
  bytes: readonly number[],
  flags: FlagUse = NO_FLAGS,
  flow: Flow = 'next',
  reference?: Reference,
): InsnItem {
  return { kind: 'insn', bytes, flags, flow, ...(reference === undefined ? {} : { reference }) };
}

export const labelItem = (label: number): Item => ({ kind: 'label', label });

const toLabel = (label: number, at: number, size: 1 | 4): Reference => ({
  at,
  size,
  absolute: false,
  target: { label },
});
const rexB = (reg: number, w = 0): number[] => (reg > 7 || w !== 0 ? [0x40 | w | (reg > 7 ? 1 : 0)] : []);
const W = 8;

export function jcc(cc: number, label: number, short: boolean): InsnItem {
  const flags = { reads: conditionFlags(cc), kills: 0, undefines: 0 };
  return short
    ? insn([0x70 | cc, 0], flags, 'branch', toLabel(label, 1, 1))
    : insn([0x0f, 0x80 | cc, 0, 0, 0, 0], flags, 'branch', toLabel(label, 2, 4));
}
export function jmp(label: number, short: boolean): InsnItem {
  return short
    ? insn([0xeb, 0], NO_FLAGS, 'jump', toLabel(label, 1, 1))
    : insn([0xe9, 0, 0, 0, 0], NO_FLAGS, 'jump', toLabel(label, 1, 4));
}
/** LOOPNE 0, LOOPE 1, LOOP 2, JRCXZ 3. */
export function loopInsn(which: number, label: number): InsnItem {
  return insn(
    [0xe0 | which, 0],
    { reads: which < 2 ? conditionFlags(4) : 0, kills: 0, undefines: 0 },
    'branch',
    toLabel(label, 1, 1),
  );
}
export const call = (label: number): InsnItem => insn([0xe8, 0, 0, 0, 0], NO_FLAGS, 'call', toLabel(label, 1, 4));
export const callRegister = (reg: number): InsnItem => insn([...rexB(reg), 0xff, 0xd0 | (reg & 7)], NO_FLAGS, 'call');
export const jumpRegister = (reg: number): InsnItem => insn([...rexB(reg), 0xff, 0xe0 | (reg & 7)], NO_FLAGS, 'jump');
export const ret = (pops: number): InsnItem =>
  pops === 0 ? insn([0xc3], NO_FLAGS, 'return') : insn([0xc2, pops & 0xff, pops >> 8], NO_FLAGS, 'return');

/** LEA reg, [rip + label], or MOV reg, imm64. */
export function labelAddress(reg: number, label: number, byMove: boolean): InsnItem {
  const r = reg & 7;
  if (byMove)
    return insn([0x48 | (reg > 7 ? 1 : 0), 0xb8 | r, 0, 0, 0, 0, 0, 0, 0, 0], NO_FLAGS, 'next', {
      at: 2,
      size: 8,
      absolute: true,
      target: { label },
    });
  return insn([0x48 | (reg > 7 ? 4 : 0), 0x8d, (r << 3) | 5, 0, 0, 0, 0], NO_FLAGS, 'next', toLabel(label, 3, 4));
}
/** PUSH imm32 of a label's address. */
export const pushLabel = (label: number): InsnItem =>
  insn([0x68, 0, 0, 0, 0], NO_FLAGS, 'next', { at: 1, size: 4, absolute: true, target: { label } });

export const movImmediate = (reg: number, value: number): InsnItem =>
  insn([...rexB(reg), 0xb8 | (reg & 7), ...int32(value)]);
export const push = (reg: number): InsnItem => insn([...rexB(reg), 0x50 | (reg & 7)]);
export const pop = (reg: number): InsnItem => insn([...rexB(reg), 0x58 | (reg & 7)]);
/** LEA rsp, [rsp + disp]: no flags. */
export const moveStack = (disp: number): InsnItem => insn([0x48, 0x8d, 0x64, 0x24, disp & 0xff]);

/** Group 1 (ADD 0 OR 1 ADC 2 SBB 3 AND 4 SUB 5 XOR 6 CMP 7) with an immediate byte. */
export function group1(op: number, reg: number, value: number, w: number): InsnItem {
  return insn([...rexB(reg, w), 0x83, 0xc0 | (op << 3) | (reg & 7), value & 0xff], {
    ...KILLS,
    reads: op === 2 || op === 3 ? conditionFlags(2) : 0,
  });
}
export const testSelf = (reg: number, w: number): InsnItem => {
  const rex = w | (reg > 7 ? 5 : 0);
  return insn([...(rex === 0 ? [] : [0x40 | rex]), 0x85, 0xc0 | ((reg & 7) << 3) | (reg & 7)], KILLS);
};
export const decrement = (reg: number, w: number): InsnItem =>
  insn([...rexB(reg, w), 0xff, 0xc8 | (reg & 7)], { reads: 0, kills: ALL_FLAGS & ~conditionFlags(2), undefines: 0 });
export const zero = (reg: number): InsnItem => {
  const rex = reg > 7 ? [0x45] : [];
  return insn([...rex, 0x31, 0xc0 | ((reg & 7) << 3) | (reg & 7)], KILLS);
};

/** LEA target, [base + index * 2**scale + disp], 64 bits. */
export function lea(target: number, base: number, disp: number, index = -1, scale = 0): InsnItem {
  const a = addressBytes(base, index, scale, disp);
  return insn([
    0x48 | a.rex | (target > 7 ? 4 : 0),
    0x8d,
    (a.bytes[0] ?? 0) | ((target & 7) << 3),
    ...a.bytes.slice(1),
  ]);
}

/** Makes `target` an address, from a base that is known or as an immediate. */
export function pointTo(r: Registers, target: number, address: number): InsnItem {
  const base = r.bases[r.random(r.bases.length)];
  if (base === undefined || r.random(4) === 0) return movImmediate(target, address);
  return lea(target, base.reg, address - base.value);
}

/** An instruction with ModRM /digit on memory at a known address: base and displacement, or absolute. */
export function onAddress(
  r: Registers,
  prefixes: readonly number[],
  opcode: readonly number[],
  digit: number,
  address: number,
  tail: readonly number[] = [],
  w = 0,
): InsnItem {
  const base = r.bases[r.random(r.bases.length + 1)];
  const a = base === undefined ? addressBytes(-1, -1, 0, address) : addressBytes(base.reg, -1, 0, address - base.value);
  const rex = a.rex | w | (digit > 7 ? 4 : 0);
  return insn([
    ...prefixes,
    ...(rex === 0 ? [] : [0x40 | rex]),
    ...opcode,
    (a.bytes[0] ?? 0) | ((digit & 7) << 3),
    ...a.bytes.slice(1),
    ...tail,
  ]);
}

/** Something that defines all flags. */
export function defineFlags(r: Registers, random: Random): InsnItem {
  const reg = r.source();
  const w = random(2) * W;
  if (random(3) === 0) return testSelf(reg, w);
  const other = r.source();
  const rex = w | (reg > 7 ? 1 : 0) | (other > 7 ? 4 : 0);
  const opcode = random(3) === 0 ? 0x85 : 0x39;
  return insn([...(rex === 0 ? [] : [0x40 | rex]), opcode, 0xc0 | ((other & 7) << 3) | (reg & 7)], KILLS);
}
