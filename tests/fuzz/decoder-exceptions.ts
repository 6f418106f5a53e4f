/**
 * Where the decoder's answer is not iced-x86's, and is right all the same. In: nothing. Out: the exceptions, each with its reason.
 */

/**
 * CPU features, by iced's names, that no model offers: CPUID does not report them, and they have no rows, so that their bytes are #UD as on a CPU without them. `sets`: group, features in it, and where the manuals have them.
 * docs/instructions.md lists them. A feature leaves when its rows come.
 */
export const notOffered = [
  {
    group: 'AVX-512 (EVEX)',
    features:
      'AVX512F AVX512VL AVX512BW AVX512CD AVX512DQ AVX512ER AVX512PF AVX512_4FMAPS AVX512_4VNNIW AVX512_BF16 AVX512_BITALG AVX512_FP16 AVX512_IFMA AVX512_VBMI AVX512_VBMI2 AVX512_VNNI AVX512_VP2INTERSECT AVX512_VPOPCNTDQ',
    source: 'SDM 2A, 2.7; without OSXSAVE state in XCR0, #UD',
  },
  { group: 'AMX', features: 'AMX_COMPLEX AMX_FP16 AMX_BF16 AMX_INT8 AMX_TILE', source: 'SDM 1, chapter 18' },
  {
    group: 'vectors beyond x86-64-v3',
    features:
      'GFNI VAES VPCLMULQDQ SM3 SM4 SHA512 AVX_IFMA AVX_NE_CONVERT AVX_VNNI AVX_VNNI_INT8 AVX_VNNI_INT16 CMPCCXADD',
    source: 'SDM 2A, CPUID leaf 7',
  },
  {
    group: 'AMD extensions that its newer CPUs dropped or few have',
    features: 'D3NOW D3NOWEXT SSE4A XOP FMA4 TBM LWP CLZERO MCOMMIT MONITORX RDPRU INVLPGB',
    source: 'AMD APM 3 to 6, CPUID 8000_0001h and 8000_0008h',
  },
  {
    group: 'VIA and Zhaoxin',
    features: 'PADLOCK_ACE PADLOCK_GMI PADLOCK_PHE PADLOCK_PMM PADLOCK_RNG PADLOCK_UNDOC',
    source: 'VIA PadLock programming guide',
  },
  {
    group: 'virtual machines and enclaves, no use at CPL 3 here',
    features: 'VMX INVEPT INVVPID SMX SVM SKINIT_or_SVM SEV_ES SEV_SNP RMPQUERY SGX1 TDX OSS PCONFIG',
    source: 'SDM 3C and 3D; AMD APM 2, chapter 15',
  },
  {
    group: 'kernel features',
    features: 'SMAP INVPCID FRED LKGS WRMSRNS MSRLIST UINTR HRESET TSE XSAVES',
    source: 'SDM 2, CPUID leaves 7 and 0Dh',
  },
  {
    group: 'user features without use or state here',
    features:
      'RTM HLE_or_RTM TSXLDTRK CET_SS PKU PTWRITE SERIALIZE WAITPKG ENQCMD MOVDIRI MOVDIR64B RAO_INT AESKLE WIDE_KL KL',
    source: 'SDM 2, CPUID leaves 7 and 19h',
  },
] as const;

/** The group of each feature that is not offered. */
export const missingFeatures: ReadonlyMap<string, string> = new Map(
  notOffered.flatMap(({ group, features }) => features.split(' ').map((name) => [name, group] as const)),
);

/** iced's mnemonic where a CPU without the feature runs an older instruction in the same bytes. */
export const olderMeaning: ReadonlyMap<string, string> = new Map([
  ['wbnoinvd', 'wbinvd'],
  // Hints in the reserved NOPs of 0F 18, 0F 1C and 0F 1E.
  ['prefetchit0', 'nop'],
  ['prefetchit1', 'nop'],
  ['cldemote', 'nop'],
  ['rdsspd', 'nop'],
  ['rdsspq', 'nop'],
]);

/**
 * iced's mnemonic and ours, where a CPU sides with us. F3 before REX.B 90: iced says PAUSE; an AMD EPYC, asked by running `f3 41 90`, exchanges r8d and eax.
 */
export const cpuSides: ReadonlyMap<string, string> = new Map([['pause', 'xchg']]);

/** iced's name and ours, where they differ. */
export const otherNames: ReadonlyMap<string, string> = new Map([
  ['reservednop', 'nop'],
  // One row for both: the address size tells.
  ['jecxz', 'jrcxz'],
]);
