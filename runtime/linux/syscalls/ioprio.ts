/**
 * System calls: priorities of input and output. In: thread and arguments. Out: results. They are stored and reported, nothing else. Source: man 2 ioprio_set; Linux block/ioprio.c.
 */
import { CAP } from '../../process/capabilities.js';
import type { Task } from '../../process/task.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EINVAL, EPERM, ESRCH } from '../errno.js';
import type { Thread } from '../thread.js';
import { POLICY, priorityTargets, STORED } from './sched.js';

/** `which` of ioprio_set: these are getpriority's and one more. */
const WHO = { PROCESS: 1, PGRP: 2, USER: 3 } as const;
const CLASS = { NONE: 0, RT: 1, BE: 2, IDLE: 3 } as const;
const CLASS_SHIFT = 13;
const LEVEL_MASK = 7;

/** What the thread's I/O has: where nothing has been set it follows from the policy and the nice value. */
function effective(task: Task): number {
  if (task.ioprio >> CLASS_SHIFT !== CLASS.NONE) return task.ioprio;
  const level = Math.floor((task.nice + 20) / 5);
  if (task.policy === POLICY.IDLE) return (CLASS.IDLE << CLASS_SHIFT) | level;
  const realTime = task.policy === POLICY.FIFO || task.policy === POLICY.RR;
  return ((realTime ? CLASS.RT : CLASS.BE) << CLASS_SHIFT) | level;
}

function ioprioGet(t: Thread, a: SyscallArgs): SyscallResult {
  const which = a.i32(0);
  if (which < WHO.PROCESS || which > WHO.USER) return -EINVAL;
  let best = -ESRCH;
  for (const task of priorityTargets(t, which - WHO.PROCESS, a.i32(1))) {
    // One thread's is what was set; of several, the highest that one of them has.
    const own = which === WHO.PROCESS ? task.ioprio : effective(task);
    best = best < 0 ? own : Math.min(best, own);
  }
  return best;
}

function ioprioSet(t: Thread, a: SyscallArgs): SyscallResult {
  const which = a.i32(0);
  const ioprio = a.i32(2) & 0xffff;
  switch (ioprio >> CLASS_SHIFT) {
    case CLASS.NONE:
      if ((ioprio & LEVEL_MASK) !== 0) return -EINVAL;
      break;
    case CLASS.RT:
      if (![CAP.SYS_ADMIN, CAP.SYS_NICE].some((c) => t.task.group.hasCapability(c))) return -EPERM;
      break;
    case CLASS.BE:
    case CLASS.IDLE:
      break;
    default:
      return -EINVAL;
  }
  if (which < WHO.PROCESS || which > WHO.USER) return -EINVAL;
  let found = false;
  for (const task of priorityTargets(t, which - WHO.PROCESS, a.i32(1))) {
    task.ioprio = ioprio;
    found = true;
  }
  return found ? 0 : -ESRCH;
}

export const ioprioRows = [
  { nr: 251, name: 'ioprio_set', args: 'd,d,x', support: 'partly', note: STORED, handler: ioprioSet },
  { nr: 252, name: 'ioprio_get', args: 'd,d', support: 'partly', note: STORED, handler: ioprioGet },
] as const satisfies readonly SyscallRow[];
