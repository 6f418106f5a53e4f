/**
 * Names of the flags and constants that strace lines decode, in QEMU's order and spelling. In: nothing. Out: tables. Source: the man pages of the calls.
 */

/** Bits, in the order in which they are printed. A bit mask may have several bits (O_SYNC). */
export type FlagNames = readonly (readonly [value: number, name: string])[];

export const CLONE_FLAGS: FlagNames = [
  [0x100, 'CLONE_VM'],
  [0x200, 'CLONE_FS'],
  [0x400, 'CLONE_FILES'],
  [0x800, 'CLONE_SIGHAND'],
  [0x1000, 'CLONE_PIDFD'],
  [0x2000, 'CLONE_PTRACE'],
  [0x4000, 'CLONE_VFORK'],
  [0x8000, 'CLONE_PARENT'],
  [0x1_0000, 'CLONE_THREAD'],
  [0x2_0000, 'CLONE_NEWNS'],
  [0x4_0000, 'CLONE_SYSVSEM'],
  [0x8_0000, 'CLONE_SETTLS'],
  [0x10_0000, 'CLONE_PARENT_SETTID'],
  [0x20_0000, 'CLONE_CHILD_CLEARTID'],
  [0x40_0000, 'CLONE_DETACHED'],
  [0x80_0000, 'CLONE_UNTRACED'],
  [0x100_0000, 'CLONE_CHILD_SETTID'],
  [0x200_0000, 'CLONE_NEWCGROUP'],
  [0x400_0000, 'CLONE_NEWUTS'],
  [0x800_0000, 'CLONE_NEWIPC'],
  [0x1000_0000, 'CLONE_NEWUSER'],
  [0x2000_0000, 'CLONE_NEWPID'],
  [0x4000_0000, 'CLONE_NEWNET'],
  [0x8000_0000, 'CLONE_IO'],
];

/** The access mode (low two bits) is printed first. */
export const OPEN_FLAGS: FlagNames = [
  [0o2000, 'O_APPEND'],
  [0o100, 'O_CREAT'],
  [0o200, 'O_EXCL'],
  [0o1000, 'O_TRUNC'],
  [0o4000, 'O_NONBLOCK'],
  [0o4010000, 'O_SYNC'],
  [0o10000, 'O_DSYNC'],
  [0o20200000, 'O_TMPFILE'],
  [0o200000, 'O_DIRECTORY'],
  [0o400, 'O_NOCTTY'],
  [0o100000, 'O_LARGEFILE'],
  [0o40000, 'O_DIRECT'],
  [0o400000, 'O_NOFOLLOW'],
  [0o1000000, 'O_NOATIME'],
  [0o2000000, 'O_CLOEXEC'],
  [0o10000000, 'O_PATH'],
];
export const ACCESS_MODES = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'] as const;

export const MMAP_PROT: FlagNames = [
  [1, 'PROT_READ'],
  [2, 'PROT_WRITE'],
  [4, 'PROT_EXEC'],
  [8, 'PROT_SEM'],
  [0x100_0000, 'PROT_GROWSDOWN'],
  [0x200_0000, 'PROT_GROWSUP'],
];

export const MMAP_FLAGS: FlagNames = [
  [3, 'MAP_SHARED_VALIDATE'],
  [1, 'MAP_SHARED'],
  [2, 'MAP_PRIVATE'],
  [0x20, 'MAP_ANONYMOUS'],
  [0x800, 'MAP_DENYWRITE'],
  [0x1000, 'MAP_EXECUTABLE'],
  [0x10, 'MAP_FIXED'],
  [0x10_0000, 'MAP_FIXED_NOREPLACE'],
  [0x100, 'MAP_GROWSDOWN'],
  [0x4_0000, 'MAP_HUGETLB'],
  [0x2000, 'MAP_LOCKED'],
  [0x4000, 'MAP_NORESERVE'],
  [0x8000, 'MAP_POPULATE'],
  [0x1_0000, 'MAP_NONBLOCK'],
  [0x2_0000, 'MAP_STACK'],
  [0x8_0000, 'MAP_SYNC'],
];

export const WAIT_FLAGS: FlagNames = [
  [1, 'WNOHANG'],
  [2, 'WUNTRACED'],
  [4, 'WEXITED'],
  [8, 'WCONTINUED'],
  [0x0100_0000, 'WNOWAIT'],
  [0x2000_0000, '__WNOTHREAD'],
  [0x4000_0000, '__WALL'],
  [0x8000_0000, '__WCLONE'],
];

export const AT_FLAGS: FlagNames = [
  [0x100, 'AT_SYMLINK_NOFOLLOW'],
  [0x200, 'AT_REMOVEDIR'],
  [0x400, 'AT_SYMLINK_FOLLOW'],
  [0x800, 'AT_NO_AUTOMOUNT'],
  [0x1000, 'AT_EMPTY_PATH'],
  [0x2000, 'AT_STATX_FORCE_SYNC'],
  [0x4000, 'AT_STATX_DONT_SYNC'],
];

export const ACCESS_FLAGS: FlagNames = [
  [1, 'X_OK'],
  [2, 'W_OK'],
  [4, 'R_OK'],
];

export const MSYNC_FLAGS: FlagNames = [
  [1, 'MS_ASYNC'],
  [2, 'MS_INVALIDATE'],
  [4, 'MS_SYNC'],
];

export const MREMAP_FLAGS: FlagNames = [
  [1, 'MREMAP_MAYMOVE'],
  [2, 'MREMAP_FIXED'],
  [4, 'MREMAP_DONTUNMAP'],
];

/** By value; a hole prints as a number. */
export const FUTEX_OPS = [
  'FUTEX_WAIT',
  'FUTEX_WAKE',
  'FUTEX_FD',
  'FUTEX_REQUEUE',
  'FUTEX_CMP_REQUEUE',
  'FUTEX_WAKE_OP',
  'FUTEX_LOCK_PI',
  'FUTEX_UNLOCK_PI',
  'FUTEX_TRYLOCK_PI',
  'FUTEX_WAIT_BITSET',
  'FUTEX_WAKE_BITSET',
  'FUTEX_WAIT_REQUEUE_PI',
  'FUTEX_CMP_REQUEUE_PI',
  'FUTEX_LOCK_PI2',
] as const;

export const CLOCKS = [
  'CLOCK_REALTIME',
  'CLOCK_MONOTONIC',
  'CLOCK_PROCESS_CPUTIME_ID',
  'CLOCK_THREAD_CPUTIME_ID',
  'CLOCK_MONOTONIC_RAW',
  'CLOCK_REALTIME_COARSE',
  'CLOCK_MONOTONIC_COARSE',
  'CLOCK_BOOTTIME',
  'CLOCK_REALTIME_ALARM',
  'CLOCK_BOOTTIME_ALARM',
  undefined,
  'CLOCK_TAI',
] as const;

export const SIGMASK_HOW = ['SIG_BLOCK', 'SIG_UNBLOCK', 'SIG_SETMASK'] as const;
export const WHENCE = ['SEEK_SET', 'SEEK_CUR', 'SEEK_END', 'SEEK_DATA', 'SEEK_HOLE'] as const;
export const RLIMITS = [
  'RLIMIT_CPU',
  'RLIMIT_FSIZE',
  'RLIMIT_DATA',
  'RLIMIT_STACK',
  'RLIMIT_CORE',
  'RLIMIT_RSS',
  'RLIMIT_NPROC',
  'RLIMIT_NOFILE',
  'RLIMIT_MEMLOCK',
  'RLIMIT_AS',
  'RLIMIT_LOCKS',
  'RLIMIT_SIGPENDING',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
] as const;
export const MADVICE = [
  'MADV_NORMAL',
  'MADV_RANDOM',
  'MADV_SEQUENTIAL',
  'MADV_WILLNEED',
  'MADV_DONTNEED',
  undefined,
  undefined,
  undefined,
  'MADV_FREE',
  'MADV_REMOVE',
  'MADV_DONTFORK',
  'MADV_DOFORK',
  'MADV_MERGEABLE',
  'MADV_UNMERGEABLE',
  'MADV_HUGEPAGE',
  'MADV_NOHUGEPAGE',
  'MADV_DONTDUMP',
  'MADV_DODUMP',
  'MADV_WIPEONFORK',
  'MADV_KEEPONFORK',
] as const;

/** fcntl commands below 100, then those from 1024. */
export const FCNTL = [
  'F_DUPFD',
  'F_GETFD',
  'F_SETFD',
  'F_GETFL',
  'F_SETFL',
  'F_GETLK',
  'F_SETLK',
  'F_SETLKW',
  'F_SETOWN',
  'F_GETOWN',
  'F_SETSIG',
  'F_GETSIG',
] as const;
export const FCNTL_LINUX: Readonly<Record<number, string>> = {
  36: 'F_OFD_GETLK',
  37: 'F_OFD_SETLK',
  38: 'F_OFD_SETLKW',
  1024: 'F_SETLEASE',
  1025: 'F_GETLEASE',
  1030: 'F_DUPFD_CLOEXEC',
  1031: 'F_SETPIPE_SZ',
  1032: 'F_GETPIPE_SZ',
  1033: 'F_ADD_SEALS',
  1034: 'F_GET_SEALS',
};
