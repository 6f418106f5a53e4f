/**
 * What instructions leave WebAssembly for JavaScript: none of the arithmetic, moves, compares, shuffles, AES, conversions and so on, in any of their forms; those that do are listed here.
 * By inspection: the IR of samples of every row has no exit but those of exceptions, the code compiled from it imports functions of the core alone, and none of those calls a function that is JavaScript's.
 */
import { describe, expect, test } from '@jest/globals';
import binaryen from 'binaryen';
import { readFileSync } from 'node:fs';
import { allRows, decode, isInsn } from '../../frontend/x86-64/decoder.js';
import type { InsnRow } from '../../frontend/x86-64/insn.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { EXIT } from '../../src/guest/cpu-state.js';
import type { Tb } from '../../src/ir/types.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';
import { STRIDE, tableStrings } from '../fuzz/decoder-generate.js';
import { codeReader } from '../support/insn-machine.js';

const PC = 0x40_0000;
/** Forms of a row that are looked at: one in so many, and few enough that the compiler takes seconds. */
const EVERY = 211;
const MOST = 2;
const REGIONS_OF_A_MODULE = 300;

/** Instructions that leave for JavaScript when they run, and why. */
const LEAVES = {
  syscall: 'the kernel is in JavaScript, as it is for INT 0x80',
  'rdtsc rdtscp': 'the time comes from the host',
  'rdrand rdseed': 'random numbers come from the host',
};
/** Those that do as long as MXCSR has not been loaded. */
const LEAVES_AT_FIRST = { 'ldmxcsr vldmxcsr fxrstor fxrstor64 xrstor xrstor64': 'all code is translated anew' };

interface Sample {
  readonly row: InsnRow;
  readonly tb: Tb;
}

function samplesOf(row: InsnRow, preciseFloat: boolean): Sample[] {
  const samples: Sample[] = [];
  const strings = tableStrings([row], 1, EVERY);
  for (let at = 0; at < strings.length && samples.length < MOST; at += STRIDE) {
    const bytes = strings.slice(at, at + STRIDE);
    const insn = decode(codeReader(bytes, PC), PC);
    if (!isInsn(insn) || insn.row !== row) continue;
    const tb = translate(codeReader(bytes.slice(0, insn.length), PC), PC, { maxInsns: 1, preciseFloat });
    samples.push({ row, tb: optimise(tb, PASSES) });
  }
  return samples;
}

/** Functions of the core that call JavaScript's, by what is exported; the dispatcher is not among what instructions call. */
function coreFunctions(): { exported: Set<string>; toJs: Set<string> } {
  const wasm = readFileSync('dist/core.wasm');
  const m = binaryen.readBinary(wasm);
  const text = m.emitText();
  m.dispose();
  const callers = new Map<string, Set<string>>();
  const exportsOf = new Map<string, string[]>();
  const reached = new Set<string>();
  let inside = '';
  for (const line of text.split('\n')) {
    const imported = /^\s*\(import "env" "\w+" \(func (\$\S+)/.exec(line)?.[1];
    if (imported !== undefined) reached.add(imported);
    const exported = /^\s*\(export "(\w+)" \(func (\$[^)]+)\)\)/.exec(line);
    if (exported !== null)
      exportsOf.set(exported[2] ?? '', [...(exportsOf.get(exported[2] ?? '') ?? []), exported[1] ?? '']);
    inside = /^\s*\(func (\$\S+)/.exec(line)?.[1] ?? inside;
    const called = /\((?:return_)?call (\$[^\s)]+)/.exec(line)?.[1];
    if (called !== undefined) callers.set(called, (callers.get(called) ?? new Set()).add(inside));
  }
  for (const name of reached) for (const caller of callers.get(name) ?? []) reached.add(caller);
  const names = (functions: Iterable<string>): string[] => [...functions].flatMap((f) => exportsOf.get(f) ?? []);
  return { exported: new Set(names(exportsOf.keys())), toJs: new Set(names(reached)) };
}

const core = coreFunctions();

/** Why the instruction leaves, as its IR says; undefined where it does not. */
function leaves({ tb }: Sample): string | undefined {
  for (const op of tb.ops) {
    if (op.name === 'call' && core.toJs.has(String(op.imms[0]))) return `calls ${String(op.imms[0])}`;
    if (op.name === 'exit' && op.imms[0] !== EXIT.EXCEPTION) return `exit ${String(op.imms[0])}`;
  }
  return undefined;
}

describe.each([false, true])('instructions stay in WebAssembly, MXCSR loaded: %s', (preciseFloat) => {
  const samples = allRows().flatMap((row) => samplesOf(row, preciseFloat));
  const lists = Object.keys({ ...LEAVES, ...(preciseFloat ? {} : LEAVES_AT_FIRST) });
  const expected = new Set(lists.flatMap((names) => names.split(' ')));

  test('those that leave are those of the list', () => {
    const found = new Map<string, string>();
    for (const sample of samples) {
      const why = leaves(sample);
      if (why !== undefined) found.set(sample.row.mnemonic, why);
    }
    expect(new Set(found.keys())).toEqual(expected);
  });

  test('the code that is compiled calls the core alone, and nothing of it that calls JavaScript', () => {
    const staying = samples.filter((sample) => !expected.has(sample.row.mnemonic));
    expect(staying.length).toBeGreaterThan(2000);
    const imported = new Set<string>();
    for (let at = 0; at < staying.length; at += REGIONS_OF_A_MODULE) {
      const regions = staying
        .slice(at, at + REGIONS_OF_A_MODULE)
        .map(({ tb }) => ({ head: tb.pc, tbs: new Map([[tb.pc, tb]]) }));
      const { bytes } = compileModule(regions, () => 1);
      for (const { module, name, kind } of WebAssembly.Module.imports(new WebAssembly.Module(bytes)))
        if (kind === 'function') imported.add(`${module}.${name}`);
    }
    const names = [...imported].map((name) => name.replace(/^core\./, ''));
    expect(names.filter((name) => !core.exported.has(name))).toEqual([]);
    expect(names.filter((name) => core.toJs.has(name))).toEqual([]);
  });
});

test('the check can fail: helpers that call JavaScript are known', () => {
  expect(core.exported.size).toBeGreaterThan(100);
  expect(core.toJs.size).toBeGreaterThan(1);
  expect(core.toJs.size).toBeLessThan(12);
});
