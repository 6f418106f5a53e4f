/**
 * The extended state: XSAVE, XSAVEOPT, XSAVEC, XRSTOR, XGETBV, XSETBV. Out: rows. Source: SDM 2D, one section an instruction; volume 1, chapter 13.
 */
import { watchMxcsr } from '../float-control.js';
import type { InsnRow, LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';

/** An XSAVE area is aligned to 64 bytes, else #GP. */
const AREA_ALIGN = 64;

/** The helper's variants. */
const VARIANT = { plain: 0, optimised: 1, compact: 2 } as const;

function save(variant: keyof typeof VARIANT, rexW: 0 | 1): LiftFn {
  return (l) => {
    const ea = l.ea(l.mem(0));
    l.emit('align_check', [ea], [AREA_ALIGN]);
    l.call('xsave', [ea, l.i32(VARIANT[variant]), l.i32(rexW)]);
  };
}

function restore(rexW: 0 | 1): LiftFn {
  return (l) => {
    const ea = l.ea(l.mem(0));
    l.emit('align_check', [ea], [AREA_ALIGN]);
    watchMxcsr(l, () => {
      l.call('xrstor', [ea, l.i32(rexW)]);
    });
  };
}

function xgetbv(l: Lifter): void {
  l.call('xgetbv', []);
}

export const xsaveRows = [
  { enc: 'NP 0F 01 D0', mnemonic: 'xgetbv', operands: '', feature: 'xsave', lift: xgetbv },
  { enc: 'NP 0F 01 D1', mnemonic: 'xsetbv', operands: '', feature: 'xsave', attrs: ['privileged'] },
  { enc: 'NP 0F AE /4', mnemonic: 'xsave', operands: 'M', feature: 'xsave', lift: save('plain', 0) },
  { enc: 'NP REX.W 0F AE /4', mnemonic: 'xsave64', operands: 'M', feature: 'xsave', lift: save('plain', 1) },
  { enc: 'NP 0F AE /5', mnemonic: 'xrstor', operands: 'M', feature: 'xsave', lift: restore(0) },
  { enc: 'NP REX.W 0F AE /5', mnemonic: 'xrstor64', operands: 'M', feature: 'xsave', lift: restore(1) },
  { enc: 'NP 0F AE /6', mnemonic: 'xsaveopt', operands: 'M', feature: 'xsaveopt', lift: save('optimised', 0) },
  { enc: 'NP REX.W 0F AE /6', mnemonic: 'xsaveopt64', operands: 'M', feature: 'xsaveopt', lift: save('optimised', 1) },
  { enc: 'NP 0F C7 /4', mnemonic: 'xsavec', operands: 'M', feature: 'xsavec', lift: save('compact', 0) },
  { enc: 'NP REX.W 0F C7 /4', mnemonic: 'xsavec64', operands: 'M', feature: 'xsavec', lift: save('compact', 1) },
] as const satisfies readonly InsnRow[];
