/**
 * What has no row, and which rows have no lifter: `npm run build && node dist/tests/fuzz/iced-coverage.js [--all]`. In: iced-x86's op code table and our rows. Out: lists on stdout, by CPU feature.
 * Extensions that are left out on purpose (decoder-exceptions.ts) are listed with --all only. Status 1 when anything else is missing.
 */
import { Code, CpuidFeature, Decoder, EncodingKind, Instruction, type OpCodeInfo } from 'iced-x86';
import { allRows, decode, isInsn, rowKey } from '../../frontend/x86-64/decoder.js';
import { missingFeatures } from './decoder-exceptions.js';

const PC = 0x1000;
const featureNames = CpuidFeature as unknown as Readonly<Record<number, string>>;
/** Entries of the table that are no instructions. */
const PSEUDO = /^(INVALID|Declare\w+|Zero_bytes)$/;
const codes = Object.entries(Code).flatMap(([name, value]) =>
  typeof value === 'number' && !PSEUDO.test(name) ? [{ name, value }] : [],
);

const hexByte = (text: string): number => parseInt(text, 16);

/** Bytes of a VEX form, from 'VEX.256.66.0F38.W1 98 /r'. */
function vexPrefix(spec: string): number[] {
  const parts = spec.split('.');
  const has = (part: string): boolean => parts.includes(part);
  const map = has('0F38') ? 2 : has('0F3A') ? 3 : 1;
  const pp = has('66') ? 1 : has('F3') ? 2 : has('F2') ? 3 : 0;
  const long = has('256') || has('L1') ? 4 : 0;
  return [0xc4, 0xe0 | map, (has('W1') ? 0x80 : 0) | 0x78 | long | pp];
}

const IMMEDIATES: Readonly<Record<string, number>> = {
  ib: 1,
  iw: 2,
  id: 4,
  io: 8,
  cb: 1,
  cw: 2,
  cd: 4,
  cp: 6,
  mo: 8,
  '/is4': 1,
  '/is5': 1,
};

/** Bytes of one instruction of the form; which ModRM it has is tried out by the caller. */
function sample(info: OpCodeInfo, modrm: readonly number[]): number[] {
  const prefixes: number[] = [];
  const opcode: number[] = [];
  let rexW = false;
  let tail: number[] = [];
  let immediates = 0;
  for (const token of info.opCodeString.split(' ')) {
    const imm = IMMEDIATES[token];
    if (token.startsWith('VEX.')) opcode.push(...vexPrefix(token));
    else if (token === 'o64' || token === 'REX.W') rexW = true;
    else if (token === 'o16') prefixes.push(0x66);
    else if (token === 'a32') prefixes.push(0x67);
    else if (/^(NP|o32|a64|a16)$/.test(token)) continue;
    else if (/^(66|F2|F3)$/.test(token) && opcode.length === 0) prefixes.push(hexByte(token));
    else if (token === '/r' || /rrr:bbb$/.test(token)) tail = [...modrm];
    else if (/^\/[0-7]$/.test(token)) tail = [((modrm[0] ?? 0) & 0xc7) | (Number(token[1]) << 3), ...modrm.slice(1)];
    else if (imm !== undefined) immediates += imm;
    else opcode.push(hexByte(token.slice(0, 2)));
  }
  return [...prefixes, ...(rexW ? [0x48] : []), ...opcode, ...tail, ...new Array<number>(immediates).fill(0x40)];
}

/** Registers; memory by [rcx]; memory with a SIB byte whose index is rdx (xmm2, for gathers). */
const MODRMS: readonly (readonly number[])[] = [[0xca], [0xd9], [0x09], [0x0c, 0x11]];

type Verdict = 'lifted' | 'row' | 'none' | 'unreached';

function verdict(code: Code, info: OpCodeInfo): Verdict {
  let best: Verdict = 'unreached';
  for (const modrm of MODRMS) {
    const bytes = Uint8Array.from([...sample(info, modrm), 0x90, 0x90, 0x90]);
    const decoder = new Decoder(64, bytes, 0);
    const theirs = decoder.decode();
    const isIt = theirs.code === code;
    theirs.free();
    decoder.free();
    if (!isIt) continue;
    const ours = decode({ bytes, base: PC, readable: (at) => PC + bytes.length - at }, PC);
    if (!isInsn(ours)) return 'none';
    if (ours.row.lift === undefined && ours.row.attrs?.includes('privileged') !== true) return 'row';
    best = 'lifted';
  }
  return best;
}

const all = process.argv.includes('--all');
const lists = new Map<string, string[]>();
const counts = { lifted: 0, row: 0, none: 0, unreached: 0 };
let left = 0;
for (const { name, value } of codes) {
  const instruction = new Instruction();
  instruction.code = value;
  const info = instruction.opCode;
  const isVex = info.encoding === EncodingKind.VEX;
  if (info.mode64 && (info.encoding === EncodingKind.Legacy || isVex)) {
    const features = Array.from(instruction.cpuidFeatures(), (f) => featureNames[f] ?? String(f));
    const isLeft = features.some((f) => missingFeatures.has(f) || f === 'KNC');
    const kind = verdict(value, info);
    if (isLeft && kind !== 'lifted') left++;
    else counts[kind]++;
    if (kind !== 'lifted' && (all || (!isLeft && kind !== 'unreached'))) {
      const key = `${kind === 'none' ? 'no row' : kind === 'row' ? 'no lifter' : 'not reached'}: ${features.join(' ')}`;
      lists.set(key, [...(lists.get(key) ?? []), `${info.instructionString} (${info.opCodeString}) ${name}`]);
    }
  }
  info.free();
  instruction.free();
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
