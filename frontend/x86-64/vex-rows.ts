/**
 * Makes rows of VEX instructions. In: encoding without 'VEX.', mnemonic, operands, lifter. Out: rows. Source: Intel SDM 2A, 2.3 and 3.1.1.1.
 * A lifter that works lane by lane (vector.ts) serves both vector lengths; what differs is the CPU feature.
 */
import type { Attr, Feature, InsnRow, LiftFn } from './insn.js';

/** One row. `enc` as in insn.ts, without 'VEX.'. */
export function vex(
  enc: string,
  mnemonic: string,
  operands: string,
  lift: LiftFn | undefined,
  feature: Feature = 'avx',
  attrs: readonly Attr[] = [],
): InsnRow {
  return { enc: `VEX.${enc}`, mnemonic, operands, feature, attrs, ...(lift === undefined ? {} : { lift }) };
}

/** An integer operation: 128 bits are AVX, 256 bits AVX2. */
export function vexInt(
  enc: string,
  mnemonic: string,
  operands: string,
  lift: LiftFn | undefined,
  attrs: readonly Attr[] = [],
): InsnRow[] {
  return [
    vex(`128.${enc}`, mnemonic, operands, lift, 'avx', attrs),
    vex(`256.${enc}`, mnemonic, operands, lift, 'avx2', attrs),
  ];
}

/** A floating-point operation on both packed types: `enc` is what follows the prefix, 'name' the mnemonic without 'ps' or 'pd'. */
export function vexPacked(
  enc: string,
  name: string,
  operands: string,
  lift: (t: 'ps' | 'pd') => LiftFn | undefined,
): InsnRow[] {
  return [
    vex(`NP.0F.WIG ${enc}`, `${name}ps`, operands, lift('ps')),
    vex(`66.0F.WIG ${enc}`, `${name}pd`, operands, lift('pd')),
  ];
}

/** A floating-point operation on the low element of W, the rest of the result from H. `rest`: further operands. */
export function vexScalar(
  enc: string,
  name: string,
  rest: string,
  lift: (t: 'ss' | 'sd') => LiftFn | undefined,
): InsnRow[] {
  return [
    vex(`LIG.F3.0F.WIG ${enc}`, `${name}ss`, `Vdq,Hdq,Wss${rest}`, lift('ss')),
    vex(`LIG.F2.0F.WIG ${enc}`, `${name}sd`, `Vdq,Hdq,Wsd${rest}`, lift('sd')),
  ];
}
