/**
 * Long run of the decoder against iced-x86. `node dist/tests/fuzz/decoder-fuzz.js --count N --seed S [--table]`: N random strings from seed S on, and with
 * --table all forms of all rows; one in eight of them once more, cut short. Prints the counts and each difference; exit status 1 if there is one.
 */
import { parseArgs } from 'node:util';
import { allRows } from '../../frontend/x86-64/decoder.js';
import { STRIDE, randomStrings, seededRandom, tableStrings } from './decoder-generate.js';
import { OracleBatch, type Verdict } from './decoder-oracle.js';

const BASE = 0x400000;
const BATCH = 100_000;
const MAX_SHOWN = 50;
/** One string in so many is decoded once more without its last bytes. */
const CUT_EVERY = 8;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    table: { type: 'boolean', default: false },
  },
});

const random = seededRandom(Number(values.seed));
const counts = new Map<string, number>();
const shown = new Set<string>();

function note(string: Uint8Array, verdict: Verdict): void {
  const key = verdict.kind === 'no-row' ? `no row for ${verdict.feature}` : verdict.kind;
  counts.set(key, (counts.get(key) ?? 0) + 1);
  if (verdict.kind !== 'different') return;
  // One example for each row or instruction and way of being different.
  const way = verdict.what.replace(/^[^[]*\[[^\]]*\][^[]*(?=\[)/, '').replace(/-?(0x[0-9a-f-]+|\b\d+\b)/g, '#');
  if (shown.size >= MAX_SHOWN || shown.has(way)) return;
  shown.add(way);
  console.log(`${Buffer.from(string).toString('hex')}: ${verdict.what}`);
}

/** The string without its last bytes. Of an instruction less than the whole is truncated, whatever is left. */
function checkCut(string: Uint8Array, whole: Verdict): void {
  const length = whole.kind === 'valid' ? whole.insn.length : STRIDE;
  const cut = string.subarray(0, random(length));
  const batch = new OracleBatch(cut, BASE);
  const verdict = batch.check(0);
  const isRight = whole.kind !== 'valid' || verdict.kind === 'truncated';
  note(cut, isRight ? verdict : { kind: 'different', what: `${verdict.kind}, cut from ${length} bytes` });
  batch.free();
}

function run(strings: Uint8Array): void {
  const batch = new OracleBatch(strings, BASE);
  for (let offset = 0; offset < strings.length; offset += STRIDE) {
    const string = strings.subarray(offset, offset + STRIDE);
    const verdict = batch.check(offset);
    note(string, verdict);
    if (random(CUT_EVERY) === 0) checkCut(string, verdict);
  }
  batch.free();
}

const rows = allRows();
if (values.table) run(tableStrings(rows, Number(values.seed)));
for (let left = Number(values.count); left > 0; left -= BATCH) run(randomStrings(rows, Math.min(left, BATCH), random));

for (const [kind, count] of [...counts].sort()) console.log(`${kind}: ${count}`);
if (counts.has('different')) process.exitCode = 1;
