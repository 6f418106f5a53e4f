/** The families of system calls, one file each. In: nothing. Out: their row lists, for table.ts. */
import type { SyscallRow } from '../context.js';
import { fileCoreRows } from './file-core.js';
import { futexRows } from './futex.js';
import { idsRows } from './ids.js';
import { memoryRows } from './memory.js';
import { processRows } from './process.js';
import { schedRows } from './sched.js';
import { signalRows } from './signal.js';
import { systemRows } from './system.js';
import { timeRows } from './time.js';

export const FAMILIES: readonly (readonly SyscallRow[])[] = [
  processRows,
  memoryRows,
  fileCoreRows,
  signalRows,
  futexRows,
  schedRows,
  timeRows,
  idsRows,
  systemRows,
];
