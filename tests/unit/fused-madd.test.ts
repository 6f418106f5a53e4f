/** FMA as the host's relaxed_madd: used where that rounds once, not elsewhere. Results, NaNs among them, are held to the processor by the vectors (lifter-vex.test.ts), whose compiled engine uses it. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { hasFusedMadd } from '../../backend-wasm/compiler/host-simd.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { enableRelaxedSimd } from '../../src/engine/relaxed-simd.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';
import { codeReader } from '../support/insn-machine.js';
import { hostIsOracle } from '../guest/driver.js';

enableRelaxedSimd();
const PC = 0x1000;

function compiled(hex: string, fusedMadd: boolean): { text: string; isValid: boolean } {
  const tb = optimise(translate(codeReader(Uint8Array.from(Buffer.from(hex, 'hex')), PC), PC, { maxInsns: 1 }), PASSES);
  const { text, bytes } = compileModule([{ head: PC, tbs: new Map([[PC, tb]]) }], () => 1, { text: true, fusedMadd });
  return { text: text ?? '', isValid: WebAssembly.validate(bytes) };
}

const FORMS = [
  ['vfmadd231sd xmm0, xmm1, xmm2', 'c4e2f1b9c2', 'f64x2.relaxed_madd', 'fma_low_pd'],
  ['vfnmadd132ss xmm0, xmm1, xmm2', 'c4e2719dc2', 'f32x4.relaxed_nmadd', 'fma_low_ps'],
  ['vfmaddsub213pd ymm0, ymm1, ymm2', 'c4e2f5a6c2', 'f64x2.relaxed_madd', 'fma_pd'],
  ['vfmsub213ps ymm0, ymm1, ymm2', 'c4e275aac2', 'f32x4.relaxed_madd', 'fma_ps'],
] as const;

describe('FMA', () => {
  test.each(FORMS)('%s', (_name, hex, instruction, helper) => {
    const fused = compiled(hex, true);
    expect(fused.text).toContain(instruction);
    // For NaNs.
    expect(fused.text).toContain(`call $${helper}`);
    const plain = compiled(hex, false);
    expect(plain.text).not.toContain('relaxed');
    expect(plain.text).toContain(`call $${helper}`);
    expect(plain.isValid).toBe(true);
  });

  const hasFma = hostIsOracle && /^flags.* fma( |$)/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  (hasFma ? test : test.skip)('a host with FMA3 has it, and takes the module', () => {
    expect(hasFusedMadd()).toBe(true);
    for (const [, hex] of FORMS) expect(compiled(hex, true).isValid).toBe(true);
  });
});
