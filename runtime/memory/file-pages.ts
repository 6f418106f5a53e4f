/**
 * Pages of mapped files. In: a run of pages in the memory, a host descriptor, a page of the file. Out: read or written bytes. Source: man 2 mmap, msync.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { PAGE_SIZE } from '../../src/guest/memory-map.js';
import type { Run } from './backing.js';

/** Bytes a host call; the host takes less than 2 GiB. */
const PIECE = 1 << 20;
const MOST = 1 << 30;

/** Bytes of the file behind `fd`. */
export const fileSize = (fd: number): number => fstatSync(fd).size;

/** Reads `run` from page `filePage` on, as far as the file goes. The pages read as zero before. */
export function readPages(bytes: Uint8Array<SharedArrayBuffer>, run: Run, fd: number, filePage: number): void {
  const size = run.pages * PAGE_SIZE;
  for (let done = 0; done < size;) {
    const n = readSync(fd, bytes, run.at + done, Math.min(size - done, MOST), filePage * PAGE_SIZE + done);
    if (n === 0) break;
    done += n;
  }
}

/** Writes what of `run` differs from the file to it; never past its end (`fileBytes`). */
export function writePages(
  bytes: Uint8Array<SharedArrayBuffer>,
  run: Run,
  fd: number,
  filePage: number,
  fileBytes: number,
): void {
  const start = filePage * PAGE_SIZE;
  const size = Math.min(run.pages * PAGE_SIZE, fileBytes - start);
  for (let done = 0; done < size; done += PIECE) {
    const n = Math.min(size - done, PIECE);
    const now = Buffer.allocUnsafe(n);
    const ours = Buffer.from(bytes.buffer, run.at + done, n);
    const known = readSync(fd, now, 0, n, start + done);
    if (known === n && now.compare(ours) === 0) continue;
    for (let at = 0; at < n; at += PAGE_SIZE) {
      const end = Math.min(n, at + PAGE_SIZE);
      // Others may write to the file too: pages that have not changed are left alone.
      if (known >= end && now.compare(ours, at, end, at, end) === 0) continue;
      for (let to = at; to < end;) to += writeSync(fd, bytes, run.at + done + to, end - to, start + done + to);
    }
  }
}
