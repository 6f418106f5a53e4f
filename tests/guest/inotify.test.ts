/** What programs of the host do to files that a guest watches: Debian's tail follows a file that the host writes to, moves and makes anew. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIFT64 } from './driver.js';

const TAIL = '/usr/bin/tail';
const TIME_LIMIT_MS = 100_000;
const tmp = mkdtempSync(join(tmpdir(), 'lift64-inotify-'));
afterAll(() => {
  rmSync(tmp, { recursive: true, force: true });
});

/** Output of a process as it comes. */
class Output {
  private text = '';
  private changed: (() => void) | undefined;

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.text += chunk.toString();
        this.changed?.();
      });
  }

  /** Waits until the output has `wanted`, and gives all of it up to there. */
  async until(wanted: string): Promise<string> {
    while (!this.text.includes(wanted))
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
    return this.text;
  }
}

(existsSync(TAIL) && process.platform === 'linux' ? describe : describe.skip)('files that the host changes', () => {
  test(
    'tail -F',
    async () => {
      const file = join(tmp, 'followed');
      writeFileSync(file, 'one\n');
      const child = spawn(process.execPath, [LIFT64, TAIL, '-F', file], { stdio: ['ignore', 'pipe', 'pipe'] });
      try {
        const output = new Output(child);
        await output.until('one\n');
        appendFileSync(file, 'two\n');
        await output.until('two\n');
        renameSync(file, `${file}.old`);
        await output.until('inaccessible');
        writeFileSync(file, 'three\n');
        await output.until('three\n');
        appendFileSync(file, 'four\n');
        expect(await output.until('four\n')).toMatch(/one\ntwo\n[^]*three\nfour\n$/);
      } finally {
        child.kill('SIGKILL');
      }
    },
    TIME_LIMIT_MS,
  );
});
