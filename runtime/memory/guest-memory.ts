/**
 * Guest memory for the system calls: checked by the permission bytes, and by the radix table from GUEST_END up. In: guest addresses (bytes). Out: data, or undefined and false on EFAULT.
 * Source: src/guest/memory-map.ts; man 2 intro (EFAULT).
 */
import { GUEST_END, PAGE_SHIFT, PAGE_SIZE, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import type { GuestMemory } from '../linux/context.js';
import { entryPage, entryPerm, HighTable } from './high-table.js';

/** No byte of the memory: the range can't be reached. */
const NOWHERE = -1;
/** `view` and `bytes` of every range are found here when its size is 0. */
const EMPTY = 0;

/** Bytes before the first 0; all when there is none. */
function lengthOf(bytes: Uint8Array): number {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes.length : end;
}

export class SharedGuestMemory implements GuestMemory {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
  private readonly high: HighTable;

  /**
   * @param invalidate kills translated code on [addr, addr + size) (offsets in the memory), before it is written to
   * @param materialise makes pages of [addr, addr + size) that are made at their first touch, or are to be got from another process, to be written to or read; false when that fails
   * (AddressSpace.materialise). The thread may have been parked.
   */
  constructor(
    buffer: SharedArrayBuffer,
    private readonly invalidate: (addr: number, size: number) => void,
    private readonly materialise: (addr: number, size: number, write: boolean) => boolean = () => false,
  ) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.high = new HighTable(buffer);
  }

  canRead(addr: number, size: number): boolean {
    return this.reach(addr, size, PERM.R) !== NOWHERE;
  }

  canWrite(addr: number, size: number): boolean {
    return this.reach(addr, size, PERM.W) !== NOWHERE;
  }

  atHand(addr: number, size: number, forWrite: boolean): boolean {
    if (!(addr >= 0 && addr + size <= 2 ** 47)) return false;
    const at = this.find(addr, addr + size, forWrite ? PERM.W : PERM.R);
    return at !== NOWHERE && !(forWrite && this.holdsCode(at, size));
  }

  read(addr: number, size: number): Uint8Array | undefined {
    const at = this.reach(addr, size, PERM.R);
    return at === NOWHERE ? undefined : this.bytes.slice(at, at + size);
  }

  write(addr: number, data: Uint8Array): boolean {
    const at = this.reach(addr, data.length, PERM.W);
    if (at === NOWHERE) return false;
    this.bytes.set(data, at);
    return true;
  }

  slice(addr: number, size: number, forWrite: boolean): Uint8Array | undefined {
    const at = this.reach(addr, size, forWrite ? PERM.W : PERM.R);
    return at === NOWHERE ? undefined : this.bytes.subarray(at, at + size);
  }

  /** Where [addr, addr + size) lies in the memory, checked: for atomic operations on guest words. undefined on EFAULT. */
  offset(addr: number, size: number, forWrite: boolean): number | undefined {
    const at = this.reach(addr, size, forWrite ? PERM.W : PERM.R);
    return at === NOWHERE ? undefined : at;
  }

  cstring(addr: number, max = 1 << 20): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    for (let done = 0; done < max;) {
      const chunk = Math.min(max - done, PAGE_SIZE - ((addr + done) % PAGE_SIZE));
      const at = this.reach(addr + done, chunk, PERM.R);
      if (at === NOWHERE) return undefined;
      const here = this.bytes.subarray(at, at + chunk);
      const length = lengthOf(here);
      // Other threads may have written to it meanwhile.
      const copy = here.slice(0, length);
      const end = lengthOf(copy);
      parts.push(copy.subarray(0, end));
      if (end < chunk) break;
      done += chunk;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  readU32(addr: number): number | undefined {
    const at = this.reach(addr, 4, PERM.R);
    return at === NOWHERE ? undefined : this.view.getUint32(at, true);
  }

  readI32(addr: number): number | undefined {
    const at = this.reach(addr, 4, PERM.R);
    return at === NOWHERE ? undefined : this.view.getInt32(at, true);
  }

  readU64(addr: number): bigint | undefined {
    const at = this.reach(addr, 8, PERM.R);
    return at === NOWHERE ? undefined : this.view.getBigUint64(at, true);
  }

  writeU32(addr: number, v: number): boolean {
    const at = this.reach(addr, 4, PERM.W);
    if (at === NOWHERE) return false;
    this.view.setUint32(at, v, true);
    return true;
  }

  writeU64(addr: number, v: bigint): boolean {
    const at = this.reach(addr, 8, PERM.W);
    if (at === NOWHERE) return false;
    this.view.setBigUint64(at, v, true);
    return true;
  }

  /** Offset in the memory of the first byte of a range whose pages all have `need`; NOWHERE when one has not. Code is gone from it when it is to be written. */
  private reach(addr: number, size: number, need: number): number {
    if (size === 0) return EMPTY;
    const end = addr + size;
    if (!(addr >= 0 && size > 0 && end <= 2 ** 47)) return NOWHERE;
    let at = this.find(addr, end, need);
    // A page that is missing may be one that is made at its first touch.
    if (at === NOWHERE && this.materialise(addr, size, need === PERM.W)) at = this.find(addr, end, need);
    if (at !== NOWHERE && need === PERM.W) this.dropCode(at, size);
    return at;
  }

  private find(addr: number, end: number, need: number): number {
    if (end <= GUEST_END) {
      const last = (end - 1) >>> PAGE_SHIFT;
      for (let page = addr >>> PAGE_SHIFT; page <= last; page++)
        if (((this.bytes[PERM_TABLE + page] ?? 0) & need) === 0) return NOWHERE;
      return addr;
    }
    if (addr < GUEST_END) return NOWHERE;
    const first = Math.floor(addr / PAGE_SIZE);
    // Adjacent pages have adjacent backing (backing.ts).
    for (let page = first; page * PAGE_SIZE < end; page++)
      if ((entryPerm(this.high.get(page)) & need) === 0) return NOWHERE;
    return entryPage(this.high.get(first)) * PAGE_SIZE + (addr % PAGE_SIZE);
  }

  private dropCode(at: number, size: number): void {
    if (this.holdsCode(at, size)) this.invalidate(at, size);
  }

  private holdsCode(at: number, size: number): boolean {
    const last = (at + size - 1) >>> PAGE_SHIFT;
    for (let page = at >>> PAGE_SHIFT; page <= last; page++)
      if (((this.bytes[PERM_TABLE + page] ?? 0) & PERM.CODE) !== 0) return true;
    return false;
  }
}
