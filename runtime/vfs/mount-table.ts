/**
 * The mounts of a guest whose tree is not simply the host's (--root, --mount, --tmpfs, --sandbox). In: rows that the main thread has made (guest-tree.ts). Out: which mount
 * a guest path is in, and what guest and host call a directory. Source: man 7 path_resolution, man 7 mount_namespaces.
 */
import * as fs from 'node:fs';
import { bytePath, fromBytes, joinPath, type BytePath } from './byte-path.js';

/** Plain data, the same in all workers. */
export interface MountRow {
  /** Canonical guest path. */
  readonly at: BytePath;
  /** What it shows: a file or directory of the host, a directory of the host that is lift64's own for this run, or what lift64 serves itself. */
  readonly type: 'host' | 'tmpfs' | 'proc' | 'dev';
  /** Descriptor of the host (O_PATH) of its root; -1 where lift64 serves it. */
  readonly fd: number;
  /** The root is a file. */
  readonly isFile: boolean;
  readonly readOnly: boolean;
  /** Name of the source, for /proc/mounts. */
  readonly source: string;
}

export interface TreeRows {
  /** The first is the root. */
  readonly mounts: readonly MountRow[];
  /** The root is the host's own: what /proc and /dev lack is the host's. */
  readonly hostRoot: boolean;
}

export interface MountPoint extends MountRow {
  /** Place in the table; descriptions keep it plus one. */
  readonly index: number;
  /** Another mount lies below it. */
  readonly hasInner: boolean;
  /** The host's name of its root when the table was made; empty where lift64 serves it. */
  readonly hostName: string;
}

const below = (dir: string): string => (dir === '/' ? '/' : `${dir}/`);

export class MountTable {
  readonly mounts: readonly MountPoint[];
  readonly hostRoot: boolean;
  private readonly byPath = new Map<string, MountPoint>();
  /** Directories on the way to a mount point, with the names in them that lead there. */
  private readonly ways = new Map<string, Set<string>>();

  constructor(rows: TreeRows) {
    this.hostRoot = rows.hostRoot;
    this.mounts = rows.mounts.map((row, index) => ({
      ...row,
      index,
      hostName: row.fd < 0 ? '' : hostName(row.fd),
      hasInner: rows.mounts.some((other) => other !== row && other.at.startsWith(below(row.at))),
    }));
    for (const m of this.mounts) {
      this.byPath.set(m.at, m);
      for (let at: string = m.at; at !== '/';) {
        const slash = at.lastIndexOf('/');
        const dir = slash === 0 ? '/' : at.slice(0, slash);
        const names = this.ways.get(dir) ?? new Set();
        this.ways.set(dir, names.add(at.slice(slash + 1)));
        at = dir;
      }
    }
  }

  get root(): MountPoint {
    const [root] = this.mounts;
    if (root === undefined) throw new RangeError('a mount table without a root');
    return root;
  }

  /** The mount whose root is at a canonical guest path. */
  at(path: string): MountPoint | undefined {
    return this.byPath.get(path);
  }

  /** A mount point lies below the path. */
  leadsToMount(path: string): boolean {
    return this.ways.has(path);
  }

  /** Names in a directory that are mount points, or lead to some. */
  namesIn(path: string): readonly string[] {
    return [...(this.ways.get(path) ?? [])];
  }

  /** The mount that a canonical path is in. */
  holding(path: string): MountPoint {
    for (let at = path; at !== '' && at !== '/'; at = at.slice(0, at.lastIndexOf('/'))) {
      const m = this.byPath.get(at);
      if (m !== undefined) return m;
    }
    return this.root;
  }

  byIndex(index: number): MountPoint | undefined {
    return this.mounts[index];
  }
}

/** The host's name of an open descriptor. */
export function hostName(fd: number): BytePath {
  return fromBytes(fs.readlinkSync(`/proc/self/fd/${String(fd)}`, { encoding: 'buffer' }));
}

/** Where `host`, a name that the host gave, is in the guest's tree by way of `m`; undefined: not below the mount's root. */
export function guestName(m: MountPoint, host: string): BytePath | undefined {
  const root = hostName(m.fd);
  if (host === root) return m.at;
  const start = below(root);
  return host.startsWith(start) ? joinPath(m.at, host.slice(start.length)) : undefined;
}

/** What Linux calls a file that has no name below the root. */
export const UNREACHABLE = bytePath('(unreachable)');

/** As `guestName`, of an open descriptor. */
export function guestNameOfFd(m: MountPoint, fd: number): BytePath {
  return guestName(m, hostName(fd)) ?? UNREACHABLE;
}
