/**
 * Recorded vectors of the integer instructions. In: tests/vectors/integer.txt.gz. Out: forms and cases.
 *
 *     insn 20000040 01c8 add Ev,Gv low     address, machine code; what follows is for the reader and for undefinedFlags (integer-forms.ts)
 *     1017 rax=7f flags=10                 seed of the state before (integer-state-maker.ts); what changed (integer-state.ts)
 */
import { gunzipSync, gzipSync } from 'node:zlib';

export interface RecordedIntegerForm {
  readonly at: number;
  readonly code: Uint8Array;
  readonly text: string;
  readonly cases: readonly { readonly seed: number; readonly changes: string }[];
}

/** Reads a vectors file. Throws an Error that names the line that is malformed. */
export function parseIntegerVectors(bytes: Uint8Array): RecordedIntegerForm[] {
  const forms: (Omit<RecordedIntegerForm, 'cases'> & { cases: { seed: number; changes: string }[] })[] = [];
  const lines = gunzipSync(bytes).toString().split('\n');
  lines.forEach((line, i) => {
    const [first = '', ...rest] = line.split(' ');
    if (line === '' || first.startsWith('#')) return;
    const form = forms.at(-1);
    if (first === 'insn') {
      const [at = '', code = '', ...text] = rest;
      forms.push({ at: parseInt(at, 16), code: Buffer.from(code, 'hex'), text: text.join(' '), cases: [] });
    } else if (/^\d+$/.test(first) && form !== undefined)
      form.cases.push({ seed: Number(first), changes: rest.join(' ') });
    else throw new Error(`integer vectors, line ${i + 1}: ${line}`);
  });
  return forms;
}

/** The file of `forms`, under `head`, lines of comment. */
export function printIntegerVectors(head: readonly string[], forms: readonly RecordedIntegerForm[]): Uint8Array {
  const lines = head.map((line) => `# ${line}`);
  for (const form of forms) {
    lines.push(`insn ${form.at.toString(16)} ${Buffer.from(form.code).toString('hex')} ${form.text}`);
    for (const { seed, changes } of form.cases) lines.push(`${seed} ${changes}`.trimEnd());
  }
  return gzipSync([...lines, ''].join('\n'), { level: 9 });
}
