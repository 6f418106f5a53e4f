/**
 * Shared mappings. In: what mmap asks for. Out: addresses or negative errnos. Each shows a file: for MAP_ANONYMOUS one without a name, that goes with its last mapping.
 * Source: man 2 mmap.
 */
import { closeSync } from 'node:fs';
import { PAGE_SIZE } from '../../src/guest/memory-map.js';
import { map, type MmapRequest } from './mapping.js';
import { pagesOf } from './mman.js';
import { openNamelessFile } from './nameless-file.js';
import type { SpaceCore } from './space-core.js';

/** What /proc/PID/maps calls anonymous shared memory. */
export const NAMELESS_PATH = '/dev/zero (deleted)';

/** Descriptor of a new file of `bytes` zeros that has no name any more; -1 where the host gives none that can be opened again. */
export function namelessFile(bytes: number): number {
  if (process.platform !== 'linux') return -1;
  try {
    return openNamelessFile(bytes);
  } catch {
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
