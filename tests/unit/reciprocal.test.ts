/** RCPPS, RSQRTPS and their scalar and VEX forms over a dense sweep of operands: within the SDM's bound of the exact value. Source: SDM 2B, RCPPS, RSQRTPS. */
import { expect, test } from '@jest/globals';
import { InsnMachine } from '../support/insn-machine.js';
import { plainState } from '../support/insn-state.js';

/** Relative error. */
const BOUND = 1.5 * 2 ** -12;
/** Bits between the operands of the sweep: 16,384 significands at each exponent. */
const STEP = 1 << 9;
/** Two exponents for both parities, and the ends of what gives normal results. */
const EXPONENTS = [1, 2, 64, 126, 127, 128, 190, 251, 252];

const view = new DataView(new ArrayBuffer(4));
function single(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

const machine = new InsnMachine();

test.each([
  ['rcpps', '0f53c1', 4, (x: number) => 1 / x],
  ['rcpss', 'f30f53c1', 1, (x: number) => 1 / x],
  ['vrcpps', 'c5f853c1', 4, (x: number) => 1 / x],
  ['vrcpps, 256 bits', 'c5fc53c1', 8, (x: number) => 1 / x],
  ['rsqrtps', '0f52c1', 4, (x: number) => 1 / Math.sqrt(x)],
  ['rsqrtss', 'f30f52c1', 1, (x: number) => 1 / Math.sqrt(x)],
  ['vrsqrtps', 'c5f852c1', 4, (x: number) => 1 / Math.sqrt(x)],
  ['vrsqrtps, 256 bits', 'c5fc52c1', 8, (x: number) => 1 / Math.sqrt(x)],
])('%s', (_, code, lanes, exact) => {
  const pc = machine.add(Uint8Array.from(Buffer.from(code, 'hex')));
  const s = plainState();
  let worst = 0;
  for (const exponent of EXPONENTS)
    for (let low = 0; low < 1 << 23; low += lanes * STEP) {
      const operands = Array.from({ length: lanes }, (__, i) => ((exponent << 23) | (low + i * STEP)) >>> 0);
      const source = operands.reduce((v, bits, i) => v | (BigInt(bits) << BigInt(32 * i)), 0n);
      s.setXmm(1, BigInt.asUintN(128, source));
      s.setYmmh(1, source >> 128n);
      const ended = machine.run(pc, s);
      const result = ended.xmm(0) | (ended.ymmh(0) << 128n);
      operands.forEach((bits, i) => {
        const truth = exact(single(bits));
        const got = single(Number((result >> BigInt(32 * i)) & 0xffff_ffffn));
        worst = Math.max(worst, Math.abs(got - truth) / truth);
      });
    }
  expect(worst).toBeLessThanOrEqual(BOUND);
});
