/**
 * Function symbols of an ELF file. In: the file's bytes. Out: name at an address, range of a name. Source: System V gABI, chapter 4 (sections, symbol table).
 * A file without sections or with broken ones has no symbols; that is no error. Names are read when they are asked for.
 */
import { readSections, SHT_DYNSYM, SHT_SYMTAB } from './sections.js';

export interface GuestSymbol {
  readonly name: string;
  /** Address as linked; bytes. */
  readonly address: number;
  /** Bytes; 0 when the table gives none. */
  readonly size: number;
}

const STT_NOTYPE = 0;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const STB_GLOBAL = 1;
const STB_WEAK = 2;
/** Section indices from here on are no sections: absolute and common symbols. */
const SHN_LORESERVE = 0xff00;
const SYM_SIZE = 24;
/** Longer names are cut. */
const MAX_NAME = 512;
/** Symbols before an address that may still cover it: nested and aliased ones are few. */
const LOOK_BACK = 16;

/** What a symbol table holds of one function. */
export interface SymbolEntry {
  readonly address: number;
  readonly size: number;
  /** Of several at one address the highest is preferred: a function, sized, global. */
  readonly rank: number;
  /** Offset of the name in the string table. */
  readonly nameAt: number;
}

export class Symbols {
  private readonly sorted: readonly SymbolEntry[];
  private byName: Map<string, SymbolEntry> | undefined;

  /** @param strings the string table */
  constructor(
    entries: readonly SymbolEntry[],
    private readonly strings: Uint8Array,
  ) {
    this.sorted = [...entries].sort((a, b) => a.address - b.address || a.rank - b.rank);
  }

  /** The symbol that covers `address` (as linked); one without a size reaches to the next. */
  at(address: number): GuestSymbol | undefined {
    const after = this.after(address);
    for (let i = after - 1; i >= 0 && i > after - 1 - LOOK_BACK; i--) {
      const s = this.sorted[i];
      if (s !== undefined && (s.size === 0 || address < s.address + s.size)) return this.symbolOf(s);
    }
    return undefined;
  }

  /** The function called `name`; of several, the highest-ranked. */
  named(name: string): GuestSymbol | undefined {
    this.byName ??= new Map([...this.sorted].sort((a, b) => a.rank - b.rank).map((s) => [this.nameOf(s), s] as const));
    const s = this.byName.get(name);
    return s === undefined ? undefined : this.symbolOf(s);
  }

  /** End of `s`: its size, or the next symbol's start. */
  endOf(s: GuestSymbol): number {
    if (s.size > 0) return s.address + s.size;
    return this.sorted[this.after(s.address)]?.address ?? s.address + 4096;
  }

  /** By address. */
  get all(): readonly GuestSymbol[] {
    return this.sorted.map((s) => this.symbolOf(s));
  }

  /** Index of the first symbol past `address`. */
  private after(address: number): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if ((this.sorted[mid]?.address ?? 0) <= address) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  private symbolOf(s: SymbolEntry): GuestSymbol {
    return { name: this.nameOf(s), address: s.address, size: s.size };
  }

  private nameOf(s: SymbolEntry): string {
    const end = this.strings.indexOf(0, s.nameAt);
    const limit = Math.min(end < 0 ? this.strings.length : end, s.nameAt + MAX_NAME);
    const name = String.fromCharCode(...this.strings.subarray(s.nameAt, limit));
    // The version behind '@' is said in full symbol tables alone.
    const at = name.indexOf('@', 1);
    return at < 0 ? name : name.slice(0, at);
  }
}

const NONE = new Symbols([], new Uint8Array(0));

/** Whether the file has a symbol table besides the one for dynamic linking. */
export function hasFullSymbols(file: Uint8Array): boolean {
  return readSections(file).some((s) => s.type === SHT_SYMTAB && s.size > 0);
}

/** The function symbols of `file`: of .symtab, else of .dynsym. */
export function readSymbols(file: Uint8Array): Symbols {
  const sections = readSections(file);
  const table =
    sections.find((s) => s.type === SHT_SYMTAB && s.size > 0) ?? sections.find((s) => s.type === SHT_DYNSYM);
  const strings = table === undefined ? undefined : sections[table.link];
  if (table === undefined || strings === undefined) return NONE;
  if (table.offset + table.size > file.length || strings.offset + strings.size > file.length) return NONE;
  const v = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const list: SymbolEntry[] = [];
  for (let at = table.offset; at + SYM_SIZE <= table.offset + table.size; at += SYM_SIZE) {
    const s = readSymbol(v, at);
    if (s !== undefined && s.nameAt < strings.size) list.push(s);
  }
  return new Symbols(list, file.subarray(strings.offset, strings.offset + strings.size));
}

/** The symbol at `at` if it is a defined function, or a label that may be one (assembly). */
function readSymbol(v: DataView, at: number): SymbolEntry | undefined {
  const info = v.getUint8(at + 4);
  const type = info & 15;
  const bind = info >> 4;
  const address = Number(v.getBigUint64(at + 8, true));
  const nameAt = v.getUint32(at, true);
  const section = v.getUint16(at + 6, true);
  const defined = section !== 0 && section < SHN_LORESERVE;
  if (!defined || address === 0 || nameAt === 0) return undefined;
  if (type !== STT_FUNC && type !== STT_NOTYPE && type !== STT_GNU_IFUNC) return undefined;
  const size = Number(v.getBigUint64(at + 16, true));
  const rank =
    (type === STT_NOTYPE ? 0 : 8) + (size > 0 ? 4 : 0) + (bind === STB_GLOBAL ? 2 : bind === STB_WEAK ? 1 : 0);
  return { address, size, rank, nameAt };
}
