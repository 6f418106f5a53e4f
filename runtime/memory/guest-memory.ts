/**
 * Guest memory for the system calls: checked by the permission bytes. In: guest addresses (bytes). Out: data, or undefined and false on EFAULT.
 */
import { GUEST_END, PAGE_SHIFT, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import type { GuestMemory } from '../linux/context.js';

export class SharedGuestMemory implements GuestMemory {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;

  /** @param invalidate kills translated code on [addr, addr + size), before it is written to */
  constructor(
    buffer: SharedArrayBuffer,
    private readonly invalidate: (addr: number, size: number) => void,
  ) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  canRead(addr: number, size: number): boolean {
    return this.check(addr, size, PERM.R);
  }

  canWrite(addr: number, size: number): boolean {
    return this.check(addr, size, PERM.W);
  }

  read(addr: number, size: number): Uint8Array | undefined {
    return this.check(addr, size, PERM.R) ? this.bytes.slice(addr, addr + size) : undefined;
  }

  write(addr: number, data: Uint8Array): boolean {
    if (!this.check(addr, data.length, PERM.W)) return false;
    this.bytes.set(data, addr);
    return true;
  }

  slice(addr: number, size: number, forWrite: boolean): Uint8Array | undefined {
    return this.check(addr, size, forWrite ? PERM.W : PERM.R) ? this.bytes.subarray(addr, addr + size) : undefined;
  }

  cstring(addr: number, max = 1 << 20): Uint8Array | undefined {
    for (let at = addr, left = max; left > 0;) {
      const chunk = Math.min(left, 4096 - (at & 4095));
      if (!this.check(at, 1, PERM.R)) return undefined;
      const end = this.bytes.subarray(at, at + chunk).indexOf(0);
      if (end >= 0) return this.bytes.slice(addr, at + end);
      at += chunk;
      left -= chunk;
    }
    return this.bytes.slice(addr, addr + max);
  }

  readU32(addr: number): number | undefined {
    return this.check(addr, 4, PERM.R) ? this.view.getUint32(addr, true) : undefined;
  }

  readI32(addr: number): number | undefined {
    return this.check(addr, 4, PERM.R) ? this.view.getInt32(addr, true) : undefined;
  }

  readU64(addr: number): bigint | undefined {
    return this.check(addr, 8, PERM.R) ? this.view.getBigUint64(addr, true) : undefined;
  }

  writeU32(addr: number, v: number): boolean {
    if (!this.check(addr, 4, PERM.W)) return false;
    this.view.setUint32(addr, v, true);
    return true;
  }

  writeU64(addr: number, v: bigint): boolean {
    if (!this.check(addr, 8, PERM.W)) return false;
    this.view.setBigUint64(addr, v, true);
    return true;
  }

  private check(addr: number, size: number, need: number): boolean {
    if (size === 0) return true;
    const end = addr + size;
    if (!(addr >= 0 && size > 0 && end <= GUEST_END)) return false;
    let code = 0;
    for (let page = addr >>> PAGE_SHIFT, last = (end - 1) >>> PAGE_SHIFT; page <= last; page++) {
      const perm = this.bytes[PERM_TABLE + page] ?? 0;
      if ((perm & need) === 0) return false;
      code |= perm & PERM.CODE;
    }
    if (code !== 0 && need === PERM.W) this.invalidate(addr, size);
    return true;
  }
}
