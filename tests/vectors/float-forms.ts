/**
 * Forms of the floating-point vectors: every instruction that MXCSR has a say in, under its settings. In: the SSE rows. Out: forms, on the values of float-pool.ts.
 * Source: SDM volume 1, 10.2.3 (MXCSR), 11.5 (exceptions).
 */
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { decodeOne } from '../support/insn-machine.js';
import type { VectorForm } from '../support/vectors.js';
import { FLOAT_POOL, FLOAT_RANGE, type FloatKind } from './float-pool.js';
import { VEX_ROWS, vexFormsOf } from './vex-forms.js';
import { SSE4_ROWS } from './sse4-forms.js';
import { formsOf, SSE_ROWS } from './sse-forms.js';
import { sseSequences } from './sse-sequences.js';
import { formOf, type Place } from './table-forms.js';

/** RC, DAZ, FTZ in all combinations, all exceptions masked. */
const CONTROLS: readonly number[] = [0, 1, 2, 3].flatMap((rc) =>
  [0, 0x40].flatMap((daz) => [0, 0x8000].map((ftz) => 0x1f80 | (rc << 13) | daz | ftz)),
);
/** Each exception unmasked alone, in two roundings; some together; flags that are set already. */
const OTHERS: readonly number[] = [
  ...[7, 8, 9, 10, 11, 12].flatMap((bit) => [0x1f80 & ~(1 << bit), 0x7f80 & ~(1 << bit)]),
  ...[0x8000, 0xc040].map((control) => 0x1780 | control),
  0x0000,
  0x0f80,
  0x1b80,
  0x1fbf,
  0x1fa0,
  0x9fe0,
  0x3f95,
];
export const MXCSR_SETTINGS: readonly number[] = [...CONTROLS, ...OTHERS];

/** VEX rows that MXCSR matters to: FMA and half precision besides. */
const VEX_MATTERS =
  /^v(add|sub|mul|div|min|max|sqrt|cmp|u?comi|hadd|hsub|addsub|cvt|round|dp|fn?m(add|sub))(\w*)(ps|pd|ss|sd|dq|si|ph)$/;

const MATTERS =
  /^(add|sub|mul|div|min|max|sqrt|cmp|u?comi|hadd|hsub|addsub|cvt|round|dp)(\w*)(ps|pd|ss|sd|dq|pi|si)$/;

/** What the operands of an instruction hold. */
function kindOf(mnemonic: string): FloatKind {
  const from = /^cvtt?(ps|pd|ss|sd|dq|pi|si)2/.exec(mnemonic)?.[1] ?? mnemonic.slice(-2);
  if (from === 'ps' || from === 'ss' || from === 'ph') return 'f32';
  return from === 'pd' || from === 'sd' ? 'f64' : 'int';
}

/** The rows that MXCSR matters to. */
export const FLOAT_ROWS: readonly InsnRow[] = [...SSE_ROWS, ...SSE4_ROWS].filter((row) => MATTERS.test(row.mnemonic));

/** The VEX rows that MXCSR matters to. */
export const VEX_FLOAT_ROWS: readonly InsnRow[] = VEX_ROWS.filter((row) => VEX_MATTERS.test(row.mnemonic));

/** The registers' form, or the aligned memory's, of each instruction and immediate; wide integers too. */
function instructions(all: readonly VectorForm[], place: Place): VectorForm[] {
  const seen = new Set<string>();
  return all.filter((form) => {
    const key = Buffer.from(form.code).toString('hex');
    if (!(place === 'memory' ? / aligned/ : / low/).test(form.text) || seen.has(key)) return false;
    seen.add(key);
    return formOf(decodeOne(form.code)).place === place;
  });
}

/**
 * `count` cases for each instruction and setting with its operand in a register, one for each other setting in memory. Each setting begins elsewhere in the values.
 * @param random a number below its argument
 */
export function floatForms(count: number, random: (n: number) => number): VectorForm[] {
  const all = FLOAT_ROWS.flatMap(formsOf);
  return [
    ...withSettings(instructions(all, 'register'), 1, count, random),
    ...withSettings(instructions(all, 'memory'), 2, 1, random),
  ];
}

/** The same of the VEX rows, in both lengths, in one setting of `every`, another one in each form; of memory in half as many. */
export function vexFloatForms(count: number, random: (n: number) => number, every = 1): VectorForm[] {
  const all = VEX_FLOAT_ROWS.flatMap(vexFormsOf);
  return [
    ...withSettings(instructions(all, 'register'), every, count, random),
    ...withSettings(instructions(all, 'memory'), 2 * every, 1, random),
  ];
}

function withSettings(
  forms: readonly VectorForm[],
  every: number,
  count: number,
  random: (n: number) => number,
): VectorForm[] {
  return forms.flatMap((form, n) => {
    const [first, length] = FLOAT_RANGE[kindOf((form.text.split(' ')[0] ?? '').replace(/^v/, ''))];
    const value = (): number => first + random(length);
    const settings = MXCSR_SETTINGS.filter((_, i) => (i + n) % every === 0);
    return settings.map((mxcsr) => ({
      ...form,
      mxcsr,
      inputs: Array.from({ length: count }, () => [value(), value()] as const),
    }));
  });
}

/** Sequences in which MXCSR is stored now and then, all exceptions masked. */
export function floatSequences(count: number, seed: number, random: (n: number) => number): VectorForm[] {
  const stores = SSE_ROWS.filter((row) => row.mnemonic === 'stmxcsr');
  const rows = [...FLOAT_ROWS, ...Array.from({ length: FLOAT_ROWS.length / 8 }, () => stores).flat()];
  return sseSequences(count, seed, rows).map((form) => ({
    ...form,
    mxcsr: CONTROLS[random(CONTROLS.length)] ?? 0x1f80,
    inputs: form.inputs.map(() => [random(FLOAT_POOL.length), 1 + random(40)] as const),
  }));
}
