/**
 * Small calls: comparing what processes share, descriptor tables of segments; and what is refused as a hardened kernel, or one without the feature, refuses it. In: arguments. Out: rows.
 * Source: man 2 kcmp, modify_ldt, name_to_handle_at, unshare, bpf, perf_event_open, io_uring_setup, landlock_create_ruleset.
 */
import { ownFile, pinFile } from '../../vfs/fd-table.js';
import { putFile } from '../../vfs/open-files.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EBADF, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ESRCH } from '../errno.js';
import type { Thread } from '../thread.js';
import type { Task } from '../../process/task.js';

const KCMP = { FILE: 0, VM: 1, FILES: 2, FS: 3, SIGHAND: 4, IO: 5, SYSVSEM: 6 } as const;

/** 0 equal, 1 less, 2 greater. */
const order = (a: number, b: number): number => (a === b ? 0 : a < b ? 1 : 2);

/** The description behind `fd` of a task; -EBADF. It may be another one as soon as this returns, as natively. */
function descriptionOf(t: Thread, task: Task, fd: number): number {
  const { state } = t.files;
  if (task === t.task) {
    const own = ownFile(state, task.files, fd);
    if (own !== undefined) return own;
  }
  const file = pinFile(state, task.files, fd);
  if (file >= 0) putFile(state, file);
  return file;
}

function kcmp(t: Thread, a: SyscallArgs): SyscallResult {
  const { kernel } = t;
  const first = kernel.findTask(a.i32(0));
  const second = kernel.findTask(a.i32(1));
  if (first === undefined || second === undefined) return -ESRCH;
  switch (a.i32(2)) {
    case KCMP.FILE: {
      const files = [descriptionOf(t, first, a.i32(3)), descriptionOf(t, second, a.i32(4))] as const;
      return files[0] < 0 || files[1] < 0 ? -EBADF : order(files[0], files[1]);
    }
    case KCMP.VM:
      return order(first.mm, second.mm);
    case KCMP.FILES:
      return order(first.files, second.files);
    case KCMP.FS:
      return order(first.fs, second.fs);
    case KCMP.SIGHAND:
      return order(first.sighand.index, second.sighand.index);
    case KCMP.IO:
    case KCMP.SYSVSEM:
      // Nobody has made any.
      return 0;
    default:
      return -EINVAL;
  }
}

/** There is no local descriptor table: reads give nothing, and no entry can be made. */
function modifyLdt(t: Thread, a: SyscallArgs): SyscallResult {
  const READ = 0;
  return a.i32(0) === READ ? 0 : -ENOSYS;
}

const HARDENED = { support: 'no', refuse: EPERM } as const;
const LANDLOCK = { support: 'no', note: 'as a kernel that has Landlock off', refuse: EOPNOTSUPP, quiet: true } as const;
const URING = {
  support: 'no',
  note: 'as a kernel that was built without it; programs that can choose use epoll',
  quiet: true,
} as const;
const NAMESPACES = 'no namespaces, as where users may make none';

export const refusedRows = [
  {
    nr: 154,
    name: 'modify_ldt',
    args: 'd,p,lu',
    support: 'partly',
    note: 'there is no LDT: it reads as empty, and writing it gives ENOSYS',
    handler: modifyLdt,
  },
  { nr: 272, name: 'unshare', args: 'x', note: NAMESPACES, ...HARDENED },
  {
    nr: 298,
    name: 'perf_event_open',
    args: 'p,d,d,d,x',
    note: 'no performance counters, as with perf_event_paranoid',
    ...HARDENED,
  },
  { nr: 300, name: 'fanotify_init', args: 'x,x', note: 'as without CAP_SYS_ADMIN', ...HARDENED },
  {
    nr: 301,
    name: 'fanotify_mark',
    args: 'd,x,x,at,s',
    support: 'no',
    note: 'there is no fanotify descriptor',
    refuse: EBADF,
  },
  {
    nr: 303,
    name: 'name_to_handle_at',
    args: 'at,s,p,p,x',
    support: 'no',
    note: 'as on a file system without handles',
    refuse: EOPNOTSUPP,
    quiet: true,
  },
  { nr: 304, name: 'open_by_handle_at', args: 'd,p,x', note: 'as without CAP_DAC_READ_SEARCH', ...HARDENED },
  { nr: 312, name: 'kcmp', args: 'd,d,d,lu,lu', support: 'yes', handler: kcmp },
  { nr: 321, name: 'bpf', args: 'd,p,u', note: 'as without CAP_BPF', ...HARDENED },
  { nr: 323, name: 'userfaultfd', args: 'x', note: 'as with unprivileged_userfaultfd off', ...HARDENED },
  { nr: 425, name: 'io_uring_setup', args: 'u,p', ...URING },
  { nr: 426, name: 'io_uring_enter', args: 'u,u,u,x,p,lu', ...URING },
  { nr: 427, name: 'io_uring_register', args: 'u,u,p,u', ...URING },
  { nr: 444, name: 'landlock_create_ruleset', args: 'p,lu,x', ...LANDLOCK },
  { nr: 445, name: 'landlock_add_rule', args: 'd,d,p,x', ...LANDLOCK },
  { nr: 446, name: 'landlock_restrict_self', args: 'd,x', ...LANDLOCK },
] as const satisfies readonly SyscallRow[];
