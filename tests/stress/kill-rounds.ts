/**
 * kill -9 of lift64 at a random point. In: a round's number, which says when. Out: what was lost, and what was left behind; nothing, if all is well.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIFT64, ROOT } from '../guest/driver.js';

const JOURNAL = join(ROOT, 'tests', 'guest', 'bin', 'journal');
/** From the first record that is safe to the end: 0 to this. */
const LONGEST_MS = 400;
/** For the first record, and for what cleans up. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 10;

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Waits until `done` holds; false when it never did. */
async function until(done: () => boolean): Promise<boolean> {
  for (const end = performance.now() + PATIENCE_MS; !done();) {
    if (performance.now() > end) return false;
    await pause(LOOK_MS);
  }
  return true;
}

/** A number from 0 to 1 that depends on the round alone. */
const fraction = (round: number): number => (Math.imul(round + 1, 0x9e37_79b1) >>> 0) / 2 ** 32;

/** Runs one round; a line for each thing that is wrong. */
export async function killRound(round: number): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'lift64-kill-'));
  const said = join(dir, 'said');
  const out = openSync(said, 'w');
  const child = spawn(process.execPath, [LIFT64, '--tmpfs', '/scratch', JOURNAL, dir], {
    stdio: ['ignore', out, 'inherit'],
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  const wrong: string[] = [];
  try {
    // Some rounds end lift64 while it starts.
    const early = round % 4 === 3;
    if (!early && !(await until(() => readFileSync(said).length > 0))) wrong.push('no record was ever safe');
    await pause(fraction(round) * LONGEST_MS);
    child.kill('SIGKILL');
    await ended;
    wrong.push(...lost(dir, Number(readFileSync(said, 'latin1').split('\n').at(-2) ?? 0)));
    if (!(await until(() => leftBehind(child.pid ?? 0).length === 0))) wrong.push(...leftBehind(child.pid ?? 0));
  } finally {
    closeSync(out);
    rmSync(dir, { recursive: true, force: true });
  }
  return wrong.map((text) => `round ${round}: ${text}`);
}

/** What of the records up to `safe` is not in the files. */
function lost(dir: string, safe: number): string[] {
  if (safe === 0) return [];
  const wrong: string[] = [];
  const records = readFileSync(join(dir, 'log'), 'latin1').split('\n');
  for (let n = 1; n <= safe; n++)
    if (Number(records[n - 1]) !== n) wrong.push(`record ${n} of ${safe} is not in the log`);
  const counter = readFileSync(join(dir, 'counter')).readUInt32LE(0);
  if (counter < safe) wrong.push(`the mapping has ${counter}, not ${safe}`);
  const state = readFileSync(join(dir, 'state'), 'latin1').split('\n');
  if (state.length !== 101 || new Set(state.slice(0, 100)).size !== 1 || Number(state[0]) < safe)
    wrong.push(`the renamed file is of ${state[0] ?? ''}, not ${safe}`);
  return wrong;
}

/** Files in memory, and processes, of the lift64 that was `pid`. */
function leftBehind(pid: number): string[] {
  const files = readdirSync('/dev/shm').filter((name) => name.startsWith('lift64-') && name.includes(`-${pid}-`));
  const processes = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(`lift64-tmpfs-${pid}-`);
    } catch {
      return false;
    }
  });
  return [...files.map((name) => `left /dev/shm/${name}`), ...processes.map((id) => `left process ${id}`)];
}
