/**
 * Cases for the forms of the vector tables that have fewer than are wanted. In: forms of instructions with some inputs. Out: the same with more inputs, at random from the values of the
 * instruction's kind and from more of that type.
 */
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { decodeOne } from '../support/insn-machine.js';
import type { VectorForm } from '../support/vectors.js';
import { DENSE_RANGE, SSE_RANGE, type ValueKind } from './sse-pool.js';
import { formOf } from './table-forms.js';

/** Cases that each form of the tables is to have. */
export const AT_LEAST = 100;
/** One in so many values is an edge of the kind, or what else the main cases have. */
const EDGES_IN = 3;

/** An index into the pool of a value of `kind`. */
function valueOf(kind: ValueKind, random: (n: number) => number): number {
  const dense = DENSE_RANGE[kind];
  const [first, length] = dense === undefined || random(EDGES_IN) === 0 ? SSE_RANGE[kind] : dense;
  return first + random(length);
}

interface Inputs {
  readonly form: VectorForm;
  readonly list: (readonly [number, number])[];
  readonly seen: Set<string>;
}

/**
 * @param kindOf the kind of value that a row's source operand takes
 * @param random a number below its argument
 * @param atLeast cases of each form of the tables
 */
export function filled(
  forms: readonly VectorForm[],
  kindOf: (row: InsnRow) => ValueKind,
  random: (n: number) => number,
  atLeast = AT_LEAST,
): VectorForm[] {
  const all = forms.map((form): Inputs => ({ form, list: [...form.inputs], seen: new Set(form.inputs.map(String)) }));
  const byForm = new Map<string, { readonly row: InsnRow; readonly members: Inputs[] }>();
  for (const inputs of all) {
    const { text, closed, code } = inputs.form;
    if (text.startsWith('sequence') || closed === true) continue;
    const { key, row } = formOf(decodeOne(code));
    const group = byForm.get(key);
    if (group === undefined) byForm.set(key, { row, members: [inputs] });
    else group.members.push(inputs);
  }
  for (const { row, members } of byForm.values()) {
    if (row.operands === '') continue;
    const source = kindOf(row);
    const target = source === 'count' ? 'int' : source;
    const missing = atLeast - members.reduce((sum, { list }) => sum + list.length, 0);
    for (let n = 0; n < missing;) {
      const { list, seen } = members[n % members.length] as Inputs;
      const pair = [valueOf(target, random), valueOf(source, random)] as const;
      if (seen.has(String(pair))) continue;
      seen.add(String(pair));
      list.push(pair);
      n++;
    }
  }
  return all.map(({ form, list }) => ({ ...form, inputs: list }));
}
