/** What descriptions without a file have in common (anon_inode). In: nothing. Out: status. Source: man 5 proc (/proc/PID/fd), man 2 fstat. */
import { madeUp, makeDev, type StatRecord } from '../file-stat.js';

/** Device number of the file system of anonymous inodes, as a Linux kernel commonly gives it. */
const ANON_DEV = makeDev(0, 14);
/** Inode of all anonymous inodes. */
const ANON_INODE = 12;
export const ANON_INODE_FS_MAGIC = 0x0904_1934;

export const statAnonymous = (): StatRecord => madeUp(0o600, ANON_INODE, { dev: ANON_DEV });
