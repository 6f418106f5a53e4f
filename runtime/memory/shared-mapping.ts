/**
 * Shared mappings. In: what mmap asks for. Out: addresses or negative errnos. Each shows a file: for MAP_ANONYMOUS one without a name, that goes with its last mapping.
 * Source: man 2 mmap.
 */
import { closeSync, existsSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PAGE_SIZE } from '../../src/guest/memory-map.js';
import { hex } from '../../src/base/hex.js';
import { map, type MmapRequest } from './mapping.js';
import { pagesOf } from './mman.js';
import type { SpaceCore } from './space-core.js';

/** What /proc/PID/maps calls anonymous shared memory. */
export const NAMELESS_PATH = '/dev/zero (deleted)';
/** Files there are memory. */
const MEMORY_DIRECTORY = '/dev/shm';

let made = 0;

/** Descriptor of a new file of `bytes` zeros that has no name any more; -1 where the host gives none that can be opened again. */
export function namelessFile(bytes: number): number {
  if (process.platform !== 'linux') return -1;
  const directory = existsSync(MEMORY_DIRECTORY) ? MEMORY_DIRECTORY : tmpdir();
  const random = Math.floor(Math.random() * 2 ** 48);
  const path = join(directory, `lift64-${process.pid}-${hex(random)}-${made++}`);
  let fd = -1;
  try {
    fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    ftruncateSync(fd, bytes);
    return fd;
  } catch {
    if (fd >= 0) closeSync(fd);
    return -1;
  }
}

export function mapShared(core: SpaceCore, r: MmapRequest): number {
  const { sharing } = core;
  if (sharing === undefined) return core.attempt((world) => map(core, r, world));
  const own = r.file === undefined ? namelessFile(pagesOf(r.length) * PAGE_SIZE) : -1;
  const request =
    own < 0
      ? r
      : {
          ...r,
          file: {
            hostFd: own,
            path: NAMELESS_PATH,
            offset: 0,
            size: pagesOf(r.length) * PAGE_SIZE,
            writable: true,
            nameless: true,
          },
        };
  try {
    return sharing.locked(() => core.attempt((world) => map(core, request, world)));
  } finally {
    if (own >= 0) closeSync(own);
  }
}
