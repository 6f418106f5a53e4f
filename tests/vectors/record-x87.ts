/**
 * Records the x87 vectors on the host processor. In: src/x87.c, which makes the cases. Out: tests/vectors/x87.bin.gz.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { RECORD_SIZE } from '../support/x87-records.js';

const [SEED, CASES] = ['1', '100'] as const;

export function recordX87(): void {
  const directory = mkdtempSync(join(tmpdir(), 'vectors-'));
  try {
    const runner = join(directory, 'x87');
    const gcc = spawnSync('gcc', ['-O1', '-o', runner, join('tests', 'vectors', 'src', 'x87.c')], { stdio: 'inherit' });
    if (gcc.status !== 0) throw new Error('gcc failed');
    const { stdout, status } = spawnSync(runner, [SEED, CASES], { maxBuffer: 2 ** 30 });
    if (status !== 0) throw new Error(`the runner ended with ${status}`);
    writeFileSync(join('tests', 'vectors', 'x87.bin.gz'), gzipSync(stdout, { level: 9 }));
    console.log(`x87.bin.gz: ${stdout.length / RECORD_SIZE} cases`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
