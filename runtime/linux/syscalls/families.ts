/** The families of system calls, one file each. In: nothing. Out: their row lists, for table.ts. */
import { aioRows } from './aio.js';
import type { SyscallRow } from '../context.js';
import { capabilityRows } from './capability.js';
import { dirRows } from './dir.js';
import { epollRows } from './epoll.js';
import { fdRows } from './fd.js';
import { fileRows } from './file.js';
import { futexRows } from './futex.js';
import { idsRows } from './ids.js';
import { inotifyRows } from './inotify.js';
import { ioprioRows } from './ioprio.js';
import { machineRows } from './machine.js';
import { memoryRows } from './memory.js';
import { miscFileRows } from './misc-file.js';
import { mountRows } from './mount.js';
import { otherMemoryRows } from './other-memory.js';
import { pathRows } from './path.js';
import { mqueueRows } from './mqueue.js';
import { pidfdRows } from './pidfd.js';
import { pipePagesRows } from './pipe-pages.js';
import { pollRows } from './poll.js';
import { processRows } from './process.js';
import { refusedRows } from './refused.js';
import { ptraceRows } from './ptrace.js';
import { schedRows } from './sched.js';
import { seccompRows } from './seccomp.js';
import { msgRows } from './msg.js';
import { semRows } from './sem.js';
import { shmRows } from './shm.js';
import { signalRows } from './signal.js';
import { socketRows } from './socket.js';
import { statRows } from './stat.js';
import { systemRows } from './system.js';
import { timeRows } from './time.js';
import { timerRows } from './timer.js';
import { timerfdRows } from './timerfd.js';
import { xattrRows } from './xattr.js';

export const FAMILIES: readonly (readonly SyscallRow[])[] = [
  processRows,
  memoryRows,
  otherMemoryRows,
  ptraceRows,
  shmRows,
  msgRows,
  semRows,
  fileRows,
  fdRows,
  dirRows,
  statRows,
  pathRows,
  xattrRows,
  mountRows,
  pollRows,
  epollRows,
  timerfdRows,
  pidfdRows,
  inotifyRows,
  aioRows,
  mqueueRows,
  socketRows,
  miscFileRows,
  signalRows,
  futexRows,
  schedRows,
  ioprioRows,
  timeRows,
  timerRows,
  idsRows,
  capabilityRows,
  systemRows,
  machineRows,
  seccompRows,
  refusedRows,
  pipePagesRows,
];
