/**
 * Extended attributes: of files in memory (--tmpfs); those of the host's files can't be reached by Node. In: paths and descriptors, names, values. Out: rows. Source: man 7 xattr, man 2 getxattr, setxattr, listxattr, removexattr.
 */
import * as fs from 'node:fs';
import { CAP } from '../../process/capabilities.js';
import { withFd, withPath } from '../../vfs/guest-args.js';
import { hostCall } from '../../vfs/host-error.js';
import { toldOfFile, toldOfPath } from '../../vfs/inotify/file-events.js';
import { IN } from '../../vfs/inotify/instances.js';
import { nodeId, type NodeId } from '../../vfs/node-id.js';
import { fileKind, fileMount, hostFd, KIND } from '../../vfs/open-files.js';
import { AT_FDCWD } from '../../vfs/open-flags.js';
import { LOOKUP, LOOKUP_LINK, withTarget } from '../../vfs/resolve.js';
import { getXattr, listXattrs, removeXattr, setXattr, XATTR_CREATE, XATTR_REPLACE } from '../../vfs/xattrs.js';
import type { Handler, SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { E2BIG, EBADF, EFAULT, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE, EROFS } from '../errno.js';
import type { Thread } from '../thread.js';

const NAME_MAX = 255;
const SIZE_MAX = 65536;
const LIST_MAX = 65536;

/** A file in memory. */
interface Holder {
  readonly id: NodeId;
  /** A regular file or a directory: others have no attributes of users. */
  readonly isPlain: boolean;
}

type How = 'path' | 'link' | 'fd';

/** Calls `fn` with the file that argument 0 stands for; -EOPNOTSUPP for one of the host. `changes`: inotify tells of it. */
function withHolder(t: Thread, a: SyscallArgs, how: How, changes: boolean, fn: (h: Holder) => number): SyscallResult {
  const { state } = t.files;
  if (state.tree === undefined) return -EOPNOTSUPP;
  const holder = (st: fs.BigIntStats): Holder => ({ id: nodeId(st), isPlain: st.isFile() || st.isDirectory() });
  if (how === 'fd')
    return withFd(t, a.i32(0), (file): number => {
      if (fileKind(state, file) === KIND.PATH) return -EBADF;
      const mount = fileMount(state, file);
      if (mount?.type !== 'tmpfs') return -EOPNOTSUPP;
      if (changes && mount.readOnly) return -EROFS;
      const run = (): number => hostCall(() => fn(holder(fs.fstatSync(hostFd(state, file), { bigint: true }))));
      return changes ? toldOfFile(state, file, IN.ATTRIB, -1, run) : run();
    });
  const follow = how === 'path';
  return withPath(t, a.ptr(0), (path) =>
    withTarget(t.files, AT_FDCWD, path, follow ? LOOKUP : LOOKUP_LINK, ({ mount, host, object }): number => {
      if (mount?.type !== 'tmpfs') return -EOPNOTSUPP;
      if (changes && mount.readOnly) return -EROFS;
      return hostCall(() => {
        const st = (follow || object === true ? fs.statSync : fs.lstatSync)(host, { bigint: true });
        if (!st.isSymbolicLink()) fs.accessSync(host, changes ? fs.constants.W_OK : fs.constants.R_OK);
        const result = fn(holder(st));
        if (changes && result >= 0) toldOfPath(state, host, follow, IN.ATTRIB, () => 0);
        return result;
      });
    }),
  );
}

/** -EFAULT, -ERANGE. */
function nameAt(t: Thread, addr: number): string | number {
  const bytes = t.mem.cstring(addr, NAME_MAX + 1);
  if (bytes === undefined) return -EFAULT;
  return bytes.length === 0 || bytes.length > NAME_MAX ? -ERANGE : Buffer.from(bytes).toString('latin1');
}

const isPrivileged = (t: Thread): boolean => t.task.group.hasCapability(CAP.SYS_ADMIN);

/** 0, or why an attribute of that name can't be had or set. */
function refusal(t: Thread, name: string, h: Holder, changes: boolean): number {
  if (name.startsWith('user.')) {
    if (!h.isPlain) return changes ? -EPERM : -ENODATA;
    return name === 'user.' ? -EINVAL : 0;
  }
  if (name.startsWith('trusted.')) return isPrivileged(t) ? 0 : changes ? -EPERM : -ENODATA;
  if (name.startsWith('security.')) return !changes || isPrivileged(t) ? 0 : -EPERM;
  return -EOPNOTSUPP;
}

/** As withHolder, for the attribute `name`. */
function withAttribute(
  t: Thread,
  a: SyscallArgs,
  how: How,
  name: string,
  changes: boolean,
  fn: (id: NodeId) => number,
): SyscallResult {
  return withHolder(t, a, how, changes, (h) => {
    const refused = refusal(t, name, h, changes);
    return refused < 0 ? refused : fn(h.id);
  });
}

/** Bytes for the guest: how many, or their length where it asks for that alone. */
function give(t: Thread, bytes: Uint8Array, addr: number, size: number): number {
  if (size === 0) return bytes.length;
  if (size < bytes.length) return -ERANGE;
  return t.mem.write(addr, bytes) ? bytes.length : -EFAULT;
}

const get =
  (how: How): Handler =>
  (t, a) => {
    const name = nameAt(t, a.ptr(1));
    if (typeof name === 'number') return name;
    return withAttribute(t, a, how, name, false, (id) => {
      const value = getXattr(t.files.state, id, name);
      return typeof value === 'number' ? value : give(t, value, a.ptr(2), a.ptr(3));
    });
  };

const set =
  (how: How): Handler =>
  (t, a) => {
    const flags = a.u32(4);
    if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) return -EINVAL;
    const name = nameAt(t, a.ptr(1));
    if (typeof name === 'number') return name;
    if (a.ptr(3) > SIZE_MAX) return -E2BIG;
    const value = t.mem.read(a.ptr(2), a.ptr(3));
    if (value === undefined) return -EFAULT;
    return withAttribute(t, a, how, name, true, (id) => setXattr(t.files.state, id, name, value, flags));
  };

const list =
  (how: How): Handler =>
  (t, a) =>
    withHolder(t, a, how, false, (h) => {
      const names = listXattrs(t.files.state, h.id).filter((n) => !n.startsWith('trusted.') || isPrivileged(t));
      return give(
        t,
        Buffer.from(names.map((n) => `${n}\0`).join(''), 'latin1'),
        a.ptr(1),
        Math.min(a.ptr(2), LIST_MAX),
      );
    });

const remove =
  (how: How): Handler =>
  (t, a) => {
    const name = nameAt(t, a.ptr(1));
    if (typeof name === 'number') return name;
    return withAttribute(t, a, how, name, true, (id) => removeXattr(t.files.state, id, name));
  };

const PART = {
  support: 'partly',
  note: "of files in memory (--tmpfs), values of up to 4096 bytes, until the file's last name is gone; those of the host's files EOPNOTSUPP, as Node can't reach them",
} as const;

export const xattrRows = [
  { nr: 188, name: 'setxattr', args: 's,s,p,lu,x', ...PART, handler: set('path') },
  { nr: 189, name: 'lsetxattr', args: 's,s,p,lu,x', ...PART, handler: set('link') },
  { nr: 190, name: 'fsetxattr', args: 'd,s,p,lu,x', ...PART, handler: set('fd') },
  { nr: 191, name: 'getxattr', args: 's,s,p,lu', ...PART, handler: get('path') },
  { nr: 192, name: 'lgetxattr', args: 's,s,p,lu', ...PART, handler: get('link') },
  { nr: 193, name: 'fgetxattr', args: 'd,s,p,lu', ...PART, handler: get('fd') },
  { nr: 194, name: 'listxattr', args: 's,p,lu', ...PART, handler: list('path') },
  { nr: 195, name: 'llistxattr', args: 's,p,lu', ...PART, handler: list('link') },
  { nr: 196, name: 'flistxattr', args: 'd,p,lu', ...PART, handler: list('fd') },
  { nr: 197, name: 'removexattr', args: 's,s', ...PART, handler: remove('path') },
  { nr: 198, name: 'lremovexattr', args: 's,s', ...PART, handler: remove('link') },
  { nr: 199, name: 'fremovexattr', args: 'd,s', ...PART, handler: remove('fd') },
] as const satisfies readonly SyscallRow[];
