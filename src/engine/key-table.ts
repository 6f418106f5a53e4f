/** A hash table from three 32-bit numbers to an index. In: keys. Out: what was put under them, -1 nothing. Open addressing; nothing is removed. */
const EMPTY = -1;
/** Numbers of an entry: three of the key, and the value. */
const ENTRY = 4;

export class KeyTable {
  private entries: Int32Array;
  private mask: number;
  /** Undefined as long as the entries are those that were given, which stay as they are. */
  private count: number | undefined;

  /** @param kept what `snapshot` gave, or log2 of the entries to begin with */
  constructor(kept: Int32Array | number) {
    this.entries = typeof kept === 'number' ? new Int32Array(ENTRY << kept).fill(EMPTY) : kept;
    this.mask = this.entries.length / ENTRY - 1;
    if (typeof kept === 'number') this.count = 0;
  }

  snapshot(): Int32Array {
    return this.entries.slice();
  }

  get(a: number, b: number, c: number): number {
    return this.entries[this.find(a, b, c) + 3] as number;
  }

  /** `value` is not negative. */
  set(a: number, b: number, c: number, value: number): void {
    let count = this.count ?? this.copy();
    if (2 * count > this.mask) this.grow();
    const at = this.find(a, b, c);
    if (this.entries[at + 3] === EMPTY) count++;
    this.count = count;
    this.entries[at] = a;
    this.entries[at + 1] = b;
    this.entries[at + 2] = c;
    this.entries[at + 3] = value;
  }

  /** Makes the entries its own; gives their number. */
  private copy(): number {
    const entries = (this.entries = this.entries.slice());
    let count = 0;
    for (let at = 0; at < entries.length; at += ENTRY) if (entries[at + 3] !== EMPTY) count++;
    return count;
  }

  /** Place of the key's entry, or of the free one where it belongs. */
  private find(a: number, b: number, c: number): number {
    const { entries, mask } = this;
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d);
    hash ^= hash >>> 15;
    for (let n = hash & mask; ; n = (n + 1) & mask) {
      const at = n * ENTRY;
      if (entries[at + 3] === EMPTY || (entries[at] === a && entries[at + 1] === b && entries[at + 2] === c)) return at;
    }
  }

  private grow(): void {
    const old = this.entries;
    this.mask = 2 * this.mask + 1;
    this.entries = new Int32Array(2 * old.length).fill(EMPTY);
    for (let at = 0; at < old.length; at += ENTRY) {
      if (old[at + 3] === EMPTY) continue;
      this.entries.set(
        old.subarray(at, at + ENTRY),
        this.find(old[at] as number, old[at + 1] as number, old[at + 2] as number),
      );
    }
  }
}
