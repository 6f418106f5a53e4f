/** The recorded x87 vectors (tests/vectors/x87.bin.gz, made by tests/vectors/src/x87.c) against interpreter and compiler, on IR as lifted and as optimised. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { InsnMachine } from '../support/insn-machine.js';
import { addForms, ENGINES } from '../support/vector-check.js';
import { differences, RECORD_SIZE, X87Record } from '../support/x87-records.js';

const data = gunzipSync(readFileSync('tests/vectors/x87.bin.gz'));
const forms = new Map<string, X87Record[]>();
for (let at = 0; at < data.length; at += RECORD_SIZE) {
  const record = new X87Record(data.subarray(at, at + RECORD_SIZE));
  const key = Buffer.from(record.code).toString('hex');
  const list = forms.get(key);
  if (list === undefined) forms.set(key, [record]);
  else list.push(record);
}

describe('recorded x87 instructions', () => {
  const machine = new InsnMachine();
  const codes = [...forms.keys()].map((key) => ({ code: Buffer.from(key, 'hex') }));
  const engines = ENGINES.map((engine) => ({ engine, places: addForms(machine, codes, engine) }));
  test.each([...forms.keys()].map((key, n) => [key, n] as const))('%s', (key, n) => {
    const records = forms.get(key) ?? [];
    const wrong = engines.flatMap(({ engine, places }) =>
      records.flatMap((r) => {
        const list = differences(machine, places[n] ?? 0, r);
        return list.length === 0 ? [] : [`${r.print()}: ${engine}: ${list.join('; ')}`];
      }),
    );
    expect(wrong.slice(0, 8)).toEqual([]);
  });
});
