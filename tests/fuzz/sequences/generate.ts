/**
 * Random instruction sequences, by seed and number. In: a seed, a number, the address. Out: a program, its code, the state before it, what is not compared.
 * The same seed and number give the same sequence, whatever else is run.
 */
import { CODE, type Ignored, type SequenceState } from '../../support/sequence-state.js';
import { seededRandom } from '../decoder-generate.js';
import { defineFlags } from './instructions.js';
import { assemble, type Item, type Program, readsDefinedFlags, undefinedFlags } from './program.js';
import { pick, type Random, Registers } from './registers.js';
import { type Family, GEN_ROWS, type GenRow } from './rows.js';
import { Structure } from './structure.js';
import { stateBefore } from './values.js';

/** Bytes between the addresses of sequences: the most that one takes. */
export const CODE_SLOT = 2048;

/** Sequences that there is room for. */
export const SLOTS = 511;

/** Address of the nth sequence: every second begins shortly before the end of a page. */
export const slotAddress = (n: number): number => CODE + 0x7c0 + CODE_SLOT * n;

export interface Sequence {
  readonly seed: number;
  readonly number: number;
  readonly program: Program;
  readonly code: Uint8Array;
  /** States that it is run on; the first names the address. */
  readonly before: SequenceState;
  readonly others: readonly SequenceState[];
  /** Floating point obeys MXCSR. */
  readonly preciseFloat: boolean;
}

const FAMILIES: readonly Family[] = ['integer', 'flags', 'x87', 'mmx', 'sse', 'vex', 'fma', 'bmi', 'system'];
/** How often a family's rows come, of a hundred, where a sequence has them at all. */
const WEIGHTS: Readonly<Record<Family, number>> = {
  integer: 60,
  flags: 30,
  x87: 25,
  mmx: 12,
  sse: 40,
  vex: 40,
  fma: 12,
  bmi: 15,
  system: 3,
  stack: 0,
};

const byFamily = new Map(FAMILIES.map((family) => [family, GEN_ROWS.filter((g) => g.family === family)]));

function families(random: Random): (readonly [Family, number])[] {
  const list = FAMILIES.filter((f) => random(f === 'integer' || f === 'flags' ? 4 : 2) > 0).map(
    (f) => [f, WEIGHTS[f] * (1 + random(4))] as const,
  );
  return list.length > 0 ? list : [['integer', 1]];
}

function chooser(random: Random): () => GenRow {
  const chosen = families(random);
  const total = chosen.reduce((sum, [, weight]) => sum + weight, 0);
  return () => {
    let n = random(total);
    const [family] = chosen.find(([, weight]) => (n -= weight) < 0) ?? ['integer'];
    return pick(random, byFamily.get(family) ?? []);
  };
}

/** Puts something that defines the flags before each instruction that would read an undefined one. */
function withDefinedFlags(program: Program, r: Registers): Program {
  for (let now = program; ;) {
    const { before } = undefinedFlags(now);
    const at = now.findIndex((item, i) => item.kind === 'insn' && (item.flags.reads & (before[i] ?? 0)) !== 0);
    if (at < 0) return now;
    now = [...now.slice(0, at), defineFlags(r, r.random), ...now.slice(at)];
  }
}

/** Mixes seed and number into one. */
const mix = (seed: number, n: number, attempt: number): number =>
  (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca77) ^ Math.imul(attempt, 0xc2b2ae3d)) >>> 0;

/** @param states states that it is run on */
export function makeSequence(seed: number, n: number, at: number, preciseFloat: boolean, states = 1): Sequence {
  for (let attempt = 0; ; attempt++) {
    const random = seededRandom(mix(seed, n, attempt));
    const r = new Registers(random, random(3) === 0 ? 8 : 0);
    const before = stateBefore(r, at, preciseFloat);
    const structure = new Structure(r, { row: chooser(random), preciseFloat });
    const program = withDefinedFlags(structure.program(10 + Math.min(random(51), random(51))), r);
    const code = assemble(program, at, CODE_SLOT);
    if (code === undefined) continue;
    const others = Array.from({ length: states - 1 }, () => stateBefore(r, at, preciseFloat));
    return { seed, number: n, program, code, before, others, preciseFloat };
  }
}

/** `s` with other items, at the same place; undefined where they can't stand alone. */
export function withProgram(s: Sequence, program: readonly Item[]): Sequence | undefined {
  if (!readsDefinedFlags(program)) return undefined;
  const code = assemble(program, s.before.rip, CODE_SLOT);
  return code === undefined ? undefined : { ...s, program, code };
}

const SIGTRAP = 5;

/** What is not compared of a state after `s`. */
export function ignoredAfter(s: Sequence, after: SequenceState): Ignored {
  const { atEnd, anywhere } = undefinedFlags(s.program);
  return { flags: after.signal === SIGTRAP ? atEnd : anywhere, mxcsrFlags: !s.preciseFloat };
}

/** A third of the blocks of sequences have floating point that obeys MXCSR. */
export const isPrecise = (seed: number, block: number): boolean => mix(seed, block, 7) % 3 === 0;
