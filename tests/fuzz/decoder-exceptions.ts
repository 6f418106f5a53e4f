/**
 * Where the decoder's answer is not iced-x86's, and is right all the same. In: nothing. Out: the exceptions, each with its reason.
 */

/** iced's names of CPU features that have no rows, with the reason: the bytes are #UD, as on a CPU without them. A feature leaves the list when its rows come. */
const missing: Readonly<Record<string, string>> = {
  'legacy encodings, beyond x86-64-v3 or privileged, not reported by CPUID': 'GFNI XSAVES',
  'VEX, beyond x86-64-v3, not reported by CPUID': 'VAES VPCLMULQDQ SM3 SM4 SHA512',
  'later VEX extensions, not reported by CPUID':
    'AVX_IFMA AVX_NE_CONVERT AVX_VNNI AVX_VNNI_INT8 AVX_VNNI_INT16 CMPCCXADD AMX_COMPLEX AMX_FP16 AMX_BF16 AMX_INT8 AMX_TILE',
  'EVEX, not reported by CPUID':
    'AVX512F AVX512VL AVX512BW AVX512CD AVX512DQ AVX512ER AVX512PF AVX512_4FMAPS AVX512_4VNNIW AVX512_BF16 AVX512_BITALG AVX512_FP16 AVX512_IFMA AVX512_VBMI AVX512_VBMI2 AVX512_VNNI AVX512_VP2INTERSECT AVX512_VPOPCNTDQ',
  'AMD extensions that its newer CPUs dropped or few have':
    'D3NOW D3NOWEXT SSE4A XOP FMA4 TBM LWP CLZERO MCOMMIT MONITORX RDPRU INVLPGB',
  'VIA and Zhaoxin': 'PADLOCK_ACE PADLOCK_GMI PADLOCK_PHE PADLOCK_PMM PADLOCK_RNG PADLOCK_UNDOC',
  'virtual machines and enclaves, no use at CPL 3 here':
    'VMX INVEPT INVVPID SMX SVM SKINIT_or_SVM SEV_ES SEV_SNP RMPQUERY SGX1 TDX OSS PCONFIG',
  'kernel features, not reported by CPUID': 'SMAP INVPCID FRED LKGS WRMSRNS MSRLIST UINTR HRESET TSE',
  'user features, not reported by CPUID':
    'RTM HLE_or_RTM TSXLDTRK CET_SS PKU PTWRITE SERIALIZE WAITPKG ENQCMD MOVDIRI MOVDIR64B RAO_INT AESKLE WIDE_KL KL',
};
export const missingFeatures: ReadonlySet<string> = new Set(
  Object.values(missing).flatMap((names) => names.split(' ')),
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
