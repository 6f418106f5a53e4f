/** CPU extensions that no model offers (tests/fuzz/decoder-exceptions.ts): none of their op codes decodes, whatever the model, and a program that runs one gets SIGILL at it. */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { allRows, createDecoder, isInsn, mnemonicOf } from '../../frontend/x86-64/decoder.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { LIFT64 } from '../guest/driver.js';
import { missingFeatures, notOffered, olderMeaning } from '../fuzz/decoder-exceptions.js';
import { icedOpCodes } from '../fuzz/iced-samples.js';
import { codeReader } from '../support/insn-machine.js';

const PC = 0x1000;
const ILLEGAL = 'tests/guest/bin/illegal';
const decode = createDecoder(new DispatchTables(allRows()));
const opCodes = icedOpCodes();
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const missingOf = (features: readonly string[]): string | undefined => features.find((f) => missingFeatures.has(f));

describe('CPU extensions that no model offers', () => {
  test('none of their op codes is another instruction, but for hints', () => {
    const wrong: string[] = [];
    let samples = 0;
    for (const { name, mnemonic, features, samples: ofOpCode } of opCodes) {
      if (missingOf(features) === undefined) continue;
      for (const bytes of ofOpCode) {
        samples++;
        const insn = decode(codeReader(bytes, PC), PC);
        if (isInsn(insn) ? olderMeaning.get(mnemonic) !== mnemonicOf(insn) : insn.kind !== 'invalid')
          wrong.push(`${hexOf(bytes)} ${name}: ${isInsn(insn) ? mnemonicOf(insn) : insn.kind}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(samples).toBeGreaterThan(4000);
  });

  test('each of their features has op codes, and what has none is not in the list', () => {
    const known = new Set(opCodes.flatMap(({ features, samples }) => (samples.length > 0 ? features : [])));
    expect([...missingFeatures.keys()].filter((f) => !known.has(f))).toEqual([]);
  });

  test.each(['Haswell', 'max'])('-cpu %s: one of each feature raises SIGILL at the instruction', (model) => {
    const samples = notOffered
      .flatMap(({ features }) => features.split(' '))
      .flatMap((feature) => {
        const own = opCodes.filter((o) => missingOf(o.features) === feature && !olderMeaning.has(o.mnemonic));
        const bytes = own.find((o) => o.samples.length > 0)?.samples[0];
        return bytes === undefined ? [] : [hexOf(bytes)];
      });
    expect(samples.length).toBeGreaterThan(60);
    const run = spawnSync(process.execPath, [LIFT64, '-cpu', model, ILLEGAL, ...samples], { encoding: 'utf8' });
    const lines = samples.map((bytes) => `${bytes} signal 4, code 2, rip at it, si_addr at it`);
    expect(run.stdout.trim().split('\n')).toEqual(lines);
    expect(run.status).toBe(0);
  });
});
