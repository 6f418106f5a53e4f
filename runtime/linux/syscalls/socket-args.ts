/** Arguments of socket calls: descriptors that are sockets, addresses in guest memory. In: a thread, guest addresses. Out: sockets, bytes; -errno. Source: man 2 bind, accept. */
import { EFAULT, EINVAL, ENOTSOCK } from '../errno.js';
import type { Thread } from '../thread.js';
import { withFd } from '../../vfs/guest-args.js';
import { socketOf } from '../../net/open-socket.js';

/** Longest address: struct sockaddr_storage. */
const LONGEST_NAME = 128;

/** Calls `fn` with the description and socket behind `fd`; -EBADF, -ENOTSOCK. */
export function withSocket<T>(t: Thread, fd: number, fn: (file: number, socket: number) => T): T | number {
  return withFd(t, fd, (file): T | number => {
    const socket = socketOf(t.files.state, file);
    return socket < 0 ? -ENOTSOCK : fn(file, socket);
  });
}

/** Bytes of ints, as values and ancillary data have them. */
export const ints = (...values: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);

/** A copy of the address at `addr`; -EINVAL, -EFAULT. */
export function nameAt(t: Thread, addr: number, length: number): Uint8Array | number {
  if (length < 0 || length > LONGEST_NAME) return -EINVAL;
  return t.mem.read(addr, length) ?? -EFAULT;
}

/** Stores an address and its length: as much as the guest has room for, by the length at `lengthAddr`. 0 or -errno. */
export function storeName(t: Thread, addr: number, lengthAddr: number, name: Uint8Array): number {
  const room = t.mem.readI32(lengthAddr);
  if (room === undefined) return -EFAULT;
  if (room < 0) return -EINVAL;
  if (!t.mem.write(addr, name.subarray(0, room))) return -EFAULT;
  return t.mem.writeU32(lengthAddr, name.length) ? 0 : -EFAULT;
}
