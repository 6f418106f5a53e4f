/**
 * Records the vectors on the host processor: `npm run vectors`, or after a build `node dist/tests/vectors/record.js [NAMES]`. In: names of files in tests/vectors, else all. Out: the files.
 * Needs an x86-64 host and gcc. `npm run page` tells what they cover.
 */
import { recordIntegers } from './record-integer.js';
import { recordVectors, VECTOR_NAMES } from './record-vectors.js';
import { recordX87 } from './record-x87.js';

const RECORDERS: Readonly<Record<string, () => void>> = {
  'integer.txt.gz': recordIntegers,
  'x87.bin.gz': recordX87,
  ...Object.fromEntries(
    VECTOR_NAMES.map((name) => [
      name,
      () => {
        recordVectors(name);
      },
    ]),
  ),
};

const names = process.argv.slice(2);
for (const name of names.length === 0 ? Object.keys(RECORDERS) : names) {
  const record = RECORDERS[name];
  if (record === undefined) throw new Error(`no vectors ${name}: ${Object.keys(RECORDERS).join(' ')}`);
  record();
}
