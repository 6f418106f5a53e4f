/**
 * docs/instructions.md, from the instruction tables. In: the built tables (dist/) and the recorded vectors. Out: the page, written; with --check: exit code 1 when the committed one differs.
 * How an instruction is done is read off the IR of one sample of its row. usage: node scripts/instruction-page.js [--check], after npm run build.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';

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
const { coverage } = await load('tests/vectors/coverage.js');
const { fewReason, programReason, undefinedFlagNames, withoutReason } = await load('tests/vectors/exclusions.js');
const { formOf, tableForms } = await load('tests/vectors/table-forms.js');
const { ENGINES } = await load('tests/support/vector-check.js');
const { INTEGER_ROWS } = await load('tests/vectors/integer-forms.js');
const { CPU_FEATURES } = await load('src/engine/cpu-features.js');
const { HELPERS } = await load('src/ir/helpers.js');
const { EXC, EXIT } = await load('src/guest/cpu-state.js');

/** High enough for any displacement. */
const PC = 0xb000_0000;
const readerOf = (bytes) => ({ bytes, base: PC, readable: (at) => PC + bytes.length - at });

/** Helpers that are there for flags and faults, not for what the instruction does. */
const INCIDENTAL = new Set(['cc_compute_all', 'cc_compute_c', 'wild_jump', 'raise', 'kick', 'x87_check']);
const EXCEPTIONS = new Map([
  [EXC.DE, '#DE'],
  [EXC.INT1, '#DB'],
  [EXC.BP, '#BP'],
  [EXC.OF, '#OF'],
  [EXC.UD, '#UD'],
  [EXC.SS, '#SS'],
  [EXC.GP, '#GP'],
  [EXC.MF, '#MF'],
  [EXC.XM, '#XM'],
]);

/** One sample of each place of the row's operand: its bytes. */
function samplesOf(row) {
  const places = new Set(tableForms(row).map(({ place }) => place));
  const samples = new Map();
  // The first form is the row's in most cases; else one of many.
  for (const every of [1_000_000, 23, 7, 1]) {
    const strings = tableStrings([row], 1, every);
    for (let at = 0; at < strings.length && samples.size < places.size; at += STRIDE) {
      const bytes = strings.slice(at, at + STRIDE);
      const insn = decode(readerOf(bytes), PC);
      if (!isInsn(insn) || insn.row !== row) continue;
      const { place } = formOf(insn);
      if (!samples.has(place)) samples.set(place, { insn, bytes: bytes.slice(0, insn.length) });
    }
    if (samples.size === places.size) return [...samples.values()];
  }
  throw new Error(`no sample of '${row.enc}' ${row.mnemonic}`);
}

const irOf = ({ bytes }, options = {}) => translate(readerOf(bytes), PC, { maxInsns: 1, ...options });

/** Exceptions that the IR of the row's samples can raise, besides those that any instruction can. */
function exceptionsOf(row) {
  const found = new Set();
  for (const sample of samplesOf(row)) {
    const { ops } = irOf(sample, { preciseFloat: true, alignCheck: true });
    const helpers = ops.filter((op) => op.name === 'call').map((op) => HELPERS.get(String(op.imms[0])));
    const raised = ops
      .filter((op) => op.name === 'exit' && op.imms[0] === EXIT.EXCEPTION)
      .map((op) => op.imms[1] & 0xff);
    for (const vector of raised) found.add(EXCEPTIONS.get(vector) ?? `exception ${vector}`);
    if (ops.some((op) => op.name.startsWith('guard_')) || helpers.some((helper) => helper?.memory === true)) {
      found.add('#PF');
      const operands = sample.insn.operands.filter(({ kind }) => kind === 'mem' || kind === 'vsib');
      // A stack operand that has no name, or a base that may be rsp or rbp.
      if (operands.length === 0 || /(^|,)(E|W|Q|M|vm)/.test(row.operands)) found.add('#SS');
      if (operands.length > 0) found.add('#GP');
    }
    if (ops.some((op) => op.name === 'align_check')) found.add('#GP');
    for (const helper of helpers) {
      if (helper === undefined) continue;
      if (helper.name === 'check_aligned') found.add('#AC');
      else if (helper.name === 'wild_jump') found.add('#GP');
      else if (helper.name === 'raise') continue;
      else if (/^x87_/.test(helper.name) && helper.faults === true) found.add('#MF');
      else if (/^div|^idiv/.test(helper.name)) found.add('#DE');
      else if (helper.faults === true && helper.memory !== true) found.add('#XM');
    }
  }
  return [...found].sort().join(' ');
}

function howDone(row) {
  const { ops } = irOf(samplesOf(row)[0]);
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

const { forms: recorded, files, alone, within } = coverage();
const casesOf = (form) => recorded.get(form.key) ?? { alone: 0, within: 0 };
const integerRows = new Set(INTEGER_ROWS);

function notes(row) {
  const cases = tableForms(row).reduce((sum, form) => sum + casesOf(form).alone + casesOf(form).within, 0);
  const without = withoutReason(row);
  const few = fewReason(row);
  const flags = integerRows.has(row) ? undefinedFlagNames(row.mnemonic) : '';
  return [
    ...(row.attrs?.includes('privileged') === true && row.lift === undefined ? ['privileged: #GP in user code'] : []),
    ...(without === undefined ? [] : [`not recorded: ${without}`]),
    ...(without === undefined && programReason(row) !== undefined && cases > 0
      ? [`in programs: ${programReason(row)}`]
      : []),
    ...(few === undefined ? [] : [`few cases: ${few}`]),
    ...(flags === '' ? [] : [`undefined and not as on the processor: ${flags}`]),
  ].join('; ');
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('_', '\\_').replaceAll('*', '\\*');
const rows = allRows();
const forms = rows.flatMap((row) => tableForms(row));
const count = (form) => casesOf(form).alone + casesOf(form).within;
const number = (n) => n.toLocaleString('en-US');
const covered = rows.filter((row) => tableForms(row).some((form) => count(form) > 0)).length;
const full = forms.filter((form) => count(form) >= 100).length;
const notOffered = CPU_FEATURES.filter((f) => f.missing !== undefined).map((f) => f.name);
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
const ROLES = {
  'integer.txt.gz': ['general instructions, and programs of branches, selectors and far transfers', 'lifter-integer'],
  'x87.bin.gz': ['x87', 'x87-vectors'],
  'sse.txt.gz': ['MMX, SSE, SSE2', 'lifter-sse'],
  'sse-sequences.txt.gz': ['sequences of those', 'lifter-sse'],
  'sse4.txt.gz': ['SSE3 to SSE4.2, AES, PCLMULQDQ, SHA, and sequences', 'lifter-sse4'],
  'vex.txt.gz': ['AVX, AVX2, FMA, F16C, and sequences', 'lifter-vex'],
  'float.txt.gz': ['floating point under settings of MXCSR, and sequences', 'lifter-float'],
};
const fileLine = ([name, cases]) => {
  const [what, unit] = ROLES[name] ?? ['', ''];
  return line([name, what, number(cases), `${Math.ceil(statSync(`tests/vectors/${name}`).size / 1024)} KiB`, unit]);
};
const rowLine = (row) => {
  const own = tableForms(row);
  const sum = (kind) => own.reduce((all, form) => all + casesOf(form)[kind], 0);
  const least = Math.min(...own.map(count));
  const cells = [row.mnemonic, row.enc, row.operands, row.feature, howDone(row), exceptionsOf(row)];
  return line([...cells, own.length, sum('alone'), sum('within'), least, notes(row)]);
};
const page = `# Instructions

Written by \`npm run page\` from the rows in \`frontend/x86-64/insns/\` and the vectors in \`tests/vectors/\`: change those.

${number(rows.length)} rows, ${number(covered)} of them with vectors; they have ${number(forms.length)} forms (a row with its operand in a register or in memory, at one width), ${number(full)} of them with 100 cases or more.
CPU features that no model offers yet: ${notOffered.length === 0 ? 'none' : notOffered.map(cell).join(', ')}.

## Vectors

What a processor (an AMD EPYC) did: **${number(alone + within)} recorded cases**, all different: ${number(alone)} of one instruction, ${number(within)} of programs and sequences of several. Each engine runs all of them, and no case fails in any:
the tests compare registers, flags, memory, and of faults signal, si\\_code, si\\_addr and rip.

| engine | cases | failures |
| :----- | ----: | -------: |
${ENGINES.map((engine) => line([engine, number(alone + within), 0])).join('\n')}

| file | what | cases | size | unit test |
| :--- | :--- | ----: | ---: | :-------- |
${[...files].map(fileLine).join('\n')}

"As lifted" is IR without the optimiser; "optimised" goes through all passes, and in the compiler several accesses share a check. Exceptions of that rule: RCPPS, RSQRTPS and their relatives are held to the SDM's error bound, transcendental x87
functions to one unit of the last place, and of flags that the SDM leaves undefined those named in the notes are not compared; all others are as the processor leaves them.

## Rows

Encodings and operands are written as in Intel's manuals; \`frontend/x86-64/insn.ts\` explains them. *How*: "inline" is a sequence of operations on integers, "SIMD" one on WebAssembly's vectors, "helper" a function in
WebAssembly beside the translated code; an exception is what the instruction always raises in user code. *Exceptions*: what it can raise, besides what any can: #PF and #GP when it is fetched, #UD under a LOCK prefix that it does not take, #DB.
#GP stands for addresses that are not canonical, too, #SS for those on the stack, #AC for misaligned ones while the alignment check flag is set. *Forms*, *cases* of the instruction alone and of those within programs and sequences, and the
fewest that one of its forms has.

| instruction | encoding | operands | feature | how | exceptions | forms | alone | within | fewest | notes |
| :---------- | :------- | :------- | :------ | :-- | :--------- | ----: | ----: | -----: | -----: | :---- |
${rows.map(rowLine).join('\n')}
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
