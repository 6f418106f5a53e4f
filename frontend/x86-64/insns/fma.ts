/**
 * FMA3: products and sums rounded once. Out: rows. Source: SDM 2C, VFMADD132PD and relatives.
 * Opcodes 96 to 9F, A6 to AF and B6 to BF are the orders 132, 213 and 231: the digits say which operands are multiplied and which one is added.
 */
import { FMA_SIGNS, fmaLane } from '../fma-lanes.js';
import type { FloatType } from '../float-lanes.js';
import type { InsnRow, LiftFn } from '../insn.js';
import { withLow } from '../vector.js';
import { forHalves, half, halves, setHalves } from '../vex-lift.js';
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

/** Operands multiplied (0 is the destination), then the one added. Which NaN wins goes by this order. */
const ORDER = { '132': [0, 2, 1], '213': [1, 0, 2], '231': [1, 2, 0] } as const;

function fma(t: FloatType, order: keyof typeof ORDER, signs: number): LiftFn {
  return (l) => {
    const source = halves(l, 2);
    const all = [halves(l, 0), halves(l, 1), source] as const;
    const [a, b, c] = ORDER[order];
    const value = forHalves(l, (n) => fmaLane(l, t, signs, half(all[a], n), half(all[b], n), half(all[c], n)));
    if (t === 'ps' || t === 'pd') setHalves(l, 0, value);
    else setHalves(l, 0, [withLow(l, all[0][0], value[0], t === 'ss' ? 4 : 8)]);
  };
}

const hex = (opcode: number): string => opcode.toString(16).toUpperCase();

export const fmaRows: readonly InsnRow[] = ORDERS.flatMap(([base, order]) =>
  OPERATIONS.flatMap(([low, name, hasScalar]) => {
    const lift = (t: FloatType): LiftFn => fma(t, order, FMA_SIGNS[name]);
    const packed = [
      vex(`66.0F38.W0 ${hex(base + low)} /r`, `${name}${order}ps`, 'Vx,Hx,Wx', lift('ps'), 'fma'),
      vex(`66.0F38.W1 ${hex(base + low)} /r`, `${name}${order}pd`, 'Vx,Hx,Wx', lift('pd'), 'fma'),
    ];
    if (!hasScalar) return packed;
    return [
      ...packed,
      vex(`LIG.66.0F38.W0 ${hex(base + low + 1)} /r`, `${name}${order}ss`, 'Vdq,Hdq,Wss', lift('ss'), 'fma'),
      vex(`LIG.66.0F38.W1 ${hex(base + low + 1)} /r`, `${name}${order}sd`, 'Vdq,Hdq,Wsd', lift('sd'), 'fma'),
    ];
  }),
);
