/** Descriptions of processes (pidfd). In: processes. Out: descriptions to be opened, and the process behind one. Source: man 2 pidfd_open. */
import type { Group } from '../process/group.js';
import type { Kernel } from '../process/kernel.js';
import { GROUP_STATE } from '../process/layout.js';
import { bytePath } from './byte-path.js';
import { fileObject, fileOffset, KIND, type NewFile } from './open-files.js';
import { O_RDWR } from './open-flags.js';
import type { VfsState } from './state.js';

/** `process`: its index in the kernel's table; `flags`: O_NONBLOCK or 0. */
export function newPidfd(process: number, pid: number, flags: number): NewFile {
  const path = bytePath('anon_inode:[pidfd]');
  return { kind: KIND.PIDFD, flags: O_RDWR | flags, object: process, offset: BigInt(pid), path };
}

/** The process behind a pidfd, alive or a zombie; undefined when it has been reaped. The caller holds the kernel mutex. */
export function pidfdGroup(kernel: Kernel, s: VfsState, file: number): Group | undefined {
  const group = kernel.group(fileObject(s, file));
  return group.tgid === fileOffset(s, file) && group.state !== GROUP_STATE.FREE ? group : undefined;
}
