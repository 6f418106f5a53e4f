/**
 * A difference as text and as a filetest. In: a sequence, what the host made of it. Out: lines; the file.
 */
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Disassemble } from '../../../src/engine/disassemble.js';
import { printSequenceCase } from '../../support/sequence-filetest.js';
import { type SequenceState, stateChanges } from '../../support/sequence-state.js';
import { type Difference, placed } from './compare.js';
import { ignoredAfter, type Sequence } from './generate.js';
import { PADDING } from './program.js';

/** Lines of `-d in_asm` form, taken apart. */
function codeLines(s: Sequence, disassemble: Disassemble): { bytes: string; text: string }[] {
  return disassemble(s.code.subarray(0, -PADDING), s.before.rip).map((line) => {
    const [, bytes = '', text = ''] = /^0x[0-9a-f]+:\s+([0-9a-f]+)\s+(.*)$/.exec(line) ?? [];
    return { bytes, text };
  });
}

export function describeDifference(d: Difference, disassemble: Disassemble): string {
  const verdict =
    d.error === undefined
      ? [`  host ${d.host.join(' ')}`, `  ours ${d.ours.join(' ')}`]
      : [`  ${d.error.split('\n').join('\n  ')}`];
  return [
    ...disassemble(d.sequence.code.subarray(0, -PADDING), d.sequence.before.rip).map((line) => `    ${line}`),
    ...verdict,
  ].join('\n');
}

/** Appends a case to `directory`/found.txt. */
export function writeFiletest(
  directory: string,
  name: string,
  s: Sequence,
  after: SequenceState,
  command: string,
  disassemble: Disassemble,
): string {
  const ignored = ignoredAfter(s, after);
  const lines = printSequenceCase(
    { placed: placed(s), before: s.before, ignored },
    codeLines(s, disassemble),
    s.preciseFloat,
  );
  const expected = stateChanges(s.before.copy().normalise(ignored), after.copy().normalise(ignored));
  const path = join(directory, 'found.txt');
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true });
  const [run = '', ...rest] = lines;
  appendFileSync(path, [`==== ${name}`, run, `# ${command}`, ...rest, '----', ...expected, ''].join('\n'));
  return path;
}
