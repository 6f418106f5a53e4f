/**
 * Files that mappings name: their path for /proc/self/maps, and a host descriptor of their own for shared mappings that are written back.
 * In: a host descriptor and a path. Out: an index. The caller holds PCB.MM_LOCK. Records are kept for the life of the process: a program maps few files.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { FILE_BYTES, FILE_MAX, MAPPED_FILES } from '../../src/guest/memory-map.js';

const REFS = 0;
const HOST_FD = 1;
const INODE = 2;
const DEVICE = 3;
const LENGTH = 4;
const PATH = 20;

export interface MappedFile {
  /** Descriptor for writing back, -1 none. */
  readonly hostFd: number;
  readonly inode: number;
  readonly device: number;
  readonly path: string;
}

export class MappedFiles {
  constructor(
    private readonly words: Int32Array<SharedArrayBuffer>,
    private readonly bytes: Uint8Array<SharedArrayBuffer>,
  ) {}

  /** Index (1 or more) of the file behind `hostFd`; `writeBack`: with a descriptor of its own. 0 when the table is full. */
  intern(hostFd: number, path: string, writeBack: boolean): number {
    const stat = fstatSync(hostFd);
    for (let i = 1; i < FILE_MAX; i++) {
      const w = (MAPPED_FILES + i * FILE_BYTES) / 4;
      if (this.words[w + REFS] === 0) {
        const encoded = Buffer.from(path, 'latin1').subarray(0, FILE_BYTES - PATH);
        this.words[w + REFS] = 1;
        this.words[w + HOST_FD] = writeBack ? reopen(hostFd) : -1;
        this.words[w + INODE] = stat.ino | 0;
        this.words[w + DEVICE] = stat.dev | 0;
        this.words[w + LENGTH] = encoded.length;
        this.bytes.set(encoded, MAPPED_FILES + i * FILE_BYTES + PATH);
        return i;
      }
      const f = this.get(i);
      if (f.inode === (stat.ino | 0) && f.device === (stat.dev | 0) && f.path === path && (!writeBack || f.hostFd >= 0))
        return i;
    }
    return 0;
  }

  get(i: number): MappedFile {
    const at = MAPPED_FILES + i * FILE_BYTES;
    const word = (k: number): number => this.words[at / 4 + k] ?? 0;
    return {
      hostFd: word(HOST_FD),
      inode: word(INODE),
      device: word(DEVICE),
      path: Buffer.from(this.bytes.slice(at + PATH, at + PATH + word(LENGTH))).toString('latin1'),
    };
  }

  close(): void {
    for (let i = 1; i < FILE_MAX; i++) {
      const f = this.get(i);
      if (f.hostFd > 0 && this.words[(MAPPED_FILES + i * FILE_BYTES) / 4] === 1) closeSync(f.hostFd);
    }
  }
}

/** A second descriptor of the same file, for reading and writing; -1 where the host gives none. */
function reopen(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, 'r+');
  } catch {
    return -1;
  }
}
