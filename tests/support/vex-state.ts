/**
 * The state before a VEX instruction. In: the instruction, a pool of 128-bit values, indices of the first and second source. Out: an InsnState: each operand has a value of its own;
 * upper halves and the operands beyond the second source come from places in the pool that follow from the indices. Indices of gathers are small, so that they stay within the memory.
 */
import type { Insn, Operand } from '../../frontend/x86-64/insn.js';
import { type InsnState, MEMORY, plainState } from './insn-state.js';

const DEFAULT_MXCSR = 0x1f80;
const MASK_128 = (1n << 128n) - 1n;

/** Elements of -8 to 7. */
function smallIndices(value: bigint, bits: number): bigint {
  let r = 0n;
  for (let at = 0n; at < 128n; at += BigInt(bits)) r |= BigInt.asUintN(bits, ((value >> at) & 15n) - 8n) << at;
  return r;
}

function put(s: InsnState, o: Operand, value: bigint): void {
  switch (o.kind) {
    case 'xmm':
      s.setXmm(o.reg, value & MASK_128);
      s.setYmmh(o.reg, value >> 128n);
      break;
    case 'gpr':
      if (o.reg !== 4) s.setGpr(o.reg, value);
      break;
    case 'mem': {
      const at = Number(s.gpr(o.base) + o.disp) - MEMORY;
      for (let byte = 0; byte < o.size; byte++) s.memory[at + byte] = Number((value >> BigInt(8 * byte)) & 0xffn);
      break;
    }
    case 'vsib':
      s.setXmm(o.index, smallIndices(value & MASK_128, o.indexBits));
      s.setYmmh(o.index, smallIndices(value >> 128n, o.indexBits));
      break;
    default:
      // Immediates are in the code; VEX instructions have no other operands.
      break;
  }
}

export function vexStateFor(
  insn: Insn,
  pool: readonly bigint[],
  a: number,
  b: number,
  mxcsr = DEFAULT_MXCSR,
): InsnState {
  const s = plainState();
  s.mxcsr = mxcsr;
  const value = (index: number): bigint => pool[index % pool.length] ?? 0n;
  const wide = (index: number): bigint => value(index) | (value(index + 5) << 128n);
  // With two operands the source is the second value, as in legacy forms; with more, they are the sources.
  const sources =
    insn.operands.filter((o) => o.kind !== 'imm').length === 2 ? [a, b] : [3 * a + 7 * b, a, b, 5 * a + 3 * b];
  insn.operands.forEach((o, i) => {
    put(s, o, wide(sources[i] ?? b));
  });
  return s;
}
