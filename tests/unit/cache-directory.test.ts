/** The directory of the code store: own files only, whole files only, a bounded sum. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultCacheDirectory, readCached, writeCached } from '../../src/engine/cache-directory.js';

let root = '';
beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'lift64-cache-'));
});
afterAll(() => {
  fs.rmSync(root, { recursive: true, force: true });
});
const bytes = (n: number): Uint8Array => new Uint8Array(n).fill(n);

describe('cache directory', () => {
  test('is made at the first write, for the user alone', () => {
    const dir = join(root, 'a', 'b');
    expect(readCached(dir, 'x')).toBeUndefined();
    expect(fs.existsSync(dir)).toBe(false);
    expect(writeCached(dir, 'x', bytes(100))).toBe(true);
    expect(fs.statSync(dir).mode & 0o777).toBe(0o700);
    expect(readCached(dir, 'x')).toEqual(bytes(100));
    expect(writeCached(dir, 'x', bytes(7))).toBe(true);
    expect(readCached(dir, 'x')).toEqual(bytes(7));
    expect(fs.readdirSync(dir)).toEqual(['x.code']);
  });

  test('that others can write to is not used, nor such a file, nor a link', () => {
    const dir = join(root, 'c');
    writeCached(dir, 'x', bytes(10));
    fs.chmodSync(join(dir, 'x.code'), 0o666);
    expect(readCached(dir, 'x')).toBeUndefined();
    fs.chmodSync(join(dir, 'x.code'), 0o600);
    expect(readCached(dir, 'x')).toEqual(bytes(10));
    fs.symlinkSync(join(dir, 'x.code'), join(dir, 'link.code'));
    expect(readCached(dir, 'link')).toBeUndefined();
    fs.chmodSync(dir, 0o777);
    expect(readCached(dir, 'x')).toBeUndefined();
    expect(writeCached(dir, 'y', bytes(1))).toBe(false);
    fs.chmodSync(dir, 0o700);
    expect(fs.readdirSync(dir).sort()).toEqual(['link.code', 'x.code']);
  });

  test('that can not be made is done without', () => {
    fs.writeFileSync(join(root, 'file'), '');
    expect(writeCached(join(root, 'file', 'dir'), 'x', bytes(1))).toBe(false);
    expect(readCached(join(root, 'file', 'dir'), 'x')).toBeUndefined();
  });

  test('is bounded: what was used last stays', () => {
    const dir = join(root, 'd');
    ['old', 'older', 'oldest'].forEach((name, n) => {
      writeCached(dir, name, bytes(100));
      const time = Date.now() / 1000 - 10_000 * (n + 1);
      fs.utimesSync(join(dir, `${name}.code`), time, time);
    });
    // Its use counts.
    readCached(dir, 'oldest');
    fs.writeFileSync(join(dir, 'left.code.1-2-3'), 'x');
    fs.utimesSync(join(dir, 'left.code.1-2-3'), 1, 1);
    fs.writeFileSync(join(dir, 'other'), 'x');
    writeCached(dir, 'new', bytes(100), 300);
    expect(fs.readdirSync(dir).sort()).toEqual(['new.code', 'old.code', 'oldest.code', 'other']);
  });

  test('default: after XDG', () => {
    expect(defaultCacheDirectory({ XDG_CACHE_HOME: '/x' })).toBe('/x/lift64');
    expect(defaultCacheDirectory({ XDG_CACHE_HOME: 'relative' })).toMatch(/\/\.cache\/lift64$/);
  });
});
