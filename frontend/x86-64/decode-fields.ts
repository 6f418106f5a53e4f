/**
 * What the decoder has read of an instruction before it makes the operands. In: nothing. Out: one record that the decoder fills and the operand readers
 * read; it is reused for every instruction, so that decoding allocates the operands alone. Source: Intel SDM 2A, section 2.1.
 */
import type { SegName } from './insn.js';

export interface DecodeFields {
  /** The reader's window, and the index in it of the next byte of immediate or absolute address. */
  bytes: Uint8Array;
  pos: number;
  opSize: 2 | 4 | 8;
  addrSize: 4 | 8;
  /** Any REX prefix: byte registers 4..7 are spl, bpl, sil, dil. */
  hasRex: boolean;
  rexW: boolean;
  /** 0 or 8, to be added to ModRM.reg, and to ModRM.rm or an opcode's register. */
  rexR: number;
  rexB: number;
  /** VEX.L: vectors of 256 bits; false without a VEX prefix. */
  vexL: boolean;
  /** The register in VEX.vvvv, 0..15; 0 without a VEX prefix. */
  vexV: number;
  /** The opcode's low three bits. */
  opcodeReg: number;
  mod: number;
  reg: number;
  rm: number;
  /** The address in ModRM, SIB and displacement, as in MemOperand. */
  memBase: number;
  memIndex: number;
  memScale: 1 | 2 | 4 | 8;
  memDisp: number;
  /** fs or gs where a prefix says so, else undefined. */
  segPrefix: 'fs' | 'gs' | undefined;
  memSeg: SegName;
  /** Address of the next instruction. */
  next: number;
}

export function newDecodeFields(): DecodeFields {
  return {
    bytes: new Uint8Array(0),
    pos: 0,
    opSize: 4,
    addrSize: 8,
    hasRex: false,
    rexW: false,
    rexR: 0,
    rexB: 0,
    vexL: false,
    vexV: 0,
    opcodeReg: 0,
    mod: 0,
    reg: 0,
    rm: 0,
    memBase: -1,
    memIndex: -1,
    memScale: 1,
    memDisp: 0,
    segPrefix: undefined,
    memSeg: 'ds',
    next: 0,
  };
}
