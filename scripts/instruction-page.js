/**
 * docs/instructions.md, from the instruction tables. In: the built tables (dist/) and the recorded vectors. Out: the page, written; with --check: exit code 1 when the committed one differs.
 * How an instruction is done is read off the IR of one sample of its row. usage: node scripts/instruction-page.js [--check], after npm run build.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const PAGE = 'docs/instructions.md';
const DIST = new URL('../dist/', import.meta.url);
if (!existsSync(new URL('frontend/x86-64/decoder.js', DIST))) {
  console.error('instruction-page: dist/ is not built (npm run build)');
  process.exit(1);
}
const load = (path) => import(new URL(path, DIST).href);
const { allRows, decode, isInsn } = await load('frontend/x86-64/decoder.js');
const { translate } = await load('frontend/x86-64/translate.js');
const { tableStrings, STRIDE } = await load('tests/fuzz/decoder-generate.js');
const { parseVectors } = await load('tests/support/vectors.js');
const { parseIntegerVectors } = await load('tests/support/integer-vectors.js');
const { RECORD_SIZE, X87Record } = await load('tests/support/x87-records.js');
const { exclusionOf, INTEGER_ROWS, undefinedFlagNames } = await load('tests/vectors/integer-forms.js');
const { CPU_FEATURES } = await load('src/engine/cpu-features.js');
const { notOffered } = await load('tests/fuzz/decoder-exceptions.js');
const { icedOpCodes } = await load('tests/fuzz/iced-samples.js');
const { EXC, EXIT } = await load('src/guest/cpu-state.js');

const PC = 0x1000;
const readerOf = (bytes) => ({ bytes, base: PC, readable: (at) => PC + bytes.length - at });

/** Helpers that are there for flags and faults, not for what the instruction does. */
const INCIDENTAL = new Set(['cc_compute_all', 'cc_compute_c', 'wild_jump', 'raise', 'kick', 'x87_check']);
const EXCEPTIONS = new Map([
  [EXC.UD, '#UD'],
  [EXC.GP, '#GP'],
  [EXC.BP, '#BP'],
  [EXC.INT1, '#DB'],
]);

/** The IR of one sample. */
function sampleOf(row) {
  // The first form is the row's in most cases; else one of many.
  for (const every of [1_000_000, 7]) {
    const strings = tableStrings([row], 1, every);
    for (let at = 0; at < strings.length; at += STRIDE) {
      const bytes = strings.slice(at, at + STRIDE);
      const insn = decode(readerOf(bytes), PC);
      if (isInsn(insn) && insn.row === row)
        return translate(readerOf(bytes.slice(0, insn.length)), PC, { maxInsns: 1 });
    }
  }
  throw new Error(`no sample of '${row.enc}' ${row.mnemonic}`);
}

function howDone(row) {
  const { ops } = sampleOf(row);
  const last = ops.at(-1);
  if (last?.name === 'exit' && ops.every((op) => !/^g(ld|st)|^mov_/.test(op.name))) {
    const [reason, argument] = last.imms;
    if (reason === EXIT.UNIMPLEMENTED) return 'not yet';
    if (reason === EXIT.EXCEPTION) return EXCEPTIONS.get(argument & 0xff) ?? 'exception';
    if (reason === EXIT.SYSCALL) return 'system call';
  }
  const helpers = [...new Set(ops.filter((op) => op.name === 'call').map((op) => String(op.imms[0])))].filter(
    (name) => !INCIDENTAL.has(name),
  );
  const isSimd = ops.some((op) => /^v_|v128/.test(op.name));
  const kinds = [...(isSimd ? ['SIMD'] : []), ...(helpers.length > 0 ? [`helper ${helpers.join(', ')}`] : [])];
  return kinds.length === 0 ? 'inline' : kinds.join(', ');
}

/** Recorded cases by row; a sequence counts for each of its instructions. */
const recorded = new Map();
function count(code, cases) {
  for (let at = 0; at < code.length;) {
    const insn = decode(readerOf(code.subarray(at)), PC);
    if (!isInsn(insn)) return;
    recorded.set(insn.row, (recorded.get(insn.row) ?? 0) + cases);
    at += insn.length;
  }
}
const content = (name) => {
  const bytes = readFileSync(`tests/vectors/${name}`);
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
};
for (const name of readdirSync('tests/vectors').sort()) {
  if (name === 'integer.txt.gz') {
    for (const { code, cases } of parseIntegerVectors(readFileSync(`tests/vectors/${name}`))) count(code, cases.length);
  } else if (name === 'x87.bin.gz') {
    const data = content(name);
    for (let at = 0; at < data.length; at += RECORD_SIZE)
      count(new X87Record(data.subarray(at, at + RECORD_SIZE)).code, 1);
  } else if (/\.txt(\.gz)?$/.test(name)) {
    for (const { code, cases } of parseVectors(content(name).toString()).forms) count(code, cases.length);
  }
}

const integerRows = new Set(INTEGER_ROWS);
function notes(row) {
  if (row.attrs?.includes('privileged') === true && row.lift === undefined) return 'privileged: #GP in user code';
  const reason = integerRows.has(row) ? exclusionOf(row) : undefined;
  const flags = integerRows.has(row) ? undefinedFlagNames(row.mnemonic) : '';
  return [
    ...(reason === undefined ? [] : [`vectors: ${reason}`]),
    ...(flags === '' ? [] : [`undefined and not as on a processor: ${flags}`]),
  ].join('; ');
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('_', '\\_').replaceAll('*', '\\*');
const rows = allRows();
const cases = rows.reduce((sum, row) => sum + (recorded.get(row) ?? 0), 0);
const covered = rows.filter((row) => recorded.has(row)).length;
const unfinished = CPU_FEATURES.filter((f) => f.missing !== undefined).map((f) => f.name);
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;

/** More mnemonics than these are a number. */
const MAX_NAMED = 16;
const opCodes = icedOpCodes();
function mnemonicsOf(feature) {
  const names = [...new Set(opCodes.filter((o) => o.features.includes(feature)).map((o) => o.mnemonic))];
  return names.length > MAX_NAMED ? `${names.length} mnemonics` : names.join(', ');
}
const leftOut = notOffered.flatMap(({ group, features, source }) =>
  features.split(' ').map((feature) => [feature, mnemonicsOf(feature), group, source]),
);

const page = `# Instructions

Written by \`npm run page\` from the rows in \`frontend/x86-64/insns/\` and the vectors in \`tests/vectors/\`: change those.

${rows.length} rows, ${covered} of them with vectors, ${cases} recorded cases (a sequence of instructions counts for each of them).
CPU features that no model offers yet: ${unfinished.length === 0 ? 'none' : unfinished.map(cell).join(', ')}.

Encodings and operands are written as in Intel's manuals; \`frontend/x86-64/insn.ts\` explains them. *How*: "inline" is a sequence of operations on integers, "SIMD" one on WebAssembly's vectors, "helper" a function in
WebAssembly beside the translated code; an exception is what the instruction raises in user code.

| instruction | encoding | operands | feature | how | vectors | notes |
| :---------- | :------- | :------- | :------ | :-- | ------: | :---- |
${rows.map((r) => line([r.mnemonic, r.enc, r.operands, r.feature, howDone(r), recorded.get(r) ?? 0, notes(r)])).join('\n')}

## Not offered

CPUID reports none of these, and what they encode is #UD (SIGILL), as on a processor without them; those that stand in reserved NOPs do nothing. Libraries hold some of it behind checks of CPUID:
\`node dist/tests/fuzz/binary-sweep.js\` lists what Debian's do. The names are those of iced-x86, whose tables the list is checked against (\`tests/unit/not-offered.test.ts\`).

| feature | instructions | group | source |
| :------ | :----------- | :---- | :----- |
${leftOut.map(line).join('\n')}
`;
if (process.argv.includes('--check')) {
  if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page) {
    console.error(`${PAGE} is not what the instruction tables and vectors say: npm run build && npm run page`);
    process.exit(1);
  }
} else {
  mkdirSync('docs', { recursive: true });
  writeFileSync(PAGE, page);
}
