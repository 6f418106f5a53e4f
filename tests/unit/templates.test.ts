/** Templates of instructions: what is put together from one made of other instructions of the shape is what the lifter and the encoder make of the instruction itself. */
import { readFileSync } from 'node:fs';
import { bytecodeFingerprint } from '../../backend-wasm/bytecode/opcodes.js';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { TbAssembler } from '../../backend-wasm/bytecode/assembler.js';
import { STATE } from '../../backend-wasm/bytecode/template-pool.js';
import { Encoder } from '../../backend-wasm/bytecode/encoder.js';
import { allRows, createDecoder, isInsn } from '../../frontend/x86-64/decoder.js';
import type { FlagState } from '../../frontend/x86-64/flags.js';
import { liftSeparately } from '../../frontend/x86-64/separate.js';
import { parseElf } from '../../frontend/elf/elf.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { TemplateCache } from '../../src/engine/template-cache.js';
import { cpuModel, DEFAULT_CPU } from '../../src/engine/cpu-model.js';
import { keptTemplates } from '../../src/engine/kept-templates.js';
import { recordTemplates } from '../../src/engine/template-recorder.js';
import { LEAVES, stateBehind } from '../../src/engine/template-maker.js';
import { CC } from '../../src/guest/flags.js';
import { fastRandom } from '../support/random.js';
import { parseIntegerVectors } from '../support/integer-vectors.js';
import { readVectors } from '../support/vector-suite.js';

const PC = 0x40_1000;
const tables = new DispatchTables(allRows());
const decode = createDecoder(tables);

/** What may be known of the flags: each family's handling of conditions is its own. */
const STATES: readonly FlagState[] = [
  { op: -1, synced: true },
  { op: CC.EFLAGS, synced: false },
  { op: CC.EFLAGS, synced: true },
  ...Object.values(CC).flatMap((family) => [2, 3].map((size) => ({ op: family + size, synced: size === 2 }))),
].filter(({ op }) => op < CC.COMI + 4);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const START: FlagState = { op: -1, synced: true };
const stateOf = ({ op, synced }: FlagState): number => 2 * (op + 1) + (synced ? 1 : 0);
const windowOf = (code: Uint8Array): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => code[i] ?? 0x90);

/** The bytecode of the instruction at `code`, from a template; undefined where there is none. */
function assembled(cache: TemplateCache, code: Uint8Array, flags: FlagState): string | undefined {
  const record = cache.find(windowOf(code), 0, PC, stateOf(flags));
  return record === 0 ? undefined : textOf(record, cache, flags);
}

/** What `template` makes of the instruction that was looked up last. */
function textOf(record: number, cache: TemplateCache, flags: FlagState): string | undefined {
  const { ints } = cache.pool;
  const assembler = new TbAssembler();
  assembler.begin(PC);
  const state = ints[record + STATE] ?? 0;
  const ended = (state & LEAVES) !== 0;
  const behind = stateBehind(state, stateOf(flags));
  if (!assembler.append(ints, record, cache.shape)) return undefined;
  return `${hex(assembler.bytes.subarray(0, assembler.codeSize))} ${assembler.links.join()} ${ended} ${behind}`;
}

/** The same from the instruction itself. */
function lifted(code: Uint8Array, flags: FlagState, preciseFloat: boolean): string | undefined {
  const insn = decode({ bytes: windowOf(code), base: PC, readable: () => 32 }, PC);
  const made = isInsn(insn) ? liftSeparately(insn, flags, { preciseFloat }) : undefined;
  if (made === undefined) return undefined;
  const e = new Encoder(made.tb);
  e.run();
  return `${hex(e.bytes.subarray(0, e.size))} ${e.links.join()} ${made.ended} ${stateOf(made.flags ?? flags)}`;
}

const INTEGER = parseIntegerVectors(readFileSync(join('tests', 'vectors', 'integer.txt.gz')));
const FLOAT = ['sse.txt.gz', 'sse4.txt.gz', 'vex.txt.gz', 'float.txt.gz'].flatMap((file) => readVectors(file).forms);

/** Codes that are recorded, one in `step`, and these with other registers, displacements and immediates: other bits anywhere. */
function* variations(forms: readonly { readonly code: Uint8Array }[], step: number): Generator<Uint8Array> {
  const random = fastRandom(7);
  for (let i = random(step); i < forms.length; i += step) {
    const code = forms[i]?.code ?? new Uint8Array(0);
    yield code;
    for (let n = 0; n < 6; n++) {
      const other = Uint8Array.from(code);
      for (let k = 0; k <= n % 3; k++) {
        const at = random(other.length);
        other[at] = (other[at] ?? 0) ^ (n < 3 ? 1 << random(8) : random(256));
      }
      yield other;
    }
  }
}

test.each([
  ['integer', INTEGER, false, 48],
  ['vectors', FLOAT, false, 32],
  ['vectors, by MXCSR', FLOAT, true, 64],
] as const)('templates give what the lifter gives: %s', (_name, forms, preciseFloat, step) => {
  const cache = new TemplateCache(decode, tables, { preciseFloat });
  const wrong: string[] = [];
  let valid = 0;
  let same = 0;
  for (const code of variations(forms, step)) {
    const flags = STATES[valid % STATES.length] ?? START;
    const expected = lifted(code, flags, preciseFloat);
    const ours = assembled(cache, code, flags);
    if (expected !== undefined) valid++;
    if (ours === expected) same++;
    else if (ours !== undefined) wrong.push(`${hex(code)} ${JSON.stringify(flags)}: ${ours} not ${expected}`);
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  // What is left to the lifter is rare.
  expect(same / valid).toBeGreaterThan(0.95);
});

const AFTER_ADD: FlagState = { op: CC.ADD + 3, synced: false };
const AFTER_SUB: FlagState = { op: CC.SUB + 3, synced: false };

/** Why a template does not serve the second instruction of a pair, though the opcode is the same. */
describe('a template serves only what is lifted alike', () => {
  test.each([
    ['an immediate that the lifter looks at', '48c1e003', '48c1e000', START, START],
    ['the size of an immediate', '4805341200 00', '480578563412', START, START],
    ['the size of a displacement', '488b8334120000', '488b8378563412', START, START],
    ['no displacement', '488b4308', '488b4300', START, START],
    ['a register that the lifter looks at', '8f4008', '8f442408', START, START],
    ['ah, ch, dh and bh', '88c1', '88c4', START, START],
    ['a REX prefix', '88c4', '4088c4', START, START],
    ['the flags', '7205', '7205', AFTER_ADD, AFTER_SUB],
    ['flags that are in the register', '7205', '7205', AFTER_SUB, { ...AFTER_SUB, synced: true }],
  ] as const)('%s', (_name, first, second, flags1, flags2) => {
    const cache = new TemplateCache(decode, tables, {});
    const [one, two] = [first, second].map((text) => Buffer.from(text.replaceAll(' ', ''), 'hex')) as [Buffer, Buffer];
    const template = cache.find(windowOf(one), 0, PC, stateOf(flags1));
    const own = cache.find(windowOf(two), 0, PC, stateOf(flags2));
    const expected = lifted(two, flags2, false);
    expect(textOf(own, cache, flags2)).toBe(expected);
    // The first one's would be wrong.
    expect(textOf(template, cache, flags2)).not.toBe(expected);
  });
});

test('a snapshot gives the same templates, without making any', () => {
  const made = new TemplateCache(decode, tables, {});
  const codes = [...variations(INTEGER, 200)];
  const texts = codes.map((code) => assembled(made, code, START));
  const snapshot = made.snapshot();
  const kept = new TemplateCache(decode, tables, {}, snapshot);
  expect(codes.map((code) => assembled(kept, code, START))).toEqual(texts);
  expect(kept.snapshot()).toEqual(snapshot);
  // Of other bytecode: all are made anew.
  snapshot[0] = 0;
  expect(new TemplateCache(decode, tables, {}, snapshot).snapshot().length).toBeLessThan(made.snapshot().length);
});

test('the templates that the build makes are those that the program needs, and variations of them', () => {
  const file = readFileSync(join('examples', 'bin', 'hello-asm'));
  const snapshot = recordTemplates([file]);
  const kept = new TemplateCache(decode, tables, {}, snapshot);
  const known = kept.snapshot().length;
  const segment = parseElf(file, 'hello-asm').segments.find(({ flags }) => (flags & 1) !== 0);
  const entry = parseElf(file, 'hello-asm').entry - (segment?.address ?? 0) + (segment?.offset ?? 0);
  expect(kept.find(file, entry, PC, stateOf(START))).toBeGreaterThan(0);
  expect(kept.snapshot()).toHaveLength(known);
  // An instruction that the program has not.
  expect(kept.find(windowOf(Buffer.from('0fafc3', 'hex')), 0, PC, stateOf(START))).toBeGreaterThan(0);
  expect(kept.snapshot().length).toBeGreaterThan(known);
});

test('instructions that no program has can be given by themselves', () => {
  // setnz al: read after any flags; another register would have a template of its own.
  const insn = Buffer.from('0f95c0', 'hex');
  const bare = new TemplateCache(decode, tables, {}, recordTemplates([]));
  const given = new TemplateCache(decode, tables, {}, recordTemplates([], [insn]));
  for (const [cache, isMade] of [
    [bare, false],
    [given, true],
  ] as const) {
    const known = cache.snapshot().length;
    expect(cache.find(windowOf(insn), 0, PC, stateOf(START))).toBeGreaterThan(0);
    expect(cache.snapshot().length === known).toBe(isMade);
  }
});

test("the build's templates are there, for the default CPU model and no other", () => {
  const made = keptTemplates(cpuModel(DEFAULT_CPU));
  expect(made?.[0]).toBe(bytecodeFingerprint());
  expect(keptTemplates(cpuModel('Nehalem'))).toBeUndefined();
});
