/**
 * Where the code of an ELF file is. In: the file's bytes. Out: its executable sections, ranges that are functions for sure, and addresses that may begin one.
 * Ranges come from the symbol tables and from the unwind tables, which stripped files have, too. Source: System V gABI, chapter 4; psABI AMD64, 4.2.4 (.eh_frame); LSB 5.0, 10.6.
 */
export interface CodeSection {
  readonly name: string;
  /** Address as linked; bytes. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface ElfCode {
  readonly sections: readonly CodeSection[];
  /** Of a symbol or an unwind entry, in no order, some of them twice. */
  readonly functions: readonly Range[];
  /** What relocations and symbols without a size point to: code, or data between the functions. */
  readonly pointers: readonly number[];
}

const SHT_SYMTAB = 2;
const SHT_RELA = 4;
const SHT_NOBITS = 8;
const SHT_DYNSYM = 11;
const SHF_EXECINSTR = 4;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const R_X86_64_RELATIVE = 8;
const R_X86_64_IRELATIVE = 37;
const SHDR_SIZE = 64;
const SYM_SIZE = 24;
const RELA_SIZE = 24;
/** Pointer encodings of unwind tables: format in the low four bits, relative to its own place in bits 4 to 6. */
const DW_EH_PE_SDATA4 = 0x0b;
const DW_EH_PE_PCREL = 0x10;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly bytes: Uint8Array;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u64 = (v: DataView, at: number): number => Number(v.getBigUint64(at, true));

/** Throws RangeError where the file is no whole ELF64 file with sections. */
export function readElfCode(file: Uint8Array): ElfCode {
  const sections = readSections(file);
  const code = sections.filter((s) => (s.flags & SHF_EXECINSTR) !== 0 && s.bytes.length > 0);
  const functions: Range[] = [];
  const pointers: number[] = [];
  for (const section of sections) {
    if (section.type === SHT_SYMTAB || section.type === SHT_DYNSYM) readFunctions(section, functions, pointers);
    if (section.type === SHT_RELA) readPointers(section, pointers);
    if (section.name === '.eh_frame') readUnwindRanges(section, functions);
  }
  const inCode = (address: number): boolean =>
    code.some((s) => address >= s.address && address < s.address + s.bytes.length);
  return {
    sections: code,
    functions: functions.filter((r) => inCode(r.start) && inCode(r.end - 1)),
    pointers: pointers.filter(inCode),
  };
}

function readSections(file: Uint8Array): Section[] {
  const v = viewOf(file);
  if (v.getUint32(0, false) !== 0x7f454c46 || v.getUint8(4) !== 2) throw new RangeError('not an ELF64 file');
  const table = u64(v, 40);
  const count = v.getUint16(60, true);
  const headers = Array.from({ length: count }, (_, i) => {
    const at = table + i * SHDR_SIZE;
    const type = v.getUint32(at + 4, true);
    const offset = u64(v, at + 24);
    return {
      nameAt: v.getUint32(at, true),
      type,
      flags: u64(v, at + 8),
      address: u64(v, at + 16),
      bytes: file.subarray(offset, offset + (type === SHT_NOBITS ? 0 : u64(v, at + 32))),
    };
  });
  const names = headers[v.getUint16(62, true)]?.bytes ?? new Uint8Array(0);
  return headers.map(({ nameAt, ...rest }) => ({ name: textAt(names, nameAt), ...rest }));
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, bytes.indexOf(0, at)));
}

function readFunctions({ bytes }: Section, functions: Range[], pointers: number[]): void {
  const v = viewOf(bytes);
  for (let at = 0; at + SYM_SIZE <= bytes.length; at += SYM_SIZE) {
    const type = v.getUint8(at + 4) & 15;
    if (v.getUint16(at + 6, true) === 0 || (type !== STT_FUNC && type !== STT_GNU_IFUNC)) continue;
    const start = u64(v, at + 8);
    const size = u64(v, at + 16);
    if (size > 0) functions.push({ start, end: start + size });
    else pointers.push(start);
  }
}

function readPointers({ bytes }: Section, pointers: number[]): void {
  const v = viewOf(bytes);
  for (let at = 0; at + RELA_SIZE <= bytes.length; at += RELA_SIZE) {
    const type = v.getUint32(at + 8, true);
    if (type === R_X86_64_RELATIVE || type === R_X86_64_IRELATIVE) pointers.push(u64(v, at + 16));
  }
}

/** Entries whose addresses are 4 bytes relative to their own place, which is what compilers write. */
function readUnwindRanges({ address, bytes }: Section, functions: Range[]): void {
  const v = viewOf(bytes);
  const encodings = new Map<number, number>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = v.getUint32(at, true);
    if (length === 0 || length === 0xffffffff) return;
    const body = at + 4;
    const id = v.getUint32(body, true);
    if (id === 0) encodings.set(at, pointerEncoding(bytes, body + 4));
    else if (encodings.get(body - id) === (DW_EH_PE_SDATA4 | DW_EH_PE_PCREL)) {
      const start = address + body + 4 + v.getInt32(body + 4, true);
      const size = v.getUint32(body + 8, true);
      if (size > 0) functions.push({ start, end: start + size });
    }
    at = body + length;
  }
}

/** The 'R' of a CIE's augmentation, from its version on; -1 without one. */
function pointerEncoding(bytes: Uint8Array, at: number): number {
  const augmentation = textAt(bytes, at + 1);
  if (!augmentation.startsWith('z')) return -1;
  let next = at + 2 + augmentation.length;
  const leb = (): void => {
    while (((bytes[next++] ?? 0) & 0x80) !== 0);
  };
  leb(); // code alignment
  leb(); // data alignment
  leb(); // return address register
  leb(); // length of the augmentation's data
  for (const letter of augmentation.slice(1)) {
    if (letter === 'R') return bytes[next] ?? -1;
    if (letter === 'P') next += ((bytes[next] ?? 0) & 7) === 3 ? 5 : 9;
    else if (letter === 'L') next += 1;
  }
  return -1;
}
