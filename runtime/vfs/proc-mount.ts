/**
 * /proc: what tells of guest processes and of the machine that they see. The rest of /proc is the host's. In: path components. Out: nodes.
 * Source: man 5 proc.
 */
import { EACCES, ENOENT, ENOTDIR } from '../linux/errno.js';
import { bytePath, type BytePath } from './byte-path.js';
import { currentPath, fdLink } from './descriptor-path.js';
import { isCloexec, openFds, pinFile } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { workingDirectory } from './fs-struct.js';
import { fileFlags, fileKind, fileOffset, fileOps, KIND, putFile } from './open-files.js';
import { O_CLOEXEC } from './open-flags.js';
import { cpuInfo, memInfo } from './proc-machine.js';
import { statLine, statmLine, statusText } from './proc-task.js';
import { DT, type DirectoryEntry, type Mount, type OnHost, type Redirect, type SpecialNode } from './special-node.js';

type Found = SpecialNode | Redirect | OnHost | number | undefined;

/** Files of a process that are the host process's: about limits, mounts, namespaces. */
const HOST_FILES: ReadonlySet<string> = new Set([
  'attr',
  'cgroup',
  'gid_map',
  'limits',
  'loginuid',
  'mountinfo',
  'mounts',
  'mountstats',
  'net',
  'ns',
  'oom_adj',
  'oom_score',
  'oom_score_adj',
  'projid_map',
  'sessionid',
  'setgroups',
  'uid_map',
]);
/** Files about memory that lift64 does not make, and the host's would be wrong. */
const REFUSED: ReadonlySet<string> = new Set(['mem', 'pagemap', 'map_files', 'stack', 'syscall']);

const numbered = (ids: readonly number[], type: number): DirectoryEntry[] =>
  ids.map((n) => ({ name: String(n), type }));
const asId = (part: string | undefined): number | undefined =>
  part !== undefined && /^(0|[1-9]\d{0,9})$/.test(part) ? Number(part) : undefined;

export const procMount: Mount = {
  at: '/proc',
  lookup(c, parts): Found {
    const [first, ...rest] = parts;
    const { machine, proc } = c.config;
    switch (first) {
      case undefined:
        return c.state.tree?.hostRoot === false ? { type: 'directory', entries: () => rootEntries(c) } : undefined;
      case 'self':
      case 'thread-self': {
        const { pid, tid } = c.port;
        const target = first === 'self' ? String(pid) : `${String(pid)}/task/${String(tid)}`;
        if (rest.length > 0) return { redirect: bytePath(`/proc/${target}/${rest.join('/')}`) };
        return { type: 'link', target: () => bytePath(target), twin: `/proc/${first}` };
      }
      case 'cpuinfo':
      case 'meminfo': {
        if (rest.length > 0) return -ENOTDIR;
        const content = (): string => (first === 'cpuinfo' ? cpuInfo(machine) : memInfo(machine));
        return { type: 'file', content, mode: 0o444, twin: `/proc/${first}` };
      }
      default: {
        const id = asId(first);
        const pid = id === undefined ? undefined : proc.processOf(id);
        return id === undefined || pid === undefined ? undefined : ofProcess(c, pid, id, rest);
      }
    }
  },
};

/** /proc of a guest that does not see the host's. */
function rootEntries(c: FileContext): DirectoryEntry[] {
  return [
    ...numbered(c.config.proc.pids(), DT.DIR),
    { name: 'self', type: DT.LNK },
    { name: 'thread-self', type: DT.LNK },
    { name: 'cpuinfo', type: DT.REG },
    { name: 'meminfo', type: DT.REG },
  ];
}

/** /proc/PID (tid is the pid then) and /proc/PID/task/TID. */
function ofProcess(c: FileContext, pid: number, tid: number, parts: readonly string[]): Found {
  const { proc } = c.config;
  const [name, ...rest] = parts;
  const own = pid === c.port.pid;
  const twin = `/proc/self/${parts.join('/')}`;
  const file = (content: () => string | Uint8Array | number, mode = 0o444): Found =>
    rest.length > 0 ? -ENOTDIR : { type: 'file', content, mode, twin };
  const link = (target: () => BytePath | number): Found => {
    if (rest.length === 0) return { type: 'link', target, twin };
    const to = target();
    return typeof to === 'number' ? to : { redirect: bytePath(`${to === '/' ? '' : to}/${rest.join('/')}`) };
  };
  switch (name) {
    case undefined:
      return c.state.tree === undefined
        ? { host: bytePath('/proc/self') }
        : { type: 'directory', entries: () => processEntries(tid === pid), twin: '/proc/self/.' };
    case 'exe':
      return link(() => bytePath(proc.exe(pid)));
    case 'cwd':
      return link(() => (own ? cwdPath(c) : -EACCES));
    case 'root':
      return link(() => bytePath('/'));
    case 'cmdline':
      return file(() => proc.cmdline(pid));
    case 'environ':
      return file(() => proc.environ(pid), 0o400);
    case 'auxv':
      return file(() => proc.auxv(pid), 0o400);
    case 'maps':
      return file(() => proc.maps(pid) ?? -EACCES);
    case 'stat':
      return file(() => statLine(proc, pid, tid));
    case 'statm':
      return file(() => statmLine(proc, tid));
    case 'status':
      return file(() => statusText(proc, pid, tid));
    case 'comm':
      if (rest.length > 0) return -ENOTDIR;
      return {
        type: 'file',
        content: () => proc.comm(tid) + '\n',
        mode: 0o644,
        twin,
        write: (data) => {
          const name = String.fromCharCode(...data.subarray(0, 15));
          proc.setComm(tid, name.replace(/\n.*/s, ''));
          return data.length;
        },
      };
    case 'task': {
      if (tid !== pid) return -ENOENT;
      if (rest.length === 0)
        return { type: 'directory', entries: () => numbered(proc.threads(pid), DT.DIR), twin: '/proc/self/task' };
      const thread = asId(rest[0]);
      if (thread === undefined || !proc.threads(pid).includes(thread)) return -ENOENT;
      return ofProcess(c, pid, thread, rest.slice(1));
    }
    case 'fd':
    case 'fdinfo':
      return own ? ofDescriptors(c, name === 'fdinfo', rest) : -EACCES;
    default:
      if (HOST_FILES.has(name)) return { host: bytePath(twin) };
      return REFUSED.has(name) ? -EACCES : -ENOENT;
  }
}

/** Names in /proc/PID, and in /proc/PID/task/TID. */
function processEntries(process: boolean): DirectoryEntry[] {
  const of = (names: readonly string[], type: number): DirectoryEntry[] => names.map((name) => ({ name, type }));
  return [
    ...of(['auxv', 'cmdline', 'comm', 'environ', 'maps', 'stat', 'statm', 'status'], DT.REG),
    ...of(['cwd', 'exe', 'root'], DT.LNK),
    ...of(process ? ['fd', 'fdinfo', 'task'] : ['fd', 'fdinfo'], DT.DIR),
  ];
}

function cwdPath(c: FileContext): BytePath {
  const cwd = workingDirectory(c.state, c.fs, true);
  if (cwd.file < 0) return cwd.path;
  const path = currentPath(c.state, cwd.file);
  putFile(c.state, cwd.file);
  return path;
}

function ofDescriptors(c: FileContext, info: boolean, parts: readonly string[]): Found {
  const s = c.state;
  const [number, ...rest] = parts;
  if (number === undefined) {
    const entries = (): DirectoryEntry[] => numbered(openFds(s, c.table), info ? DT.REG : DT.LNK);
    return { type: 'directory', entries, twin: info ? '/proc/self/fdinfo' : '/proc/self/fd' };
  }
  const fd = asId(number);
  const file = fd === undefined ? -1 : pinFile(s, c.table, fd);
  if (fd === undefined || file < 0) return -ENOENT;
  try {
    if (info) {
      if (rest.length > 0) return -ENOTDIR;
      const flags = fileFlags(s, file) | (isCloexec(s, c.table, fd) === true ? O_CLOEXEC : 0);
      const text = `pos:\t${String(fileOffset(s, file))}\nflags:\t0${flags.toString(8)}\nmnt_id:\t0\nino:\t0\n${fileOps(s, file).info?.(s, file) ?? ''}`;
      return { type: 'file', content: () => text, mode: 0o400 };
    }
    if (rest.length === 0) return { type: 'descriptor', fd };
    const kind = fileKind(s, file);
    if (kind !== KIND.DIRECTORY && kind !== KIND.PATH && kind !== KIND.SPECIAL_DIRECTORY) return -ENOTDIR;
    return { redirect: bytePath(`${fdLink(s, file)}/${rest.join('/')}`) };
  } finally {
    putFile(s, file);
  }
}
