/**
 * The CPU features that lift64 knows, one row each: CPUID bit, names, the rows of the instruction tables that need it, and the models that have it.
 * In: nothing. Out: the table. CPUID, XGETBV, AT_HWCAP, /proc/cpuinfo and the decoder's rows follow from it (cpu-model.ts, cpuid-leaves.ts).
 * Source: Intel SDM 2A, CPUID; AMD APM volume 3, appendix E; names as in Linux' /proc/cpuinfo, with QEMU's where those differ.
 *
 * A feature is switched on by taking `missing` out of its row.
 */
import type { Feature } from '../../frontend/x86-64/insn.js';

export type CpuidRegister = 'eax' | 'ebx' | 'ecx' | 'edx';

/** Where a feature's bit stands: leaf, subleaf, register, bit. */
export interface CpuidBit {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidRegister;
  readonly bit: number;
}

/** Models by what they have: all of them, from Nehalem on (x86-64-v2), from Haswell on (x86-64-v3), max alone. */
export type Level = 'all' | 'nehalem' | 'haswell' | 'max';

export interface CpuFeature {
  /** As /proc/cpuinfo has it; '' where Linux lists none. */
  readonly name: string;
  /** QEMU's name, where it is another. */
  readonly alias?: string;
  /** Absent: a name of Linux' own, without a bit. */
  readonly at?: CpuidBit;
  readonly level: Level;
  /** Rows of the instruction tables that are there with the feature alone. */
  readonly rows?: readonly Feature[];
  /** Part of every x86-64 processor: it can't be switched off. */
  readonly baseline?: boolean;
  /** Features without which this one isn't. */
  readonly needs?: readonly string[];
  /** What is not done yet: no model offers the feature. */
  readonly missing?: string;
}

const bit =
  (leaf: number, register: CpuidRegister, subleaf = 0) =>
  (n: number): CpuidBit => ({ leaf, subleaf, register, bit: n });
const d1 = bit(1, 'edx');
const c1 = bit(1, 'ecx');
const b7 = bit(7, 'ebx');
const c7 = bit(7, 'ecx');
const a13 = bit(0xd, 'eax', 1);
const dExt = bit(0x8000_0001, 'edx');
const cExt = bit(0x8000_0001, 'ecx');

/** In the order of /proc/cpuinfo. */
export const CPU_FEATURES = [
  { name: 'fpu', at: d1(0), level: 'all', baseline: true, rows: ['x87'] },
  { name: 'de', at: d1(2), level: 'all', baseline: true },
  { name: 'pse', at: d1(3), level: 'all', baseline: true },
  { name: 'tsc', at: d1(4), level: 'all', baseline: true },
  { name: 'msr', at: d1(5), level: 'all', baseline: true },
  { name: 'pae', at: d1(6), level: 'all', baseline: true },
  { name: 'cx8', at: d1(8), level: 'all', baseline: true },
  { name: 'pge', at: d1(13), level: 'all', baseline: true },
  { name: 'cmov', at: d1(15), level: 'all', baseline: true },
  { name: 'pat', at: d1(16), level: 'all', baseline: true },
  { name: 'clflush', at: d1(19), level: 'all', baseline: true },
  { name: 'mmx', at: d1(23), level: 'all', baseline: true, rows: ['mmx'] },
  { name: 'fxsr', at: d1(24), level: 'all', baseline: true, rows: ['fxsr'] },
  { name: 'sse', at: d1(25), level: 'all', baseline: true, rows: ['sse'] },
  { name: 'sse2', at: d1(26), level: 'all', baseline: true, rows: ['sse2'] },
  { name: 'syscall', at: dExt(11), level: 'all', baseline: true },
  { name: 'nx', at: dExt(20), level: 'all', baseline: true },
  { name: 'rdtscp', at: dExt(27), level: 'haswell', rows: ['rdtscp'] },
  { name: 'lm', at: dExt(29), level: 'all', baseline: true },
  { name: 'rep_good', level: 'all', baseline: true },
  { name: 'nopl', level: 'all', baseline: true },
  { name: 'cpuid', level: 'all', baseline: true },
  { name: 'pni', alias: 'sse3', at: c1(0), level: 'all', rows: ['sse3'] },
  { name: 'pclmulqdq', at: c1(1), level: 'haswell', rows: ['pclmulqdq'] },
  { name: 'ssse3', at: c1(9), level: 'nehalem', rows: ['ssse3'], needs: ['pni'] },
  { name: 'fma', at: c1(12), level: 'haswell', rows: ['fma'], needs: ['avx'] },
  { name: 'cx16', at: c1(13), level: 'all', rows: ['cx16'] },
  { name: 'sse4_1', alias: 'sse4.1', at: c1(19), level: 'nehalem', rows: ['sse4.1'], needs: ['ssse3'] },
  { name: 'sse4_2', alias: 'sse4.2', at: c1(20), level: 'nehalem', rows: ['sse4.2'], needs: ['sse4_1'] },
  { name: 'movbe', at: c1(22), level: 'haswell', rows: ['movbe'] },
  { name: 'popcnt', at: c1(23), level: 'nehalem', rows: ['popcnt'] },
  { name: 'aes', at: c1(25), level: 'haswell', rows: ['aes'] },
  { name: 'xsave', at: c1(26), level: 'haswell', rows: ['xsave'] },
  { name: 'avx', at: c1(28), level: 'haswell', rows: ['avx'], needs: ['xsave', 'sse4_2'] },
  { name: 'f16c', at: c1(29), level: 'haswell', rows: ['f16c'], needs: ['avx'] },
  { name: 'rdrand', at: c1(30), level: 'haswell', rows: ['rdrand'] },
  { name: 'lahf_lm', at: cExt(0), level: 'all' },
  { name: 'abm', alias: 'lzcnt', at: cExt(5), level: 'haswell', rows: ['lzcnt'] },
  { name: '3dnowprefetch', at: cExt(8), level: 'max', rows: ['3dnow-prefetch'] },
  { name: 'fsgsbase', at: b7(0), level: 'haswell', rows: ['fsgsbase'] },
  { name: 'bmi1', at: b7(3), level: 'haswell', rows: ['bmi1'] },
  { name: 'avx2', at: b7(5), level: 'haswell', rows: ['avx2'], needs: ['avx'] },
  { name: 'bmi2', at: b7(8), level: 'haswell', rows: ['bmi2'] },
  { name: 'erms', at: b7(9), level: 'haswell' },
  { name: 'rdseed', at: b7(18), level: 'max', rows: ['rdseed'] },
  { name: 'adx', at: b7(19), level: 'max', rows: ['adx'] },
  { name: 'clflushopt', at: b7(23), level: 'max', rows: ['clflushopt'] },
  { name: 'clwb', at: b7(24), level: 'max', rows: ['clwb'] },
  { name: 'sha_ni', alias: 'sha-ni', at: b7(29), level: 'max', rows: ['sha'], needs: ['sse4_1'] },
  { name: 'xsaveopt', at: a13(0), level: 'haswell', rows: ['xsaveopt'], needs: ['xsave'] },
  { name: 'xsavec', at: a13(1), level: 'max', rows: ['xsavec'], needs: ['xsave'] },
  { name: 'xgetbv1', at: a13(2), level: 'max', needs: ['xsave'] },
  { name: 'rdpid', at: c7(22), level: 'max', rows: ['rdpid'] },
] as const satisfies readonly CpuFeature[];

/** Rows that no CPUID bit stands for, or whose instructions do the same on every processor. */
export const UNGATED_ROWS: readonly Feature[] = ['base', 'cet', 'monitor'];
