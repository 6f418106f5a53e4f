/**
 * Guest instructions as relaxed SIMD of the host: used where that does the same, not elsewhere. Results are held to the processor by the vectors (lifter-*.test.ts), whose compiled engine uses what the
 * host has.
 */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type HostSimd, hostSimd, NO_HOST_SIMD } from '../../backend-wasm/compiler/host-simd.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { allowRelaxedSimd } from '../../src/engine/v8-flags.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';
import { codeReader } from '../support/insn-machine.js';
import { hostIsOracle } from '../guest/driver.js';

allowRelaxedSimd();
const PC = 0x1000;

function compiled(hex: string, host: HostSimd): { text: string; isValid: boolean } {
  const tb = optimise(translate(codeReader(Uint8Array.from(Buffer.from(hex, 'hex')), PC), PC, { maxInsns: 1 }), PASSES);
  const { text, bytes } = compileModule([{ head: PC, tbs: new Map([[PC, tb]]) }], () => 1, { text: true, host });
  return { text: text ?? '', isValid: WebAssembly.validate(bytes) };
}

/** Name, code, fact, what it is then, what is there otherwise. */
const FORMS = [
  ['vfmadd231sd xmm0, xmm1, xmm2', 'c4e2f1b9c2', 'fusedMadd', 'f64x2.relaxed_madd', 'call $fma_low_pd'],
  ['vfnmadd132ss xmm0, xmm1, xmm2', 'c4e2719dc2', 'fusedMadd', 'f32x4.relaxed_nmadd', 'call $fma_low_ps'],
  ['vfmaddsub213pd ymm0, ymm1, ymm2', 'c4e2f5a6c2', 'fusedMadd', 'f64x2.relaxed_madd', 'call $fma_pd'],
  ['vfmsub213ps ymm0, ymm1, ymm2', 'c4e275aac2', 'fusedMadd', 'f32x4.relaxed_madd', 'call $fma_ps'],
  ['cvttps2dq xmm0, xmm1', 'f30f5bc1', 'truncates', 'i32x4.relaxed_trunc_f32x4_s', 'call $truncate_ps'],
  ['cvttpd2dq xmm0, xmm1', '660fe6c1', 'truncates', 'i32x4.relaxed_trunc_f64x2_s_zero', 'call $truncate_pd'],
  ['pshufb xmm0, xmm1', '660f3800c1', 'shufflesBytes', 'i8x16.relaxed_swizzle', 'i8x16.swizzle'],
  ['pmaddubsw xmm0, xmm1', '660f3804c1', 'multipliesBytes', 'i16x8.relaxed_dot', 'call $multiply_add_bytes'],
  ['pmulhrsw xmm0, xmm1', '660f380bc1', 'multipliesRounding', 'i16x8.relaxed_q15mulr_s', 'call $multiply_round'],
] as const;

describe('relaxed SIMD', () => {
  test.each(FORMS)('%s', (_name, hex, fact, instruction, otherwise) => {
    const host = compiled(hex, { ...NO_HOST_SIMD, [fact]: true });
    expect(host.text).toContain(instruction);
    // NaNs of FMA.
    if (fact === 'fusedMadd') expect(host.text).toContain(otherwise);
    const plain = compiled(hex, NO_HOST_SIMD);
    expect(plain.text).not.toContain('relaxed');
    expect(plain.text).toContain(otherwise);
    expect(plain.isValid).toBe(true);
  });

  const hasFma = hostIsOracle && /^flags.* fma( |$)/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  (hasFma ? test : test.skip)('an x86-64 host with FMA3 does all of them, and takes the modules', () => {
    expect(Object.values(hostSimd())).toEqual(Object.values(NO_HOST_SIMD).map(() => true));
    for (const [, hex] of FORMS) expect(compiled(hex, hostSimd()).isValid).toBe(true);
  });
});
