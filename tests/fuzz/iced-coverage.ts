/**
 * What has no row, and which rows have no lifter: `npm run build && node dist/tests/fuzz/iced-coverage.js [--all]`. In: iced-x86's op code table and our rows. Out: lists on stdout, by CPU feature.
 * Extensions that are left out on purpose (decoder-exceptions.ts) are listed with --all only. Status 1 when anything else is missing.
 */
import { EncodingKind } from 'iced-x86';
import { allRows, decode, isInsn, rowKey } from '../../frontend/x86-64/decoder.js';
import { missingFeatures } from './decoder-exceptions.js';
import { icedOpCodes, type OpCode } from './iced-samples.js';

const PC = 0x1000;

type Verdict = 'lifted' | 'row' | 'none' | 'unreached';

function verdict({ samples }: OpCode): Verdict {
  if (samples.length === 0) return 'unreached';
  for (const bytes of samples) {
    const ours = decode({ bytes, base: PC, readable: (at) => PC + bytes.length - at }, PC);
    if (!isInsn(ours)) return 'none';
    if (ours.row.lift === undefined && ours.row.attrs?.includes('privileged') !== true) return 'row';
  }
  return 'lifted';
}

const all = process.argv.includes('--all');
const lists = new Map<string, string[]>();
const counts = { lifted: 0, row: 0, none: 0, unreached: 0 };
let left = 0;
for (const opCode of icedOpCodes()) {
  const isLeft = opCode.features.some((f) => missingFeatures.has(f));
  const kind = verdict(opCode);
  if (isLeft && kind !== 'lifted') left++;
  else counts[kind]++;
  if (kind !== 'lifted' && (all || (!isLeft && kind !== 'unreached'))) {
    const key = `${kind === 'none' ? 'no row' : kind === 'row' ? 'no lifter' : 'not reached'}: ${opCode.features.join(' ')}`;
    lists.set(key, [
      ...(lists.get(key) ?? []),
      `${opCode.form} (${EncodingKind[opCode.encoding]} ${opCode.opCode}) ${opCode.name}`,
    ]);
  }
}
for (const [key, entries] of [...lists].sort(([a], [b]) => a.localeCompare(b))) {
  console.log(key);
  for (const entry of entries) console.log(`  ${entry}`);
}
const unlifted = allRows().filter((r) => r.lift === undefined && r.attrs?.includes('privileged') !== true);
console.log(`rows without a lifter: ${unlifted.length}`);
for (const row of unlifted) console.log(`  ${rowKey(row)}`);
console.log(
  `${counts.lifted} op codes lifted, ${counts.row} with a row alone, ${counts.none} without a row, ${counts.unreached} not reached by the samples; ${left} left out on purpose`,
);
if (counts.row + counts.none + unlifted.length > 0) process.exitCode = 1;
