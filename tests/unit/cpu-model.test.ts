/** CPU models: what -cpu accepts, and that CPUID, AT_HWCAP, the flags of /proc/cpuinfo and the decoder's rows agree. */
import { describe, expect, test } from '@jest/globals';
import { allRows, isInsn, mnemonicOf, rowKey } from '../../frontend/x86-64/decoder.js';
import { UsageError } from '../../src/base/errors.js';
import { CPU_FEATURES, type CpuFeature, UNGATED_ROWS } from '../../src/engine/cpu-features.js';
import { cpuHelp, cpuModel, DEFAULT_CPU } from '../../src/engine/cpu-model.js';
import { cpuidLeaves, hwcap, hwcap2, xcr0 } from '../../src/engine/cpuid-leaves.js';
import { illegalInsn } from '../../src/engine/illegal-insn.js';
import { modelDecoder } from '../../src/engine/model-decoder.js';
import { CPUID_MAX } from '../../src/guest/memory-map.js';
import { codeReader } from '../support/insn-machine.js';

const FEATURES: readonly CpuFeature[] = CPU_FEATURES;
const MODELS = ['qemu64', 'Nehalem', 'Haswell', 'max'] as const;
const PC = 0x1000;

/** What the model makes of the bytes: a mnemonic, or why they are none. */
function decoded(spec: string, hexBytes: string): string {
  const insn = modelDecoder(cpuModel(spec))(codeReader(Uint8Array.from(Buffer.from(hexBytes, 'hex')), PC), PC);
  return isInsn(insn) ? mnemonicOf(insn) : insn.kind;
}

describe.each(MODELS)('%s', (name) => {
  const model = cpuModel(name);

  test('each feature bit is set when, and only when, the feature is in the list', () => {
    const leaves = cpuidLeaves(model);
    for (const { name: feature, at } of FEATURES) {
      if (at === undefined) continue;
      const leaf = leaves.find((l) => l.leaf === at.leaf && (l.subleaf === -1 || l.subleaf === at.subleaf));
      const isSet = leaf !== undefined && ((leaf[at.register] >>> at.bit) & 1) === 1;
      expect([feature, isSet]).toEqual([feature, model.features.includes(feature)]);
    }
  });

  test('nothing is offered that is not complete, or that lacks what it needs', () => {
    for (const feature of FEATURES.filter((f) => model.features.includes(f.name))) {
      expect([feature.name, feature.missing]).toEqual([feature.name, undefined]);
      for (const needed of feature.needs ?? []) expect(model.features).toContain(needed);
    }
  });

  test('leaves: none twice, none beyond the highest, few enough', () => {
    const leaves = cpuidLeaves(model);
    const keys = leaves.map((l) => `${l.leaf}/${l.subleaf}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(leaves.length).toBeLessThanOrEqual(CPUID_MAX);
    const top = leaves[0]?.eax ?? 0;
    for (const { leaf } of leaves) expect(leaf <= top || (leaf >= 0x8000_0000 && leaf <= 0x8000_0008)).toBe(true);
  });

  test('AT_HWCAP is CPUID(1).EDX; XCR0 follows from XSAVE and AVX', () => {
    expect(hwcap(model)).toBe(cpuidLeaves(model).find((l) => l.leaf === 1)?.edx);
    expect(hwcap2(model)).toBe(model.features.includes('fsgsbase') ? 2 : 0);
    const [xsave, avx] = ['xsave', 'avx'].map((f) => model.features.includes(f));
    expect(xcr0(model)).toBe(xsave === true ? (avx === true ? 7 : 3) : 0);
  });
});

test('every row belongs to a feature, or to every processor', () => {
  const known = new Set<string>([...UNGATED_ROWS, ...FEATURES.flatMap((f) => f.rows ?? [])]);
  expect(
    allRows()
      .filter((row) => !known.has(row.feature))
      .map(rowKey),
  ).toEqual([]);
});

test('a later model has all of an earlier one', () => {
  const lists = MODELS.map((m) => cpuModel(m).features);
  lists.slice(1).forEach((list, i) => {
    expect(list).toEqual(expect.arrayContaining([...(lists[i] ?? [])]));
  });
});

test('features are switched on and off by Linux names and QEMU names', () => {
  expect(cpuModel('max,-popcnt').features).not.toContain('popcnt');
  expect(cpuModel('max,popcnt=off').features).not.toContain('popcnt');
  expect(cpuModel('qemu64,+popcnt,+lzcnt').features).toEqual(expect.arrayContaining(['popcnt', 'abm']));
  expect(cpuModel('qemu64,lahf-lm=on').features).toContain('lahf_lm');
});

test('what there is not is refused in one line', () => {
  for (const spec of ['', 'Pentium', 'max,+nonsense', 'max,-fpu', 'max,sse2=off', 'max,popcnt=maybe', 'help,-fpu'])
    expect(() => cpuModel(spec)).toThrow(UsageError);
  const missing = FEATURES.find((f) => f.missing !== undefined);
  if (missing !== undefined) expect(() => cpuModel(`max,+${missing.name}`)).toThrow(/not there yet/);
});

test('the bytes of a feature that the model lacks are what they are on such a processor', () => {
  expect(decoded('max', 'f30fb8c1')).toBe('popcnt');
  expect(decoded('max,-popcnt', 'f30fb8c1')).toBe('invalid');
  expect(decoded('max', 'f30fbdc1')).toBe('lzcnt');
  expect(decoded('max,-abm', 'f30fbdc1')).toBe('bsr');
  expect(decoded('qemu64', 'f30faec0')).toBe('invalid');
  expect(decoded('qemu64', 'f30f1efa')).toBe('endbr64');
});

test('help names every model and feature, and the default', () => {
  const text = cpuHelp();
  for (const m of MODELS) expect(text).toContain(`  ${m} `);
  for (const f of FEATURES) if (f.baseline !== true) expect(text).toContain(f.name);
  expect(text.split('\n').find((l) => l.includes('(default)'))).toContain(DEFAULT_CPU);
});

test('why an instruction is illegal', () => {
  const why = (spec: string, hexBytes: string): string | undefined =>
    illegalInsn(codeReader(Uint8Array.from(Buffer.from(hexBytes, 'hex')), PC), PC, cpuModel(spec));
  expect(why('qemu64', 'c5fc58c0')).toBe('vaddps needs avx, which the CPU model does not offer: -cpu qemu64');
  expect(why('max,-popcnt', 'f30fb8c0')).toBe(
    'popcnt needs popcnt, which the CPU model does not offer: -cpu max,-popcnt',
  );
  expect(why('max', '62f17c4858c0')).toBe('an AVX-512 instruction, which lift64 does not offer');
  expect(why('max', '0f0b')).toBeUndefined();
  expect(why('max', 'c5fc58c0')).toBeUndefined();
  expect(why('max', '06')).toBeUndefined();
});
