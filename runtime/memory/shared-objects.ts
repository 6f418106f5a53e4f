/**
 * The files that have shared mappings, in the kernel's buffer: which address spaces map each. In: identities of files, indices of address spaces. Out: indices of files.
 * What one process holds of such a file must be asked of the others before another uses it (page-holders.ts). An entry is made, and a user added, under the lock of sharing; a user is taken
 * away under PCB.MM_LOCK of its address space: who sees it a little longer finds no mapping there. The layout is SHARED in runtime/process/layout.ts.
 */
import { AREA, HEAD, MAX_MMS, MAX_SHARED, SHARED } from '../process/layout.js';
import type { FileId } from './file-sync.js';

const USER_WORDS = MAX_MMS / 32;
const word = (object: number): number => (AREA.SHARED + object * SHARED.BYTES) / 4;
const low = (v: bigint): number => Number(BigInt.asIntN(32, v));

export class SharedObjects {
  /** @param words the kernel's buffer */
  constructor(private readonly words: Int32Array<SharedArrayBuffer>) {}

  /** Index of the file, 0 when nobody maps it. */
  find({ dev, ino }: FileId): number {
    const { words } = this;
    for (let i = 1, high = this.high; i <= high; i++) {
      const w = word(i);
      if (words[w + SHARED.INO_LO] !== low(ino) || words[w + SHARED.DEV_LO] !== low(dev)) continue;
      const same = words[w + SHARED.INO_HI] === low(ino >> 32n) && words[w + SHARED.DEV_HI] === low(dev >> 32n);
      if (same && this.inUse(i)) return i;
    }
    return 0;
  }

  /** Adds `mm` to the users of the file. Its index; 0: the table is full. Under the lock of sharing. */
  enter(id: FileId, mm: number, nameless: boolean): number {
    const { words } = this;
    let object = this.find(id);
    if (object === 0) {
      object = 1;
      while (object < MAX_SHARED && this.inUse(object)) object++;
      if (object === MAX_SHARED) return 0;
      const { dev, ino } = id;
      words.set([low(dev), low(dev >> 32n), low(ino), low(ino >> 32n), Number(nameless)], word(object));
      if (this.high < object) Atomics.store(words, HEAD.SHARED_HIGH, object);
    }
    this.addUser(object, mm);
    return object;
  }

  /** One more user of a file that has some. Under the lock of sharing. */
  addUser(object: number, mm: number): void {
    Atomics.or(this.words, word(object) + SHARED.USERS + (mm >> 5), 1 << (mm & 31));
  }

  leave(object: number, mm: number): void {
    Atomics.and(this.words, word(object) + SHARED.USERS + (mm >> 5), ~(1 << (mm & 31)));
  }

  /** Address spaces that map it, but for `mm`. */
  others(object: number, mm: number): number[] {
    const list: number[] = [];
    for (let i = 0; i < USER_WORDS; i++) {
      let bits = Atomics.load(this.words, word(object) + SHARED.USERS + i);
      for (; bits !== 0; bits &= bits - 1) {
        const user = i * 32 + 31 - Math.clz32(bits & -bits);
        if (user !== mm) list.push(user);
      }
    }
    return list;
  }

  /** True when an address space besides `mm` maps it. */
  isContended(object: number, mm: number): boolean {
    for (let i = 0; i < USER_WORDS; i++) {
      const bits = Atomics.load(this.words, word(object) + SHARED.USERS + i);
      if ((i === mm >> 5 ? bits & ~(1 << (mm & 31)) : bits) !== 0) return true;
    }
    return false;
  }

  /** True when a file that descriptors may lead to is mapped by an address space. */
  get anyNamed(): boolean {
    for (let i = 1, high = this.high; i <= high; i++)
      if (this.words[word(i) + SHARED.NAMELESS] === 0 && this.inUse(i)) return true;
    return false;
  }

  private get high(): number {
    return Atomics.load(this.words, HEAD.SHARED_HIGH);
  }

  private inUse(object: number): boolean {
    for (let i = 0; i < USER_WORDS; i++)
      if (Atomics.load(this.words, word(object) + SHARED.USERS + i) !== 0) return true;
    return false;
  }
}
