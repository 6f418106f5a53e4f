/**
 * System calls: user and group ids. In: thread and arguments. Out: results. Source: man 7 credentials, man 2 setresuid.
 * Ids are guest state: a change never reaches the host.
 */
import { afterIds, CAP } from '../../process/capabilities.js';
import type { Ids } from '../../process/group.js';
import { SUPPLEMENTARY } from '../../process/layout.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, ENOMEM, EPERM } from '../errno.js';
import type { Thread } from '../thread.js';

/** The argument that leaves an id as it is: (uid_t) -1. */
const KEEP = -1;

type Kind = 'u' | 'g';
type Triple = readonly [real: number, effective: number, saved: number];

function triple(ids: Ids, kind: Kind): Triple {
  return kind === 'u' ? [ids.uid, ids.euid, ids.suid] : [ids.gid, ids.egid, ids.sgid];
}

function store(t: Thread, kind: Kind, [real, effective, saved]: Triple): number {
  const { group } = t.task;
  return t.kernel.lock(() => {
    const { ids } = group;
    group.ids =
      kind === 'u'
        ? { ...ids, uid: real, euid: effective, suid: saved }
        : { ...ids, gid: real, egid: effective, sgid: saved };
    if (kind === 'u') group.capabilities = afterIds(group.capabilities, group.secureBits, ids, group.ids);
    return 0;
  });
}

const privileged = (t: Thread, kind: Kind): boolean =>
  t.task.group.hasCapability(kind === 'u' ? CAP.SETUID : CAP.SETGID);

function setres(t: Thread, a: SyscallArgs, kind: Kind): SyscallResult {
  const own = triple(t.task.group.ids, kind);
  const wanted = [a.i32(0), a.i32(1), a.i32(2)];
  if (!privileged(t, kind) && wanted.some((id) => id !== KEEP && !own.includes(id))) return -EPERM;
  const pick = (i: 0 | 1 | 2): number => (wanted[i] === KEEP ? own[i] : (wanted[i] ?? own[i]));
  return store(t, kind, [pick(0), pick(1), pick(2)]);
}

function setre(t: Thread, a: SyscallArgs, kind: Kind): SyscallResult {
  const own = triple(t.task.group.ids, kind);
  const real = a.i32(0);
  const effective = a.i32(1);
  if (!privileged(t, kind)) {
    if (real !== KEEP && real !== own[0] && real !== own[1]) return -EPERM;
    if (effective !== KEEP && !own.includes(effective)) return -EPERM;
  }
  const newReal = real === KEEP ? own[0] : real;
  const newEffective = effective === KEEP ? own[1] : effective;
  const savedFollows = real !== KEEP || (effective !== KEEP && effective !== own[0]);
  return store(t, kind, [newReal, newEffective, savedFollows ? newEffective : own[2]]);
}

function setid(t: Thread, a: SyscallArgs, kind: Kind): SyscallResult {
  const own = triple(t.task.group.ids, kind);
  const id = a.i32(0);
  if (id === KEEP) return -EINVAL;
  if (privileged(t, kind)) return store(t, kind, [id, id, id]);
  if (id !== own[0] && id !== own[2]) return -EPERM;
  return store(t, kind, [own[0], id, own[2]]);
}

function getres(t: Thread, a: SyscallArgs, kind: Kind): SyscallResult {
  const own = triple(t.task.group.ids, kind);
  for (const i of [0, 1, 2] as const) if (!t.mem.writeU32(a.ptr(i), own[i])) return -EFAULT;
  return 0;
}

/** File-system ids follow the effective ones; setting them is answered with the present one, as for a caller without the right. */
function setfs(t: Thread, kind: Kind): SyscallResult {
  return triple(t.task.group.ids, kind)[1];
}

function getgroups(t: Thread, a: SyscallArgs): SyscallResult {
  const size = a.i32(0);
  const groups = t.task.group.supplementary;
  if (size < 0) return -EINVAL;
  if (size === 0) return groups.length;
  if (size < groups.length) return -EINVAL;
  return t.mem.write(a.ptr(1), new Uint8Array(groups.buffer)) ? groups.length : -EFAULT;
}

const NGROUPS_MAX = 65536;

function setgroups(t: Thread, a: SyscallArgs): SyscallResult {
  const count = a.u32(0);
  if (!privileged(t, 'g')) return -EPERM;
  if (count > NGROUPS_MAX) return -EINVAL;
  const bytes = t.mem.read(a.ptr(1), 4 * count);
  if (bytes === undefined) return -EFAULT;
  const ids = new Int32Array(bytes.slice().buffer);
  if (ids.includes(-1)) return -EINVAL;
  if (count > SUPPLEMENTARY.MOST) return -ENOMEM;
  // Unsigned: groups_sort.
  t.task.group.supplementary = new Int32Array(new Uint32Array(ids).sort());
  return 0;
}

const NO_RIGHT = 'rights are those of the host process';

export const idsRows = [
  { nr: 102, name: 'getuid', args: '', support: 'yes', handler: (t) => t.task.group.ids.uid >>> 0 },
  { nr: 104, name: 'getgid', args: '', support: 'yes', handler: (t) => t.task.group.ids.gid >>> 0 },
  { nr: 105, name: 'setuid', args: 'd', support: 'partly', note: NO_RIGHT, handler: (t, a) => setid(t, a, 'u') },
  { nr: 106, name: 'setgid', args: 'd', support: 'partly', note: NO_RIGHT, handler: (t, a) => setid(t, a, 'g') },
  { nr: 107, name: 'geteuid', args: '', support: 'yes', handler: (t) => t.task.group.ids.euid >>> 0 },
  { nr: 108, name: 'getegid', args: '', support: 'yes', handler: (t) => t.task.group.ids.egid >>> 0 },
  { nr: 113, name: 'setreuid', args: 'd,d', support: 'partly', note: NO_RIGHT, handler: (t, a) => setre(t, a, 'u') },
  { nr: 114, name: 'setregid', args: 'd,d', support: 'partly', note: NO_RIGHT, handler: (t, a) => setre(t, a, 'g') },
  { nr: 115, name: 'getgroups', args: 'd,p', support: 'yes', handler: getgroups },
  {
    nr: 116,
    name: 'setgroups',
    args: 'd,p',
    support: 'partly',
    note: `${NO_RIGHT}; ${SUPPLEMENTARY.MOST} groups at most`,
    handler: setgroups,
  },
  {
    nr: 117,
    name: 'setresuid',
    args: 'd,d,d',
    support: 'partly',
    note: NO_RIGHT,
    handler: (t, a) => setres(t, a, 'u'),
  },
  { nr: 118, name: 'getresuid', args: 'p,p,p', support: 'yes', handler: (t, a) => getres(t, a, 'u') },
  {
    nr: 119,
    name: 'setresgid',
    args: 'd,d,d',
    support: 'partly',
    note: NO_RIGHT,
    handler: (t, a) => setres(t, a, 'g'),
  },
  { nr: 120, name: 'getresgid', args: 'p,p,p', support: 'yes', handler: (t, a) => getres(t, a, 'g') },
  {
    nr: 122,
    name: 'setfsuid',
    args: 'd',
    support: 'partly',
    note: 'follows the effective id',
    handler: (t) => setfs(t, 'u'),
  },
  {
    nr: 123,
    name: 'setfsgid',
    args: 'd',
    support: 'partly',
    note: 'follows the effective id',
    handler: (t) => setfs(t, 'g'),
  },
] as const satisfies readonly SyscallRow[];
