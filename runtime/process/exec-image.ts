/**
 * Lays out a program in an address space: segments, interpreter, vDSO, stack, arguments, environment, auxv. In: parsed ELF files. Out: where it starts.
 * Source: psABI AMD64 3.4.1 (initial stack and auxv), man 3 getauxval, man 2 execve ("Limits on size of arguments and environment").
 */
import { GUEST_END, PAGE_SIZE } from '../../src/guest/memory-map.js';
import { E2BIG, ENOMEM } from '../linux/errno.js';
import { MAP, PROT, type AddressSpace } from '../memory/address-space.js';
import { MMAP_TOP } from '../memory/mman.js';
import { TAG } from '../memory/vma-table.js';
import type { ExecLayout } from './mm.js';
import { mapVdso } from './vdso/vvar.js';

/** What of an ELF file the image needs; frontend/elf gives it. */
export interface ImageFile {
  readonly type: 'exec' | 'dyn';
  readonly entry: number;
  readonly segments: readonly {
    readonly address: number;
    readonly offset: number;
    readonly fileSize: number;
    readonly memorySize: number;
    readonly flags: number;
    /** Power of two, or 0. */
    readonly align?: number;
  }[];
  readonly phdr: { readonly address: number; readonly count: number; readonly size: number };
  readonly execStack: boolean;
  /** Host descriptor, open for reading, and the guest's path. */
  readonly hostFd: number;
  readonly path: string;
  readonly size: number;
}

export interface ImageOptions {
  readonly program: ImageFile;
  readonly interpreter: ImageFile | undefined;
  /** Bytes of each argument and environment string, one character a byte. */
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** argv[0] as execve got it. */
  readonly execfn: string;
  readonly stackSize: number;
  /** 16 bytes for AT_RANDOM. */
  readonly random: Uint8Array;
  readonly ids: { readonly uid: number; readonly euid: number; readonly gid: number; readonly egid: number };
  /** CPUID(1).EDX. */
  readonly hwcap: number;
  /** AT_HWCAP2. */
  readonly hwcap2: number;
}

export interface LoadedImage {
  /** Where execution begins, and the stack pointer there. */
  readonly entry: number;
  readonly sp: number;
  /** Load bias of the program and of the interpreter. */
  readonly bias: number;
  readonly interpreterBias: number;
  readonly layout: ExecLayout;
}

const STACK_TOP = GUEST_END - 0x10_0000;
/** Position-independent programs; their heap grows from behind them. */
const PROGRAM_BASE = 0x1000_0000;
const AT = {
  PHDR: 3,
  PHENT: 4,
  PHNUM: 5,
  PAGESZ: 6,
  BASE: 7,
  FLAGS: 8,
  ENTRY: 9,
  UID: 11,
  EUID: 12,
  GID: 13,
  EGID: 14,
  PLATFORM: 15,
  HWCAP: 16,
  CLKTCK: 17,
  SECURE: 23,
  RANDOM: 25,
  HWCAP2: 26,
  EXECFN: 31,
  SYSINFO_EHDR: 33,
  MINSIGSTKSZ: 51,
} as const;

/** Bytes between the stack and what mmap places below it. */
const STACK_GAP = 0x10_0000;
/** Limits of execve: bytes of one string (MAX_ARG_STRLEN), and of all of them (_STK_LIM / 4 * 3). */
const MAX_STRING = 32 * PAGE_SIZE;
const MAX_STRINGS = 6 << 20;

/** Maps everything into the empty `mm`. Gives -E2BIG when arguments and environment are too large, another negative errno when memory or addresses do not suffice. */
export function loadImage(mm: AddressSpace, bytes: Uint8Array, o: ImageOptions): LoadedImage | number {
  const stackBytes = Math.ceil(o.stackSize / PAGE_SIZE) * PAGE_SIZE;
  if (tooBig(o, stackBytes)) return -E2BIG;
  const stackStart = STACK_TOP - stackBytes;
  if (stackStart < PROGRAM_BASE) return -ENOMEM;
  mm.setTop(Math.min(MMAP_TOP, stackStart - STACK_GAP));
  mm.setStackLimit(stackBytes);
  const bias = place(mm, o.program, PROGRAM_BASE);
  if (bias < 0) return bias;
  const end = Math.max(...o.program.segments.map((s) => s.address + s.memorySize)) + bias;
  // A program that is linked above the fast memory has its heap in it all the same.
  mm.initHeap(end < MMAP_TOP ? Math.ceil(end / PAGE_SIZE) * PAGE_SIZE : PROGRAM_BASE);
  let interpreterBias = 0;
  if (o.interpreter !== undefined) {
    interpreterBias = place(mm, o.interpreter, 0);
    if (interpreterBias < 0) return interpreterBias;
  }
  const stack = mm.mmap({
    addr: stackStart,
    length: stackBytes,
    prot: PROT.READ | PROT.WRITE | (o.program.execStack ? PROT.EXEC : 0),
    flags: MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE | MAP.GROWSDOWN,
    tag: TAG.STACK,
  });
  if (stack < 0) return stack;
  const vdso = mapVdso(mm, bytes);
  if (vdso < 0) return vdso;
  const { sp, layout } = buildStack(bytes, o, bias, interpreterBias, vdso);
  return {
    entry: o.interpreter === undefined ? o.program.entry + bias : o.interpreter.entry + interpreterBias,
    sp,
    bias,
    interpreterBias,
    layout,
  };
}

function tooBig(o: ImageOptions, stackBytes: number): boolean {
  const strings = [...o.argv, ...o.env];
  const total = strings.reduce((n, s) => n + s.length + 1 + 8, 0);
  return strings.some((s) => s.length >= MAX_STRING) || total > Math.min(stackBytes / 4, MAX_STRINGS);
}

/** Maps the segments of `f`; gives the load bias. `base` 0: wherever there is room. */
function place(mm: AddressSpace, f: ImageFile, base: number): number {
  const first = Math.floor((f.segments[0]?.address ?? 0) / PAGE_SIZE) * PAGE_SIZE;
  const last = Math.max(...f.segments.map((s) => s.address + s.memorySize));
  let bias = 0;
  if (f.type === 'dyn') {
    const at = reserve(mm, base, last - first, Math.max(PAGE_SIZE, ...f.segments.map((s) => s.align ?? 0)));
    if (at < 0) return at;
    bias = at - first;
  }
  for (const s of f.segments) {
    const r = mapSegment(mm, f, s, bias);
    if (r < 0) return r;
  }
  return bias;
}

/** Reserves `length` bytes at a multiple of `align`, so that the segments stay together. */
function reserve(mm: AddressSpace, base: number, length: number, align: number): number {
  const map = (addr: number, size: number): number =>
    mm.mmap({ addr, length: size, prot: PROT.NONE, flags: MAP.PRIVATE | MAP.ANONYMOUS });
  const at = map(base, length);
  if (at < 0 || at % align === 0) return at;
  mm.munmap(at, length);
  const whole = map(0, length + align);
  if (whole < 0) return whole;
  const aligned = Math.ceil(whole / align) * align;
  const end = aligned + Math.ceil(length / PAGE_SIZE) * PAGE_SIZE;
  if (aligned > whole) mm.munmap(whole, aligned - whole);
  mm.munmap(end, whole + length + align - end);
  return aligned;
}

function mapSegment(mm: AddressSpace, f: ImageFile, s: ImageFile['segments'][number], bias: number): number {
  const prot = (s.flags & 4 ? PROT.READ : 0) | (s.flags & 2 ? PROT.WRITE : 0) | (s.flags & 1 ? PROT.EXEC : 0);
  const inPage = s.address % PAGE_SIZE;
  const start = s.address - inPage + bias;
  const fileBytes = s.fileSize + inPage;
  const memoryBytes = s.memorySize + inPage;
  const filePages = s.fileSize === 0 ? 0 : Math.ceil(fileBytes / PAGE_SIZE) * PAGE_SIZE;
  if (filePages > 0) {
    const at = mm.mmap({
      addr: start,
      length: filePages,
      prot,
      flags: MAP.PRIVATE | MAP.FIXED,
      file: { hostFd: f.hostFd, path: f.path, offset: s.offset - inPage, size: f.size },
    });
    if (at < 0) return at;
    // Linux clears the last file page to its end: ld.so's first allocations lie behind its own bss.
    if (memoryBytes > fileBytes && (s.flags & 2) !== 0) mm.zeroRange(start + fileBytes, filePages - fileBytes);
  }
  const rest = Math.ceil(memoryBytes / PAGE_SIZE) * PAGE_SIZE - filePages;
  if (rest <= 0) return 0;
  const at = mm.mmap({ addr: start + filePages, length: rest, prot, flags: MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED });
  return at < 0 ? at : 0;
}

function buildStack(
  bytes: Uint8Array,
  o: ImageOptions,
  bias: number,
  interpreterBias: number,
  vdso: number,
): { sp: number; layout: ExecLayout } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The last page stays free unless the stack is small: an access is quickest where the page behind it allows it too (PERM.WFAST).
  let at = STACK_TOP - (o.stackSize >= 64 * PAGE_SIZE ? PAGE_SIZE : 0) - 16;
  const put = (text: string): number => {
    at -= text.length + 1;
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
    bytes[at + text.length] = 0;
    return at;
  };
  const execfn = put(o.execfn);
  // The strings lie in ascending order, the environment behind the arguments, as Linux has them.
  const envEnd = at;
  const env = [...o.env].reverse().map(put).reverse();
  const envStart = at;
  const argv = [...o.argv].reverse().map(put).reverse();
  const argStart = at;
  const platform = put('x86_64');
  at = (at - 16) & ~15;
  at >>>= 0;
  bytes.set(o.random.subarray(0, 16), at);
  const random = at;
  const auxv: readonly (readonly [number, number])[] = [
    [AT.SYSINFO_EHDR, vdso],
    [AT.HWCAP, o.hwcap],
    [AT.PAGESZ, PAGE_SIZE],
    [AT.CLKTCK, 100],
    [AT.PHDR, o.program.phdr.address === 0 ? 0 : o.program.phdr.address + bias],
    [AT.PHENT, o.program.phdr.size],
    [AT.PHNUM, o.program.phdr.count],
    [AT.BASE, o.interpreter === undefined ? 0 : interpreterBias],
    [AT.FLAGS, 0],
    [AT.ENTRY, o.program.entry + bias],
    [AT.UID, o.ids.uid],
    [AT.EUID, o.ids.euid],
    [AT.GID, o.ids.gid],
    [AT.EGID, o.ids.egid],
    [AT.SECURE, 0],
    [AT.RANDOM, random],
    [AT.HWCAP2, o.hwcap2],
    [AT.EXECFN, execfn],
    [AT.PLATFORM, platform],
    [AT.MINSIGSTKSZ, 2048],
    [0, 0],
  ];
  const words = 1 + argv.length + 1 + env.length + 1 + 2 * auxv.length;
  const sp = (at - 8 * words) & ~15;
  let w = sp >>> 0;
  const word = (v: number): void => {
    view.setBigUint64(w, BigInt(v), true);
    w += 8;
  };
  word(argv.length);
  argv.forEach(word);
  word(0);
  env.forEach(word);
  word(0);
  const auxvAt = w;
  for (const [type, value] of auxv) {
    word(type);
    word(value);
  }
  return {
    sp: sp >>> 0,
    layout: { argStart, argEnd: envStart, envStart, envEnd, auxv: auxvAt, auxvBytes: 16 * auxv.length },
  };
}
