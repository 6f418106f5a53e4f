/**
 * The guest's tree as the command line asks for it. In: TreeOptions. Out: the rows of a mount table, and what ends with them. Called once, on the main thread. Source: man 8 mount.
 *
 * An in-memory file system is a directory of lift64's own on the host's /dev/shm, so that everything that files can do is the host's file system's (mappings, locks, FIFOs, attributes, sizes): a second
 * implementation of all that would be slower and never as complete. A child process that waits on a pipe from lift64 removes it: also after kill -9, within milliseconds.
 */
import * as fs from 'node:fs';
import { basename } from 'node:path';
import { UsageError } from '../../src/base/errors.js';
import { nodeModules } from '../linux/node-modules.js';
import { memoryDirectory } from '../memory/nameless-file.js';
import { bytePath, fromBytes, joinPath, normalize, type BytePath } from './byte-path.js';
import { hostName, MountTable, type MountRow, type TreeRows } from './mount-table.js';
import { LINUX_HOST, O_PATH } from './open-flags.js';
import { LOOKUP } from './resolve.js';
import { NOTHING_SERVED, Walk } from './walk.js';

export interface MountOption {
  readonly host: string;
  /** Absolute. */
  readonly guest: string;
  readonly readOnly: boolean;
}

export interface TreeOptions {
  /** --root: the directory of the host that is the guest's root. */
  readonly root: string | undefined;
  readonly mounts: readonly MountOption[];
  /** --tmpfs: guest paths. */
  readonly tmpfs: readonly string[];
  /** --sandbox: the root is empty, unless `root` is given. */
  readonly sandbox: boolean;
  /** What messages call these. */
  readonly names: Readonly<Record<'root' | 'mounts' | 'tmpfs' | 'sandbox', string>>;
}

export interface GuestTree {
  readonly rows: TreeRows;
  /** A descriptor of the host (read-only) for a file of the guest's tree, and its canonical guest path; undefined when nothing is there. Relative paths start at `directory`. */
  open(path: string): { readonly fd: number; readonly path: BytePath } | undefined;
  /** Where the guest's first process starts. */
  readonly directory: BytePath;
  /** Removes what lift64 has made; closes nothing that the guest may still use. */
  close(): void;
}

/** True when the guest's tree is not just the host's. */
export const hasTree = (o: TreeOptions): boolean =>
  o.root !== undefined || o.sandbox || o.mounts.length > 0 || o.tmpfs.length > 0;

/**
 * Makes the tree. Of a sandbox without --root, `program` is a file of the host when the guest's tree has no such file: it shows as /NAME then. Throws UsageError when a directory can't be had, or on a
 * host that is not Linux, where links can't be kept from leading out. `cwd`: guest path of the directory that the guest starts in.
 */
export function makeTree(o: TreeOptions, program: string, cwd?: string): GuestTree {
  if (!LINUX_HOST) throw new UsageError(`${Object.values(o.names).join(', ')} need a Linux host`);
  const scratch = new Scratch();
  try {
    const hostRoot = o.root === undefined && !o.sandbox;
    const directory = hostRoot ? fromBytes(fs.readlinkSync('/proc/self/cwd', { encoding: 'buffer' })) : bytePath('/');
    const rows = allRows(o, hostRoot, scratch);
    const tree = (): TreeRows => ({ mounts: rows, hostRoot });
    const open = (path: string): { fd: number; path: BytePath } | undefined => openIn(tree(), directory, path);
    if (o.sandbox && o.root === undefined) {
      const found = open(program);
      if (found !== undefined) fs.closeSync(found.fd);
      else if (fs.statSync(program, { throwIfNoEntry: false })?.isFile() === true)
        rows.push(hostRow({ host: program, guest: `/${basename(program)}`, readOnly: true }, program));
    }
    return {
      rows: tree(),
      directory: cwd === undefined ? directory : startDirectory(tree(), directory, cwd),
      open: (path) => open(path) ?? (o.sandbox && path === program ? open(`/${basename(program)}`) : undefined),
      close: () => {
        scratch.remove();
      },
    };
  } catch (e) {
    scratch.remove();
    throw e;
  }
}

function allRows(o: TreeOptions, hostRoot: boolean, scratch: Scratch): MountRow[] {
  const rows: MountRow[] = [rootRow(o, scratch)];
  const add = (row: MountRow): void => {
    const at = canonical(rows, hostRoot, row.at);
    const known = rows.findIndex((r) => r.at === at);
    if (known >= 0) rows.splice(known, 1, { ...row, at });
    else rows.push({ ...row, at });
  };
  const own = { fd: -1, isFile: false, readOnly: false };
  add({ ...own, at: bytePath('/proc'), type: 'proc', source: 'proc' });
  add({ ...own, at: bytePath('/dev'), type: 'dev', source: 'dev' });
  if (!hostRoot) add(scratch.row('/dev/shm'));
  const asked = [
    ...o.mounts.map((m) => ({ at: m.guest, make: () => hostRow(m, `${o.names.mounts} ${m.host}`) })),
    ...o.tmpfs.map((at) => ({ at, make: () => scratch.row(at) })),
  ];
  // What contains another comes first.
  const depth = (path: string): number => normalize(path).split('/').length;
  for (const { make } of asked.sort((a, b) => depth(a.at) - depth(b.at))) add(make());
  return rows;
}

function openIn(tree: TreeRows, directory: BytePath, path: string): { fd: number; path: BytePath } | undefined {
  const walk = new Walk(NOTHING_SERVED, new MountTable(tree));
  try {
    const target = walk.lookup(walk.root(), joinPath(directory, Buffer.from(path).toString('latin1')), LOOKUP);
    if (typeof target === 'number' || target.node !== undefined) return undefined;
    return { fd: fs.openSync(target.host, 'r'), path: target.guest };
  } finally {
    walk.close();
  }
}

/** What a path of the tree is without links. Throws UsageError where it is no directory. */
function startDirectory(tree: TreeRows, directory: BytePath, cwd: string): BytePath {
  const walk = new Walk(NOTHING_SERVED, new MountTable(tree));
  try {
    const target = walk.lookup(walk.root(), joinPath(directory, Buffer.from(cwd).toString('latin1')), LOOKUP);
    if (typeof target !== 'number' && target.node === undefined && fs.statSync(target.host).isDirectory())
      return target.guest;
  } catch {
    // As below.
  } finally {
    walk.close();
  }
  throw noDirectory(cwd);
}

export const noDirectory = (cwd: string): UsageError =>
  new UsageError(`the guest can't start in '${cwd}': no such directory`);

function rootRow(o: TreeOptions, scratch: Scratch): MountRow {
  if (o.root !== undefined) {
    const row = hostRow({ host: o.root, guest: '/', readOnly: false }, `${o.names.root} ${o.root}`);
    if (row.isFile) throw new UsageError(`${o.names.root} ${o.root}: not a directory`);
    return row;
  }
  if (!o.sandbox) return hostRow({ host: '/', guest: '/', readOnly: false }, '/');
  const row = scratch.row('/');
  const tmp = `/proc/self/fd/${String(row.fd)}/tmp`;
  fs.mkdirSync(tmp);
  fs.chmodSync(tmp, 0o1777);
  fs.chmodSync(`/proc/self/fd/${String(row.fd)}`, 0o755);
  return row;
}

function hostRow(m: MountOption, option: string): MountRow {
  if (!m.guest.startsWith('/')) throw new UsageError(`${option}: '${m.guest}' is no absolute path`);
  try {
    const fd = fs.openSync(m.host, O_PATH);
    const isFile = !fs.fstatSync(fd).isDirectory();
    const source = hostName(fd);
    return { at: guestPath(m.guest), type: 'host', fd, isFile, readOnly: m.readOnly, source };
  } catch (e) {
    throw new UsageError(`${option}: ${(e as NodeJS.ErrnoException).code ?? String(e)}`);
  }
}

const guestPath = (text: string): BytePath => normalize(Buffer.from(text).toString('latin1'));

/** The path without links, as far as it exists in the tree so far. */
function canonical(rows: readonly MountRow[], hostRoot: boolean, at: BytePath): BytePath {
  if (at === '/') return at;
  const walk = new Walk(NOTHING_SERVED, new MountTable({ mounts: rows, hostRoot }));
  try {
    const target = walk.lookup(walk.root(), at, LOOKUP);
    return typeof target === 'number' ? at : target.guest;
  } finally {
    walk.close();
  }
}

/** Directories that are gone when lift64 is. */
class Scratch {
  private directory: string | undefined;
  private count = 0;
  private release: (() => void) | undefined;

  row(at: string): MountRow {
    const host = `${this.made()}/${String(this.count++)}`;
    fs.mkdirSync(host);
    fs.chmodSync(host, 0o1777);
    return { ...hostRow({ host, guest: at, readOnly: false }, `--tmpfs ${at}`), type: 'tmpfs', source: 'tmpfs' };
  }

  remove(): void {
    if (this.directory !== undefined) {
      try {
        fs.rmSync(this.directory, { recursive: true, force: true });
      } catch {
        // Directories without permissions: the child process gives them some first.
      }
    }
    this.release?.();
  }

  private made(): string {
    if (this.directory === undefined) {
      this.directory = fs.mkdtempSync(`${memoryDirectory()}/lift64-tmpfs-${String(process.pid)}-`);
      this.release = removeAtEnd(this.directory);
    }
    return this.directory;
  }
}

/** Has the directory removed when lift64 ends, in whatever way. Gives what ends the wait. */
function removeAtEnd(directory: string): () => void {
  const script = 'trap "" HUP INT QUIT TERM; read -r _; chmod -R u+rwX "$1" 2>/dev/null; rm -rf "$1"';
  const child = nodeModules.childProcess().spawn('/bin/sh', ['-c', script, 'lift64-tmpfs', directory], {
    // A process group of its own: what ends lift64's by a signal leaves it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  });
  child.unref();
  child.on('error', () => undefined);
  return () => {
    child.stdin.end();
  };
}
