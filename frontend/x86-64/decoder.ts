/**
 * Decodes one instruction of 64-bit mode. In: a reader of guest code and an address. Out: an `Insn`, or why the bytes are none.
 * Source: Intel SDM 2A, sections 2.1, 2.2.1 and 2.3 (prefixes, ModRM, SIB, REX, VEX); 3A, 7.15 (#GP beyond 15 bytes, #UD). Where Intel and AMD differ (0x66 on near
 * branches), as on Intel.
 */
import { newDecodeFields } from './decode-fields.js';
import type { DecodeFields } from './decode-fields.js';
import type { DecodeError, Insn, Operand } from './insn.js';
import { allRows } from './insns/all-rows.js';
import { VEX_MAP } from './encoding.js';
import { BY_MOD, BY_PREFIX, BY_REG, BY_REX_B, BY_REX_W, BY_RM, BY_VEX_L, DispatchTables } from './table-build.js';
import type { CompiledRow, Slot } from './table-build.js';

export { allRows, rowKey } from './insns/all-rows.js';

/**
 * Guest code: the byte at address A is `bytes[A - base]`. `readable` is called first, once an instruction, and may move the window; after it, as many bytes as it returned (up to 15) stand in the window from
 * `addr` on.
 */
export interface CodeReader {
  readonly bytes: Uint8Array;
  readonly base: number;
  /** Bytes that can be fetched from `addr` on, 0 where none; 15 or more where the end is not near. */
  readable(addr: number): number;
}

export type Decode = (reader: CodeReader, addr: number) => Insn | DecodeError;

/** Longest instruction, in bytes: one more raises #GP. */
const MAX_LENGTH = 15;

// Classes of a first byte; 0: an opcode.
const P_REX = 1;
const P_OPSIZE = 2;
const P_ADDRSIZE = 3;
const P_LOCK = 4;
const P_REP = 5;
const P_FS = 6;
const P_GS = 7;
const P_IGNORED = 8;

const prefixClass = new Uint8Array(256);
prefixClass.fill(P_REX, 0x40, 0x50);
prefixClass[0x66] = P_OPSIZE;
prefixClass[0x67] = P_ADDRSIZE;
prefixClass[0xf0] = P_LOCK;
prefixClass[0xf2] = P_REP;
prefixClass[0xf3] = P_REP;
prefixClass[0x64] = P_FS;
prefixClass[0x65] = P_GS;
// es, cs, ss, ds: flat in 64-bit mode; they do not undo fs or gs.
for (const byte of [0x26, 0x2e, 0x36, 0x3e]) prefixClass[byte] = P_IGNORED;

const NO_OPERANDS: readonly Operand[] = [];

/** The decoder over some tables; `decode` below has the one over all rows. One instruction at a time: the fields are reused. */
export function createDecoder(tables: DispatchTables): Decode {
  const f = newDecodeFields();

  return (reader, addr) => {
    const readable = reader.readable(addr);
    const limit = readable < MAX_LENGTH ? readable : MAX_LENGTH;
    const bytes = reader.bytes;
    const start = addr - reader.base;
    let n = 0;
    let rex = 0;
    let opSizePrefix = false;
    let lock = false;
    let rep: 0 | 0xf2 | 0xf3 = 0;
    let byte = 0;
    f.addrSize = 8;
    f.segPrefix = undefined;

    for (;;) {
      if (n >= limit) return overrun(addr, limit);
      byte = bytes[start + n++] ?? 0;
      const kind = prefixClass[byte] ?? 0;
      if (kind === 0) break;
      // A REX prefix counts only directly before the opcode.
      rex = kind === P_REX ? byte : 0;
      if (kind === P_OPSIZE) opSizePrefix = true;
      else if (kind === P_ADDRSIZE) f.addrSize = 4;
      else if (kind === P_LOCK) lock = true;
      else if (kind === P_REP) rep = byte === 0xf2 ? 0xf2 : 0xf3;
      else if (kind === P_FS) f.segPrefix = 'fs';
      else if (kind === P_GS) f.segPrefix = 'gs';
    }

    let map = 0;
    let prefix = rep !== 0 ? (rep === 0xf3 ? 2 : 3) : opSizePrefix ? 1 : 0;
    let vexL: 0 | 128 | 256 = 0;
    f.vexL = false;
    f.vexV = 0;
    if ((byte & 0xfe) === 0xc4) {
      // VEX: C5 and a byte, or C4 and two. R, X, B and vvvv are inverted.
      const long = byte === 0xc4;
      if (n + (long ? 2 : 1) >= limit) return overrun(addr, limit);
      if (lock || prefix !== 0 || rex !== 0) return { kind: 'invalid', addr, length: n };
      let last = bytes[start + n++] ?? 0;
      rex = (~last >> 5) & (long ? 7 : 4);
      map = VEX_MAP + 1;
      if (long) {
        const select = last & 0x1f;
        if (select === 0 || select > 3) return { kind: 'invalid', addr, length: n };
        map = VEX_MAP + select;
        last = bytes[start + n++] ?? 0;
        rex |= (last & 0x80) >> 4;
      }
      // VEX.pp counts as the prefix selector does: none, 66, F3, F2.
      prefix = last & 3;
      f.vexL = (last & 4) !== 0;
      vexL = f.vexL ? 256 : 128;
      f.vexV = (~last >> 3) & 15;
      byte = bytes[start + n++] ?? 0;
    } else if (byte === 0x0f) {
      if (n >= limit) return overrun(addr, limit);
      byte = bytes[start + n++] ?? 0;
      map = 1;
      if (byte === 0x38 || byte === 0x3a) {
        map = byte === 0x38 ? 2 : 3;
        if (n >= limit) return overrun(addr, limit);
        byte = bytes[start + n++] ?? 0;
      }
    }
    const slot = tables.slot(map, byte);
    if (slot === null) return { kind: 'invalid', addr, length: n };
    f.opcodeReg = byte & 7;
    f.hasRex = rex !== 0;
    f.rexW = (rex & 8) !== 0;
    f.rexR = (rex & 4) << 1;
    f.rexB = (rex & 1) << 3;

    if (slot.hasModrm) {
      if (n >= limit) return overrun(addr, limit);
      const modrm = bytes[start + n++] ?? 0;
      f.mod = modrm >> 6;
      f.reg = (modrm >> 3) & 7;
      f.rm = modrm & 7;
    } else {
      f.mod = 3;
    }
    const found = select(slot, prefix);
    if (found === undefined) return { kind: 'invalid', addr, length: n };
    if (lock && (!found.lockable || f.mod === 3)) return { kind: 'invalid', addr, length: n };
    if (found.valid !== undefined && !found.valid(f)) return { kind: 'invalid', addr, length: n };
    if (f.vexV !== 0 && !found.takesV) return { kind: 'invalid', addr, length: n };
    f.opSize = operandSize(found, opSizePrefix);

    let ripRelative = false;
    if (f.mod !== 3 && !found.modIgnored) {
      // SIB: base and index; the displacement's size follows from mod and base.
      f.memIndex = -1;
      f.memScale = 1;
      let base = f.rm;
      if (base === 4) {
        if (n >= limit) return overrun(addr, limit);
        const sib = bytes[start + n++] ?? 0;
        base = sib & 7;
        const index = ((sib >> 3) & 7) + ((rex & 2) << 2);
        if (index !== 4 || found.vsib) {
          f.memIndex = index;
          f.memScale = sib < 0x80 ? (sib < 0x40 ? 1 : 2) : sib < 0xc0 ? 4 : 8;
        }
        f.memBase = base === 5 && f.mod === 0 ? -1 : base + f.rexB;
      } else if (base === 5 && f.mod === 0) {
        ripRelative = true;
        f.memBase = -1;
      } else {
        f.memBase = base + f.rexB;
      }
      const at = start + n;
      if (f.mod === 1) {
        if (n + 1 > limit) return overrun(addr, limit);
        f.memDisp = ((bytes[at] ?? 0) << 24) >> 24;
        n += 1;
      } else if (f.mod === 2 || f.memBase === -1) {
        if (n + 4 > limit) return overrun(addr, limit);
        f.memDisp =
          (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
        n += 4;
      } else {
        f.memDisp = 0;
      }
      if (found.vsib && !gatherIsValid(f)) return { kind: 'invalid', addr, length: n };
      f.memSeg = f.segPrefix ?? (f.memBase === 4 || f.memBase === 5 ? 'ss' : 'ds');
    }

    const immediates = n;
    n += found.immBytes === -1 ? f.addrSize : found.immBytes[f.opSize];
    if (n > limit) return overrun(addr, limit);
    f.bytes = bytes;
    f.pos = start + immediates;
    f.next = addr + n;
    if (ripRelative) f.memDisp = f.addrSize === 8 ? f.next + f.memDisp : (f.next + f.memDisp) >>> 0;

    return {
      addr,
      length: n,
      row: found.row,
      opSize: f.opSize,
      addrSize: f.addrSize,
      vexL,
      lock,
      rep: found.takesRep ? 0 : rep,
      operands: readOperands(found),
    };
  };

  function select(slot: Slot, prefix: number): CompiledRow | undefined {
    const by = slot.by;
    let cell = 0;
    if ((by & BY_PREFIX) !== 0) cell = prefix;
    if ((by & BY_REX_W) !== 0) cell = cell * 2 + (f.rexW ? 1 : 0);
    if ((by & BY_REX_B) !== 0) cell = cell * 2 + (f.rexB >> 3);
    if ((by & BY_REG) !== 0) cell = cell * 8 + f.reg;
    if ((by & BY_MOD) !== 0) cell = cell * 2 + (f.mod === 3 ? 1 : 0);
    if ((by & BY_RM) !== 0) cell = cell * 8 + f.rm;
    if ((by & BY_VEX_L) !== 0) cell = cell * 2 + (f.vexL ? 1 : 0);
    return slot.cells[cell];
  }

  function operandSize(found: CompiledRow, opSizePrefix: boolean): 2 | 4 | 8 {
    if (f.rexW || found.wide === 'f64') return 8;
    if (opSizePrefix && !found.takes66) return 2;
    return found.wide === 'd64' ? 8 : 4;
  }

  function readOperands(found: CompiledRow): readonly Operand[] {
    const { operands } = found;
    switch (operands.length) {
      case 0:
        return NO_OPERANDS;
      case 1:
        return [read(operands, 0)];
      case 2:
        return [read(operands, 0), read(operands, 1)];
      default:
        return operands.map((operand) => operand.read(f));
    }
  }

  function read(operands: CompiledRow['operands'], index: number): Operand {
    const operand = operands[index];
    if (operand === undefined) throw new RangeError(`no operand ${index}`);
    return operand.read(f);
  }
}

/** A gather has a SIB byte, and its destination, index and mask are three registers. */
function gatherIsValid(f: DecodeFields): boolean {
  const destination = f.reg + f.rexR;
  return f.rm === 4 && destination !== f.memIndex && destination !== f.vexV && f.memIndex !== f.vexV;
}

/** The reader ran out of bytes: either the page ends, or the instruction is longer than any. */
function overrun(addr: number, limit: number): DecodeError {
  if (limit < MAX_LENGTH) return { kind: 'truncated', addr, at: addr + limit };
  return { kind: 'too-long', addr, length: MAX_LENGTH };
}

let decodeAll: Decode | undefined;

/** Decodes the instruction at `addr` with all rows. The tables are made at the first call. */
export function decode(reader: CodeReader, addr: number): Insn | DecodeError {
  decodeAll ??= createDecoder(new DispatchTables(allRows()));
  return decodeAll(reader, addr);
}

/** True for an instruction, false for a `DecodeError`. */
export function isInsn(result: Insn | DecodeError): result is Insn {
  return !('kind' in result);
}

/** The mnemonic at this operand size: 'cwde' of 'cbw/cwde/cdqe'. */
export function mnemonicOf(insn: Insn): string {
  const { mnemonic } = insn.row;
  if (!mnemonic.includes('/')) return mnemonic;
  return mnemonic.split('/')[insn.opSize === 2 ? 0 : insn.opSize === 4 ? 1 : 2] ?? mnemonic;
}
