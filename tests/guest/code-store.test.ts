/** Translated code kept on disk: a second run takes it, and nothing that may go wrong with a file is seen by the guest. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIFT64, ROOT } from './driver.js';

const bin = (name: string): string => join(ROOT, 'examples', 'bin', name);
const HELLO = bin('hello');
let root = '';
beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'lift64-store-'));
});
afterAll(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

interface Taken {
  readonly status: number | null;
  readonly stdout: string;
  readonly taken: number;
  readonly refused: number;
  readonly translated: number;
  readonly written: number;
  readonly installed: number;
  readonly modules: number;
}

const LINE =
  /^\d+ code store: (\d+) TBs taken, (\d+) pages refused, (\d+) TBs translated, (\d+) new ones written; (\d+) regions installed, (\d+) new modules written$/gm;

function run(dir: string, command: readonly string[], options: readonly string[] = []): Taken {
  const argv = [LIFT64, '-d', 'store', '--cache-dir', join(root, dir), ...options, ...command];
  const r = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 60_000 });
  const lines = [...r.stderr.matchAll(LINE)];
  const sum = (n: number): number => lines.reduce((s, line) => s + Number(line[n]), 0);
  return {
    status: r.status,
    stdout: r.stdout,
    taken: sum(1),
    refused: sum(2),
    translated: sum(3),
    written: sum(4),
    installed: sum(5),
    modules: sum(6),
  };
}

/** Processes of a program write in any order. */
const sorted = (text: string): string[] => text.split('\n').sort();
const files = (dir: string): string[] => fs.readdirSync(join(root, dir)).map((name) => join(root, dir, name));

describe('code store', () => {
  test.each(['hello', 'hello-dynamic', 'hello-static-pie', 'clone-static', 'signals-dynamic'])(
    '%s: the second run takes what the first has written',
    (name) => {
      const first = run(name, [bin(name)]);
      expect(first.taken).toBe(0);
      expect(first.written).toBeGreaterThan(64);
      const second = run(name, [bin(name)]);
      expect(second.taken).toBeGreaterThan(first.written * 0.8);
      expect(second.refused).toBe(0);
      expect([second.status, sorted(second.stdout)]).toEqual([first.status, sorted(first.stdout)]);
    },
  );

  test('TBs on two pages are kept, too', () => {
    const command = [bin('hello-dynamic')];
    const { translated, written } = run('spanning', command);
    expect(written).toBe(translated);
    expect(run('spanning', command).translated).toBe(0);
  });

  test('--no-cache, and options that show translation, neither read nor write', () => {
    run('off', [HELLO]);
    expect(run('off', [HELLO], ['--no-cache']).taken).toBe(0);
    expect(run('off', [HELLO], ['-singlestep']).taken).toBe(0);
    expect(run('off', [HELLO], ['--check-ir']).taken).toBe(0);
    expect(run('off', [HELLO], ['-d', 'in_asm', '-D', join(root, 'log')]).taken).toBe(0);
    expect(run('none', [HELLO], ['--no-cache']).status).toBe(0);
    expect(fs.existsSync(join(root, 'none'))).toBe(false);
  });

  test('code of another CPU model or without a pass is apart', () => {
    run('variants', [HELLO]);
    expect(run('variants', [HELLO], ['-cpu', 'max,-avx2']).taken).toBe(0);
    expect(run('variants', [HELLO], ['--disable-pass', 'fold']).taken).toBe(0);
    expect(files('variants')).toHaveLength(3);
  });

  test('damaged files are ignored, and written anew', () => {
    const good = run('damage', [HELLO]);
    const [file = ''] = files('damage');
    const whole = fs.readFileSync(file);
    let random = 7;
    const next = (n: number): number => (random = (Math.imul(random, 1103515245) + 12345) >>> 0) % n;
    for (let n = 0; n < 6; n++) {
      const damaged = Buffer.from(n % 3 === 0 ? whole.subarray(0, next(whole.length)) : whole);
      if (n % 3 === 1) for (let k = 0; k < 50 && damaged.length > 0; k++) damaged[next(damaged.length)] = next(256);
      if (n % 3 === 2) damaged.fill(next(256), next(whole.length));
      fs.writeFileSync(file, damaged);
      const r = run('damage', [HELLO]);
      expect([r.status, r.stdout]).toEqual([good.status, good.stdout]);
      expect(r.written > 0 || r.taken > 0).toBe(true);
    }
    fs.writeFileSync(file, whole.subarray(0, 1000));
    expect(run('damage', [HELLO]).written).toBe(good.written);
    expect(fs.readFileSync(file).equals(whole)).toBe(true);
  });

  test('a changed program never gets the old code', () => {
    const copy = join(root, 'changed');
    fs.copyFileSync(HELLO, copy);
    const before = run('change', [copy]);
    // Each SYSCALL becomes UD2: the same size, the same headers.
    const elf = fs.readFileSync(copy);
    for (let at = elf.indexOf('0f05', 0, 'hex'); at >= 0; at = elf.indexOf('0f05', at, 'hex')) elf[at + 1] = 0x0b;
    fs.writeFileSync(copy, elf);
    const after = run('change', [copy]);
    expect(after.refused).toBeGreaterThan(0);
    const native = spawnSync(copy);
    expect([after.status, after.stdout]).toEqual([native.status, native.stdout.toString()]);
    expect(after.stdout).not.toBe(before.stdout);
  });

  test('a program that writes code', () => {
    const first = run('smc', [bin('smc')]);
    for (let n = 0; n < 3; n++) {
      const again = run('smc', [bin('smc')]);
      expect([again.status, again.stdout]).toEqual([first.status, first.stdout]);
      expect(again.taken).toBeGreaterThan(0);
    }
  });

  test('compiled regions are taken too, and damaged ones are not', () => {
    const command = [join(ROOT, 'examples', 'bin', 'bench', 'sha256'), '300'];
    const first = run('regions', command);
    expect(first.modules).toBeGreaterThan(0);
    const second = run('regions', command);
    expect(second.installed).toBeGreaterThan(0);
    expect([second.status, second.stdout]).toEqual([first.status, first.stdout]);
    const file = files('regions').find((name) => name.endsWith('-regions.code')) ?? '';
    const bytes = fs.readFileSync(file);
    // Every module: whatever is found there, the guest does not see it.
    for (let at = 100; at < bytes.length; at += 500) bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    fs.writeFileSync(file, bytes);
    const third = run('regions', command);
    expect(third.installed).toBe(0);
    expect(third.modules).toBeGreaterThan(0);
    expect([third.status, third.stdout]).toEqual([first.status, first.stdout]);
    expect(run('regions', command).installed).toBeGreaterThan(0);
  });

  test('many writers at a time leave one whole file', async () => {
    const argv = [LIFT64, '--cache-dir', join(root, 'writers'), HELLO];
    const statuses = await Promise.all(
      Array.from(
        { length: 6 },
        async () =>
          new Promise((done) => {
            spawn(process.execPath, argv, { stdio: 'ignore' }).once('exit', done);
          }),
      ),
    );
    expect(statuses).toEqual(statuses.map(() => 0));
    expect(files('writers')).toHaveLength(1);
    const r = run('writers', [HELLO]);
    expect(r.refused).toBe(0);
    expect(r.taken).toBeGreaterThan(0);
  });
});
