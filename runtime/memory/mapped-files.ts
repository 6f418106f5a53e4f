/**
 * Files that mappings name: their path and identity for /proc/self/maps, and a host descriptor of their own, to read pages from and to write shared ones back.
 * In: a host descriptor and a path. Out: an index. The caller holds PCB.MM_LOCK. A record lives while a mapping names it.
 * The descriptors belong to the whole of lift64: any worker may use and close them.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { FILE_BYTES, FILE_MAX, MAPPED_FILES } from '../../src/guest/memory-map.js';
import type { VmaTable } from './vma-table.js';

/** i32 fields of a record; the path's bytes follow. */
const USED = 0;
const HOST_FD = 1;
const WRITABLE = 2;
const DEVICE_LOW = 3;
const DEVICE_HIGH = 4;
const INODE_LOW = 5;
const INODE_HIGH = 6;
const LENGTH = 7;
/** Index among the files that processes share (shared-objects.ts); 0: it has had no shared mapping here. */
const OBJECT = 8;
const PATH = 48;

/** What a mapping says of its file. */
export interface FileSource {
  readonly hostFd: number;
  readonly path: string;
  /** Open for writing: a shared mapping of it may be, or become, writable. */
  readonly writable: boolean;
}

export interface MappedFile {
  /** Descriptor of its own, -1 where the host gave none. */
  readonly hostFd: number;
  readonly writable: boolean;
  readonly device: bigint;
  readonly inode: bigint;
  /** One character a byte. */
  readonly path: string;
}

/** The record that is no file's: its first word is the highest index ever used. */
const HIGHEST = 0;

export class MappedFiles {
  constructor(
    private readonly words: Int32Array<SharedArrayBuffer>,
    private readonly bytes: Uint8Array<SharedArrayBuffer>,
    private readonly table: VmaTable,
  ) {}

  /** Index (1 or more) of the file behind `source`. 0 when the table is full of files in use. */
  intern(source: FileSource): number {
    const stat = fstatSync(source.hostFd, { bigint: true });
    const wanted = [
      source.writable ? 1 : 0,
      Number(BigInt.asIntN(32, stat.dev)),
      Number(BigInt.asIntN(32, stat.dev >> 32n)),
      Number(BigInt.asIntN(32, stat.ino)),
      Number(BigInt.asIntN(32, stat.ino >> 32n)),
    ] as const;
    const found = this.search(wanted, source.path);
    if (found >= 0) return found;
    const i = -found;
    const w = this.word(i);
    const path = Buffer.from(source.path, 'latin1').subarray(0, FILE_BYTES - PATH);
    this.words[this.word(HIGHEST)] = Math.max(this.highest, i);
    this.words.set([1, reopen(source), ...wanted, path.length], w);
    this.bytes.set(path, w * 4 + PATH);
    return i;
  }

  get(i: number): MappedFile {
    const w = this.word(i);
    const word = (k: number): number => this.words[w + k] ?? 0;
    const wide = (low: number): bigint => BigInt.asUintN(64, (BigInt(word(low + 1)) << 32n) | BigInt(word(low) >>> 0));
    return {
      hostFd: word(HOST_FD),
      writable: word(WRITABLE) !== 0,
      device: wide(DEVICE_LOW),
      inode: wide(INODE_LOW),
      path: Buffer.from(this.bytes.slice(w * 4 + PATH, w * 4 + PATH + word(LENGTH))).toString('latin1'),
    };
  }

  hostFd(i: number): number {
    return this.words[this.word(i) + HOST_FD] ?? -1;
  }

  /** Index of file `i` among those that processes share, 0: none. */
  object(i: number): number {
    return this.words[this.word(i) + OBJECT] ?? 0;
  }

  setObject(i: number, object: number): void {
    this.words[this.word(i) + OBJECT] = object;
  }

  /** Those of all records. */
  objects(): Set<number> {
    return new Set(
      this.used()
        .map((i) => this.object(i))
        .filter((object) => object !== 0),
    );
  }

  /** True when file `i` is the one with this identity. */
  is(i: number, device: bigint, inode: bigint): boolean {
    const w = this.word(i);
    return (
      this.words[w + INODE_LOW] === Number(BigInt.asIntN(32, inode)) &&
      this.words[w + INODE_HIGH] === Number(BigInt.asIntN(32, inode >> 32n)) &&
      this.words[w + DEVICE_LOW] === Number(BigInt.asIntN(32, device)) &&
      this.words[w + DEVICE_HIGH] === Number(BigInt.asIntN(32, device >> 32n))
    );
  }

  /** Mappings of these files have gone: closes those that no mapping names any more. Gives the shared files that no record is left of. */
  release(files: Iterable<number>): number[] {
    const gone = new Set<number>();
    for (const i of files) {
      const w = this.word(i);
      if (i === 0 || this.words[w + USED] !== 1 || this.table.names(i)) continue;
      const fd = this.hostFd(i);
      if (fd >= 0) closeSync(fd);
      gone.add(this.object(i));
      this.words.fill(0, w, w + FILE_BYTES / 4);
    }
    gone.delete(0);
    if (gone.size > 0) for (const object of this.objects()) gone.delete(object);
    return [...gone];
  }

  /** The records are a copy of another process's: each gets a descriptor of its own. */
  reopenAll(): void {
    for (const i of this.used()) {
      const { hostFd, path, writable } = this.get(i);
      if (hostFd >= 0) this.words[this.word(i) + HOST_FD] = reopen({ hostFd, path, writable });
    }
  }

  closeAll(): void {
    for (const i of this.used()) {
      const fd = this.hostFd(i);
      if (fd >= 0) closeSync(fd);
      this.words[this.word(i) + HOST_FD] = -1;
    }
  }

  private used(): number[] {
    const used: number[] = [];
    for (let i = 1; i <= this.highest; i++) if (this.words[this.word(i) + USED] === 1) used.push(i);
    return used;
  }

  /** Index of the record; minus the index of a free one; 0: neither. */
  private search(wanted: readonly number[], path: string): number {
    let free = 0;
    const end = this.highest + 1;
    for (let i = 1; i < end; i++) {
      const w = this.word(i);
      if (this.words[w + USED] !== 1) {
        if (free === 0) free = -i;
        continue;
      }
      if (wanted.every((v, k) => this.words[w + WRITABLE + k] === v) && this.get(i).path === path) return i;
    }
    return free === 0 && end < FILE_MAX ? -end : free;
  }

  /** Records behind it are not looked at: that would touch 4 MiB. */
  private get highest(): number {
    return this.words[this.word(HIGHEST)] ?? 0;
  }

  private word(i: number): number {
    return (MAPPED_FILES + i * FILE_BYTES) / 4;
  }
}

/** A second descriptor of the same file; -1 where the host gives none. */
function reopen(source: FileSource): number {
  const flags = source.writable ? 'r+' : 'r';
  for (const path of [`/proc/self/fd/${source.hostFd}`, Buffer.from(source.path, 'latin1')]) {
    try {
      const fd = openSync(path, flags);
      const [own, theirs] = [fstatSync(fd), fstatSync(source.hostFd)];
      if (own.ino === theirs.ino && own.dev === theirs.dev) return fd;
      closeSync(fd);
    } catch {
      // Hosts without /proc have the path alone, and a file may be unlinked or not ours to open: the mapping then has the contents it was made with.
    }
  }
  return -1;
}
