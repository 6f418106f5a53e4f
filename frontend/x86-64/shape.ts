/**
 * The shape of an instruction: what its encoding says but for register numbers, displacement and immediate. In: guest bytes. Out: one record, reused for every instruction.
 * Instructions of one shape are lifted alike, so that a template made of one serves all (src/engine/template-cache.ts). Source: Intel SDM 2A, sections 2.1 and 2.3.
 * It reads no more than that: whether the bytes are an instruction at all is the decoder's to say, when the shape is first met.
 */
import { OPCODE_MAPS, VEX_MAP } from './encoding.js';
import { BY_REG, BY_REX_B, BY_RM, type DispatchTables, type Slot } from './table-build.js';

/** Where an encoding names registers: ModRM.reg or the opcode, ModRM.rm or the base, the index, VEX.vvvv. */
export const ROLES = 4;
export const REG = 0;
export const RM = 1;
export const INDEX = 2;
export const VVVV = 3;

/** How large a displacement is: the bytecode has a form for each. */
export const SIZE_NONE = 0;
export const SIZE_16 = 1;
export const SIZE_32 = 2;

/** What the opcode's rows say of the encoding; 0: not looked up yet. */
const KNOWN = 1;
/** Shapes of this opcode can be read here. */
const READABLE = 2;
const MODRM = 4;
/** ModRM.reg is part of the opcode. */
const GROUP = 8;
/** The register numbers choose among the rows. */
const FIXED = 16;
/** The opcode's low three bits are a register. */
const PLUS_REG = 32;
const TAKES_V = 64;

/** Longest instruction in bytes; so many must be readable. */
export const MAX_LENGTH = 15;

const fits16 = (n: number): boolean => n >= -0x8000 && n < 0x8000;

export class Shape {
  /** The shape, exactly: opcode, prefixes and widths; then the address's form and what else is fixed in ModRM. */
  key0 = 0;
  key1 = 0;
  /** Register numbers by role, -1 where the encoding has none. */
  readonly regs = new Int32Array(ROLES);
  /** The register numbers choose among the opcode's rows. */
  fixed = false;
  hasRex = false;
  /** The address is relative to rip: `disp` is from the end of the instruction. */
  ripRelative = false;
  disp = 0;
  /** Bytes before the immediate. */
  length = 0;
  /** Guest addresses of the instruction and of the next one, which `readImmediate` finds. */
  pc = 0;
  next = 0;
  /** The immediate's bits, sign-extended from its size; `readImmediate` sets them. */
  immLow = 0;
  immHigh = 0;

  // What `encodeSample` needs beside the registers.
  map = 0;
  opcode = 0;
  modrm = -1;
  group = false;
  vex = false;
  vexL = 0;
  rexW = 0;
  /** 66, F2 or F3, F0, 67, 64 or 65; 0 where absent. Behind VEX, `opSize` is VEX.pp. */
  opSize = 0;
  rep = 0;
  lock = 0;
  addrSize = 0;
  seg = 0;
  scale = 0;

  /** By map and opcode: the bits above. */
  private readonly infos: Int32Array;

  /** @param kept what `snapshot` gave, for the same tables: an opcode's rows need no look then */
  constructor(
    private readonly tables: DispatchTables,
    kept?: Int32Array,
  ) {
    this.infos = kept?.slice() ?? new Int32Array(OPCODE_MAPS.length * 256);
  }

  snapshot(): Int32Array {
    return this.infos.slice();
  }

  /** Reads the instruction at `pc`, which is `bytes[at]`; MAX_LENGTH bytes are there. False: it is left to the decoder. */
  read(bytes: Uint8Array, at: number, pc: number): boolean {
    this.pc = pc;
    let n = at;
    let rex = 0;
    let byte = 0;
    this.opSize = this.rep = this.lock = this.addrSize = this.seg = 0;
    for (; ; n++) {
      if (n - at > 8) return false;
      byte = bytes[n] as number;
      if ((byte & 0xf0) === 0x40) {
        rex = byte;
        continue;
      }
      if (byte === 0x66) this.opSize = byte;
      else if (byte === 0xf2 || byte === 0xf3) this.rep = byte;
      else if (byte === 0xf0) this.lock = byte;
      else if (byte === 0x67) this.addrSize = byte;
      else if (byte === 0x64 || byte === 0x65) this.seg = byte;
      else if (byte !== 0x2e && byte !== 0x3e && byte !== 0x26 && byte !== 0x36) break;
      // A REX prefix counts only directly before the opcode.
      rex = 0;
    }
    n++;
    this.map = 0;
    this.vex = false;
    this.vexL = 0;
    this.hasRex = rex !== 0;
    let vexV = 0;
    if ((byte & 0xfe) === 0xc4) {
      if ((this.opSize | this.rep | this.lock | rex) !== 0) return false;
      let last = bytes[n++] as number;
      rex = (~last >> 5) & 4;
      this.map = VEX_MAP + 1;
      if (byte === 0xc4) {
        rex = (~last >> 5) & 7;
        this.map = VEX_MAP + (last & 0x1f);
        if (this.map === VEX_MAP || this.map > VEX_MAP + 3) return false;
        last = bytes[n++] as number;
        rex |= (last & 0x80) >> 4;
      }
      this.vex = true;
      this.opSize = last & 3;
      this.vexL = (last >> 2) & 1;
      vexV = (~last >> 3) & 15;
      byte = bytes[n++] as number;
    } else if (byte === 0x0f) {
      byte = bytes[n++] as number;
      this.map = 1;
      if (byte === 0x38 || byte === 0x3a) {
        this.map = byte === 0x38 ? 2 : 3;
        byte = bytes[n++] as number;
      }
    }
    this.rexW = (rex >> 3) & 1;
    const index = this.map * 256 + byte;
    const info = (this.infos[index] as number) || this.look(index);
    if ((info & READABLE) === 0) return false;
    this.fixed = (info & FIXED) !== 0;
    // REX.B chooses the row.
    if (this.fixed && (info & MODRM) === 0 && (rex & 1) !== 0) return false;
    this.group = (info & GROUP) !== 0;
    const { regs } = this;
    regs.fill(-1);
    if ((info & TAKES_V) !== 0) regs[VVVV] = vexV;
    else if (vexV !== 0) return false;
    this.opcode = byte;
    if ((info & PLUS_REG) !== 0) {
      this.opcode = byte & ~7;
      regs[REG] = (byte & 7) + ((rex & 1) << 3);
    }
    this.key0 =
      (this.map << 8) |
      this.opcode |
      (this.vex ? this.opSize << 11 : this.opSize !== 0 ? 1 << 11 : 0) |
      ((this.rep & 3) << 13) |
      (this.lock !== 0 ? 1 << 15 : 0) |
      (this.addrSize !== 0 ? 1 << 16 : 0) |
      ((this.seg & 3) << 17) |
      (this.seg !== 0 ? 1 << 19 : 0) |
      (this.rexW << 20) |
      (this.vexL << 21) |
      ((info & PLUS_REG) << 17);
    this.key1 = 0;
    this.ripRelative = false;
    this.disp = 0;
    this.modrm = -1;
    if ((info & MODRM) !== 0) n = this.readModrm(bytes, n, rex);
    this.length = n - at;
    return n > 0;
  }

  /** ModRM, SIB and displacement at `n`; gives the place behind them, -1 where they are left to the decoder. */
  private readModrm(bytes: Uint8Array, n: number, rex: number): number {
    const modrm = bytes[n++] as number;
    const mod = modrm >> 6;
    const { regs } = this;
    this.modrm = modrm;
    if (this.group) this.key1 = ((modrm >> 3) & 7) << 16;
    else regs[REG] = ((modrm >> 3) & 7) + ((rex & 4) << 1);
    let rm = modrm & 7;
    if (mod === 3) {
      regs[RM] = rm + ((rex & 1) << 3);
      if (this.fixed) this.key1 |= (modrm & 0x3f) << 20;
      return n;
    }
    this.scale = 0;
    let key = 1;
    let long = mod === 2;
    if (rm === 4) {
      const sib = bytes[n++] as number;
      const index = ((sib >> 3) & 7) + ((rex & 2) << 2);
      if (index !== 4) {
        regs[INDEX] = index;
        this.scale = sib >> 6;
        key |= 4 | (this.scale << 3);
      }
      rm = sib & 7;
      if (rm === 5 && mod === 0) {
        rm = -1;
        long = true;
      }
    } else if (rm === 5 && mod === 0) {
      if (this.addrSize !== 0) return -1;
      this.ripRelative = true;
      rm = -1;
      long = true;
      key |= 32;
    }
    if (rm >= 0) {
      regs[RM] = rm + ((rex & 1) << 3);
      key |= 2;
    }
    if (mod === 1) this.disp = ((bytes[n++] as number) << 24) >> 24;
    else if (long) {
      this.disp = readInt32(bytes, n);
      n += 4;
    }
    if (!this.ripRelative) key |= this.dispSize << 6;
    this.key1 |= key;
    return n;
  }

  get hasMemory(): boolean {
    return (this.key1 & 1) !== 0;
  }

  get dispSize(): number {
    return this.disp === 0 ? SIZE_NONE : fits16(this.disp) ? SIZE_16 : SIZE_32;
  }

  /** Reads the immediate of `count` bytes (0, 1, 2, 4 or 8) behind the rest of the instruction at `bytes[at]`. */
  readImmediate(bytes: Uint8Array, at: number, count: number): void {
    const n = at + this.length;
    this.next = this.pc + this.length + count;
    this.immHigh = 0;
    if (count === 0) {
      this.immLow = 0;
      return;
    }
    if (count === 1) this.immLow = ((bytes[n] as number) << 24) >> 24;
    else if (count === 2) this.immLow = (((bytes[n] as number) | ((bytes[n + 1] as number) << 8)) << 16) >> 16;
    else this.immLow = readInt32(bytes, n);
    this.immHigh = count === 8 ? readInt32(bytes, n + 4) : this.immLow >> 31;
  }

  private look(index: number): number {
    const slot = this.tables.slot(index >> 8, index & 0xff);
    const info = KNOWN | (slot === null ? 0 : infoOf(slot));
    this.infos[index] = info;
    return info;
  }
}

function readInt32(bytes: Uint8Array, n: number): number {
  return (
    (bytes[n] as number) |
    ((bytes[n + 1] as number) << 8) |
    ((bytes[n + 2] as number) << 16) |
    ((bytes[n + 3] as number) << 24)
  );
}

function infoOf(slot: Slot): number {
  let info = READABLE;
  if (slot.hasModrm) info |= MODRM;
  if ((slot.by & BY_REG) !== 0) info |= GROUP;
  if ((slot.by & (BY_RM | BY_REX_B)) !== 0) info |= FIXED;
  let plusReg = 0;
  let rows = 0;
  for (const cell of slot.cells) {
    if (cell === undefined) continue;
    rows++;
    // An absolute address, a ModRM that is none, an index that is a vector.
    if (cell.immBytes === -1 || cell.modIgnored || cell.vsib) return 0;
    if (cell.takesV) info |= TAKES_V;
    if (/(^|,)Z/.test(cell.row.operands)) plusReg++;
  }
  if (plusReg > 0 && plusReg === rows) info |= PLUS_REG;
  else if (plusReg > 0) info |= FIXED;
  return info;
}
