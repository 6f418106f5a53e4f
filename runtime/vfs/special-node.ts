/**
 * Files that lift64 serves itself, and the mounts that hold them: a mount owns a subtree of guest paths and says, path by path, what is there
 * or that the host has it. In: nothing. Out: types.
 */
import type { BytePath } from './byte-path.js';
import type { FileContext } from './file-context.js';
import type { StatRecord } from './file-stat.js';

export interface DirectoryEntry {
  /** One character a byte. */
  readonly name: string;
  /** DT_*. */
  readonly type: number;
}

/** Types of directory entries (man 3 readdir). */
export const DT = { UNKNOWN: 0, FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12 } as const;

interface Twin {
  /** Path of the host whose status the node shows, where the host has it. */
  readonly twin?: string;
}

/** Content made at each open, as latin1 text or bytes; -errno where it can't be had. */
export interface FileNode extends Twin {
  readonly type: 'file';
  readonly content: () => string | Uint8Array | number;
  /** Permission bits. */
  readonly mode: number;
  /** Takes what is written; bytes taken, or -errno. */
  readonly write?: (data: Uint8Array) => number;
}

/** Symbolic link; -errno where it can't be read. */
export interface LinkNode extends Twin {
  readonly type: 'link';
  readonly target: () => BytePath | number;
  /** Not by its text: a link of /proc that leads to a process's own file. */
  readonly magic?: true;
}

/** Memory of a process. */
export interface MemoryNode extends Twin {
  readonly type: 'memory';
  readonly pid: number;
}

/** `.` and `..` are not among the entries. */
export interface DirectoryNode extends Twin {
  readonly type: 'directory';
  /** Permission bits; 0555 by default. */
  readonly mode?: number;
  readonly entries: () => DirectoryEntry[];
}

/** /proc/self/fd/N: a link to an open file, which may have no name. */
export interface DescriptorNode extends Twin {
  readonly type: 'descriptor';
  readonly fd: number;
  /** Of the process. */
  readonly table: number;
}

/** Memory device of major 1. */
export interface DeviceNode extends Twin {
  readonly type: 'device';
  readonly minor: number;
}

/** /dev/ptmx, /dev/tty, and slaves of pseudo-terminals by number. */
export interface TerminalNode extends Twin {
  readonly type: 'terminal';
  readonly terminal: 'ptmx' | 'tty' | number;
  readonly status: () => StatRecord;
}

export type SpecialNode = FileNode | LinkNode | MemoryNode | DirectoryNode | DescriptorNode | DeviceNode | TerminalNode;

/** The path stands for another: a link before the last component. */
export interface Redirect {
  readonly redirect: BytePath;
}

/** The host has it, at another path of its own. */
export interface OnHost {
  readonly host: BytePath;
}

export interface Mount {
  /** Absolute, without a slash at the end. */
  readonly at: string;
  /** What is at the components below the mount point (none: the mount point itself). Undefined: the host has it, at the same path; -errno: there is nothing. */
  lookup(c: FileContext, parts: readonly string[]): SpecialNode | Redirect | OnHost | number | undefined;
}
