/**
 * The memory of a process as a whole: copied for fork, emptied for the next process. In: memories. Out: a copy, or an empty memory.
 * Copied are the guest's pages, the tables of mappings and permissions, and translated code; not CPU blocks, locks and counts. Only pages in use are touched, on both sides: a memory
 * is 4 GiB of addresses, and what has never been written costs nothing until it is.
 * Source: man 2 fork; src/guest/memory-map.ts (the areas), DESIGN.md section 6.
 */
import {
  CODE_ARENA,
  FILE_BYTES,
  FILE_MAX,
  HIGH_MAP_BASE,
  HIGH_STATE,
  HIGH_TABLE_SIZE,
  HIGH_TABLES,
  INVAL_LOG,
  INVAL_LOG_SIZE,
  MAPPED_FILES,
  PAGE_SIZE,
  PAGE_TBS,
  PAGE_USED,
  PCB,
  PCB_BASE,
  PERM_TABLE,
  GUEST_PAGES,
  SLOT_HASH_SIZE,
  SLOT_TABLE,
  TB_HASH,
  TB_HASH_SIZE,
  VMA_BYTES,
  VMA_TABLE,
} from '../../src/guest/memory-map.js';
import { isShared } from './aliases.js';
import { markUsed, zeroPages } from './clean-pages.js';
import { MappedFiles } from './mapped-files.js';
import { HIGH_PAGE } from './mman.js';
import { type Vma, VmaTable } from './vma-table.js';
import { CHUNK, isZero, zeroFill } from './zero.js';

type Bytes = Uint8Array<SharedArrayBuffer>;

/** First byte, and bytes. */
type Area = readonly [number, number];

/** The emulator's tables, as far as the process has used them; what is not listed is zero. Most of a small process's are: to look at all of their 12 MiB takes some milliseconds. */
function tablesInUse(words: Int32Array<SharedArrayBuffer>): Area[] {
  const word = (at: number): number => (words[at / 4] ?? 0) >>> 0;
  const areas: Area[] = [[MAPPED_FILES, FILE_BYTES * Math.min(word(MAPPED_FILES) + 1, FILE_MAX)]];
  if (word(PCB_BASE + PCB.TB_COUNT) > 0) areas.push([TB_HASH, TB_HASH_SIZE * 4]);
  if (word(PCB_BASE + PCB.SLOT_COUNT) > 0) areas.push([SLOT_TABLE, SLOT_HASH_SIZE * 16]);
  areas.push([INVAL_LOG, Math.min(word(PCB_BASE + PCB.CODE_GENERATION) + 1, INVAL_LOG_SIZE) * 4]);
  return areas.concat(pageTables(words));
}

/** What the tables by page have of the process's pages. The backing of high pages lies anywhere. */
function pageTables(words: Int32Array<SharedArrayBuffer>): Area[] {
  if (words[HIGH_STATE / 4] !== 0) return pageTableAreas(0, GUEST_PAGES);
  return lowMappings(words.buffer).flatMap((v) => pageTableAreas(v.start, v.end));
}

const pageTableAreas = (start: number, end: number): Area[] => [
  [PERM_TABLE + start, end - start],
  [PAGE_TBS + 4 * start, 4 * (end - start)],
];

/** Bytes of MM_AREA in the process control block. */
const MM_AREA_BYTES = 0x8000;
const COPIED_WORDS = [
  PCB.ARENA_NEXT,
  PCB.TB_COUNT,
  PCB.CODE_GENERATION,
  PCB.HOT_THRESHOLD,
  PCB.SLOT_COUNT,
  PCB.FLOAT_PRECISE,
  PCB.COPIES,
] as const;
const LIFE = PCB_BASE + PCB.LIFE;
/** Bytes of the process control block behind the translation lock. */
const PCB_BYTES = 0x1_0000;

/** Copies all of a process but pages of shared mappings from `from` to the empty memory `to`. The world of `from` is stopped, and the caller holds its PCB.MM_LOCK. Descriptors of mapped files are still the parent's. */
export function copySpace(from: Bytes, to: Bytes): void {
  const [source, target] = [new Int32Array(from.buffer), new Int32Array(to.buffer)];
  for (const [start, size] of tablesInUse(source)) copySparse(from, to, start, size);
  for (const word of COPIED_WORDS) target[(PCB_BASE + word) / 4] = source[(PCB_BASE + word) / 4] ?? 0;
  copy(from, to, PCB_BASE + PCB.MM_AREA, MM_AREA_BYTES);
  copy(from, to, HIGH_MAP_BASE, highBytes(source));
  const table = new VmaTable(from.buffer);
  const files = new MappedFiles(source, from, table);
  copy(from, to, VMA_TABLE, table.count * VMA_BYTES);
  copy(from, to, CODE_ARENA, ((source[(PCB_BASE + PCB.ARENA_NEXT) / 4] ?? 0) >>> 0) - CODE_ARENA);
  for (const v of lowMappings(from.buffer)) {
    if (files.hostFd(v.file) >= 0 && isShared(v)) zeroPages(to, v.start, v.end);
    else copyPagesOf(from, to, v.start, v.end);
  }
}

/** Mappings whose pages have addresses in the memory: none lies on both sides of HIGH_PAGE. */
const lowMappings = (memory: SharedArrayBuffer): Vma[] => new VmaTable(memory).all().filter((v) => v.start < HIGH_PAGE);

/** Makes the emulator's areas those of a memory without a process; guest pages are zeroed when they are mapped again. The caller holds the translation lock, which stays. */
export function emptySpace(bytes: Bytes): void {
  const words = new Int32Array(bytes.buffer);
  // First: what the compile worker makes of a memory that is half empty is then known to be nothing.
  Atomics.add(words, LIFE / 4, 1);
  const high = highBytes(words);
  for (const [start, size] of tablesInUse(words)) zeroSparse(bytes, start, size);
  zeroSparse(bytes, HIGH_MAP_BASE, high);
  zeroFill(bytes, PCB_BASE + PCB.TRANSLATE_LOCK + 4, LIFE);
  zeroFill(bytes, LIFE + 4, PCB_BASE + PCB_BYTES);
}

/** Bytes of the radix table in use, from its root on. */
function highBytes(words: Int32Array): number {
  return HIGH_TABLES - HIGH_MAP_BASE + (words[HIGH_STATE / 4] ?? 0) * HIGH_TABLE_SIZE * 4;
}

function copy(from: Bytes, to: Bytes, start: number, size: number): void {
  to.set(from.subarray(start, start + size), start);
}

/** `to` is zero there. */
function copySparse(from: Bytes, to: Bytes, start: number, size: number): void {
  for (let at = start; at < start + size; at += CHUNK) {
    const n = Math.min(CHUNK, start + size - at);
    if (!isZero(from, at, n)) copy(from, to, at, n);
  }
}

function zeroSparse(bytes: Bytes, start: number, size: number): void {
  for (let at = start; at < start + size; at += CHUNK) {
    const n = Math.min(CHUNK, start + size - at);
    if (!isZero(bytes, at, n)) zeroFill(bytes, at, at + n);
  }
}

/** Pages [start, end) below GUEST_END. */
function copyPagesOf(from: Bytes, to: Bytes, start: number, end: number): void {
  const used = from.subarray(PAGE_USED + start, PAGE_USED + end);
  let page = 0;
  while (page < used.length) {
    const next = used.indexOf(1, page);
    const first = next < 0 ? used.length : next;
    zeroPages(to, start + page, start + first);
    const zero = used.indexOf(0, first);
    page = first === used.length || zero < 0 ? used.length : zero;
    copyUsed(from, to, start + first, start + page);
  }
}

function copyUsed(from: Bytes, to: Bytes, start: number, end: number): void {
  for (let at = start * PAGE_SIZE; at < end * PAGE_SIZE; at += CHUNK) {
    const n = Math.min(CHUNK, end * PAGE_SIZE - at);
    const page = at / PAGE_SIZE;
    if (isZero(from, at, n)) zeroPages(to, page, page + n / PAGE_SIZE);
    else copy(from, to, at, n);
  }
  markUsed(to, start, end);
}
