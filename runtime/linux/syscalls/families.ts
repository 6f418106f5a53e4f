/** The families of system calls, one file each. In: nothing. Out: their row lists, for table.ts. */
import type { SyscallRow } from '../context.js';

export const FAMILIES: readonly (readonly SyscallRow[])[] = [];
