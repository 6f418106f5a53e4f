/** Reads of host descriptors on the main thread: sizes kept, end of file, and an exit that does not wait for a read. */
import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('../support/host-reader-child.js', import.meta.url));

interface Result {
  readonly code: number | null;
  readonly out: string;
}

/** Runs the child under `sh -c`, with {} for the command. */
function shell(line: string): Promise<Result> {
  return new Promise((resolve) => {
    const p = spawn('sh', ['-c', line.replaceAll('{}', `'${process.execPath}' '${CHILD}'`)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    p.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    p.on('close', (code) => {
      resolve({ code, out });
    });
  });
}

describe('host reader', () => {
  test('pipe: no more than asked is taken, the rest stays for the next program', async () => {
    const { out } = await shell('printf abcdefgh | ( {} 3 2; cat )');
    expect(out).toBe('3:abc\n2:de\nfgh');
  });

  test('pipe: end of file, again and again', async () => {
    const { out, code } = await shell('printf ab | {} 10 10 10');
    expect(out).toBe('2:ab\n0:\n0:\n');
    expect(code).toBe(7);
  });

  test('the exit does not wait for a read under way', async () => {
    // Opened for reading and writing, so that it has a writer and never ends: an exit that waits hangs until jest's time limit.
    const { out } = await shell('d=$(mktemp -d); mkfifo $d/f; {} hang 0<>$d/f; echo status $?; rm -r $d');
    expect(out).toBe('status 7\n');
  });

  // Its end is never sent.
  test('socket', async () => {
    const result = await new Promise<Result>((resolve) => {
      const p = spawn(process.execPath, [CHILD, '4', '4'], { stdio: ['pipe', 'pipe', 'inherit'] });
      let out = '';
      p.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      p.on('close', (code) => {
        resolve({ code, out });
      });
      p.stdin.write('hello');
    });
    expect(result.out).toBe('4:hell\n1:o\n');
    expect(result.code).toBe(7);
  });

  test('file and /dev/null', async () => {
    expect((await shell(`{} 5 < '${CHILD}'`)).out).toBe('5:/** C\n');
    expect((await shell('{} 5 < /dev/null')).out).toBe('0:\n');
  });
});
