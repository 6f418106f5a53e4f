/**
 * The vDSO in a guest's memory: an image of code (vdso.c), and before it a page that says what CLOCK_REALTIME is over RDTSC. In: an address space; the time at each system call that
 * asks for CLOCK_REALTIME. Out: the address for AT_SYSINFO_EHDR. So programs that ask for the time all the time make a system call every EXPIRY_MS. Source: man 7 vdso, man 3 getauxval.
 */
import { PAGE_SHIFT, PAGE_SIZE, PCB, PCB_BASE, PERM, PERM_TABLE } from '../../../src/guest/memory-map.js';
import { MAP, PROT, type AddressSpace } from '../../memory/address-space.js';
import { TAG } from '../../memory/vma-table.js';
import { VDSO_IMAGE } from './image.js';

/** Fields of the page, bytes; vdso.c has the same. */
const VVAR = { MAGIC: 0, OFFSET: 8, EXPIRY: 16 } as const;
/** No page of a guest's own, should it have unmapped this one and put another in its place. */
const MAGIC = 0x7256_5634_3636_7446n;
/** A step of the host's clock is seen this much later. */
export const EXPIRY_MS = 10;

/** Maps both pages; the image's address, or a negative errno. `bytes`: the memory. */
export function mapVdso(mm: AddressSpace, bytes: Uint8Array): number {
  const image = Buffer.from(VDSO_IMAGE, 'base64');
  const flags = MAP.PRIVATE | MAP.ANONYMOUS;
  const vvar = mm.mmap({ addr: 0, length: 2 * PAGE_SIZE, prot: PROT.NONE, flags });
  if (vvar < 0) return vvar;
  const code = vvar + PAGE_SIZE;
  // Writable until they are filled; each has its name in /proc/PID/maps.
  const prot = PROT.READ | PROT.WRITE;
  for (const [addr, tag] of [
    [vvar, TAG.VVAR],
    [code, TAG.VDSO],
  ] as const) {
    const at = mm.mmap({ addr, length: PAGE_SIZE, prot, flags: flags | MAP.FIXED, tag });
    if (at < 0) return at;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  bytes.set(image, code);
  view.setBigUint64(vvar + VVAR.MAGIC, MAGIC, true);
  mm.mprotect(vvar, PAGE_SIZE, PROT.READ);
  mm.mprotect(code, PAGE_SIZE, PROT.READ | PROT.EXEC);
  view.setInt32(PCB_BASE + PCB.VVAR, vvar, true);
  return code;
}

/**
 * From now on, for a while, CLOCK_REALTIME is RDTSC and `offset`. All threads of the process see it.
 * @param view the memory
 * @param now CLOCK_MONOTONIC, ns
 */
export function publishRealtime(view: DataView, offset: bigint, now: bigint): void {
  const vvar = view.getUint32(PCB_BASE + PCB.VVAR, true);
  const perm = view.getUint8(PERM_TABLE + (vvar >>> PAGE_SHIFT));
  if (vvar === 0 || (perm & (PERM.R | PERM.W)) !== PERM.R) return;
  if (view.getBigUint64(vvar + VVAR.MAGIC, true) !== MAGIC) return;
  // Whoever reads between the two has the old offset and its end, or the new one and the old end.
  view.setBigInt64(vvar + VVAR.OFFSET, offset, true);
  view.setBigUint64(vvar + VVAR.EXPIRY, now + BigInt(EXPIRY_MS * 1e6), true);
}
