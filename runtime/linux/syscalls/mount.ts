/**
 * The guest's tree of mounts, and what else only an administrator does: the mounts are those of the command line, so all of it is refused, as to a process without capabilities. In: nothing. Out: rows.
 * Source: man 2 mount, umount2, pivot_root, chroot, setns, fsopen, swapon, acct, quotactl.
 */
import type { SyscallRow } from '../context.js';
import { EPERM } from '../errno.js';

const MOUNTS = {
  support: 'no',
  note: 'mounts are given by --root, --mount and --tmpfs',
  refuse: EPERM,
  quiet: true,
} as const;
const MACHINE = { support: 'no', note: "the machine is not the guest's", refuse: EPERM, quiet: true } as const;

export const mountRows = [
  { nr: 155, name: 'pivot_root', args: 's,s', ...MOUNTS },
  { nr: 161, name: 'chroot', args: 's', ...MOUNTS },
  { nr: 163, name: 'acct', args: 's', ...MACHINE },
  { nr: 165, name: 'mount', args: 's,s,s,x,p', ...MOUNTS },
  { nr: 166, name: 'umount2', args: 's,x', ...MOUNTS },
  { nr: 167, name: 'swapon', args: 's,x', ...MACHINE },
  { nr: 168, name: 'swapoff', args: 's', ...MACHINE },
  { nr: 179, name: 'quotactl', args: 'x,s,d,p', ...MACHINE },
  { nr: 308, name: 'setns', args: 'd,x', support: 'no', note: 'there is one namespace of each kind', refuse: EPERM },
  { nr: 428, name: 'open_tree', args: 'at,s,x', ...MOUNTS },
  { nr: 429, name: 'move_mount', args: 'at,s,at,s,x', ...MOUNTS },
  { nr: 430, name: 'fsopen', args: 's,x', ...MOUNTS },
  { nr: 432, name: 'fsmount', args: 'd,x,x', ...MOUNTS },
  { nr: 433, name: 'fspick', args: 'at,s,x', ...MOUNTS },
  { nr: 442, name: 'mount_setattr', args: 'at,s,x,p,lu', ...MOUNTS },
] as const satisfies readonly SyscallRow[];
