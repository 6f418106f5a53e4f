/** Who runs the rows: the host, lift64, and qemu-x86_64 where it is installed. Out: commands that go before the guest's. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Runner } from './run-row.js';

const QEMU = '/usr/bin/qemu-x86_64';
/** The last byte of e_ident, which no program uses. */
const PAD_BYTE = 15;
const TREE = join(process.cwd(), 'tests', 'matrix', 'qemu-tree.sh');
const LIFT64 = join(process.cwd(), 'bin', 'lift64.js');

export const NATIVE: Runner = { name: 'native', command: [] };

export const lift64Runner = (cacheDir: string, options: readonly string[]): Runner => ({
  name: 'lift64',
  command: [process.execPath, LIFT64, '--cache-dir', cacheDir, ...options],
});

/** `tree`: children of execve are translated as well. Else the first program alone is. */
export type QemuRunner = Runner & { readonly tree: boolean };

/** qemu-x86_64 over the whole process tree, if the host lets us register it for that. In: a directory of our own. */
export function qemuRunner(dir: string): QemuRunner | undefined {
  if (!existsSync(QEMU)) return undefined;
  const copy = join(dir, 'qemu-x86_64');
  const bytes = readFileSync(QEMU);
  bytes[PAD_BYTE] = 1;
  writeFileSync(copy, bytes, { mode: 0o755 });
  const command = ['unshare', '-Urmpf', '--kill-child', '--mount-proc', TREE, copy];
  const probe = spawnSync(command[0] ?? '', [...command.slice(1), '/bin/true'], { stdio: 'ignore' });
  return probe.status === 0 ? { name: 'qemu', command, tree: true } : { name: 'qemu', command: [QEMU], tree: false };
}
