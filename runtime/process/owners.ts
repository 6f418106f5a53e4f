/**
 * Users and groups of the host as a sandbox shows them (--sandbox, unless lift64 is root): as a user namespace does that maps one user and one group, lift64's own, each to itself. All others are `nobody`, and nothing can
 * be given to them. In: ids of the host. Out: ids that the guest sees. Source: man 7 user_namespaces.
 */
import { HEAD } from './layout.js';
import type { Kernel } from './kernel.js';

/** /proc/sys/kernel/overflowuid and overflowgid. */
const NOBODY = 65534;
const ALL = 0xffff_ffff;

export const showsOneUser = (kernel: Kernel): boolean => (kernel.i32[HEAD.ONE_USER] ?? 0) !== 0;

/** Whether the guest sees the id as it is. */
const isShown = ({ i32 }: Kernel, id: number, kind: 'uid' | 'gid'): boolean =>
  kind === 'uid' ? id === i32[HEAD.UID] || id === i32[HEAD.EUID] : id === i32[HEAD.GID] || id === i32[HEAD.EGID];

/** A file's status with its owner and group as the guest sees them. */
export function withShownOwner<T extends { readonly uid: bigint; readonly gid: bigint }>(kernel: Kernel, record: T): T {
  if (!showsOneUser(kernel)) return record;
  const shown = (id: bigint, kind: 'uid' | 'gid'): bigint => (isShown(kernel, Number(id), kind) ? id : BigInt(NOBODY));
  return { ...record, uid: shown(record.uid, 'uid'), gid: shown(record.gid, 'gid') };
}

/** Whether a file can be given to these; -1 stands for no change. */
export const canOwn = (kernel: Kernel, uid: number, gid: number): boolean =>
  !showsOneUser(kernel) || ((uid === -1 || isShown(kernel, uid, 'uid')) && (gid === -1 || isShown(kernel, gid, 'gid')));

/** /proc/PID/uid_map or gid_map: first id inside, first id outside, how many. */
export function idMapText(kernel: Kernel, kind: 'uid' | 'gid'): string {
  const own = kernel.i32[kind === 'uid' ? HEAD.EUID : HEAD.EGID] ?? 0;
  const row = showsOneUser(kernel) ? [own, own, 1] : [0, 0, ALL];
  return `${row.map((n) => String(n >>> 0).padStart(10)).join(' ')}\n`;
}
