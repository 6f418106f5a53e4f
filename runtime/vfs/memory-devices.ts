/**
 * Memory devices of major 1, for hosts without them. In: minor numbers and buffers. Out: bytes transferred, or -errno.
 * Source: man 4 null, man 4 full, man 4 random.
 */
import { nodeModules } from '../linux/node-modules.js';
import { ENOSPC } from '../linux/errno.js';
import { MEMORY_DEVICE } from './dev-mount.js';

export function readDevice(minor: number, list: readonly Uint8Array[]): number {
  if (minor === MEMORY_DEVICE.NULL) return 0;
  let n = 0;
  for (const b of list) {
    if (minor === MEMORY_DEVICE.RANDOM || minor === MEMORY_DEVICE.URANDOM)
      b.set(nodeModules.crypto().randomFillSync(Buffer.alloc(b.length)));
    else b.fill(0);
    n += b.length;
  }
  return n;
}

export function writeDevice(minor: number, list: readonly Uint8Array[]): number {
  return minor === MEMORY_DEVICE.FULL ? -ENOSPC : list.reduce((sum, b) => sum + b.length, 0);
}
