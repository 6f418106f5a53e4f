/**
 * A file of the code store, as it lies on disk. In: items. Out: bytes, and back; undefined for bytes that are no such file, or not whole.
 *
 * All numbers are little-endian and aligned. Head (HEAD_BYTES): magic, version, number of items, i32 each; bytes of the file, hash of head and table, f64 each.
 * Then the table, ROW_BYTES an item: id, count, offset and length of its bytes, i32 each; content, hash of the bytes, f64 each. Then the bytes, at multiples of 16.
 */
import { PAGE_SIZE } from '../guest/memory-map.js';

/** What a file holds; `id`, `count` and `content` mean what its user says (code-store.ts, region-store.ts). */
export interface StoredItem {
  readonly id: number;
  readonly count: number;
  readonly content: number;
  readonly bytes: Uint8Array;
  /** bytesHash of the bytes. */
  readonly sum: number;
}

const MAGIC = 0x4334_364c;
const VERSION = 2;
const HEAD_BYTES = 32;
const ROW_BYTES = 32;
const ALIGN = 16;

/** What padding to a multiple of ALIGN makes of `bytes`. */
export const padded = (bytes: number): number => (bytes + ALIGN - 1) & -ALIGN;

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

const mix = (lane: number, word: number): number =>
  (Math.imul(rotate(lane ^ rotate(Math.imul(word, 0xcc9e_2d51), 15), 13), 5) + 0xe654_6b64) | 0;

function finish(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}

/**
 * A 53-bit hash of `count` words from `start` on: against accidents, not against forgery. Four lanes, which do not wait for each other, change places at each step, so that each word reaches all of them.
 * The core has the same (backend-wasm/interpreter/stored-tbs.ts), which is fast from the first call on.
 */
export function wordsHash(words: Int32Array, start: number, count: number): number {
  let a = count | 0;
  let b = 0x2545_f491;
  let c = 0x9e37_79b1 | 0;
  let d = 0x1b87_3593;
  let at = start;
  for (const rest = start + (count & ~3); at < rest; at += 4) {
    const first = mix(a, words[at] as number);
    a = mix(b ^ a, words[at + 1] as number);
    b = mix(c ^ b, words[at + 2] as number);
    c = mix(d ^ c, words[at + 3] as number);
    d = first;
  }
  for (const end = start + count; at < end; at++) a = mix(a, words[at] as number);
  const low = finish(mix(mix(mix(a, b), c), d));
  const high = finish(mix(mix(mix(d, c), b), a));
  return (high & 0x1f_ffff) * 2 ** 32 + (low >>> 0);
}

/** wordsHash of a guest page. */
export const pageHash = (i32: Int32Array, page: number): number =>
  wordsHash(i32, (page * PAGE_SIZE) / 4, PAGE_SIZE / 4);

const wordsOf = (bytes: Uint8Array): Int32Array =>
  new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);

/** wordsHash of whole words of bytes that are aligned. */
export function bytesHash(bytes: Uint8Array): number {
  const words = wordsOf(bytes);
  return wordsHash(words, 0, words.length);
}

/** The file with these items. */
export function writeStore(items: readonly StoredItem[]): Uint8Array {
  const tableEnd = HEAD_BYTES + ROW_BYTES * items.length;
  const size = items.reduce((n, g) => n + padded(g.bytes.length), padded(tableEnd));
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  let at = padded(tableEnd);
  items.forEach((g, n) => {
    const row = HEAD_BYTES + ROW_BYTES * n;
    [g.id, g.count, at, g.bytes.length].forEach((v, k) => {
      view.setInt32(row + 4 * k, v, true);
    });
    view.setFloat64(row + 16, g.content, true);
    view.setFloat64(row + 24, g.sum, true);
    file.set(g.bytes, at);
    at += padded(g.bytes.length);
  });
  [MAGIC, VERSION, items.length].forEach((v, k) => {
    view.setInt32(4 * k, v, true);
  });
  view.setFloat64(16, size, true);
  view.setFloat64(24, bytesHash(file.subarray(0, tableEnd)), true);
  return file;
}

/** The items of a file; their bytes are not checked yet (`isWhole`). Undefined when it is none of this version or is damaged. `file` is aligned. */
export function parseStore(file: Uint8Array): StoredItem[] | undefined {
  if (file.length < HEAD_BYTES) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const i32 = (at: number): number => view.getInt32(at, true);
  const count = i32(8);
  const tableEnd = HEAD_BYTES + ROW_BYTES * count;
  if (i32(0) !== MAGIC || i32(4) !== VERSION || count < 0 || tableEnd > file.length) return undefined;
  if (view.getFloat64(16, true) !== file.length) return undefined;
  const sum = view.getFloat64(24, true);
  const head = file.slice(0, tableEnd);
  head.fill(0, 24, 32);
  if (bytesHash(head) !== sum) return undefined;
  const items: StoredItem[] = [];
  for (let row = HEAD_BYTES; row < tableEnd; row += ROW_BYTES) {
    const offset = i32(row + 8);
    const bytes = i32(row + 12);
    if (offset < tableEnd || bytes < 0 || offset % ALIGN !== 0 || offset + bytes > file.length) return undefined;
    items.push({
      id: i32(row),
      count: i32(row + 4),
      bytes: file.subarray(offset, offset + bytes),
      content: view.getFloat64(row + 16, true),
      sum: view.getFloat64(row + 24, true),
    });
  }
  return items;
}

/** True when the bytes are those that were written. */
export const isWhole = (g: StoredItem): boolean => bytesHash(g.bytes) === g.sum;
