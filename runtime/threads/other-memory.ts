/**
 * Memory of another process, or one's own. In: a task, a guest address of it, bytes. Out: how many of them have been copied. Source: man 2 process_vm_readv, man 5 proc_pid_mem.
 * The lock of sharing is held meanwhile: the other address space does not go, and its pages stay where they are.
 */
import type { Thread } from '../linux/thread.js';
import type { Task } from '../process/task.js';

/** @param force permissions do not matter (AddressSpace.access) */
export function accessMemory(
  t: Thread,
  task: Task,
  addr: number,
  bytes: Uint8Array,
  write: boolean,
  force: boolean,
): number {
  return t.sharing.locked(() => {
    if (!task.alive || task.mmRecord.refs === 0) return 0;
    const space = task.mm === t.task.mm ? t.mm : t.sharing.addressSpace(task.mm);
    return space.access(addr, bytes, write, force);
  });
}
