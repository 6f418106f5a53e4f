/**
 * Disassembles programs and libraries and lists what has no row or no lifter: `node dist/tests/fuzz/binary-sweep.js [--brief] [FILE...]`. In: ELF files; without any, a list of Debian's, as far as they are installed.
 * Out: on stdout a line a file, then each form that is not run, by CPU feature, with its count and one address; --brief: a line a feature. Exit status 1 if a form has no row and is no part of a feature that
 * lift64 leaves out on purpose (decoder-exceptions.ts), has no lifter, or is not what iced-x86 says. Counts of bytes that may be data stand in brackets and do not matter to the status.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { CLASSES, sweepCode, type Finding, type Sweep } from './code-sweep.js';
import { missingFeatures } from './decoder-exceptions.js';
import { readElfCode } from './elf-code.js';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
/** Names of libraries, up to their '.so'. */
const LIBRARY_NAMES =
  'libc libm libcrypto libssl libstdc++ libpython3.11 libperl libsqlite3 libz libzstd liblzma libgmp libavcodec libavformat libavutil libavfilter libswscale libswresample libx264 libx265 libdav1d libvpx'.split(
    ' ',
  );
/** The path of one of gcc's programs; its name where there is no gcc. */
function gccProgram(name: string): string {
  const { status, stdout } = spawnSync('gcc', [`-print-prog-name=${name}`], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : name;
}

const PROGRAMS = [
  ...'bash python3 perl sqlite3 git redis-server openssl xz gzip zstd gawk mawk bc jq busybox sort sha256sum ls cp od factor'
    .split(' ')
    .map((name) => `/usr/bin/${name}`),
  '/usr/sbin/nginx',
  ...['cc1', 'cc1plus'].map(gccProgram),
  process.execPath,
];

/** The files that are here, and the names of those that are not. */
function defaultFiles(): { files: string[]; absent: string[] } {
  const here = existsSync(LIBRARIES) ? readdirSync(LIBRARIES) : [];
  const libraries = LIBRARY_NAMES.map((name) => ({
    name,
    file: here.find((entry) => entry.startsWith(`${name}.so.`)),
  }));
  const programs = PROGRAMS.filter((file) => existsSync(file)).map((file) => realpathSync(file));
  return {
    files: [
      ...new Set([
        ...libraries.flatMap(({ file }) => (file === undefined ? [] : [realpathSync(join(LIBRARIES, file))])),
        ...programs,
      ]),
    ],
    absent: [
      ...libraries.flatMap(({ name, file }) => (file === undefined ? [name] : [])),
      ...PROGRAMS.filter((file) => !existsSync(file)).map((file) => basename(file)),
    ],
  };
}

interface Total {
  readonly kind: Finding['kind'];
  readonly feature: string;
  readonly form: string;
  /** Of code, and of bytes that may be data. */
  sure: number;
  unsure: number;
  where: string;
  whereIsSure: boolean;
}

const { values, positionals } = parseArgs({
  options: { brief: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const { files, absent } = positionals.length > 0 ? { files: positionals, absent: [] } : defaultFiles();

const totals = new Map<string, Total>();
const byFeature = new Map<string, number>();
const sums = { function: 0, flow: 0, unreached: 0 };

function add(file: string, sweep: Sweep): void {
  for (const codeClass of CLASSES) sums[codeClass] += sweep.instructions[codeClass];
  for (const [feature, count] of sweep.byFeature) byFeature.set(feature, (byFeature.get(feature) ?? 0) + count);
  for (const { kind, feature, form, count, first } of sweep.findings) {
    const key = `${kind} ${feature} ${form}`;
    const total = totals.get(key) ?? { kind, feature, form, sure: 0, unsure: 0, where: '', whereIsSure: false };
    totals.set(key, total);
    total.sure += count.function + count.flow;
    total.unsure += count.unreached;
    const isSure = first.class !== 'unreached';
    if (total.where === '' || (isSure && !total.whereIsSure)) {
      total.where = `${basename(file)} 0x${first.address.toString(16)} ${first.section}`;
      total.whereIsSure = isSure;
    }
  }
}

for (const file of files) {
  const sweep = sweepCode(readElfCode(readFileSync(file)));
  add(file, sweep);
  const { function: inFunctions, flow, unreached } = sweep.instructions;
  console.log(
    `${basename(file)}: ${inFunctions} instructions in functions, ${flow} more by flow (${sweep.brokenFunctions} functions do not decode as a whole, ${sweep.droppedTraces} traces dropped); ` +
      `not reached: ${unreached}, and ${sweep.noInstruction} bytes that are no instruction`,
  );
}
if (absent.length > 0) console.log(`not here: ${absent.join(', ')}`);
console.log(
  `together: ${sums.function + sums.flow} instructions of code, ${sums.unreached} that may be data\nby feature of the row: ${[
    ...byFeature,
  ]
    .sort(([, a], [, b]) => b - a)
    .map(([feature, count]) => `${feature} ${count}`)
    .join(', ')}`,
);

const counted = (sure: number, unsure: number): string => `${sure}${unsure > 0 ? ` (and ${unsure})` : ''}`;

function list(title: string, entries: readonly Total[]): void {
  if (entries.length === 0) return;
  const sum = (pick: 'sure' | 'unsure'): number => entries.reduce((n, entry) => n + entry[pick], 0);
  console.log(`${title}: ${entries.length} forms, ${counted(sum('sure'), sum('unsure'))} instructions`);
  if (values.brief) return;
  for (const entry of [...entries].sort((a, b) => b.sure - a.sure || b.unsure - a.unsure))
    console.log(`  ${entry.form}: ${counted(entry.sure, entry.unsure)}, ${entry.where}`);
}

const all = [...totals.values()];
const isLeftOut = (entry: Total): boolean => entry.kind === 'no-row' && missingFeatures.has(entry.feature);
const problems = all.filter((entry) => !isLeftOut(entry));
for (const kind of ['no-row', 'no-lifter', 'different'] as const)
  list(
    kind,
    problems.filter((entry) => entry.kind === kind),
  );
for (const group of new Set(missingFeatures.values())) {
  const ofGroup = all.filter((entry) => isLeftOut(entry) && missingFeatures.get(entry.feature) === group);
  for (const feature of new Set(ofGroup.map((entry) => entry.feature)))
    list(
      `not offered, ${group}: ${feature}`,
      ofGroup.filter((entry) => entry.feature === feature),
    );
}
const bad = problems.filter((entry) => entry.sure > 0);
console.log(`without a row, a lifter or agreement: ${bad.length} forms`);
if (bad.length > 0) process.exitCode = 1;
