/** The section headers of an ELF file. In: the file's bytes. Out: type and place of each; none where there are none or they are damaged. Source: System V gABI, chapter 4 (sections). */
export const SHT_SYMTAB = 2;
export const SHT_NOTE = 7;
export const SHT_DYNSYM = 11;
const SHDR_SIZE = 64;

export interface Section {
  readonly type: number;
  /** Place in the file; bytes. */
  readonly offset: number;
  readonly size: number;
  /** Index of the section that this one refers to. */
  readonly link: number;
}

export function readSections(file: Uint8Array): Section[] {
  if (file.length < SHDR_SIZE) return [];
  const v = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = Number(v.getBigUint64(40, true));
  const count = v.getUint16(60, true);
  if (v.getUint16(58, true) !== SHDR_SIZE || start + count * SHDR_SIZE > v.byteLength) return [];
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * SHDR_SIZE;
    return {
      type: v.getUint32(at + 4, true),
      offset: Number(v.getBigUint64(at + 24, true)),
      size: Number(v.getBigUint64(at + 32, true)),
      link: v.getUint32(at + 40, true),
    };
  });
}
