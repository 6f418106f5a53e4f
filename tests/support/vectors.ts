/**
 * Recorded vectors: what single instructions do on a real processor. In: tests/vectors/*.txt. Out: forms and cases.
 *
 *     pool 00000000000000000000000000000001     operand values, 128 bits each, numbered from 0
 *     insn 660f58c1 addpd xmm0,xmm1             machine code; what follows is for the reader
 *     mxcsr 3f80                                if it is not the default; 'closed' on a line: the second page of the memory may not be accessed
 *     4 17 xmm0=...                             values of the first and second operand; what changed (insn-state.ts)
 *
 * Cases start from plainState() with the values put into the instruction's operands: the first operand's value is pool[4], every other's pool[17].
 * Registers that an instruction reads without naming them (xmm0 of PBLENDVB, the lengths of PCMPESTRI) are made from pool[3 * 4 + 7 * 17], modulo the pool's size.
 * The arithmetic flags before are the low bits of 29 * 4 + 7 * 17 (CF the lowest).
 * VEX forms give each of their operands a value of its own, and upper halves: vex-state.ts.
 * A form whose text begins with 'sequence' is several instructions, whose registers all get values: register n has pool[4 + 17 * n], modulo the pool's size.
 */
import type { Insn } from '../../frontend/x86-64/insn.js';
import { FLAG } from '../../src/guest/flags.js';
import { vexStateFor } from './vex-state.js';
import { type InsnState, MEMORY, plainState } from './insn-state.js';

/** An instruction form and the operand values to run it on. */
export interface VectorForm {
  readonly code: Uint8Array;
  readonly text: string;
  /** Indices into the pool. */
  readonly inputs: readonly (readonly [number, number])[];
  /** MXCSR, when it is not the default. */
  readonly mxcsr?: number;
  /** The second page of the memory may not be accessed. */
  readonly closed?: boolean;
}

export interface VectorCase {
  readonly inputs: readonly [number, number];
  readonly changes: string;
}

export interface RecordedForm extends Omit<VectorForm, 'inputs'> {
  readonly cases: readonly VectorCase[];
}

export interface Vectors {
  readonly pool: readonly bigint[];
  readonly forms: readonly RecordedForm[];
}

const DEFAULT_MXCSR = 0x1f80;

/** Registers that an instruction reads without naming them. */
function setImplied(s: InsnState, { row }: Insn, value: bigint): void {
  if (/^(p?blendv|sha256rnds2)/.test(row.mnemonic)) s.setXmm(0, value);
  if (!row.mnemonic.startsWith('pcmpestr')) return;
  s.setGpr(RAX, lengthFrom(value));
  s.setGpr(RDX, lengthFrom(value >> 9n));
}

/** A length of -24 to 39, now and then any number. */
function lengthFrom(value: bigint): bigint {
  return (value & 7n) === 0n ? value : ((value >> 3n) & 63n) - 24n;
}

const [RAX, RDX] = [0, 2];

/** The state before an instruction: `values` in its operands in order, the last one in all that follow; `implied` for what it reads without naming it. */
export function stateFor(insn: Insn, values: readonly bigint[], mxcsr = DEFAULT_MXCSR, implied = 0n): InsnState {
  const s = plainState();
  s.mxcsr = mxcsr;
  setImplied(s, insn, implied);
  insn.operands.forEach((o, i) => {
    const value = values[Math.min(i, values.length - 1)] ?? 0n;
    if (o.kind === 'xmm') s.setXmm(o.reg, value);
    else if (o.kind === 'mmx') s.setMm(o.reg, value);
    else if (o.kind === 'gpr') s.setGpr(o.reg, value);
    else if (o.kind === 'mem') {
      const at = Number(s.gpr(o.base) + o.disp) - MEMORY;
      for (let byte = 0; byte < o.size; byte++) s.memory[at + byte] = Number((value >> BigInt(8 * byte)) & 0xffn);
    }
  });
  return s;
}

/** The state before a sequence: registers 0 to 15 of each kind and the memory from the pool. rsi and rdi stay: they point to the memory. */
export function stateForSequence(pool: readonly bigint[], first: number, step: number): InsnState {
  const s = plainState();
  const value = (n: number): bigint => pool[(first + step * n) % pool.length] ?? 0n;
  for (let n = 0; n < 16; n++) {
    s.setXmm(n, value(n));
    s.setYmmh(n, value(n + 9));
    if (n < 8) s.setMm(n, value(n + 3));
    if (![4, 6, 7].includes(n)) s.setGpr(n, value(n + 5));
  }
  s.memory.forEach((_, i, m) => (m[i] = Number((value(i >> 4) >> BigInt(8 * (i & 15))) & 0xffn)));
  return s;
}

const FLAG_BITS = [FLAG.CF, FLAG.PF, FLAG.AF, FLAG.ZF, FLAG.SF, FLAG.OF] as const;

/** The state before a case of `form`, by its kind. */
export function stateBefore(
  insn: Insn,
  form: Pick<VectorForm, 'text' | 'mxcsr' | 'closed'>,
  pool: readonly bigint[],
  inputs: readonly [number, number],
): InsnState {
  const s = operandsBefore(insn, form, pool, inputs);
  const flags = 29 * inputs[0] + 7 * inputs[1];
  s.rflags = FLAG_BITS.reduce((all, flag, i) => (((flags >> i) & 1) === 0 ? all & ~flag : all | flag), s.rflags);
  s.closed = form.closed === true;
  return s;
}

function operandsBefore(
  insn: Insn,
  form: Pick<VectorForm, 'text' | 'mxcsr'>,
  pool: readonly bigint[],
  [a, b]: readonly [number, number],
): InsnState {
  if (form.text.startsWith('sequence')) {
    const s = stateForSequence(pool, a, b);
    s.mxcsr = form.mxcsr ?? DEFAULT_MXCSR;
    return s;
  }
  if (insn.vexL !== 0) return vexStateFor(insn, pool, a, b, form.mxcsr);
  return stateFor(insn, [pool[a] ?? 0n, pool[b] ?? 0n], form.mxcsr, pool[(3 * a + 7 * b) % pool.length]);
}

/** Reads a vectors file. Throws an Error that names the line that is malformed. */
export function parseVectors(text: string): Vectors {
  const pool: bigint[] = [];
  const forms: (Omit<RecordedForm, 'cases'> & { cases: VectorCase[] })[] = [];
  text.split('\n').forEach((line, i) => {
    const [first = '', second = '', ...rest] = line.split(' ');
    const form = forms.at(-1);
    if (line === '' || first.startsWith('#')) return;
    if (first === 'pool') pool.push(BigInt(`0x${second}`));
    else if (first === 'insn') forms.push({ code: Buffer.from(second, 'hex'), text: rest.join(' '), cases: [] });
    else if (first === 'mxcsr' && form !== undefined)
      forms[forms.length - 1] = { ...form, mxcsr: parseInt(second, 16) };
    else if (first === 'closed' && form !== undefined) forms[forms.length - 1] = { ...form, closed: true };
    else if (/^\d+ \d+/.test(line) && form !== undefined)
      form.cases.push({ inputs: [Number(first), Number(second)], changes: rest.join(' ') });
    else throw new Error(`vectors, line ${i + 1}: ${line}`);
  });
  return { pool, forms };
}

/** The lines of a form with its cases. */
export function printForm(form: RecordedForm): string[] {
  return [
    `insn ${Buffer.from(form.code).toString('hex')} ${form.text}`,
    ...(form.mxcsr === undefined ? [] : [`mxcsr ${form.mxcsr.toString(16)}`]),
    ...(form.closed === true ? ['closed'] : []),
    ...form.cases.map(({ inputs: [a, b], changes }) => `${a} ${b} ${changes}`.trimEnd()),
  ];
}
