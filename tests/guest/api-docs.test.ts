/** The examples of the README and of docs/api.md run as written, and the package's types are one file that a user's compiler takes. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './driver.js';

const tmp = mkdtempSync(join(tmpdir(), 'lift64-types-'));
afterAll(() => {
  rmSync(tmp, { recursive: true });
});

const examplesOf = (page: string): string[] =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```js\n([^]*?)^```$/gm)].map((m) => m[1] ?? '');

describe('examples', () => {
  const printed = [
    ['README.md', 0, /GREETING=hello[^]*^0 null \d+$[^]*tb 0x4000b0/m],
    ['docs/api.md', 0, /GREETING=hello[^]*^0 null$/m],
    ['docs/api.md', 1, /^what is written comes back\nended by SIGTERM\n$/],
    ['docs/api.md', 2, /^0 null false [1-9]\d*\n$/],
    ['docs/api.md', 3, /^TimeoutError\n$/],
  ] as const;
  test.each(printed)('%s %i', (page, index, expected) => {
    const code = examplesOf(page)[index] ?? '';
    const r = spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: ROOT, encoding: 'utf8' });
    expect(r.stderr).toBe('');
    expect(r.stdout).toMatch(expected);
  });

  test('all of them', () => {
    const pages = ['README.md', 'docs/api.md'];
    expect(pages.map((page) => examplesOf(page).length)).toEqual(
      pages.map((page) => printed.filter(([of]) => of === page).length),
    );
  });
});

/** What a user writes; `@ts-expect-error` marks what the types refuse. */
const CONSUMER = `
import { createWriteStream } from 'node:fs';
import { dump, type Guest, ProgramError, run, type RunSettings, start, type Stats } from 'lift64';

const captured = await run('/bin/true', { stdout: 'capture', stderr: createWriteStream('/dev/null') });
const bytes: Buffer = captured.stdout;
const none: undefined = captured.stderr;
const plain = await run('/bin/true');
const nothing: undefined = plain.stdout;
const settings: RunSettings = { args: ['a'], mounts: [{ host: '/', guest: '/host', readOnly: true }] };
const perhaps: Buffer | undefined = (await run('/bin/true', settings)).stdout;
const guest = await start('/bin/cat', { stdin: 'pipe', stdout: 'pipe' });
guest.stdin.end('text');
guest.stdout.setEncoding('utf8');
const any: Guest = guest;
const stats: Stats = (await guest.ended).stats;
const text: string = await dump('/bin/true', { stages: ['op'] }).catch((e: unknown) => (e instanceof ProgramError ? e.message : ''));
// @ts-expect-error
await run('/bin/true', { arguments: ['a'], stdout: 'capture' });
// @ts-expect-error
await run('/bin/true', { stdin: 'pipe' });
// @ts-expect-error
await run('/bin/true', { log: ['everything'] });
// @ts-expect-error
captured.stderr.toString();
export { bytes, none, nothing, perhaps, any, stats, text };
`;

test('the types: one file, which depends on @types/node alone', () => {
  const types = readFileSync(join(ROOT, 'dist', 'src', 'api.d.ts'), 'utf8');
  expect(types).not.toMatch(/from '\./);
  expect(types.startsWith('/**\n * lift64 as a library')).toBe(true);
  const lift64 = join(tmp, 'node_modules', 'lift64');
  mkdirSync(lift64, { recursive: true });
  mkdirSync(join(tmp, 'node_modules', '@types'));
  for (const name of ['@types/node', 'undici-types'])
    symlinkSync(join(ROOT, 'node_modules', name), join(tmp, 'node_modules', name));
  copyFileSync(join(ROOT, 'dist', 'src', 'api.d.ts'), join(lift64, 'index.d.ts'));
  writeFileSync(join(lift64, 'package.json'), JSON.stringify({ name: 'lift64', type: 'module', types: 'index.d.ts' }));
  writeFileSync(join(tmp, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(tmp, 'user.ts'), CONSUMER);
  const options = { strict: true, noEmit: true, module: 'NodeNext', target: 'ES2023', types: ['node'] };
  writeFileSync(join(tmp, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['user.ts'] }));
  const tsc = join(ROOT, 'node_modules', 'typescript-native', 'bin', 'tsc');
  const r = spawnSync(process.execPath, [tsc, '-p', tmp], { encoding: 'utf8' });
  expect(r.stdout + r.stderr).toBe('');
});
