/**
 * Parses and validates an ELF64 file for x86-64. In: the file's bytes. Out: what a loader needs. Everything that is wrong is one clear line (ProgramError, exit 126).
 * Source: System V gABI, chapter 4 and 5 (ELF header, program header); psABI AMD64, 4.1.
 */
import { EXIT_NOT_EXECUTABLE, ProgramError } from '../../src/base/errors.js';
import { USER_SPACE_END } from '../../src/base/ids.js';

export interface Segment {
  /** Guest address as linked, file offset, sizes; bytes. */
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly memorySize: number;
  /** PF_X 1, PF_W 2, PF_R 4. */
  readonly flags: number;
  /** Power of two, or 0; bytes. */
  readonly align: number;
}

export interface Elf {
  /** 'exec' at fixed addresses, 'dyn' anywhere. */
  readonly type: 'exec' | 'dyn';
  readonly entry: number;
  readonly segments: readonly Segment[];
  /** Path of PT_INTERP. */
  readonly interpreter: string | undefined;
  /** Program headers: address in memory as linked (0: in no segment), number, bytes of one. */
  readonly phdr: { readonly address: number; readonly count: number; readonly size: number };
  /** PT_GNU_STACK asks for an executable stack. Without one, x86-64 Linux gives none (5.8 and later). */
  readonly execStack: boolean;
}

/** A file that is read piece by piece: programs may be larger than what is worth reading for their headers. */
export interface ElfFile {
  /** Bytes. */
  readonly size: number;
  /** Bytes [offset, offset + length), all of them within the size. */
  read(offset: number, length: number): Uint8Array;
}

/** A file that has been read already. */
const wholeFile = (bytes: Uint8Array): ElfFile => ({
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_PHDR = 6;
const PT_GNU_STACK = 0x6474e551;
const EM_NAMES: Readonly<Record<number, string>> = {
  3: 'i386',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'S390',
  40: 'ARM',
  43: 'SPARC',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
};
const PAGE = 4096;
/** More program headers than this are a broken file (Linux: 64 KiB of them). */
const MAX_PHDRS = 65536 / PHDR_SIZE;

/**
 * @param source the whole file, or what reads it
 * @param name for the message
 * Throws ProgramError.
 */
export function parseElf(source: Uint8Array | ElfFile, name: string): Elf {
  const file = source instanceof Uint8Array ? wholeFile(source) : source;
  const bad = (why: string): never => {
    throw new ProgramError(`${name}: ${why}`, EXIT_NOT_EXECUTABLE);
  };
  const head = file.read(0, Math.min(EHDR_SIZE, file.size));
  const v = viewOf(head);
  if (head.length < 4 || v.getUint32(0, false) !== 0x7f454c46)
    bad(file.size === 0 ? 'empty file, not an ELF program' : 'not an ELF program');
  if (head.length < EHDR_SIZE) bad(`truncated ELF header: ${head.length} of ${EHDR_SIZE} bytes`);
  if (head[4] === 1) bad('32-bit ELF program; lift64 runs 64-bit x86-64 programs');
  if (head[4] !== 2) bad(`unknown ELF class ${head[4] ?? 0}`);
  if (head[5] !== 1) bad('big-endian ELF program; lift64 runs x86-64 programs');
  const machine = v.getUint16(18, true);
  if (machine !== 62) bad(`ELF program for ${EM_NAMES[machine] ?? `machine ${machine}`}, not x86-64`);
  if (head[6] !== 1) bad(`unknown ELF version ${head[6] ?? 0}`);
  const type = v.getUint16(16, true);
  if (type !== 2 && type !== 3)
    bad(
      type === 1 ? 'ELF object file, not linked' : type === 4 ? 'core dump, not a program' : `unknown ELF type ${type}`,
    );
  const phoff = Number(v.getBigUint64(32, true));
  const phsize = v.getUint16(54, true);
  const phnum = v.getUint16(56, true);
  if (phnum === 0) bad('no program headers');
  if (phsize !== PHDR_SIZE) bad(`program headers of ${phsize} bytes, not ${PHDR_SIZE}`);
  if (phnum > MAX_PHDRS) bad(`${phnum} program headers`);
  if (phoff + phnum * PHDR_SIZE > file.size) bad('truncated: the program headers lie beyond the end of the file');
  const headers = viewOf(file.read(phoff, phnum * PHDR_SIZE));

  const segments: Segment[] = [];
  let interpreter: string | undefined;
  let phdrAddress = 0;
  let execStack = false;
  for (let i = 0; i < phnum; i++) {
    const at = i * PHDR_SIZE;
    const u64 = (offset: number): number => Number(headers.getBigUint64(at + offset, true));
    const flags = headers.getUint32(at + 4, true);
    const s: Segment = {
      address: u64(16),
      offset: u64(8),
      fileSize: u64(32),
      memorySize: u64(40),
      flags,
      align: u64(48),
    };
    switch (headers.getUint32(at, true)) {
      case PT_LOAD:
        checkLoad(s, i, file.size, bad);
        if (s.memorySize > 0) segments.push(s);
        break;
      case PT_INTERP:
        interpreter ??= interpreterPath(file, s, bad);
        break;
      case PT_PHDR:
        phdrAddress = s.address;
        break;
      case PT_GNU_STACK:
        execStack = (flags & 1) !== 0;
        break;
      default:
    }
  }
  if (segments.length === 0) bad('no PT_LOAD segment');
  const sorted = [...segments].sort((a, b) => a.address - b.address);
  sorted.forEach((s, i) => {
    const next = sorted[i + 1];
    if (next !== undefined && s.address + s.memorySize > next.address)
      bad(`PT_LOAD segments at 0x${s.address.toString(16)} and 0x${next.address.toString(16)} overlap`);
  });
  if (phdrAddress === 0) {
    const holder = sorted.find((s) => phoff >= s.offset && phoff + phnum * PHDR_SIZE <= s.offset + s.fileSize);
    if (holder !== undefined) phdrAddress = holder.address + phoff - holder.offset;
  }
  const entry = Number(v.getBigUint64(24, true));
  if (entry >= USER_SPACE_END) bad(`entry point 0x${entry.toString(16)} is outside of the 47-bit address space`);
  return {
    type: type === 2 ? 'exec' : 'dyn',
    entry,
    segments: sorted,
    interpreter,
    phdr: { address: phdrAddress, count: phnum, size: PHDR_SIZE },
    execStack,
  };
}

type Bad = (why: string) => never;

function checkLoad(s: Segment, i: number, fileLength: number, bad: Bad): void {
  const which = `PT_LOAD segment ${i}`;
  if (s.fileSize > s.memorySize) bad(`${which} has more bytes in the file than in memory`);
  if (s.offset + s.fileSize > fileLength) bad(`${which} lies beyond the end of the file`);
  if (s.address + s.memorySize > USER_SPACE_END)
    bad(`${which} at 0x${s.address.toString(16)} is outside of the 47-bit address space`);
  const { align } = s;
  if (align > 1 && !(align <= USER_SPACE_END && Math.log2(align) % 1 === 0))
    bad(`${which} has alignment ${align}, which is no power of two below 2**47`);
  if (s.address % PAGE !== s.offset % PAGE) bad(`${which}: address and file offset differ within a page`);
}

function interpreterPath(file: ElfFile, s: Segment, bad: Bad): string {
  if (s.fileSize < 2 || s.fileSize > PAGE || s.offset + s.fileSize > file.size) bad('PT_INTERP has a bad size');
  const bytes = file.read(s.offset, s.fileSize);
  if (bytes.at(-1) !== 0) bad('PT_INTERP is not terminated');
  const end = bytes.indexOf(0);
  return Array.from(bytes.subarray(0, end), (c) => String.fromCharCode(c)).join('');
}
