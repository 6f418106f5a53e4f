/**
 * Why an instruction raised #UD, for the report of a guest that dies of it. In: the code, the CPU model. Out: words, or nothing when the bytes are no instruction at all.
 * Source: Intel SDM 2A, 2.7 (EVEX).
 */
import { decode, isInsn, mnemonicOf, type CodeReader } from '../../frontend/x86-64/decoder.js';
import type { Feature } from '../../frontend/x86-64/insn.js';
import { CPU_FEATURES, type CpuFeature, UNGATED_ROWS } from './cpu-features.js';
import type { CpuModel } from './cpu-model.js';

const EVEX = 0x62;
const FEATURES: readonly CpuFeature[] = CPU_FEATURES;

export function illegalInsn(reader: CodeReader, pc: number, model: CpuModel): string | undefined {
  if (reader.readable(pc) === 0) return undefined;
  const insn = decode(reader, pc);
  if (!isInsn(insn))
    return reader.bytes[pc - reader.base] === EVEX ? 'an AVX-512 instruction, which lift64 does not offer' : undefined;
  const lacking = lacks(insn.row.feature, model);
  if (lacking !== undefined)
    return `${mnemonicOf(insn)} needs ${lacking}, which the CPU model does not offer: -cpu ${model.spec}`;
  return insn.row.lift === undefined ? `${mnemonicOf(insn)} is not implemented` : undefined;
}

/** The CPU feature that the row needs and the model has not. */
function lacks(row: Feature, model: CpuModel): string | undefined {
  if (UNGATED_ROWS.includes(row)) return undefined;
  const owners = FEATURES.filter((f) => f.rows?.includes(row) === true);
  return owners.some((f) => model.features.includes(f.name)) ? undefined : owners[0]?.name;
}
