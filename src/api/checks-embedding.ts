/** Whether the settings that only an embedding program has are right, and there are no others. In: settings. Out: nothing, or a UsageError. */
import { Writable } from 'node:stream';
import { UsageError } from '../base/errors.js';
import { butNot, type Check, isGuestSetting, must } from './checks.js';
import type { StartSettings } from './run-types.js';

const isDescriptor = (v: unknown): boolean => typeof v === 'number' && Number.isInteger(v) && v >= 0;
const isIterable = (v: unknown): boolean => typeof v === 'object' && v !== null && Symbol.asyncIterator in v;

const input = (words: readonly string[]): Check =>
  must(`${words.join(', ')}, a descriptor, bytes or an async iterable`, (v) => {
    return (typeof v === 'string' && words.includes(v)) || isDescriptor(v) || v instanceof Uint8Array || isIterable(v);
  });
const output = (words: readonly string[]): Check =>
  must(`${words.join(', ')}, a descriptor or a writable stream`, (v) => {
    return (typeof v === 'string' && words.includes(v)) || isDescriptor(v) || v instanceof Writable;
  });

/** `choices`: more words for standard streams ('pipe'). Throws UsageError. */
export function checkEmbedding(settings: StartSettings, choices: readonly string[]): void {
  const out = ['inherit', 'ignore', 'capture', ...choices];
  const checks: Readonly<Record<string, Check>> = {
    stdin: input(['inherit', 'ignore', ...choices]),
    stdout: output(out),
    stderr: output([...out, 'stdout']),
    signal: must('an AbortSignal', (v) => v instanceof AbortSignal),
    forwardSignals: must('true or false', (v) => typeof v === 'boolean'),
  };
  for (const [name, value] of Object.entries(settings)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined && !isGuestSetting(name)) throw new UsageError(`there is no setting '${name}'`);
    const takes = value === undefined ? undefined : check?.(value);
    if (takes !== undefined) throw new UsageError(`${name} takes ${takes}${butNot(value)}`);
  }
}
