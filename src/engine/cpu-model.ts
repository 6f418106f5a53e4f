/** What the CPU model is called outside of CPUID (backend-wasm/helpers/cpuid.ts): /proc/cpuinfo and AT_HWCAP. In: nothing. Out: constants that agree with CPUID. */

/** CPUID(1).EDX. */
export const HWCAP = 0x0788a179;

export const CPU_MODEL = {
  vendor: 'AuthenticAMD',
  family: 15,
  model: 107,
  stepping: 1,
  modelName: 'lift64 virtual CPU',
  flags: [
    'fpu',
    'de',
    'pse',
    'tsc',
    'msr',
    'pae',
    'cx8',
    'pge',
    'cmov',
    'clflush',
    'mmx',
    'fxsr',
    'sse',
    'sse2',
    'syscall',
    'nx',
    'rdtscp',
    'lm',
    'nopl',
    'cpuid',
    'cx16',
    'lahf_lm',
    '3dnowprefetch',
  ],
} as const;
