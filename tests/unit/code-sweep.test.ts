/** The sweep over real programs (tests/fuzz/binary-sweep.ts): the guest programs of the tests and the host's libc hold nothing without a row and a lifter; and the sweep would see it. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { allRows, createDecoder, type Decode } from '../../frontend/x86-64/decoder.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { sweepCode, type Sweep } from '../fuzz/code-sweep.js';
import { missingFeatures } from '../fuzz/decoder-exceptions.js';
import { readElfCode, type ElfCode } from '../fuzz/elf-code.js';

const LIBC = '/lib/x86_64-linux-gnu/libc.so.6';
const PROGRAM = 'tests/guest/bin/long-double-dynamic';

const sweepFile = (file: string, decoder?: Decode): Sweep => sweepCode(readElfCode(readFileSync(file)), decoder);
/** What neither runs nor is left out on purpose, in code for sure. */
const problems = ({ findings }: Sweep): string[] =>
  findings
    .filter(
      ({ kind, feature, count }) =>
        count.function + count.flow > 0 && !(kind === 'no-row' && missingFeatures.has(feature)),
    )
    .map(({ kind, form }) => `${kind} ${form}`);

/** A section at 0x1000. */
const codeOf = (hex: string, rest: Partial<ElfCode> = {}): ElfCode => ({
  sections: [{ name: '.text', address: 0x1000, bytes: Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')) }],
  functions: [],
  pointers: [],
  ...rest,
});

describe('sweep over programs', () => {
  test('a guest program: all of it is run', () => {
    const sweep = sweepFile(PROGRAM);
    expect(problems(sweep)).toEqual([]);
    expect(sweep.instructions.function + sweep.instructions.flow).toBeGreaterThan(200);
  });

  (existsSync(LIBC) ? test : test.skip)(`${LIBC}: all of it is run, but for extensions that are not offered`, () => {
    const sweep = sweepFile(LIBC);
    expect(problems(sweep)).toEqual([]);
    expect(sweep.instructions.function).toBeGreaterThan(200_000);
    expect(sweep.byFeature.get('avx2')).toBeGreaterThan(1000);
  });

  test('a row that is missing, or not lifted, is seen', () => {
    const without = (change: 'no row' | 'no lifter'): Decode =>
      createDecoder(
        new DispatchTables(
          allRows().flatMap((row) => {
            if (row.mnemonic !== 'fstp') return [row];
            const { lift, ...rest } = row;
            return change === 'no row' || lift === undefined ? [] : [rest];
          }),
        ),
      );
    expect(problems(sweepFile(PROGRAM, without('no row'))).join('\n')).toMatch(/^different invalid, iced says fstp/m);
    expect(problems(sweepFile(PROGRAM, without('no lifter'))).join('\n')).toMatch(/^no-lifter .*fstp/m);
  });

  test('data between functions is not taken for code', () => {
    // A function that jumps over a table (06: no instruction) and takes its address; behind it a vmptrld that nothing reaches.
    const sweep = sweepCode(
      codeOf('48 8d 05 02 00 00 00 eb 02 06 06 90 c3 0f c7 31', { functions: [{ start: 0x1000, end: 0x1009 }] }),
    );
    expect(sweep.instructions).toEqual({ function: 2, flow: 2, unreached: 1 });
    expect(sweep.droppedTraces).toBe(1);
    expect(sweep.noInstruction).toBe(2);
    expect(sweep.findings).toEqual([
      {
        kind: 'no-row',
        feature: 'VMX',
        form: 'VMPTRLD m64',
        count: { function: 0, flow: 0, unreached: 1 },
        first: { class: 'unreached', address: 0x100d, section: '.text' },
      },
    ]);
  });

  test('a function with bytes that are no instruction is followed, not swept', () => {
    const sweep = sweepCode(codeOf('eb 01 06 c3', { functions: [{ start: 0x1000, end: 0x1004 }] }));
    expect(sweep.brokenFunctions).toBe(1);
    expect(sweep.instructions).toEqual({ function: 0, flow: 2, unreached: 0 });
  });

  test('what relocations point to is followed', () => {
    const sweep = sweepCode(codeOf('c3 06 90 c3', { pointers: [0x1002] }));
    expect(sweep.instructions).toEqual({ function: 0, flow: 3, unreached: 0 });
  });
});
