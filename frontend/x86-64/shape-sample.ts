/**
 * Writes an instruction of a given shape with other registers, displacement and immediate. In: a Shape and the values. Out: bytes for the decoder. Source: Intel SDM 2A, sections 2.1 and 2.3.
 */
import { VEX_MAP } from './encoding.js';
import { INDEX, REG, RM, type Shape, SIZE_NONE, VVVV } from './shape.js';

export interface SampleValues {
  /** By role, -1 where the shape has none. */
  readonly regs: readonly number[];
  /** Where the shape has a displacement; from the end of the instruction where it is relative to rip. */
  readonly disp: number;
  readonly imm: bigint;
  /** Bytes of the immediate. */
  readonly immBytes: number;
  /** A REX prefix though nothing needs it: byte registers 4 to 7 are then others. */
  readonly rex: boolean;
}

/** The bytes of an instruction of shape `s`. */
export function encodeSample(s: Shape, v: SampleValues): Uint8Array {
  const reg = Math.max(v.regs[REG] ?? 0, 0);
  const rm = Math.max(v.regs[RM] ?? 0, 0);
  const index = v.regs[INDEX] ?? -1;
  const bytes: number[] = [];
  const rex = (s.rexW << 3) | (s.modrm >= 0 ? (reg >> 3) << 2 : 0) | ((Math.max(index, 0) >> 3) << 1);
  const rexB = (s.modrm >= 0 ? rm : reg) >> 3;
  if (s.seg !== 0) bytes.push(s.seg);
  if (s.addrSize !== 0) bytes.push(s.addrSize);
  if (s.vex) {
    const inverted = ~(rex | rexB);
    const vvvv = ~Math.max(v.regs[VVVV] ?? 0, 0) & 15;
    bytes.push(0xc4, ((inverted & 7) << 5) | (s.map - VEX_MAP), (s.rexW << 7) | (vvvv << 3) | (s.vexL << 2) | s.opSize);
  } else {
    for (const prefix of [s.opSize, s.rep, s.lock]) if (prefix !== 0) bytes.push(prefix);
    if (v.rex || (rex | rexB) !== 0) bytes.push(0x40 | rex | rexB);
    if (s.map > 0) bytes.push(0x0f);
    if (s.map > 1) bytes.push(s.map === 2 ? 0x38 : 0x3a);
  }
  bytes.push(s.modrm >= 0 ? s.opcode : s.opcode | (reg & 7));
  if (s.modrm >= 0) {
    const middle = s.group ? s.modrm & 0x38 : (reg & 7) << 3;
    if (!s.hasMemory) bytes.push(0xc0 | middle | (rm & 7));
    else bytes.push(...encodeAddress(s, v, middle));
  }
  for (let k = 0; k < v.immBytes; k++) bytes.push(Number((v.imm >> BigInt(8 * k)) & 0xffn));
  return Uint8Array.from(bytes);
}

/** ModRM with `middle`, SIB and displacement. */
function encodeAddress(s: Shape, v: SampleValues, middle: number): number[] {
  const disp32 = [v.disp, v.disp >> 8, v.disp >> 16, v.disp >> 24].map((byte) => byte & 0xff);
  if (s.ripRelative) return [middle | 5, ...disp32];
  const base = v.regs[RM] ?? -1;
  const index = v.regs[INDEX] ?? -1;
  const sib = (s.scale << 6) | ((index < 0 ? 4 : index & 7) << 3);
  if (base < 0) return [middle | 4, sib | 5, ...disp32];
  const hasSib = index >= 0 || (base & 7) === 4;
  const rm = hasSib ? [middle | 4, sib | (base & 7)] : [middle | (base & 7)];
  const [modrm = 0, ...rest] = rm;
  if (s.dispSize !== SIZE_NONE) return [modrm | 0x80, ...rest, ...disp32];
  // Without a displacement, base 5 would mean another address.
  return (base & 7) === 5 ? [modrm | 0x40, ...rest, 0] : [modrm, ...rest];
}
