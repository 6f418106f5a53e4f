/**
 * CPUID's answers for a CPU model, and their place in the guest's memory, where the helpers read them. In: a CpuModel. Out: leaves; XCR0; AT_HWCAP and AT_HWCAP2.
 * Source: Intel SDM 2A, CPUID; volume 1, 13.2 and 13.4 (XSAVE areas); AMD APM volume 3, appendix E.
 */
import { PCB, PCB_BASE, CPUID_ENTRY, CPUID_MAX } from '../guest/memory-map.js';
import { InternalError } from '../base/errors.js';
import { CPU_FEATURES, type CpuFeature, type CpuidRegister } from './cpu-features.js';
import type { CpuModel } from './cpu-model.js';
import type { MemoryViews } from './memory-views.js';

export interface CpuidLeaf {
  readonly leaf: number;
  /** -1: every subleaf. */
  readonly subleaf: number;
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

const list: readonly CpuFeature[] = CPU_FEATURES;
const OSXSAVE = 1 << 27;
/** Bytes of the legacy region and header of an XSAVE area, and of the upper halves of ymm. */
const XSAVE_LEGACY = 576;
const XSAVE_YMM = 256;
/** XCR0: x87 and SSE, which XSAVE always has; AVX. */
const XCR0_LEGACY = 3;
const XCR0_AVX = 4;

/** XCR0 as Linux sets it, 0 without XSAVE. */
export function xcr0(model: CpuModel): number {
  if (!model.features.includes('xsave')) return 0;
  return XCR0_LEGACY | (model.features.includes('avx') ? XCR0_AVX : 0);
}

/** AT_HWCAP: CPUID(1).EDX. */
export function hwcap(model: CpuModel): number {
  return bits(model, 1, 0, 'edx');
}

/** AT_HWCAP2: bit 1 says that the FSGSBASE instructions may be used. */
export function hwcap2(model: CpuModel): number {
  return model.features.includes('fsgsbase') ? 2 : 0;
}

const PHYSICAL_BITS = 40;
const VIRTUAL_BITS = 48;

/** What /proc/cpuinfo says besides names and flags; the cache is the third level of leaf 4 (Intel) or the second of leaf 80000006H (AMD). */
export function cpuFigures(model: CpuModel): {
  readonly cpuidLevel: number;
  readonly cacheKib: number;
  readonly physicalBits: number;
  readonly virtualBits: number;
} {
  return {
    cpuidLevel: highestLeaf(model),
    cacheKib: model.vendor === 'GenuineIntel' ? 8192 : 512,
    physicalBits: PHYSICAL_BITS,
    virtualBits: VIRTUAL_BITS,
  };
}

/** 7 and 0DH are there for what they hold. */
function highestLeaf(model: CpuModel): number {
  const hasLeaf7 = model.features.some((name) => list.find((f) => f.name === name)?.at?.leaf === 7);
  return hasLeaf7 || xcr0(model) !== 0 ? 0xd : 4;
}

function bits(model: CpuModel, leaf: number, subleaf: number, register: CpuidRegister): number {
  let word = 0;
  for (const { name, at } of list)
    if (at?.leaf === leaf && at.subleaf === subleaf && at.register === register && model.features.includes(name))
      word |= 1 << at.bit;
  return word >>> 0;
}

function signature({ family, model, stepping }: CpuModel): number {
  const extended = Math.max(0, family - 15);
  return (extended << 20) | ((model >> 4) << 16) | (Math.min(family, 15) << 8) | ((model & 15) << 4) | stepping;
}

const word = (text: string, at: number): number => Buffer.from(text.padEnd(48, '\0')).readUInt32LE(at);

/** All leaves; those that are not listed are zeros. */
export function cpuidLeaves(model: CpuModel): CpuidLeaf[] {
  const leaf = (n: number, subleaf: number, eax: number, ebx: number, ecx: number, edx: number): CpuidLeaf => ({
    leaf: n,
    subleaf,
    eax: eax >>> 0,
    ebx: ebx >>> 0,
    ecx: ecx >>> 0,
    edx: edx >>> 0,
  });
  const flag = (n: number, register: CpuidRegister, subleaf = 0): number => bits(model, n, subleaf, register);
  const vendor: readonly [number, number, number] = [
    word(model.vendor, 0),
    word(model.vendor, 8),
    word(model.vendor, 4),
  ];
  const xcr = xcr0(model);
  const ymm = (xcr & XCR0_AVX) !== 0 ? XSAVE_YMM : 0;
  const area = xcr === 0 ? 0 : XSAVE_LEGACY + ymm;
  const top = highestLeaf(model);
  const name = model.modelName;
  const text = (n: number, at: number): CpuidLeaf =>
    leaf(n, -1, word(name, at), word(name, at + 4), word(name, at + 8), word(name, at + 12));
  const isIntel = model.vendor === 'GenuineIntel';
  const all = [
    leaf(0, -1, top, ...vendor),
    // CLFLUSH line of 64 bytes, one logical processor, APIC id 0.
    leaf(1, -1, signature(model), (8 << 8) | (1 << 16), flag(1, 'ecx') | (xcr === 0 ? 0 : OSXSAVE), flag(1, 'edx')),
    ...(isIntel
      ? [
          // Leaf 2 refers to leaf 4; a 64-byte prefetch.
          leaf(2, -1, 0x00f0_ff01, 0, 0, 0),
          // 32 KiB of data and of instructions, 8-way; 256 KiB, 8-way; 8 MiB, 16-way, inclusive.
          leaf(4, 0, 0x121, 0x01c0_003f, 63, 0),
          leaf(4, 1, 0x122, 0x01c0_003f, 63, 0),
          leaf(4, 2, 0x143, 0x01c0_003f, 511, 0),
          leaf(4, 3, 0x163, 0x03c0_003f, 8191, 2),
        ]
      : []),
    leaf(7, 0, 0, flag(7, 'ebx'), flag(7, 'ecx'), flag(7, 'edx')),
    // One thread a core, one core a package.
    leaf(0xb, 0, 0, 1, 0x100, 0),
    leaf(0xb, 1, 0, 1, 0x201, 0),
    leaf(0xd, 0, xcr, area, area, 0),
    leaf(0xd, 1, flag(0xd, 'eax', 1), area, 0, 0),
    ...(ymm === 0 ? [] : [leaf(0xd, 2, XSAVE_YMM, XSAVE_LEGACY, 0, 0)]),
    leaf(0x8000_0000, -1, 0x8000_0008, ...(isIntel ? ([0, 0, 0] as const) : vendor)),
    leaf(0x8000_0001, -1, isIntel ? 0 : signature(model), 0, flag(0x8000_0001, 'ecx'), flag(0x8000_0001, 'edx')),
    text(0x8000_0002, 0),
    text(0x8000_0003, 16),
    text(0x8000_0004, 32),
    // AMD: first-level caches of 64 KiB, 2-way, 64-byte lines. Both: 512 KiB (AMD) or 256 KiB (Intel) of second level.
    ...(isIntel ? [] : [leaf(0x8000_0005, -1, 0x01ff_01ff, 0x01ff_01ff, 0x4002_0140, 0x4002_0140)]),
    leaf(0x8000_0006, -1, 0, isIntel ? 0 : 0x4200_4200, isIntel ? 0x0100_6040 : 0x0200_8140, 0),
    leaf(0x8000_0008, -1, (VIRTUAL_BITS << 8) | PHYSICAL_BITS, 0, 0, 0),
  ];
  return all.filter((l) => l.leaf <= top || l.leaf >= 0x8000_0000);
}

/** Puts the leaves and XCR0 where the helpers cpuid and xgetbv look (PCB.CPUID_COUNT, PCB.CPUID_TABLE). The same in every thread of a memory. */
export function installCpuid(views: MemoryViews, model: CpuModel): void {
  // An earlier thread of the process has done it.
  if (views.i32[(PCB_BASE + PCB.CPUID_COUNT) / 4] !== 0) return;
  const leaves = cpuidLeaves(model);
  if (leaves.length > CPUID_MAX) throw new InternalError(`${leaves.length} CPUID leaves`);
  leaves.forEach(({ leaf, subleaf, eax, ebx, ecx, edx }, i) => {
    views.i32.set([leaf, subleaf, eax, ebx, ecx, edx], (PCB_BASE + PCB.CPUID_TABLE + CPUID_ENTRY * i) / 4);
  });
  views.i32[(PCB_BASE + PCB.XCR0) / 4] = xcr0(model);
  views.i32[(PCB_BASE + PCB.CPUID_COUNT) / 4] = leaves.length;
}
