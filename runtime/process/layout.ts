/**
 * Layout of the kernel's SharedArrayBuffer, common to all guest processes and all workers: fixed tables of fixed-size records.
 * In: nothing. Out: offsets of fields in 32-bit words from the start of their record, sizes and table offsets in bytes.
 * Index 0 of every table stands for "none". Only touched pages of the buffer cost memory.
 */

/** Guest threads of all processes together, zombies included; index 0 is not used. */
export const MAX_TASKS = 1024;
/** Guest processes, zombies included. */
export const MAX_GROUPS = 1024;
export const MAX_SIGHANDS = 1024;
/** Signals queued with their siginfo, of all processes together. */
export const MAX_SIGINFOS = 4096;
/** Timers of timer_create; index 0 is not used. */
export const MAX_TIMERS = 1024;
/** Seccomp filters of all processes; index 0 is not used. */
export const MAX_FILTERS = 512;
/** Address spaces (memories). */
export const MAX_MMS = 256;
export const FUTEX_BUCKETS = 1024;
/** System V shared memory segments. */
export const MAX_SEGMENTS = 256;
/** System V semaphores: sets, semaphores of one, and what is to be undone when processes end. */
export const MAX_SEM_SETS = 128;
export const SEMS_PER_SET = 256;
export const MAX_SEM_UNDOS = 1024;
/** System V message queues. */
export const MAX_MSG_QUEUES = 32;
/** Waits on several futexes at a time. */
export const MAX_WAITVS = 64;
/** Files with shared mappings, of all processes together; index 0 is not used. */
export const MAX_SHARED = 4096;
/** Bytes of a path, NUL included. */
export const EXE_BYTES = 4096;
/** Bytes of siginfo_t. */
export const SIGINFO_BYTES = 128;
/** Signals: 1 to 64. */
export const NSIG = 64;

/** Header of the buffer. */
export const HEAD = {
  MAGIC: 0,
  /** The kernel mutex: 0 free, 1 held, 2 held with waiters. */
  MUTEX: 1,
  /** Host thread id (worker's threadId + 1) of the holder, for messages. */
  MUTEX_OWNER: 2,
  NEXT_TID: 3,
  /** Group index of the first process. */
  INIT_GROUP: 4,
  /** Head of the list of free siginfo nodes. */
  SIGINFO_FREE: 5,
  /** 1: lift64 is going down; every wait ends. */
  SHUTDOWN: 6,
  /** Tasks alive, zombies not counted. */
  TASKS_ALIVE: 7,
  /** i64, nanoseconds: CLOCK_REALTIME minus CLOCK_MONOTONIC. */
  REALTIME_OFFSET: 8,
  /** i64, nanoseconds of CLOCK_MONOTONIC when the kernel was made. */
  START_TIME: 10,
  /** High-water marks of task and group indices, so that searches are short. */
  TASK_HIGH: 12,
  GROUP_HIGH: 13,
  /** Parent process of the first process, as the host says. */
  HOST_PPID: 14,
  UID: 15,
  EUID: 16,
  GID: 17,
  EGID: 18,
  /** State of the generator behind -seed, i64; 0: the host's random numbers. */
  SEED: 20,
  /** Incremented when REALTIME_OFFSET changes. */
  REALTIME_VERSION: 22,
  /** Lock of pages that processes share (runtime/threads/share-lock.ts): 0 free, 1 held, 2 held with waiters. */
  SHARE_LOCK: 23,
  /** High-water mark of indices of shared files. */
  SHARED_HIGH: 24,
  /** --max-procs: tasks alive at a time; 0 no limit. */
  TASK_LIMIT: 40,
  /** Bit n: not even root raises the hard limit RLIMIT_n. */
  FIXED_LIMITS: 41,
  /** 1: of the host's users and groups, lift64's own alone are shown (owners.ts). */
  ONE_USER: 43,
  /** 1: some task has been traced. */
  TRACES: 42,
  /** Waits on several futexes under way. */
  WAITVS: 25,
  /** Counts of threads that have ended, for --stats: i64 each, 32 at most. */
  FIGURES: 64,
  /** Hashes of what has been named as unsupported; the count, then that many words. */
  MENTIONS: 128,
  MENTION_WORDS: 512,
  /** Names set by sethostname and setdomainname (uts.ts): length + 1, 0 none; then the bytes. */
  HOST_NAME: 704,
  DOMAIN_NAME: 736,
  BYTES: 4096,
} as const;

/** A guest thread. 64-bit fields take two words, low first, on even offsets. */
export const TASK = {
  /** TASK_STATE. */
  STATE: 0,
  TID: 1,
  /** Indices. */
  GROUP: 2,
  SIGHAND: 3,
  MM: 4,
  /** Address of the CPU block in the memory of MM; 0 once the thread has left it. */
  CPU: 5,
  /** Sequence that a waiting thread sleeps on; every wake increments it. */
  PARK: 6,
  /** Ids of the file layer's tables (files_struct, fs_struct). */
  FILES: 7,
  FS: 8,
  /** Address where exit stores 0 and wakes a futex; i64. */
  CLEAR_CHILD_TID: 10,
  /** i64. */
  ROBUST_LIST: 12,
  /** Masks: bit (n - 1) is signal n. i64. */
  BLOCKED: 14,
  PENDING: 16,
  /** The mask while rt_sigtimedwait has taken signals out of BLOCKED; else 0. i64. */
  REAL_BLOCKED: 18,
  /** i64 each. */
  ALT_SP: 20,
  ALT_SIZE: 22,
  ALT_FLAGS: 24,
  /** First node of the queue of siginfos; the last. */
  QUEUE_HEAD: 25,
  QUEUE_TAIL: 26,
  /** Task index of the child that this thread waits for (vfork), or 0. */
  VFORK_CHILD: 27,
  /** Futex wait: bucket + 1 while queued, key (MM and address), bitset, woken flag, list links (task indices). */
  FUTEX_BUCKET: 28,
  FUTEX_MM: 29,
  FUTEX_ADDR: 30,
  FUTEX_BITSET: 32,
  FUTEX_NEXT: 33,
  FUTEX_PREV: 34,
  /** Signal that kills the thread when its parent dies (PR_SET_PDEATHSIG). */
  PDEATHSIG: 35,
  /** 16 bytes, NUL-terminated. */
  COMM: 36,
  /** i64, nanoseconds of CLOCK_MONOTONIC at the start. */
  START_TIME: 40,
  /** i64. */
  RSEQ: 42,
  /** Worker that runs it, for messages. */
  WORKER: 44,
  NICE: 45,
  /** 1 while the thread is stopped by job control, sleeping in a wait: letters of /proc/PID/stat. */
  RUN_LETTER: 46,
  /** i32: scheduling policy and static priority, as sched_setscheduler stored them. */
  POLICY: 47,
  PRIORITY: 48,
  /** PR_SET_TIMERSLACK is stored, nothing else. */
  TIMER_SLACK: 49,
  /** 1 from before the thread sleeps on PARK until it runs again: others notify only then. */
  ASLEEP: 50,
  /** 1 while the thread waits for compiled code. */
  AWAITS_CODE: 51,
  /** i64, milliseconds since 1970: when its sleep began. */
  SLEEP_SINCE: 56,
  /** Index of the last seccomp filter, 0 none, -1 strict mode. */
  SECCOMP: 59,
  /** Futex wait for a lock that inherits priorities: tid of the owner; else 0. */
  FUTEX_OWNER: 52,
  /** Wait in semop: index of the set + 1, and the semaphore + 1, negative for one that is to become zero. */
  SEM_SET: 53,
  SEM_WAIT: 54,
  /** Class and level as ioprio_set stored them; 0 none. */
  IOPRIO: 55,
  /** Wait in msgsnd or msgrcv: index of the queue + 1. */
  MSG_QUEUE: 58,
  /** Thread of the host that runs it; 0 where the host does not tell. */
  HOST_TID: 60,
  /** TRACED bits; 0: nobody traces it. */
  TRACED: 61,
  /** i64 nanoseconds: CPU time that the host thread had used before. */
  CPU_AT_START: 62,
  /** Futex wait that another thread moves to a lock (FUTEX_WAIT_REQUEUE_PI): the key of the lock; MM 0: none. */
  FUTEX_TARGET_MM: 64,
  FUTEX_TARGET_ADDR: 66,
  BYTES: 320,
} as const;

export const TASK_STATE = {
  FREE: 0,
  /** Made by clone, its worker has not begun yet. */
  NEW: 1,
  ALIVE: 2,
  /** A leader that has exited and waits for its group's last thread, or for the parent. */
  DEAD: 3,
} as const;

/** TASK.TRACED. */
export const TRACED = {
  /** It has a tracer, and its TRACE record is in use. */
  ON: 1,
  /** PTRACE_SEIZE. */
  SEIZED: 2,
  /** A stop is due: for job control or PTRACE_INTERRUPT; and a report that job control has changed. */
  TRAP_STOP: 4,
  TRAP_NOTIFY: 8,
} as const;

/** Bytes of the extended state that a tracer sees (XSAVE area with the upper halves of ymm). */
export const XSTATE_BYTES = 832;

/** What the tracer of a task has to do with it (man 2 ptrace); the record of task n is that of index n. */
export const TRACE = {
  /** Task index of the tracer. */
  TRACER: 0,
  /** TRACE_STATE. */
  STATE: 1,
  /** PTRACE_O_*. */
  OPTIONS: 2,
  /** What wait has still to report: signal, event << 8; 0 nothing. */
  CODE: 3,
  /** Signal that the tracee goes on with. */
  SIGNAL: 4,
  /** How it goes on: RESUME. */
  RESUME: 5,
  /** PTRACE_GETEVENTMSG; u64. */
  MESSAGE: 6,
  /** 1: INFO is the siginfo of the stop. */
  HAS_INFO: 8,
  /** What the tracer has changed: CHANGED (trace.ts). */
  CHANGED: 9,
  /** Tid that called the execve under way + 1; 0: none is. */
  EXEC_FROM: 10,
  /** siginfo_t. */
  INFO: 16,
  /** struct user_regs_struct: 27 words of 8 bytes. */
  REGS: 48,
  XSTATE: 112,
  /** DR0 to DR7, u64 each. */
  DEBUG: 320,
  BYTES: 1344,
} as const;

export const TRACE_STATE = {
  RUNNING: 0,
  STOPPED: 1,
  /** PTRACE_LISTEN: it stays where it is, and wait does not see it. */
  LISTENING: 2,
} as const;

/** A thread group: a guest process. */
export const GROUP = {
  /** GROUP_STATE. */
  STATE: 0,
  TGID: 1,
  /** Group index of the parent; 0: none (its children are reaped at once). */
  PARENT: 2,
  /** Task index of the leader. */
  LEADER: 3,
  /** Threads alive. */
  THREADS: 4,
  /** Signal sent to the parent at exit; 0 none. */
  EXIT_SIGNAL: 5,
  /** GROUP_FLAG bits. */
  FLAGS: 6,
  /** Wait status once EXITING is set. */
  EXIT_STATUS: 7,
  PGID: 8,
  SID: 9,
  /** Shared pending signals; i64. */
  PENDING: 10,
  QUEUE_HEAD: 12,
  QUEUE_TAIL: 13,
  /** Signal that stopped the process; what waitid has still to report: bits GROUP_REPORT. */
  STOP_SIGNAL: 14,
  REPORT: 15,
  /** i64 nanoseconds of CLOCK_MONOTONIC, and the interval; 0 not armed. ITIMER_REAL. */
  TIMER_DEADLINE: 16,
  TIMER_INTERVAL: 18,
  /** Incremented whenever the timer is set. */
  TIMER_SEQUENCE: 20,
  /** Task index of the thread parked in vfork until this group execs or exits; 0 none. */
  VFORK_PARENT: 21,
  UID: 22,
  EUID: 23,
  SUID: 24,
  GID: 25,
  EGID: 26,
  SGID: 27,
  /** personality(2). */
  PERSONA: 28,
  /** Task index of the thread that is in execve while EXECING is set. */
  EXEC_TASK: 29,
  /** i64 microseconds of CPU of the reaped children: user, system. */
  CHILD_UTIME: 30,
  CHILD_STIME: 32,
  /** i64 nanoseconds of CPU of threads that have exited. */
  DEAD_CPU: 34,
  /** 16 limits: soft and hard, i64 each. */
  RLIMITS: 36,
  /** Index of the controlling terminal + 1; 0 none. */
  TERMINAL: 100,
  /** Of a session leader whose terminal has hung up: what was the foreground process group. */
  HUNG_UP: 101,
  /** Capabilities, i64 each: inheritable, permitted, effective, bounding, ambient. */
  CAPABILITIES: 102,
  /** ITIMER_VIRTUAL, then ITIMER_PROF: i64 nanoseconds of the process's CPU time, 0 not armed, and the interval. */
  CPU_TIMERS: 112,
  /** Id of the next timer of timer_create. */
  NEXT_TIMER: 120,
  /** Task index of the thread that made the process. */
  MAKER: 121,
  /** SECURE bits (capabilities.ts). */
  SECURE_BITS: 122,
  /** /proc/PID/oom_score_adj. */
  OOM_ADJUST: 127,
  BYTES: 512,
} as const;

export const GROUP_STATE = { FREE: 0, ALIVE: 1, ZOMBIE: 2 } as const;

export const GROUP_FLAG = {
  /** exit_group or a fatal signal: all threads leave. EXIT_STATUS is final. */
  EXITING: 1,
  /** Job control: stopped. */
  STOPPED: 2,
  /** Has called execve since fork (setpgid by the parent is refused). */
  EXECED: 4,
  /** PR_SET_CHILD_SUBREAPER. */
  SUBREAPER: 8,
  NO_NEW_PRIVS: 16,
  /** PR_SET_DUMPABLE 0. */
  NOT_DUMPABLE: 32,
  /** The leader has called exit(2), others go on: EXIT_STATUS is its. */
  LEADER_DEAD: 64,
  /** A thread is in execve, past the point of no return: all others end. */
  EXECING: 128,
} as const;

/** GROUP.REPORT bits. */
export const GROUP_REPORT = { STOPPED: 1, CONTINUED: 2 } as const;

/** 64 actions of 8 words each, then the reference count. */
export const SIGHAND = {
  /** i64 each, within an action. */
  HANDLER: 0,
  FLAGS: 2,
  RESTORER: 4,
  MASK: 6,
  ACTION_WORDS: 8,
  REFS: 512,
  BYTES: 2112,
} as const;

/** A seccomp filter, with room for as many instructions as one may have. */
export const FILTER = {
  /** Tasks and filters that have it as their last. 0: free. */
  REFS: 0,
  /** The filter that was installed before. */
  BEFORE: 1,
  /** Instructions of 8 bytes. */
  COUNT: 2,
  PROGRAM: 4,
  BYTES: 16 + 4096 * 8,
} as const;

/** A timer of timer_create. */
export const TIMER = {
  /** Index of the process; 0: free. */
  GROUP: 0,
  ID: 1,
  /** Clock id as it was given. */
  CLOCK: 2,
  /** SIGEV_*. */
  NOTIFY: 3,
  SIGNAL: 4,
  /** Thread that gets the signal, as index and tid; 0: the process. */
  TASK: 5,
  TID: 6,
  /** 1 while its signal is pending: it does not run on until that is taken. */
  QUEUED: 7,
  /** sigev_value, i64. */
  VALUE: 8,
  /** i64 nanoseconds: of CLOCK_MONOTONIC, or of a CPU clock; 0 not armed. */
  DEADLINE: 10,
  INTERVAL: 12,
  /** Expirations without a signal of their own, up to the signal taken last. */
  OVERRUN: 14,
  /** Of a CPU clock: index of the thread, or minus that of the process, whose time counts; 0: CLOCK counts time as it passes. */
  CPU_OF: 15,
  BYTES: 64,
} as const;

/** A queued signal: next node, timer that sent it (0 none), then siginfo_t at byte 16. */
export const SIGINFO = { NEXT: 0, SIGNAL: 1, TIMER: 2, INFO: 4, BYTES: 16 + SIGINFO_BYTES } as const;

/** An address space. */
export const MM = {
  /** Tasks that use it. 0: free. */
  REFS: 0,
  /** 1 once it has had two users at a time. */
  WAS_SHARED: 1,
  /** i64 each: where argv, environ and auxv strings lie, for /proc. */
  ARG_START: 2,
  ARG_END: 4,
  ENV_START: 6,
  ENV_END: 8,
  AUXV: 10,
  AUXV_BYTES: 12,
  /** Bytes of the path of the program, and the path (EXE_BYTES). */
  EXE_LENGTH: 13,
  /** Lives of the record: tells a worker that a memory it knows is another one now. Never cleared. */
  GENERATION: 14,
  /** Microseconds of CLOCK_MONOTONIC, modulo 2**32, when it last got a page that another address space had. */
  GRANTED: 15,
  EXE: 16,
  BYTES: 64 + EXE_BYTES,
} as const;

/** A file with shared mappings: its identity, and a bit for each address space that has such a mapping. No bit: free. */
export const SHARED = {
  DEV_LO: 0,
  DEV_HI: 1,
  INO_LO: 2,
  INO_HI: 3,
  /** 1: no descriptor of a guest leads to it (MAP_ANONYMOUS). */
  NAMELESS: 4,
  USERS: 8,
  BYTES: 64,
} as const;

/** What a System V object begins with. Times of these objects are i64, seconds since 1970. */
export const IPC_OBJECT = {
  USED: 0,
  KEY: 1,
  LIVES: 2,
  MODE: 3,
  UID: 4,
  GID: 5,
  CUID: 6,
  CGID: 7,
  CTIME: 8,
  /** Of the header, with what follows for each kind of object. */
  BYTES: 128,
} as const;

/** A System V shared memory segment, behind the fields of IPC_OBJECT. */
export const SEGMENT = {
  HOST_FD: 10,
  DOOMED: 11,
  /** i64, bytes. */
  SIZE: 12,
  CPID: 14,
  LPID: 15,
  ATIME: 16,
  DTIME: 18,
  BYTES: IPC_OBJECT.BYTES,
} as const;

/** A set of System V semaphores, behind the fields of IPC_OBJECT; of each semaphore, its value and the process that changed it last. */
export const SEM_SET = {
  COUNT: 10,
  OTIME: 12,
  SEMS: IPC_OBJECT.BYTES / 4,
  BYTES: IPC_OBJECT.BYTES + SEMS_PER_SET * 8,
} as const;

/**
 * A System V message queue, behind the fields of IPC_OBJECT. Messages lie one behind the other, in the order of sending: type (i64), bytes (u32), text.
 * QUEUE_BYTES is the most that the texts have together, and the most messages, so the area holds them all.
 */
export const MSG_QUEUE = {
  /** Messages, bytes of their texts, the most of either. */
  COUNT: 10,
  TEXT: 11,
  LIMIT: 12,
  SENDER: 13,
  RECEIVER: 14,
  STIME: 16,
  RTIME: 18,
  /** In bytes. */
  AREA: IPC_OBJECT.BYTES,
  HEADER: 12,
  QUEUE_BYTES: 16384,
  BYTES: IPC_OBJECT.BYTES + 16384 * (12 + 1),
} as const;

/** Supplementary group ids of a process: how many, and the ids. */
export const SUPPLEMENTARY = { COUNT: 0, IDS: 1, MOST: 1023, BYTES: 4096 } as const;

/** What the end of process GROUP (index; 0: free) adds to semaphore NUM of set SET. */
export const SEM_UNDO = { GROUP: 0, SET: 1, NUM: 2, ADD: 3, BYTES: 16 } as const;

/** A wait on several futexes: task (0: free), number + 1 of the futex that has been woken, how many there are, and their keys: mm, address (i64). */
export const WAITV = { TASK: 0, WOKEN: 1, COUNT: 2, KEYS: 4, KEY_WORDS: 3, MOST: 128, BYTES: 16 + 128 * 12 } as const;

let at = 0;
const table = (count: number, bytes: number): number => {
  const start = at;
  at += Math.ceil((count * bytes) / 64) * 64;
  return start;
};

/** Byte offset of each table. */
export const AREA = {
  HEAD: table(1, HEAD.BYTES),
  TASKS: table(MAX_TASKS, TASK.BYTES),
  GROUPS: table(MAX_GROUPS, GROUP.BYTES),
  SIGHANDS: table(MAX_SIGHANDS, SIGHAND.BYTES),
  SIGINFOS: table(MAX_SIGINFOS, SIGINFO.BYTES),
  TIMERS: table(MAX_TIMERS, TIMER.BYTES),
  FILTERS: table(MAX_FILTERS, FILTER.BYTES),
  TRACES: table(MAX_TASKS, TRACE.BYTES),
  MMS: table(MAX_MMS, MM.BYTES),
  /** First and last waiting task of each bucket, two words. */
  FUTEXES: table(FUTEX_BUCKETS, 8),
  SEGMENTS: table(MAX_SEGMENTS, SEGMENT.BYTES),
  SEM_SETS: table(MAX_SEM_SETS, SEM_SET.BYTES),
  SEM_UNDOS: table(MAX_SEM_UNDOS, SEM_UNDO.BYTES),
  MSG_QUEUES: table(MAX_MSG_QUEUES, MSG_QUEUE.BYTES),
  SUPPLEMENTARY: table(MAX_GROUPS, SUPPLEMENTARY.BYTES),
  WAITVS: table(MAX_WAITVS, WAITV.BYTES),
  SHARED: table(MAX_SHARED, SHARED.BYTES),
  /** The file layer's region, of the size that it asks for. */
  VFS: at,
} as const;
