/**
 * x87 instructions against a processor. tests/vectors/x87.bin.gz holds records of tests/vectors/src/x87.c, made on an AMD EPYC (seed 1, 60 cases a form):
 * gcc -O1 -o x87 tests/vectors/src/x87.c && ./x87 1 60 | gzip -9 > tests/vectors/x87.bin.gz
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { InsnMachine } from '../support/insn-machine.js';
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
  test.each([...forms.keys()])('%s', (key) => {
    const records = forms.get(key) ?? [];
    const pc = machine.add(Buffer.from(key, 'hex'));
    const wrong = records.flatMap((r) => {
      const list = differences(machine, pc, r);
      return list.length === 0 ? [] : [`${r.print()}: ${list.join('; ')}`];
    });
    expect(wrong).toEqual([]);
  });
});
