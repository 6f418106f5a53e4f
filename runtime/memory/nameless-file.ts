/** Files of the host without a name: in memory, where the host has a file system for that. In: a size. Out: descriptors. Source: man 7 shm_overview. */
import { closeSync, existsSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex } from '../../src/base/hex.js';

/** Files there are memory. */
const MEMORY_DIRECTORY = '/dev/shm';

let made = 0;

/** The directory for files that go with lift64. */
export const memoryDirectory = (): string =>
  process.platform === 'linux' && existsSync(MEMORY_DIRECTORY) ? MEMORY_DIRECTORY : tmpdir();

/** Descriptor, for reading and writing, of a new file of `bytes` zeros; throws what node:fs throws. */
export function openNamelessFile(bytes: number): number {
  const random = Math.floor(Math.random() * 2 ** 48);
  const path = join(memoryDirectory(), `lift64-${process.pid}-${hex(random)}-${made++}`);
  const fd = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    ftruncateSync(fd, bytes);
    return fd;
  } catch (e) {
    closeSync(fd);
    throw e;
  }
}
