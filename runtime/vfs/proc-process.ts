/**
 * /proc/PID and /proc/PID/task/TID of every guest process. In: process and thread ids, path components. Out: nodes. Source: man 5 proc_pid.
 */
import { EACCES, EINVAL, ENOENT, ENOTDIR, EPERM, ESRCH } from '../linux/errno.js';
import { bytePath, type BytePath } from './byte-path.js';
import { currentPath } from './descriptor-path.js';
import { openFds } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { umaskOf, workingDirectory } from './fs-struct.js';
import { putFile } from './open-files.js';
import { ofDescriptors } from './proc-descriptors.js';
import { limitsText } from './proc-limits.js';
import { mountInfoText, mountsText } from './proc-mounts.js';
import { asId, type Found, named, numbered } from './proc-nodes.js';
import { ofSystem } from './proc-system.js';
import { statLine, statmLine, statusText } from './proc-task.js';
import { DT, type DirectoryEntry } from './special-node.js';

/** A process and one of its threads (the first: the process as a whole). */
interface Subject {
  readonly c: FileContext;
  readonly pid: number;
  readonly tid: number;
}

type Content = string | Uint8Array | number | undefined;

interface Row {
  /** Permission bits. */
  readonly mode: number;
  /** Undefined: the process has no such thing any more. */
  readonly content: (s: Subject) => Content;
  /** Only who may trace the process reads it. */
  readonly guarded?: true;
  /** Not in task/TID. */
  readonly whole?: true;
  readonly write?: (s: Subject, text: string) => number;
}

const proc = (s: Subject): FileContext['config']['proc'] => s.c.config.proc;
const isProcess = (s: Subject): boolean => s.pid === s.tid;
/** A file that says the same of every process. */
const fixed = (text: string, mode = 0o444): Row => ({ mode, content: () => text });

const status = (s: Subject): string | undefined => {
  const { files, fs } = proc(s).tables(s.pid);
  return statusText(proc(s), s.pid, s.tid, {
    umask: fs === 0 ? 0o22 : umaskOf(s.c.state, fs),
    descriptors: files === 0 ? 0 : (openFds(s.c.state, files).at(-1) ?? 0) + 1,
    machine: s.c.config.machine,
  });
};

function setComm(s: Subject, text: string): number {
  proc(s).setComm(s.tid, text.slice(0, 15).replace(/\n.*/s, ''));
  return 0;
}

function setOomAdjust(s: Subject, text: string): number {
  const value = Number(text.trim());
  if (!Number.isInteger(value) || Math.abs(value) > 1000) return -EINVAL;
  if (value < proc(s).oomAdjust(s.pid) && proc(s).task(s.c.port.tid)?.uids[1] !== 0) return -EACCES;
  proc(s).setOomAdjust(s.pid, value);
  return 0;
}

const ID_MAP = '         0          0 4294967295\n';

const FILES: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['auxv', { mode: 0o400, guarded: true, content: (s) => proc(s).auxv(s.pid) }],
  ['cgroup', fixed('0::/\n')],
  ['cmdline', { mode: 0o444, content: (s) => proc(s).cmdline(s.pid) }],
  ['comm', { mode: 0o644, content: (s) => `${proc(s).comm(s.tid)}\n`, write: setComm }],
  ['coredump_filter', fixed('00000033\n')],
  ['cpuset', fixed('/\n')],
  ['environ', { mode: 0o400, guarded: true, content: (s) => proc(s).environ(s.pid) }],
  ['gid_map', { mode: 0o444, content: (s) => proc(s).idMap('gid') }],
  ['io', { mode: 0o400, guarded: true, content: () => IO_TEXT }],
  ['limits', { mode: 0o444, content: (s) => limitsText(proc(s).limits(s.pid)) }],
  ['loginuid', fixed('4294967295')],
  ['maps', { mode: 0o444, guarded: true, content: (s) => proc(s).maps(s.pid) ?? '' }],
  ['oom_adj', { mode: 0o444, content: (s) => `${Math.trunc((proc(s).oomAdjust(s.pid) * 17) / 1000)}\n` }],
  [
    'oom_score',
    { mode: 0o444, content: (s) => `${Math.max(0, 666 + Math.trunc((proc(s).oomAdjust(s.pid) * 2) / 3))}\n` },
  ],
  ['oom_score_adj', { mode: 0o644, content: (s) => `${proc(s).oomAdjust(s.pid)}\n`, write: setOomAdjust }],
  ['personality', fixed('00000000\n', 0o400)],
  ['projid_map', fixed(ID_MAP)],
  [
    'sched',
    { mode: 0o444, content: (s) => `${proc(s).comm(s.tid)} (${s.tid}, #threads: ${proc(s).threads(s.pid).length})\n` },
  ],
  ['schedstat', { mode: 0o444, content: (s) => `${Math.floor(proc(s).task(s.tid)?.cpuNs ?? 0)} 0 0\n` }],
  ['sessionid', fixed('4294967295')],
  ['setgroups', { mode: 0o444, content: (s) => `${proc(s).setgroups}\n` }],
  ['smaps', { mode: 0o444, guarded: true, content: (s) => proc(s).smaps(s.pid, false) ?? '' }],
  ['smaps_rollup', { mode: 0o444, guarded: true, whole: true, content: (s) => proc(s).smaps(s.pid, true) ?? -ESRCH }],
  // Symbols of a kernel: the host's are not told either.
  ['stack', { mode: 0o400, content: () => -EPERM }],
  ['stat', { mode: 0o444, content: (s) => statLine(proc(s), s.pid, s.tid, isProcess(s)) }],
  ['statm', { mode: 0o444, content: (s) => statmLine(proc(s), s.tid) }],
  ['status', { mode: 0o444, content: status }],
  ['uid_map', { mode: 0o444, content: (s) => proc(s).idMap('uid') }],
  ['wchan', fixed('0')],
]);

const IO_TEXT = ['rchar', 'wchar', 'syscr', 'syscw', 'read_bytes', 'write_bytes', 'cancelled_write_bytes']
  .map((name) => `${name}: 0\n`)
  .join('');

/** Namespaces, with the inodes of a first one. */
const NAMESPACES: ReadonlyMap<string, number> = new Map([
  ['cgroup', 4026531835],
  ['ipc', 4026531839],
  ['mnt', 4026531841],
  ['net', 4026531840],
  ['pid', 4026531836],
  ['time', 4026531834],
  ['user', 4026531837],
  ['uts', 4026531838],
]);

/** Files about mounts and the network: the host's own where the guest has the host's tree. */
const OF_HOST: ReadonlySet<string> = new Set(['mountstats', 'attr']);
/** Files about memory that lift64 does not make, and the host's would be wrong. */
const REFUSED: ReadonlySet<string> = new Set(['pagemap', 'map_files', 'syscall']);

const LINKS = ['cwd', 'exe', 'root'] as const;

/** `parts`: below /proc/PID (`tid` is the pid then), or below /proc/PID/task/TID. */
export function ofProcess(c: FileContext, pid: number, tid: number, parts: readonly string[]): Found {
  const [name, ...rest] = parts;
  const s: Subject = { c, pid, tid };
  const twin = pid === c.port.pid ? `/proc/self/${parts.join('/')}` : undefined;
  if (name === undefined) return { type: 'directory', entries: () => entriesOf(s) };
  const row = FILES.get(name);
  if (row !== undefined) return rest.length > 0 ? -ENOTDIR : fileNode(s, row, twin);
  switch (name) {
    case 'cwd':
      return link(s, rest, () => cwdPath(s));
    case 'exe':
      return link(s, rest, () => {
        const exe = proc(s).exe(pid);
        return exe === undefined ? -ENOENT : bytePath(exe);
      });
    case 'root':
      return link(s, rest, () => bytePath('/'));
    case 'task':
      return ofTasks(s, rest);
    case 'fd':
    case 'fdinfo':
      if (!(name === 'fd' ? proc(s).mayListFiles(pid) : proc(s).mayLookInto(pid))) return -EACCES;
      return ofDescriptors(c, proc(s).tables(pid).files, name === 'fdinfo', rest);
    case 'mem':
      if (rest.length > 0) return -ENOTDIR;
      return proc(s).mayLookInto(pid) ? { type: 'memory', pid } : -EACCES;
    case 'ns':
      return ofNamespaces(rest);
    case 'net':
      return c.state.tree?.hostRoot === false
        ? ofSystem(c, parts)
        : { host: bytePath(`/proc/self/${parts.join('/')}`) };
    case 'mounts':
    case 'mountinfo':
      if (c.state.tree === undefined) return { host: bytePath(`/proc/self/${name}`) };
      return rest.length > 0 ? -ENOTDIR : fileNode(s, mountRow(name), undefined);
    default:
      if (OF_HOST.has(name)) return { host: bytePath(`/proc/self/${parts.join('/')}`) };
      return REFUSED.has(name) ? -EACCES : -ENOENT;
  }
}

const mountRow = (name: 'mounts' | 'mountinfo'): Row => ({
  mode: 0o444,
  content: ({ c: { state } }) =>
    state.tree === undefined ? '' : (name === 'mounts' ? mountsText : mountInfoText)(state.tree),
});

function fileNode(s: Subject, row: Row, twin: string | undefined): Found {
  const { write } = row;
  return {
    type: 'file',
    mode: row.mode,
    content: () => (row.guarded === true && !proc(s).mayLookInto(s.pid) ? -EACCES : (row.content(s) ?? -ESRCH)),
    ...(twin === undefined ? {} : { twin }),
    ...(write === undefined
      ? {}
      : {
          write: (data: Uint8Array) => {
            const failure = write(s, Buffer.from(data).toString('latin1'));
            return failure < 0 ? failure : data.length;
          },
        }),
  };
}

function link(s: Subject, rest: readonly string[], find: () => BytePath | number): Found {
  const target = (): BytePath | number => (proc(s).mayLookInto(s.pid) ? find() : -EACCES);
  if (rest.length === 0) return { type: 'link', target, magic: true };
  const to = target();
  return typeof to === 'number' ? to : { redirect: bytePath(`${to === '/' ? '' : to}/${rest.join('/')}`) };
}

function cwdPath({ c, pid }: Subject): BytePath | number {
  const { fs } = c.config.proc.tables(pid);
  if (fs === 0) return -ENOENT;
  const cwd = workingDirectory(c.state, fs, true);
  if (cwd.file < 0) return cwd.path;
  const path = currentPath(c.state, cwd.file);
  putFile(c.state, cwd.file);
  return path;
}

function ofTasks(s: Subject, parts: readonly string[]): Found {
  if (!isProcess(s)) return -ENOENT;
  const threads = (): number[] => proc(s).threads(s.pid);
  const [first, ...rest] = parts;
  if (first === undefined) return { type: 'directory', entries: () => numbered(threads(), DT.DIR) };
  const thread = asId(first);
  if (thread === undefined || !threads().includes(thread)) return -ENOENT;
  return taskFound(s, thread, rest);
}

/** The thread that has the process's id is told of as a thread there. */
function taskFound(s: Subject, thread: number, rest: readonly string[]): Found {
  if (rest[0] === 'task') return -ENOENT;
  if (rest.length === 0)
    return { type: 'directory', entries: () => entriesOf({ ...s, tid: thread }).filter((e) => e.name !== 'task') };
  if (rest[0] === 'stat' && rest.length === 1)
    return fileNode(s, { mode: 0o444, content: () => statLine(proc(s), s.pid, thread, false) }, undefined);
  return ofProcess(s.c, s.pid, thread, rest);
}

function ofNamespaces(parts: readonly string[]): Found {
  const [name, ...rest] = parts;
  if (name === undefined) return { type: 'directory', entries: () => named(NAMESPACES.keys(), DT.LNK) };
  const inode = NAMESPACES.get(name);
  if (inode === undefined) return -ENOENT;
  return rest.length > 0 ? -ENOTDIR : { type: 'link', target: () => bytePath(`${name}:[${inode}]`), magic: true };
}

function entriesOf(s: Subject): DirectoryEntry[] {
  const files = [...FILES].filter(([, row]) => isProcess(s) || row.whole !== true).map(([name]) => name);
  return [
    ...named([...files, 'mountinfo', 'mounts'], DT.REG),
    ...named(LINKS, DT.LNK),
    ...named(isProcess(s) ? ['fd', 'fdinfo', 'net', 'ns', 'task'] : ['fd', 'fdinfo', 'net', 'ns'], DT.DIR),
  ];
}
