/** A share of tests/fuzz/sequence-fuzz.ts: random instruction sequences in all tiers, against the host's processor where there is gcc and an x86-64 processor with AVX2. */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseSequenceCase } from '../support/sequence-filetest.js';
import { SequenceMachine } from '../support/sequence-machine.js';
import { type SequenceState, stateChanges } from '../support/sequence-state.js';
import { differences } from '../fuzz/sequences/compare.js';
import { makeSequence, type Sequence, slotAddress } from '../fuzz/sequences/generate.js';
import { SequenceHost } from '../fuzz/sequences/host.js';
import { type TierName, tierOf } from '../fuzz/sequences/tiers.js';

const SEED = 1;
/** Sequences of a block, and blocks of each tier: compiling costs ten times as much. */
const BLOCK = 128;
const SHARES: Readonly<Record<TierName, number>> = {
  lifted: 16,
  interp: 8,
  compiled: 2,
  'compiled-lifted': 1,
  templates: 16,
};

/**
 * What the SDM leaves undefined, lift64 does as Intel's processors; others do it otherwise, and lack CLWB, say. There, a sequence may end otherwise than on the processor if it does so in the same way in all
 * tiers, and few do: a mistake that all tiers make alike is found on Intel's alone.
 */
const isIntel = process.platform !== 'linux' || readFileSync('/proc/cpuinfo', 'utf8').includes('GenuineIntel');
const MOST_OTHER = 0.1;

/** Why the processor can't be asked; undefined when it can. */
function whyNot(): string | undefined {
  if (process.arch !== 'x64' || process.platform !== 'linux') return 'no x86-64 Linux host';
  if (!/\bavx2\b.*\bsha_ni\b|\bsha_ni\b.*\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8')))
    return 'the processor lacks AVX2 or SHA';
  return spawnSync('gcc', ['--version']).status === 0 ? undefined : 'no gcc';
}

/** The cases of tests/filetests/sequences. */
const DIRECTORY = join('tests', 'filetests', 'sequences');
const filetests = readdirSync(DIRECTORY).flatMap((file) =>
  readFileSync(join(DIRECTORY, file), 'utf8')
    .split(/^==== /m)
    .slice(1)
    .map((part) => {
      const [, title = '', run = '', input = '', expected = ''] =
        /^(.*)\nrun: (.*)\n([\s\S]*?)^----\n([\s\S]*)$/m.exec(part) ?? [];
      return { title, preciseFloat: run.includes('precise'), input, expected };
    }),
);

const reason = whyNot();
const name = `seed ${SEED}${reason === undefined ? '' : `: skipped, ${reason}`}`;

(reason === undefined ? describe : describe.skip)(name, () => {
  const blocks = Array.from({ length: Math.max(...Object.values(SHARES)) }, (_, block) =>
    Array.from({ length: BLOCK }, (_, i) => makeSequence(SEED, block * BLOCK + i, slotAddress(i), block % 3 === 1, 3)),
  );
  const expected = new Map<readonly Sequence[], SequenceState[][]>();
  const machine = new SequenceMachine();

  const differing = (tier: TierName, share: number) =>
    blocks
      .slice(0, share)
      .flatMap((block, n) =>
        differences(machine, tierOf(tier, n, n % 3 === 1, undefined), block, expected.get(block) ?? []),
      )
      .map(({ sequence, error, host, ours }) => ({ number: sequence.number, error, host, ours }));
  type Difference = ReturnType<typeof differing>[number];
  /** What the processor does in its own way. */
  let own: readonly Difference[] = [];
  const isOwn = (d: Difference): boolean => own.some((o) => isDeepStrictEqual(o, d));

  test('the processor runs them', () => {
    const host = new SequenceHost();
    for (const block of blocks) expected.set(block, host.run(block));
    host.close();
    expect(expected.size).toBe(blocks.length);
    if (isIntel) return;
    own = differing('lifted', blocks.length).filter(({ error }) => error === undefined);
    expect(own.length).toBeLessThan(MOST_OTHER * BLOCK * blocks.length);
  });

  test.each(Object.entries(SHARES) as [TierName, number][])('%s', (tier, share) => {
    expect(differing(tier, share).filter((d) => !isOwn(d))).toEqual([]);
  });

  test('the filetests are as the processor does it', () => {
    const host = new SequenceHost();
    const wrong = filetests.flatMap(({ title, preciseFloat, input, expected: text }) => {
      const { placed, before, ignored } = parseSequenceCase(input, preciseFloat);
      const code = placed.code;
      const [after] = host.run([{ seed: 0, number: 0, program: [], code, before, others: [], preciseFloat }])[0] ?? [];
      if (after === undefined) return [title];
      const changes = stateChanges(before.copy().normalise(ignored), after.normalise(ignored)).map(
        (line) => `${line}\n`,
      );
      return changes.join('') === text ? [] : [`${title}: ${changes.join(' ')}`];
    });
    host.close();
    expect(wrong).toEqual([]);
  });
});
