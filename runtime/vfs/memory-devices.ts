/**
 * Memory devices of major 1: all of them for hosts without, and null, zero and full for all, since a call of the host takes 4 us. In: minor numbers and buffers. Out: bytes transferred, or -errno.
 * Source: man 4 null, man 4 full, man 4 random.
 */
import { nodeModules } from '../linux/node-modules.js';
import { ENOSPC } from '../linux/errno.js';
import { zeroFill } from '../memory/zero.js';
import { MEMORY_DEVICE } from './dev-mount.js';
import { LINUX_HOST } from './open-flags.js';

const MAJOR = 1;
const SERVED: readonly number[] = [MEMORY_DEVICE.NULL, MEMORY_DEVICE.ZERO, MEMORY_DEVICE.FULL];

/** Minor number of a device of a Linux host that needs no call of the host; 0 for all others. `rdev` as stat gives it. */
export function servedDevice(rdev: number): number {
  const minor = rdev & 0xff;
  return LINUX_HOST && rdev === ((MAJOR << 8) | minor) && SERVED.includes(minor) ? minor : 0;
}

export function readDevice(minor: number, list: readonly Uint8Array[]): number {
  if (minor === MEMORY_DEVICE.NULL) return 0;
  let n = 0;
  for (const b of list) {
    if (minor === MEMORY_DEVICE.RANDOM || minor === MEMORY_DEVICE.URANDOM)
      b.set(nodeModules.crypto().randomFillSync(Buffer.alloc(b.length)));
    else zeroFill(b, 0, b.length);
    n += b.length;
  }
  return n;
}

export function writeDevice(minor: number, list: readonly Uint8Array[]): number {
  return minor === MEMORY_DEVICE.FULL ? -ENOSPC : list.reduce((sum, b) => sum + b.length, 0);
}
