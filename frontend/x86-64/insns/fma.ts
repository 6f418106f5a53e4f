/**
 * FMA3: products and sums rounded once. Out: rows. Source: SDM 2C, VFMADD132PD and relatives.
 * Opcodes 96 to 9F, A6 to AF and B6 to BF are the orders 132, 213 and 231: the digits say which operands are multiplied and which one is added.
 */
import type { InsnRow } from '../insn.js';
import { vex } from '../vex-rows.js';

const ORDERS = [
  [0x90, '132'],
  [0xa0, '213'],
  [0xb0, '231'],
] as const;

/** Low digit of the opcode of the packed form; scalar forms are one above, where there are any. */
const OPERATIONS = [
  [6, 'vfmaddsub', false],
  [7, 'vfmsubadd', false],
  [8, 'vfmadd', true],
  [0xa, 'vfmsub', true],
  [0xc, 'vfnmadd', true],
  [0xe, 'vfnmsub', true],
] as const;

const hex = (opcode: number): string => opcode.toString(16).toUpperCase();

export const fmaRows: readonly InsnRow[] = ORDERS.flatMap(([base, order]) =>
  OPERATIONS.flatMap(([low, name, hasScalar]) => {
    const packed = [
      vex(`66.0F38.W0 ${hex(base + low)} /r`, `${name}${order}ps`, 'Vx,Hx,Wx', undefined, 'fma'),
      vex(`66.0F38.W1 ${hex(base + low)} /r`, `${name}${order}pd`, 'Vx,Hx,Wx', undefined, 'fma'),
    ];
    if (!hasScalar) return packed;
    return [
      ...packed,
      vex(`LIG.66.0F38.W0 ${hex(base + low + 1)} /r`, `${name}${order}ss`, 'Vdq,Hdq,Wss', undefined, 'fma'),
      vex(`LIG.66.0F38.W1 ${hex(base + low + 1)} /r`, `${name}${order}sd`, 'Vdq,Hdq,Wsd', undefined, 'fma'),
    ];
  }),
);
