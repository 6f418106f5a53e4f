/** CPU models seen by programs: what the guest can learn of its processor agrees, glibc picks its functions by it, what the model lacks raises SIGILL. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIdOf, debugFileOf } from '../../frontend/elf/build-id.js';
import { cpuModel } from '../../src/engine/cpu-model.js';
import { LIFT64, ROOT, hostIsOracle } from './driver.js';

const bin = (name: string): string => join(ROOT, 'tests', 'guest', 'bin', name);
const MODELS = ['qemu64', 'Nehalem', 'Haswell', 'max'] as const;
const LIBC = '/lib/x86_64-linux-gnu/libc.so.6';
/** glibc's functions for processors without these, natively. */
const WITHOUT: Readonly<Record<(typeof MODELS)[number], string>> = {
  qemu64: '-AVX512F,-AVX512VL,-AVX2,-AVX,-FMA,-FMA4,-SSE4_2,-SSE4_1,-SSSE3',
  Nehalem: '-AVX512F,-AVX512VL,-AVX2,-AVX,-FMA,-FMA4',
  Haswell: '-AVX512F,-AVX512VL',
  max: '-AVX512F,-AVX512VL',
};

let tmp = '';
beforeAll(() => {
  tmp = mkdtempSync(join(tmpdir(), 'lift64-cpu-'));
});
afterAll(() => {
  rmSync(tmp, { recursive: true, force: true });
});

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  const r = spawnSync(command, args, { encoding: 'utf8', env: { LANG: 'C.UTF-8', ...env }, timeout: 200_000 });
  if (r.error !== undefined) throw r.error;
  return { status: r.status, signal: r.signal, stdout: r.stdout, stderr: r.stderr };
}

const lifted = (...args: string[]): Ended => run(process.execPath, [LIFT64, ...args]);

describe('CPUID, XGETBV, AT_HWCAP, AT_HWCAP2, /proc/cpuinfo and what raises SIGILL agree', () => {
  test.each([...MODELS, 'max,-avx2', 'max,-avx', 'max,-xsave,-rdrand', 'Nehalem,+aes,+bmi1', 'qemu64,+avx2'])(
    '%s',
    (spec) => {
      const { status, stdout, stderr } = lifted('-cpu', spec, bin('cpu-report'));
      expect({ status, stderr, disagree: stdout.match(/^disagree.*/gm) }).toEqual({
        status: 0,
        stderr: '',
        disagree: null,
      });
      const { features, vendor, modelName } = cpuModel(spec);
      const [first, ...lines] = stdout.trimEnd().split('\n');
      expect(first).toBe(`${vendor}, ${modelName}`);
      const said = new Set(lines);
      // The kernel's own words, and bits that the program doesn't look at.
      const others = ['de', 'pse', 'msr', 'pae', 'pge', 'pat', 'rep_good', 'nopl', 'cpuid'];
      expect(features.filter((f) => !others.includes(f) && !said.has(f))).toEqual([]);
      expect(lines.filter((l) => !l.startsWith('XCR0') && !features.includes(l))).toEqual([]);
    },
  );
});

/** Names of a function that the model's processor runs; the first where several share an address. */
const PATHS: Readonly<Record<(typeof MODELS)[number], readonly RegExp[]>> = {
  qemu64: [/^__mem(cpy|move)_sse2_unaligned_erms$/, /^__strlen_sse2$/, /^__strcmp_sse2$/, /^__sin_sse2$/, /exp_sse2$/, /^__floor_c$/],
  Nehalem: [/^__strlen_sse2$/, /^__strcmp_sse42$/, /^__strspn_sse42$/, /^__wcslen_sse4_1$/, /^__sin_sse2$/, /^__floor_sse41$/],
  Haswell: [/^__mem(cpy|move)_avx_unaligned_erms$/, /^__strlen_avx2$/, /^__memcmp_avx2_movbe$/, /^__sin_fma$/, /exp_fma$/, /^__floor_sse41$/],
  max: [/^__mem(cpy|move)_avx_unaligned_erms$/, /^__strlen_avx2$/, /^__strchr_avx2$/, /^__sin_fma$/, /pow_fma$/, /^__fma_fma3$/],
}; // prettier-ignore
const FOREIGN: Readonly<Record<(typeof MODELS)[number], RegExp>> = {
  qemu64: /_(sse4|ssse3|avx|evex)|_fma3?$/,
  Nehalem: /_(avx|evex)|_fma3?$/,
  Haswell: /_(evex|avx512)|_sse2$/,
  max: /_(evex|avx512)|_sse2$/,
};

const libcSymbols = (): string | undefined => {
  const id = existsSync(LIBC) ? buildIdOf(readFileSync(LIBC)) : undefined;
  return id !== undefined && existsSync(debugFileOf(id)) ? undefined : 'libc6-dbg is not installed';
};

describe("glibc's functions", () => {
  describe.each(MODELS)('%s', (model) => {
    const noSymbols = libcSymbols();
    const name = 'those of the model run, by the names in -d exec';
    (noSymbols === undefined ? test : test.skip)(
      noSymbols === undefined ? name : `${name} (skipped: ${noSymbols})`,
      () => {
        const log = join(tmp, model);
        expect(lifted('-cpu', model, '-d', 'exec,nochain', '-D', log, bin('glibc-paths'), '3').status).toBe(0);
        const seen = new Set(readFileSync(log, 'latin1').match(/(?<=\] )\w+$/gm));
        rmSync(log);
        for (const path of PATHS[model]) expect([...seen].filter((s) => path.test(s))).toHaveLength(1);
        expect([...seen].filter((s) => s.startsWith('__') && FOREIGN[model].test(s))).toEqual([]);
      },
    );

    (hostIsOracle ? test : test.skip)('give what they give natively', () => {
      const native = run(bin('glibc-paths'), ['40'], { GLIBC_TUNABLES: `glibc.cpu.hwcaps=${WITHOUT[model]}` });
      expect(lifted('-cpu', model, bin('glibc-paths'), '40')).toEqual(native);
    });
  });
});

describe('a program for a later processor', () => {
  test.each([
    [
      'isa-v2',
      'Nehalem',
      'qemu64',
      /^ {2}(\w+) needs (ssse3|sse4_1|sse4_2|popcnt), which the CPU model does not offer: -cpu qemu64$/m,
    ],
    [
      'isa-v3',
      'Haswell',
      'qemu64',
      /^ {2}(\w+) needs (avx|avx2|fma|bmi1|bmi2|abm), which the CPU model does not offer: -cpu qemu64$/m,
    ],
    [
      'isa-v3',
      'max',
      'Nehalem',
      /^ {2}(\w+) needs (avx|avx2|fma|bmi1|bmi2|abm), which the CPU model does not offer: -cpu Nehalem$/m,
    ],
  ])(
    '%s runs without an option and under %s; under %s it dies of SIGILL with the reason',
    (name, enough, short, reason) => {
      const plain = lifted(bin(name));
      expect(plain).toMatchObject({ status: 0, stderr: '' });
      expect(lifted('-cpu', enough, bin(name))).toEqual(plain);
      const { signal, stderr } = lifted('-cpu', short, bin(name));
      expect(signal).toBe('SIGILL');
      expect(stderr).toMatch(/^lift64: uncaught target signal 4 \(Illegal instruction\)\n/);
      expect(stderr).toMatch(reason);
    },
  );
});
