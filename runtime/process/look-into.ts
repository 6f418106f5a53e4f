/** Whose memory, registers and descriptors a thread may see. In: the thread's task and the other process. Out: yes or no. Source: man 2 ptrace ("Ptrace access mode checking"). */
import type { Group } from './group.js';
import { GROUP_FLAG } from './layout.js';
import type { Task } from './task.js';

/** Root, itself, or all ids alike and nothing to hide (PR_SET_DUMPABLE). */
export function mayLookInto(own: Task, group: Group): boolean {
  const [me, other] = [own.group.ids, group.ids];
  if (me.euid === 0 || group.index === own.groupIndex) return true;
  const all = [other.uid, other.euid, other.suid].every((id) => id === me.uid);
  return all && [other.gid, other.egid, other.sgid].every((id) => id === me.gid) && !group.has(GROUP_FLAG.NOT_DUMPABLE);
}
