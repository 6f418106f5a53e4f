/**
 * Filetests of instruction sequences: machine code and a state in, what the processor made of it out. In: text of a case. Out: the same text from every tier.
 * tests/filetests/README.md has the format.
 */
import { PASSES } from '../../src/opt/pipeline.js';
import { NO_STRESS, type PlacedCode, SequenceMachine, type SequenceTier } from './sequence-machine.js';
import { applyChanges, CODE, emptyState, type Ignored, SequenceState, stateChanges } from './sequence-state.js';

export interface SequenceCase {
  readonly placed: PlacedCode;
  readonly before: SequenceState;
  readonly ignored: Ignored;
}

/** Lines of a case. @param comments one for each line of code, or none */
export function printSequenceCase(
  c: SequenceCase,
  code: readonly { readonly bytes: string; readonly text: string }[],
  preciseFloat: boolean,
): string[] {
  const plain = emptyState();
  plain.rip = c.before.rip;
  const before = c.before.copy().normalise(c.ignored);
  return [
    `run: sequence${preciseFloat ? ' precise' : ''}`,
    `at ${c.placed.at.toString(16)}`,
    ...code.map(({ bytes, text }) => `code ${bytes.padEnd(22)} ; ${text}`),
    ...(c.placed.entries.length === 0 ? [] : [`entries ${c.placed.entries.map((e) => e.toString(16)).join(' ')}`]),
    ...stateChanges(plain.normalise(c.ignored), before).map((change) => `state ${change}`),
    ...(c.ignored.flags === 0 ? [] : [`undefined ${c.ignored.flags.toString(16)}`]),
  ];
}

export function parseSequenceCase(input: string, preciseFloat: boolean): SequenceCase {
  const before = emptyState();
  let at = CODE;
  let entries: number[] = [];
  let flags = 0;
  const code: number[] = [];
  for (const raw of input.split('\n')) {
    const [word = '', ...rest] = raw
      .replace(/[;#].*$/, '')
      .trim()
      .split(/\s+/);
    if (word === '') continue;
    if (word === 'at') at = parseInt(rest[0] ?? '', 16);
    else if (word === 'code') code.push(...Buffer.from(rest[0] ?? '', 'hex'));
    else if (word === 'entries') entries = rest.map((e) => parseInt(e, 16));
    else if (word === 'undefined') flags = parseInt(rest[0] ?? '', 16);
    else if (word === 'state') applyChanges(before, rest);
    else throw new Error(`no line of a sequence: ${raw}`);
  }
  before.rip = at;
  return {
    placed: { at, code: Uint8Array.from(code), entries },
    before,
    ignored: { flags, mxcsrFlags: !preciseFloat },
  };
}

const TIERS: readonly (readonly [string, Partial<SequenceTier>])[] = [
  ['lifted', { passes: [] }],
  ['templates', { passes: [], templates: true }],
  ['optimised', {}],
  ['one instruction a TB', { maxInsns: 1 }],
  ['compiled', { compiled: true }],
  ['compiled as lifted', { compiled: true, passes: [] }],
  ['compiled with a check an access', { compiled: true, plainGuards: true }],
  ['compiled, left at safepoints', { compiled: true, stress: { ...NO_STRESS, polls: 3, stackBudget: 300 } }],
];

let machine: SequenceMachine | undefined;

/** What all tiers make of the case; where they differ, each one's. */
export function runSequenceCase(input: string, preciseFloat: boolean): string {
  const c = parseSequenceCase(input, preciseFloat);
  const before = c.before.copy().normalise(c.ignored);
  machine ??= new SequenceMachine();
  const outputs = new Map<string, string[]>();
  for (const [name, options] of TIERS) {
    machine.prepare(
      {
        compiled: false,
        templates: false,
        passes: PASSES,
        maxInsns: 64,
        noChain: false,
        plainGuards: false,
        checkIr: true,
        mixed: false,
        stress: NO_STRESS,
        preciseFloat,
        ...options,
      },
      [c.placed],
    );
    const after = machine.run(c.before).normalise(c.ignored);
    const text = stateChanges(before, after)
      .map((line) => `${line}\n`)
      .join('');
    outputs.set(text, [...(outputs.get(text) ?? []), name]);
  }
  if (outputs.size === 1) return [...outputs.keys()].join('');
  return [...outputs].map(([text, names]) => `${names.join(', ')}:\n${text}`).join('');
}
