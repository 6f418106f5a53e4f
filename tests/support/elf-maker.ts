/**
 * Small ELF files for tests. In: what differs from a plain static x86-64 program. Out: the file's bytes. Source: System V gABI, chapters 4 and 5.
 */
export interface Phdr {
  readonly type: number;
  readonly flags?: number;
  readonly offset?: number;
  readonly vaddr?: number | bigint;
  readonly filesz?: number | bigint;
  readonly memsz?: number | bigint;
  readonly align?: number | bigint;
}

export const PT = { LOAD: 1, INTERP: 3, PHDR: 6, GNU_STACK: 0x6474e551 } as const;
const EHDR = 64;
const PHDR = 56;

export interface ElfParts {
  readonly type?: number;
  readonly machine?: number;
  readonly entry?: number | bigint;
  readonly phdrs: readonly Phdr[];
  /** Bytes of the whole file, by default 8 KiB; byte i holds i & 255 from the end of the headers on. */
  readonly size?: number;
  /** Written over the file: offset, bytes. */
  readonly patches?: readonly (readonly [number, Uint8Array | string])[];
}

export function makeElf(p: ElfParts): Uint8Array {
  const file = Uint8Array.from({ length: p.size ?? 8192 }, (_, i) => i & 255);
  const v = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  v.setUint16(16, p.type ?? 2, true);
  v.setUint16(18, p.machine ?? 62, true);
  v.setUint32(20, 1, true);
  v.setBigUint64(24, BigInt(p.entry ?? 0x40_0100), true);
  v.setBigUint64(32, BigInt(EHDR), true);
  v.setBigUint64(40, 0n, true);
  v.setUint32(48, 0, true);
  v.setUint16(52, EHDR, true);
  v.setUint16(54, PHDR, true);
  v.setUint16(56, p.phdrs.length, true);
  v.setUint16(58, 64, true);
  v.setUint16(60, 0, true);
  v.setUint16(62, 0, true);
  p.phdrs.forEach((h, i) => {
    const at = EHDR + i * PHDR;
    v.setUint32(at, h.type, true);
    v.setUint32(at + 4, h.flags ?? 5, true);
    v.setBigUint64(at + 8, BigInt(h.offset ?? 0), true);
    v.setBigUint64(at + 16, BigInt(h.vaddr ?? 0), true);
    v.setBigUint64(at + 24, BigInt(h.vaddr ?? 0), true);
    v.setBigUint64(at + 32, BigInt(h.filesz ?? 0), true);
    v.setBigUint64(at + 40, BigInt(h.memsz ?? h.filesz ?? 0), true);
    v.setBigUint64(at + 48, BigInt(h.align ?? 4096), true);
  });
  for (const [at, bytes] of p.patches ?? [])
    file.set(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, at);
  return file;
}

/** A program of one readable and executable segment, the first `filesz` bytes of the file, at 4 MiB. */
export const text = (filesz = 4096): Phdr => ({ type: PT.LOAD, vaddr: 0x40_0000, filesz });
