/** The items of -d print what `-d help` says, on small programs. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIFT64, ROOT } from './driver.js';

const bin = (name: string): string => join(ROOT, 'examples', 'bin', name);
let tmp = '';
beforeAll(() => {
  tmp = mkdtempSync(join(tmpdir(), 'lift64-log-'));
});
afterAll(() => {
  rmSync(tmp, { recursive: true, force: true });
});

function stderrOf(...args: string[]): { status: number | null; stderr: string } {
  const r = spawnSync(process.execPath, [LIFT64, ...args], { encoding: 'utf8', timeout: 60_000 });
  return { status: r.status, stderr: r.stderr };
}

describe('-d', () => {
  test('int: exceptions with their place, and signals', () => {
    const { stderr } = stderrOf('-d', 'int', bin('segv-recover'));
    expect(stderr).toMatch(
      /^\d+ exception 14 at 0x[0-9a-f]{16}: signal 11 code 1 address 0x[0-9a-f]{16}\n--- SIGSEGV /m,
    );
    expect(stderrOf('-d', 'int', bin('signals')).stderr).toMatch(/^--- SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_TKILL/m);
  });

  test('page: the mappings at the start and after each change', () => {
    const { stderr } = stderrOf('-d', 'page', bin('hello-dynamic'));
    expect(stderr).toMatch(/^\d+ memory map at the start:\n(?:[0-9a-f]+-[0-9a-f]+ [rwxps-]{4} .*\n)+/m);
    const [start = '', ...changes] = stderr.split('memory map changed:');
    expect(start).not.toContain('libc.so');
    expect(changes.filter((map) => map.includes('libc.so')).length).toBeGreaterThan(1);
  });

  test('tid: a file a thread', () => {
    const file = join(tmp, 'log-%d.txt');
    expect(stderrOf('-d', 'tid,strace', '-D', file, bin('clone-musl')).status).toBe(0);
    const logs = readdirSync(tmp).filter((f) => f.startsWith('log-'));
    expect(logs).toHaveLength(3);
    for (const name of logs) {
      const lines = readFileSync(join(tmp, name), 'utf8').trimEnd().split('\n');
      const tid = name.slice('log-'.length, -'.txt'.length);
      expect(lines.length).toBeGreaterThan(10);
      expect(lines.filter((l) => !l.startsWith(`${tid} `) && !l.startsWith('--- '))).toEqual([]);
    }
    expect(stderrOf('-d', 'tid', bin('hello'))).toEqual({
      status: 125,
      stderr: 'lift64: -d tid needs -D with %d in the name, for the TID\n',
    });
  });

  test('unimp: what is refused, each time', () => {
    const int80 = join(ROOT, 'tests', 'guest', 'bin', 'int80');
    const says = /^(\d+|lift64:) unsupported system call 9999 of i386 \(INT 0x80\)$/m;
    expect(says.exec(stderrOf(int80, join(tmp, 'f')).stderr)?.[1]).toBe('lift64:');
    expect(says.exec(stderrOf('-d', 'unimp', int80, join(tmp, 'f')).stderr)?.[1]).toMatch(/^\d+$/);
  });

  test('--profile: time by tier, regions by symbol, system calls by name', () => {
    const { status, stderr } = stderrOf('--profile', join(ROOT, 'examples', 'bin', 'bench', 'sha256'), '200');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^lift64: stats \{.*"compiledModules":[1-9]/m);
    expect(stderr).toMatch(/^lift64: +[1-9][0-9.]* ms {2}interpreter$/m);
    expect(stderr).toMatch(/^lift64: +[1-9][0-9.]* ms {2}compiled code$/m);
    expect(stderr).toMatch(/^lift64: compiled regions by symbol \(sampled\):\nlift64: +[0-9.]+ ms {2}[a-z_]\w+$/m);
    expect(stderr).toMatch(/^lift64: interpreted by symbol \(.*\):\nlift64: +[0-9.]+ M {3}[a-z_]\w+$/m);
    expect(stderr).toMatch(/^lift64: +[0-9.]+ ms {2}writev, 1 time$/m);
  });

  test('nochain: exec has every TB', () => {
    const entries = (items: string): number =>
      stderrOf('-d', items, bin('hello')).stderr.match(/^\[\d+\] Trace 0x/gm)?.length ?? 0;
    const chained = entries('exec');
    expect(chained).toBeGreaterThan(10);
    expect(entries('exec,nochain')).toBeGreaterThan(2 * chained);
  });
});
