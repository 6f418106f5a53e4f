/**
 * Random IR programs, compiled and interpreted: the same globals, memory, exit reason and rip. Every TB heads a region of its own that holds all TBs.
 */
import { describe, expect, test } from '@jest/globals';
import { REGION_PASSES } from '../../backend-wasm/compiler/region-passes.js';
import { CPU, EXIT, GPR_NAMES } from '../../src/guest/cpu-state.js';
import { PERM } from '../../src/guest/memory-map.js';
import { printTb } from '../../src/ir/print.js';
import type { Tb } from '../../src/ir/types.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';
import { IrMachine, type RegionFunction } from '../support/ir-machine.js';
import { BUFFER, generator, PROGRAM_FUEL, PROGRAM_PC, randomProgram } from '../support/ir-programs.js';

const PROGRAMS = 200;
const BATCH = 20;

const machine = new IrMachine();
machine.allow(BUFFER, PERM.R | PERM.W | PERM.RFAST);
machine.allow(BUFFER + 4096, PERM.R);

/** What a run leaves behind. */
interface Result {
  readonly end: string;
  readonly globals: Record<string, bigint>;
  readonly memory: string;
}

function start(seed: number): void {
  const random = generator(seed ^ 0x5555);
  const word = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  for (const name of GPR_NAMES) machine.set(name, word());
  for (const name of ['cc_dst', 'cc_src']) machine.set(name, word());
  machine.set('rbp', BigInt(BUFFER));
  machine.set('r15', PROGRAM_FUEL);
  machine.set('cc_op', 7n);
  for (const name of ['xmm0', 'xmm1']) machine.set(name, (word() << 64n) | word());
  machine.views.u8.fill(0x5a, BUFFER, BUFFER + 8192);
  machine.setI32(CPU.EXIT_ARG0, 0);
  machine.views.u8.fill(0, machine.cpu + CPU.JUMP_CACHE, machine.cpu + 0x10000);
}

function finish(reason: number): Result {
  const left = reason === 0 || reason === EXIT.TRANSLATE;
  return {
    end: `${left ? 'left' : `exit ${reason} ${machine.i64(CPU.EXIT_ARG0)}`} at 0x${machine.get('rip').toString(16)}`,
    globals: machine.globals(),
    memory: Buffer.from(machine.views.u8.slice(BUFFER, BUFFER + 8192)).toString('hex'),
  };
}

function interpreted(seed: number, tbs: readonly Tb[]): Result {
  start(seed);
  return finish(machine.runInterpreted(...tbs));
}

function compiled(seed: number, regions: ReadonlyMap<number, RegionFunction>): Result {
  start(seed);
  machine.setI32(CPU.EXIT_REASON, 0);
  machine.set('rip', BigInt(PROGRAM_PC));
  for (;;) {
    const run = regions.get(Number(machine.get('rip')));
    if (run === undefined) return finish(0);
    const reason = run(machine.cpu);
    if (reason !== 0) return finish(reason);
  }
}

let closeLooks = 0;

describe.each([
  ['as built', (tb: Tb) => tb],
  ['optimised', (tb: Tb) => optimise(tb, PASSES)],
] as const)('programs %s', (_what, prepare) => {
  // The last batches have found bugs.
  const batches = [...Array.from({ length: PROGRAMS / BATCH }, (_, i) => i * BATCH), 1200, 1460];
  test.each(batches)('seeds from %d', (first) => {
    const programs = Array.from({ length: BATCH }, (_, i) => randomProgram(first + i).map(prepare));
    const all = programs.flatMap((tbs) => tbs.map((tb) => ({ head: tb.pc, tbs: new Map(tbs.map((t) => [t.pc, t])) })));
    const functions = machine.compile(all);
    const plain = machine.compile(all, undefined, undefined, { plainGuards: true });
    for (const [i, tbs] of programs.entries()) {
      const seed = first + i;
      const want = interpreted(seed, tbs);
      const [got, gotPlain] = [functions, plain].map((list) => {
        const own = list.splice(0, tbs.length);
        return compiled(seed, new Map(tbs.map((tb, n) => [tb.pc, own[n] as RegionFunction])));
      });
      try {
        expect(gotPlain).toEqual(want);
        // The interpreter would go on there.
        if (got?.end.startsWith(`exit ${EXIT.CLOSE_LOOK} `) !== true) expect(got).toEqual(want);
        else closeLooks++;
      } catch (e) {
        throw new Error(`seed ${seed}\n${tbs.flatMap((tb) => printTb(tb)).join('\n')}\n${String(e)}`);
      }
    }
  });
});

test.each(REGION_PASSES)('programs without %s', (pass) => {
  const programs = Array.from({ length: BATCH }, (_, i) => randomProgram(i).map((tb) => optimise(tb, PASSES)));
  for (const [seed, tbs] of programs.entries()) {
    const heads = tbs.map((tb) => ({ head: tb.pc, tbs: new Map(tbs.map((t) => [t.pc, t])) }));
    const functions = machine.compile(heads, undefined, undefined, { disabled: [pass] });
    const got = compiled(seed, new Map(tbs.map((tb, n) => [tb.pc, functions[n] as RegionFunction])));
    if (!got.end.startsWith(`exit ${EXIT.CLOSE_LOOK} `)) expect(got).toEqual(interpreted(seed, tbs));
  }
});

test('the programs take every kind of end', () => {
  // Of some 440 programs, twice each.
  expect(closeLooks).toBeGreaterThan(0);
  expect(closeLooks).toBeLessThan(200);
  const ends = new Set<string>();
  for (let seed = 0; seed < PROGRAMS; seed++)
    ends.add(
      interpreted(seed, randomProgram(seed))
        .end.replace(/ at .*/, '')
        .replace(/ \d+$/, ''),
    );
  expect([...ends].sort()).toEqual(['exit 10', 'exit 5', 'left'].sort());
});
