/** Files of the code store: what is written is read back, and no damage gets through. */
import { describe, expect, test } from '@jest/globals';
import { bytesHash, isWhole, parseStore, type StoredItem, writeStore } from '../../src/engine/code-store-file.js';

function item(page: number, size: number, seed: number): StoredItem {
  const records = Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed * 7) & 0xff);
  return { id: page, content: seed * 2 ** 40 + page, count: seed, bytes: records, sum: bytesHash(records) };
}
const ITEMS = [item(0x400, 160, 1), item(0x401, 0, 2), item(0xdffff, 4096, 3)];

/** All items whole, as their use demands. */
const readable = (file: Uint8Array): StoredItem[] | undefined => {
  const items = parseStore(file);
  return items?.every(isWhole) === true ? items : undefined;
};

describe('files of the code store', () => {
  test('are read as they were written', () => {
    const items = readable(writeStore(ITEMS));
    expect(items?.map((g) => ({ ...g, bytes: [...g.bytes] }))).toEqual(
      ITEMS.map((g) => ({ ...g, bytes: [...g.bytes] })),
    );
    expect(readable(writeStore([]))).toEqual([]);
  });

  test('cut short anywhere are refused', () => {
    const file = writeStore(ITEMS);
    for (let length = 0; length < file.length; length += length < 200 ? 1 : 37)
      expect(parseStore(file.slice(0, length))).toBeUndefined();
  });

  test('with any bit turned are refused, or the bit is in no record', () => {
    const file = writeStore(ITEMS);
    let random = 12345;
    const next = (n: number): number => (random = (Math.imul(random, 1103515245) + 12345) >>> 0) % n;
    for (let n = 0; n < 3000; n++) {
      const damaged = file.slice();
      const at = n < 300 ? n : next(file.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << next(8));
      const items = readable(damaged);
      if (items !== undefined) expect(items).toEqual(readable(file));
    }
  });

  test('of garbage are refused', () => {
    let random = 99;
    for (let n = 0; n < 300; n++) {
      const garbage = Uint8Array.from(
        { length: n },
        () => (random = (Math.imul(random, 1103515245) + 12345) >>> 0) >>> 24,
      );
      expect(parseStore(garbage)).toBeUndefined();
    }
  });

  test('hash: differences in high bits of several words do not cancel', () => {
    const seen = new Set<number>();
    for (let a = 0; a < 256; a++) {
      for (const shift of [0, 8, 24]) {
        const words = new Int32Array(64);
        words[3] = a << shift;
        words[7] = (a ^ 0x80) << 24;
        seen.add(bytesHash(new Uint8Array(words.buffer)));
      }
    }
    // a = 0 is the same for all shifts.
    expect(seen.size).toBe(3 * 255 + 1);
  });
});
