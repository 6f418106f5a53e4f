/** lift64 as a process of its host: it stops and goes on with its guest, and ends with one report when its main thread fails. */
import { describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIFT64, ROOT } from './driver.js';

const onLinux = process.platform === 'linux' ? test : test.skip;

const stateOf = (pid: number): string =>
  /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '?';

describe('job control', () => {
  onLinux(
    'SIGSTOP to the first process stops lift64, SIGCONT goes on to the guest',
    async () => {
      const child = spawn(process.execPath, [
        LIFT64,
        '/bin/dash',
        '-c',
        "trap 'echo continued' CONT; echo before; kill -STOP $$; echo after",
      ]);
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      const ended = once(child, 'exit');
      try {
        const deadline = Date.now() + 60_000;
        while (stateOf(child.pid ?? 0) !== 'T' && Date.now() < deadline)
          await new Promise((resolve) => setTimeout(resolve, 20));
        expect(out).toBe('before\n');
        child.kill('SIGCONT');
        expect(await ended).toEqual([0, null]);
        expect(out).toBe('before\ncontinued\nafter\n');
      } finally {
        child.kill('SIGKILL');
      }
    },
    90_000,
  );
});

describe('the first process', () => {
  onLinux('has the nice value that lift64 was started with', () => {
    const nice = (...command: readonly string[]): string =>
      spawnSync('nice', ['-n', '3', ...command, '/usr/bin/nice'], { encoding: 'utf8' }).stdout;
    expect(nice(process.execPath, LIFT64)).toBe(nice());
  });
});

describe('a guest that takes too long', () => {
  onLinux('is shown, with what each thread waits for, and killed', () => {
    const run = (seconds: number): { seconds: number; status: number | null; stderr: string } => {
      const options = ['--dump-on-timeout', String(seconds), '--timeout', String(1.5 * seconds)];
      const command = [LIFT64, ...options, '/bin/dash', '-c', 'sleep 1000; true'];
      const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
      return { seconds, status, stderr };
    };
    const sleeps = /thread \d+ \(sleep\) has waited for [\d.]+ s in clock_nanosleep\(/;
    let shown = run(4);
    // On a busy machine the guest may not have come to its sleep by then.
    if (!sleeps.test(shown.stderr)) shown = run(60);
    const { seconds, status, stderr } = shown;
    expect(status).toBe(124);
    expect(stderr).toMatch(/thread \d+ \(dash\) has waited for [\d.]+ s in wait4\(-1, /);
    expect(stderr).toMatch(sleeps);
    expect(stderr).toContain(`lift64: the guest was killed after ${1.5 * seconds} s (--timeout)\n`);
  });
});

describe('descriptors that are sockets of the host', () => {
  onLinux('are pipes to the guest: Node gives its children sockets', () => {
    const options = { input: '', encoding: 'utf8' } as const;
    expect(spawnSync(process.execPath, [LIFT64, '/usr/bin/stat', '-c', '%F', '-'], options).stdout).toBe('fifo\n');
  });
});

describe('a failure of the main thread', () => {
  test('that nobody awaits: one report, exit status 125', () => {
    const thrower = "data:text/javascript,setTimeout(() => { throw new Error('thrown by a timer') }, 300)";
    const r = spawnSync(process.execPath, ['--import', thrower, LIFT64, '/bin/sleep', '60'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(r.status).toBe(125);
    expect(r.stderr).toMatch(
      /^lift64: internal error: thrown by a timer\n {2}at .*\n {2}reproduce with: lift64 \/bin\/sleep 60\n$/,
    );
  });
});

describe('the end of the first process', () => {
  onLinux(
    'ends processes that compute in compiled code, which V8 can not interrupt',
    () => {
      const loop = join(ROOT, 'examples/bin/bench/intloop');
      const script = `${loop} 1000000000 & ${loop} 1000000000 & sleep 2; exit 7`;
      const r = spawnSync(process.execPath, [LIFT64, '--hot', '100', '/bin/dash', '-c', script], {
        encoding: 'utf8',
        timeout: 100_000,
      });
      expect({ status: r.status, stderr: r.stderr }).toEqual({ status: 7, stderr: '' });
    },
    120_000,
  );
});
