/**
 * Random instruction sequences (branches, loops, calls, memory, all families of instructions mixed) in lift64's tiers against the host's processor: `node dist/tests/fuzz/sequence-fuzz.js [OPTIONS]`.
 * In: --seed N, --first N, --count N, --tier NAME[,NAME] (lifted, interp, compiled, compiled-lifted, templates; default all), --only N (that sequence alone, printed), --without PASS (an optimiser pass off),
 * --rotate (in each block another pass is off), --states N (a sequence is run on so many; default 3), --every TIER=N (that tier runs one block in N), --seconds N (stop after), --out DIRECTORY (where failures go as filetests; default tests/filetests/sequences), --no-shrink, --liftoff (V8 compiles as it likes).
 * Out: a progress line, what differs, made smaller and written as a filetest, a summary; exit 1 when anything differs. Needs an x86-64 host and gcc.
 */
import { loadDisassembler } from '../../src/engine/disassemble.js';
import { optimiseAllModules } from '../../src/engine/v8-flags.js';
import { PASSES } from '../../src/opt/pipeline.js';
import { SequenceMachine } from '../support/sequence-machine.js';
import { type Difference, differences, isAlike } from './sequences/compare.js';
import { isPrecise, makeSequence, type Sequence, slotAddress, SLOTS } from './sequences/generate.js';
import { SequenceHost } from './sequences/host.js';
import { readOptions } from './sequences/options.js';
import { describeDifference, writeFiletest } from './sequences/report.js';
import { ends, place, shrink } from './sequences/shrink.js';
import { Watchdog } from './sequences/watchdog.js';
import { TIER_NAMES, type TierName, tierOf } from './sequences/tiers.js';

const options = readOptions(process.argv.slice(2));
/** Sequences of a block: they share a run of the host, and a module when they are compiled. */
const BLOCK = SLOTS;
/** Differences that are made smaller; more are counted. */
const SHOWN = 20;

// Compiled code as in the compile worker: V8's optimising compiler at once.
if (options.optimisingCompiler) optimiseAllModules();

const disassemble = await loadDisassembler();
const host = new SequenceHost();
const machine = new SequenceMachine();
const watchdog = new Watchdog(`seed ${options.seed}`);
const tally = new Map<TierName, { sequences: number; differ: number; ms: number }>(
  options.tiers.map((t) => [t, { sequences: 0, differ: 0, ms: 0 }]),
);
const withoutTally = new Map<string, number>();
let hostMs = 0;
let generateMs = 0;
let unfinished = 0;
const signals = new Map<number, number>();

function passOff(block: number): string | undefined {
  if (options.without !== undefined) return options.without;
  return options.rotate ? [undefined, ...PASSES.map((p) => p.name)][block % (PASSES.length + 1)] : undefined;
}

function timed<T>(add: (ms: number) => void, fn: () => T): T {
  const start = performance.now();
  const result = fn();
  add(performance.now() - start);
  return result;
}

function report(tier: TierName, d: Difference, block: number): void {
  const without = passOff(block);
  const { number } = d.sequence;
  const command = `node dist/tests/fuzz/sequence-fuzz.js --seed ${options.seed} --only ${number} --tier ${tier}${without === undefined ? '' : ` --without ${without}`}`;
  console.log(`\nsequence ${number}, ${tier}: ${command}`);
  const config = tierOf(tier, block, d.sequence.preciseFloat, without);
  const attempt = (candidates: readonly Sequence[]): Difference[] => {
    const after = host.run(candidates);
    const kept = candidates.filter((_, i) => after[i] !== undefined && ends(after[i]));
    const expected = after.filter(ends);
    return differences(machine, config, kept, expected).filter((found) => isAlike(found, d));
  };
  const alone = place(d.sequence, 0) ?? d.sequence;
  const [again] = attempt([alone]);
  if (again === undefined) {
    console.log('  only among the others of its block:');
    console.log(describeDifference(d, disassemble));
    return;
  }
  const smallest = options.shrink ? (place(shrink(alone, attempt), 0) ?? alone) : alone;
  const [last] = attempt([smallest]);
  const after = host.run([smallest])[0]?.[0];
  console.log(describeDifference(last ?? again, disassemble));
  if (after !== undefined)
    console.log(
      `  written to ${writeFiletest(options.out, `seed ${options.seed}, sequence ${number}, ${tier}`, smallest, after, command, disassemble)}`,
    );
}

let shown = 0;
function runBlock(block: number, numbers: readonly number[]): void {
  const precise = isPrecise(options.seed, block);
  watchdog.note(-1);
  const all = timed(
    (ms) => (generateMs += ms),
    () => numbers.map((n) => makeSequence(options.seed, n, slotAddress(n % BLOCK), precise, options.states)),
  );
  const results = timed(
    (ms) => (hostMs += ms),
    () => host.run(all),
  );
  for (const { signal } of results.flat()) signals.set(signal, (signals.get(signal) ?? 0) + 1);
  const sequences = all.filter((_, i) => results[i] !== undefined && ends(results[i]));
  const expected = results.filter(ends);
  unfinished += all.length - sequences.length;
  if (options.only !== undefined) for (const s of sequences) console.log(disassemble(s.code, s.before.rip).join('\n'));
  for (const tier of options.tiers) {
    if (block % (options.every.get(tier) ?? 1) !== 0) continue;
    const t = tally.get(tier);
    if (t === undefined) continue;
    const without = passOff(block);
    const config = tierOf(tier, block, precise, without);
    const found = timed(
      (ms) => (t.ms += ms),
      () =>
        differences(machine, config, sequences, expected, (number) => {
          watchdog.note(number);
        }),
    );
    t.sequences += sequences.length;
    t.differ += found.length;
    if (without !== undefined && config.passes.length > 0)
      withoutTally.set(without, (withoutTally.get(without) ?? 0) + sequences.length);
    for (const d of found) if (shown++ < SHOWN) report(tier, d, block);
  }
}

const started = performance.now();
const seconds = (): number => (performance.now() - started) / 1000;
const progress = (): string =>
  `${[...tally].map(([tier, t]) => `${tier} ${t.sequences} (${t.differ} differ, ${Math.round(t.sequences / (t.ms / 1000 || 1))}/s)`).join(', ')}; host and generator ${Math.round(([...tally.values()][0]?.sequences ?? 0) / ((hostMs + generateMs) / 1000 || 1))}/s; ${Math.round(seconds())} s`;

if (options.only !== undefined) runBlock(Math.floor(options.only / BLOCK), [options.only]);
else {
  const last = options.first + options.count;
  for (let n = options.first; n < last && seconds() < options.seconds;) {
    const block = Math.floor(n / BLOCK);
    const end = Math.min(last, (block + 1) * BLOCK);
    runBlock(
      block,
      Array.from({ length: end - n }, (_, i) => n + i),
    );
    n = end;
    if (process.stderr.isTTY) process.stderr.write(`\r${progress()} `);
    else if (block % 20 === 0) console.log(progress());
  }
}
host.close();
console.log(`${process.stderr.isTTY ? '\n' : ''}seed ${options.seed}: ${progress()}`);
const interpreted = machine.interpreted;
console.log(
  `endings by signal: ${[...signals].map(([s, n]) => `${s}: ${n}`).join(', ')}; ${unfinished} did not end; ${machine.regions} regions; ${interpreted} instructions interpreted` +
    (withoutTally.size === 0 ? '' : `; with a pass off: ${[...withoutTally].map(([p, n]) => `${p} ${n}`).join(', ')}`),
);
if ([...tally.values()].some((t) => t.differ > 0)) process.exitCode = 1;
if (options.tiers.length === 0) throw new Error(`no tier: ${TIER_NAMES.join(', ')}`);
