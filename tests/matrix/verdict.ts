/** Compares a run with the native one. In: two outcomes. Out: right, or how it went wrong and the first sign of why. */
import type { MatrixRow } from './matrix-row.js';
import type { RowOutcome } from './run-row.js';

/** `broken`: lift64 itself failed. */
export type Result = 'right' | 'differs' | 'hangs' | 'broken';

export interface Verdict {
  readonly result: Result;
  /** The first difference, and lift64's own lines. */
  readonly detail: string;
}

const SHOWN = 160;
const LIFT64_FAILED = 125;

const clip = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text);

function firstDifference(name: string, expected: string, got: string): string | undefined {
  if (expected === got) return undefined;
  const theirs = expected.split('\n');
  const ours = got.split('\n');
  const at = ours.findIndex((line, i) => line !== theirs[i]);
  const line = at < 0 ? ours.length : at;
  return `${name} line ${line + 1}: native ${JSON.stringify(clip(theirs[line] ?? '(end)'))}, here ${JSON.stringify(clip(ours[line] ?? '(end)'))}`;
}

const end = (o: RowOutcome): string => (o.signal === null ? `status ${o.status ?? 'none'}` : o.signal);

/** Whether `o` is what `native` is. */
export function judge(row: MatrixRow, native: RowOutcome, o: RowOutcome): Verdict {
  const found = [
    firstDifference('stdout', native.stdout, o.stdout),
    ...(row.outputs ?? []).map((name, i) =>
      firstDifference(name, native.outputs[i] ?? '(none)', o.outputs[i] ?? '(none)'),
    ),
    end(native) === end(o) ? undefined : `${end(o)} instead of ${end(native)}`,
  ].filter((text) => text !== undefined);
  const lines = ownLines(o);
  if (o.timedOut) return { result: 'hangs', detail: [...found, ...lines].join('; ') };
  if (found.length === 0) return { result: 'right', detail: '' };
  const broken = o.status === LIFT64_FAILED || /lift64: internal/.test(o.stderr);
  const last = o.stderr.trimEnd().split('\n').at(-1) ?? '';
  const signs = lines.length > 0 || last === '' ? lines : [`stderr: ${clip(last)}`];
  return { result: broken ? 'broken' : 'differs', detail: [...found, ...signs].join('; ') };
}

/** lift64's own lines on stderr, at most three, each once. */
function ownLines(o: RowOutcome): string[] {
  return [...new Set(o.stderr.split('\n').filter((line) => line.startsWith('lift64:')))].slice(0, 3).map(clip);
}
