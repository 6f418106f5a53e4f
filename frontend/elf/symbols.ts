/**
 * Function symbols of an ELF file. In: the file's bytes. Out: name at an address, range of a name. Source: System V gABI, chapter 4 (sections, symbol table).
 * A file without sections or with broken ones has no symbols; that is no error.
 */
export interface GuestSymbol {
  readonly name: string;
  /** Address as linked; bytes, 0 when the table gives none. */
  readonly address: number;
  readonly size: number;
}

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_FUNC = 2;
const STT_NOTYPE = 0;
const STT_GNU_IFUNC = 10;

export class Symbols {
  private readonly sorted: readonly GuestSymbol[];

  constructor(symbols: readonly GuestSymbol[]) {
    this.sorted = [...symbols].sort((a, b) => a.address - b.address);
  }

  /** The symbol that covers `address` (as linked); one without a size reaches to the next. */
  at(address: number): GuestSymbol | undefined {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if ((this.sorted[mid]?.address ?? 0) <= address) low = mid + 1;
      else high = mid;
    }
    // Of several at one address, the last that covers it.
    for (let i = low - 1; i >= 0 && i > low - 8; i--) {
      const s = this.sorted[i];
      if (s !== undefined && (s.size === 0 || address < s.address + s.size)) return s;
    }
    return undefined;
  }

  named(name: string): GuestSymbol | undefined {
    return this.sorted.find((s) => s.name === name);
  }

  /** End of `s`: its size, or the next symbol's start. */
  endOf(s: GuestSymbol): number {
    if (s.size > 0) return s.address + s.size;
    return this.sorted.find((o) => o.address > s.address)?.address ?? s.address + 4096;
  }

  get all(): readonly GuestSymbol[] {
    return this.sorted;
  }
}

/** The function symbols of `file`: of .symtab, else of .dynsym. */
export function readSymbols(file: Uint8Array): Symbols {
  const v = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 64) return new Symbols([]);
  const shoff = Number(v.getBigUint64(40, true));
  const shsize = v.getUint16(58, true);
  const shnum = v.getUint16(60, true);
  if (shsize !== 64 || shoff + shnum * shsize > file.length) return new Symbols([]);
  const section = (i: number): { type: number; offset: number; size: number; link: number } => {
    const at = shoff + i * 64;
    return {
      type: v.getUint32(at + 4, true),
      offset: Number(v.getBigUint64(at + 24, true)),
      size: Number(v.getBigUint64(at + 32, true)),
      link: v.getUint32(at + 40, true),
    };
  };
  const sections = Array.from({ length: shnum }, (_, i) => section(i));
  const table = sections.find((s) => s.type === SHT_SYMTAB) ?? sections.find((s) => s.type === SHT_DYNSYM);
  const strings = table === undefined ? undefined : sections[table.link];
  if (
    table === undefined ||
    strings === undefined ||
    table.offset + table.size > file.length ||
    strings.offset + strings.size > file.length
  )
    return new Symbols([]);
  const names = file.subarray(strings.offset, strings.offset + strings.size);
  const list: GuestSymbol[] = [];
  for (let at = table.offset; at + 24 <= table.offset + table.size; at += 24) {
    const type = (v.getUint8(at + 4) & 15) as number;
    const address = Number(v.getBigUint64(at + 8, true));
    if (
      address === 0 ||
      v.getUint16(at + 6, true) === 0 ||
      (type !== STT_FUNC && type !== STT_NOTYPE && type !== STT_GNU_IFUNC)
    )
      continue;
    const start = v.getUint32(at, true);
    const end = names.indexOf(0, start);
    if (start === 0 || end < 0) continue;
    list.push({
      name: String.fromCharCode(...names.subarray(start, Math.min(end, start + 512))),
      address,
      size: Number(v.getBigUint64(at + 16, true)),
    });
  }
  return new Symbols(list);
}
