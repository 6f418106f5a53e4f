/**
 * The file layer's region as one thread holds it: typed views, the region's mutex, and 64-bit fields. In: the kernel's SharedArrayBuffer, the
 * offset of VFS_SIZE zeroed bytes in it, and the thread's port. Out: VfsState, which the other modules work on.
 */
import type { FileKinds } from './file-ops.js';
import type { Place } from './inotify/file-events.js';
import { AREA, HEAD, VFS_SIZE } from './layout.js';
import { lock, unlock } from './lock.js';
import type { KernelPort } from './kernel-port.js';
import type { MountTable } from './mount-table.js';

/** A place as it was for a life of the description and a state of the names. */
export interface KnownPlace {
  readonly generation: number;
  readonly names: number;
  readonly place: Place | undefined;
}

export class VfsState {
  /** The guest's mounts, set before the first lookup; undefined: the guest's tree is the host's. */
  tree: MountTable | undefined;
  /** Where open files are, by description: looked up while something is watched (inotify/file-events.ts). */
  readonly places = new Map<number, KnownPlace>();
  private readonly buffer: Buffer;

  private constructor(
    readonly words: Int32Array<SharedArrayBuffer>,
    readonly bytes: Uint8Array<SharedArrayBuffer>,
    readonly port: KernelPort,
    /** What the kinds of open files do (kinds/table.ts); undefined on the main thread, which has none open. */
    readonly kinds: FileKinds | undefined,
  ) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** `offset` is in bytes, a multiple of 64. A zeroed region is ready for use. */
  static attach(buffer: SharedArrayBuffer, offset: number, port: KernelPort, kinds: FileKinds | undefined): VfsState {
    const words = new Int32Array(buffer, offset, VFS_SIZE / 4);
    return new VfsState(words, new Uint8Array(buffer, offset, VFS_SIZE), port, kinds);
  }

  get(index: number): number {
    return Atomics.load(this.words, index);
  }

  /** As get, for what does not change while the caller holds the region's lock or a reference: a plain load (13 ns against 2). */
  peek(index: number): number {
    return this.words[index] ?? 0;
  }

  set(index: number, value: number): void {
    Atomics.store(this.words, index, value);
  }

  /** Unsigned 64 bits at `index`, as a number: exact to 2**53. */
  get64(index: number): number {
    return this.get(index + 1) * 0x1_0000_0000 + (this.get(index) >>> 0);
  }

  set64(index: number, value: number): void {
    this.set(index, value | 0);
    this.set(index + 1, Math.floor(value / 0x1_0000_0000) | 0);
  }

  /** The same with all 64 bits. */
  getBig64(index: number): bigint {
    return (BigInt(this.get(index + 1) >>> 0) << 32n) | BigInt(this.get(index) >>> 0);
  }

  setBig64(index: number, value: bigint): void {
    this.set(index, Number(BigInt.asIntN(32, value)));
    this.set(index + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Runs `fn` with the region's mutex held. `fn` makes no host call. */
  locked<T>(fn: () => T): T {
    lock(this.words, AREA.HEAD + HEAD.LOCK, this.port.slot);
    try {
      return fn();
    } finally {
      unlock(this.words, AREA.HEAD + HEAD.LOCK);
    }
  }

  /**
   * Index of an entry whose word `field` is 0, among `count` entries of `size` words from `base`, searched from `hint` on and then from the start; -1 when
   * all are in use. The caller holds the region's lock. Entry 0 of the tables numbered from 1 is in use for ever.
   */
  findFree(base: number, count: number, size: number, field: number, hint = 0): number {
    for (let n = 0; n < count; n++) {
      const i = (hint + n) % count;
      if (this.words[base + i * size + field] === 0) return i;
    }
    return -1;
  }

  /** Takes a free entry as findFree finds it: zeroed, but for `field`, which is 1. -1 when all are in use. The caller holds the region's lock. */
  takeFree(base: number, count: number, size: number, field: number): number {
    const i = this.findFree(base, count, size, field);
    if (i < 0) return i;
    const w = base + i * size;
    this.words.fill(0, w, w + size);
    this.set(w + field, 1);
    return i;
  }

  nextInode(): number {
    return Atomics.add(this.words, AREA.HEAD + HEAD.NEXT_INODE, 1) + 1;
  }

  /** Bytes of the region as a latin1 string. */
  text(word: number, length: number): string {
    return this.buffer.toString('latin1', word * 4, word * 4 + length);
  }

  setText(word: number, text: string): void {
    this.buffer.write(text, word * 4, 'latin1');
  }
}
