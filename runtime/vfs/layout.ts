/**
 * Layout of the file layer's region in the kernel's SharedArrayBuffer, which all workers share. In: nothing. Out: offsets and strides
 * in 32-bit words from the start of the region, and its size in bytes. Only touched pages of the region cost memory.
 */
import { MAX_RINGS, MAX_SOCKETS, NET, RING_BYTES, SMALL_RING_BYTES, SOCKET } from '../net/layout.js';

/** Descriptors a table holds: the hard limit of RLIMIT_NOFILE. */
export const MAX_FDS = 4096;
/** Open file descriptions of all processes together. */
export const MAX_FILES = 16384;
/** fd tables (files_struct) and fs structs (cwd, umask): one a process at most, plus those of a clone without CLONE_FILES. */
export const MAX_TABLES = 1024;
export const MAX_PIPES = 1024;
export const MAX_COUNTERS = 1024;
export const MAX_STREAMS = 64;
export const MAX_BLOBS = 128;
export const MAX_RECORD_LOCKS = 1024;
export const MAX_EPOLLS = 512;
export const MAX_TIMERFDS = 1024;
export const MAX_MQUEUES = 64;
/** inotify instances, the default of Linux; and what they watch, of all together; index 0 is not used. */
export const MAX_INOTIFIES = 128;
export const MAX_MARKS = 16384;
/** Bytes of the events of an instance that have not been read, a power of two, and how many events at most: Linux's default. */
export const INOTIFY_RING = 524288;
export const INOTIFY_EVENTS = 16384;
/** Limits of a POSIX message queue: those that Linux has for all but root. */
export const MQ_MESSAGES = 10;
export const MQ_BYTES = 8192;
/** Guest processes: as many as the kernel's table has (process/layout.ts MAX_GROUPS). */
export const MAX_PROCESSES = 1024;
/** Descriptors watched by epoll instances, of all together; index 0 is not used. */
export const MAX_WATCHES = 16384;
/** The host's terminal, and pairs of pseudo-terminals. */
export const MAX_TTYS = 256;
/** Bytes of each ring of a terminal, a power of two. */
export const TTY_RING = 16384;
/** Extended attributes of files in memory, and bytes of a value at most. */
export const MAX_XATTRS = 1024;
export const XATTR_BYTES = 4096;
/** Contexts of io_setup, of all processes together. */
export const MAX_AIOS = 256;
/** Polls of these contexts that are under way. */
export const MAX_AIO_POLLS = 1024;
/** Thread slots that can wait; the last is the main thread's. */
export const MAX_SLOTS = 2048;
export const MAIN_SLOT = MAX_SLOTS - 1;

/** Linux PATH_MAX: bytes of a path with its NUL. */
export const PATH_MAX = 4096;
const PATH_WORDS = PATH_MAX / 4;
/** Bytes of a pipe's ring, a power of two: Linux's default capacity, and here the only one. */
export const PIPE_CAPACITY = 65536;
/** Bytes of the read-ahead ring of a stream, and of an in-memory file's content. */
export const STREAM_CAPACITY = 65536;
export const BLOB_CAPACITY = 262144;

/** Header words. */
export const HEAD = {
  /** Mutex of the whole region, by slot (lock.ts). */
  LOCK: 0,
  /** Where the search for a free description begins. */
  FILE_HINT: 1,
  /** Last inode number given to a pipe or anonymous inode. */
  NEXT_INODE: 2,
  /** Record locks and flocks held. */
  LOCKS_HELD: 3,
  /** Mutex of what epoll instances watch, by slot; taken inside the region's. */
  WATCH_LOCK: 8,
  /** First free watch that has been used before; the highest number used so far. */
  WATCH_FREE: 9,
  WATCH_HIGH: 10,
  /** Marks of inotify instances: nothing is told of files while there are none; and how many of them the host watches, too. */
  MARKS: 11,
  HOST_MARKS: 12,
  /** Last cookie of a rename. */
  COOKIE: 13,
  /** Counts what may have changed the names of open files. */
  NAMES: 14,
  /** Where the search for a free mark begins. */
  MARK_HINT: 15,
  /** Extended attributes kept. */
  XATTRS: 16,
  SIZE: 64,
} as const;

/** An open file description. */
export const FILE = {
  /** References: descriptors, and system calls under way. 0: the entry is free. */
  REFS: 0,
  /** KIND (open-files.ts). */
  KIND: 1,
  /** Access mode and status flags, x86-64 numbers. */
  FLAGS: 2,
  /** Descriptor of the host, or -1. */
  HOST_FD: 3,
  /** File offset, bytes, 64 bits (directories: number of the next entry; signalfds: the mask; pidfds: the process id). */
  OFFSET_LO: 4,
  OFFSET_HI: 5,
  /** Pipe, counter, stream or blob. */
  OBJECT: 6,
  /** Incremented with every new life of the entry. */
  GENERATION: 7,
  /** MARK bits (open-files.ts). */
  MARKS: 8,
  /** Mutex of the offset, by slot: held over reads and writes of regular files. */
  OFFSET_LOCK: 9,
  /** F_SEAL_* of a memfd. */
  SEALS: 10,
  PATH_LENGTH: 11,
  OWNER: 12,
  /** Descriptor + 1 that writes of an inherited stream go to without blocking; -1 when the host gives none; 0 not asked yet. */
  WRITE_FD: 13,
  /** First watch of an epoll instance on this description; 0 none. */
  WATCHES: 14,
  /** Mount + 1 that the file is in (mount-table.ts); 0: none. */
  MOUNT: 15,
  SIZE: 16,
} as const;

/** An fd table: header words, then one word a descriptor: 0, or (description + 1) << 1 | close-on-exec. */
export const TABLE = { REFS: 0, /** Descriptors from here on are free. */ HIGH: 1, FDS: 4, SIZE: 4 + MAX_FDS } as const;

/** An fs struct, then the bytes of the path of the working directory. */
export const FS = {
  REFS: 0,
  UMASK: 1,
  /** Description + 1 of the working directory, or 0. */ CWD_FILE: 2,
  CWD_LENGTH: 3,
  CWD: 4,
  SIZE: 4 + PATH_WORDS,
} as const;

/** A wait queue: number of waiting slots, first watch of an epoll instance, then a bit a slot. */
export const QUEUE = { COUNT: 0, WATCHES: 1, BITS: 2, SIZE: 2 + MAX_SLOTS / 32 } as const;

/** A pipe, then its ring. HEAD and TAIL count bytes modulo 2**32; HEAD - TAIL are in the ring. */
export const PIPE = {
  /** Descriptions of each end. Both 0: the entry is free. */
  READERS: 0,
  WRITERS: 1,
  HEAD: 2,
  TAIL: 3,
  INODE: 4,
  QUEUE: 8,
  SIZE: 8 + QUEUE.SIZE,
} as const;

/** An eventfd. */
export const COUNTER = { USED: 0, VALUE_LO: 1, VALUE_HI: 2, SEMAPHORE: 3, QUEUE: 4, SIZE: 4 + QUEUE.SIZE } as const;

/** A timer of timerfd_create. Times are nanoseconds, 64 bits; DEADLINE is of CLOCK_MONOTONIC, 0: not armed. */
export const TIMERFD = {
  USED: 0,
  CLOCK: 1,
  DEADLINE: 2,
  INTERVAL: 4,
  /** Expirations that have not been read. */
  TICKS: 6,
  /** Flags of the last timerfd_settime. */
  FLAGS: 8,
  QUEUE: 10,
  SIZE: 10 + QUEUE.SIZE,
} as const;

/** A POSIX message queue: header, name of up to 255 bytes, a head for each message; their bytes lie in AREA.MQ_BYTES. */
export const MQUEUE = {
  /** Descriptions, and one for its name. 0: free. */
  REFS: 0,
  NAME_LENGTH: 1,
  MODE: 2,
  UID: 3,
  MAX_MESSAGES: 4,
  MAX_BYTES: 5,
  COUNT: 6,
  /** Counts messages: the older of one priority goes first. */
  NEXT: 7,
  /** Who is told of a message that comes into the empty queue: process id, 0 nobody, its index; SIGEV_*, signal, value. */
  NOTIFY_PID: 8,
  NOTIFY_PROCESS: 9,
  NOTIFY_HOW: 10,
  NOTIFY_SIGNAL: 11,
  NOTIFY_VALUE: 12,
  /** Threads in mq_receive: then nobody is told. */
  RECEIVERS: 14,
  NAME: 16,
  /** Per message: length + 1 (0 free), priority, number. */
  HEADS: 80,
  QUEUE: 80 + 3 * MQ_MESSAGES,
  SIZE: 80 + 3 * MQ_MESSAGES + QUEUE.SIZE,
} as const;

/** An epoll instance. */
export const EPOLL = {
  USED: 0,
  /** Mutex, by slot, of who goes through the ready list. */
  SCAN: 1,
  /** Watches that may be ready, in order, and how many. */
  READY_FIRST: 2,
  READY_LAST: 3,
  READY_COUNT: 4,
  /** All watches: those that have to be asked first. */
  FIRST: 5,
  LAST: 6,
  /** 1: those in QUEUE are called, not only woken (KernelPort.call). */
  CALLING: 7,
  /** Threads in epoll_wait: one is woken at a time. */
  WAITERS: 8,
  /** Who polls the instance, or watches it by another one. */
  QUEUE: 8 + QUEUE.SIZE,
  SIZE: 8 + 2 * QUEUE.SIZE,
} as const;

/** A description that an epoll instance watches by a descriptor. Links are numbers of watches, 0 none. */
export const WATCH = {
  /** Instance + 1; 0: free. */
  EPOLL: 0,
  FILE: 1,
  FD: 2,
  /** EPOLLIN and so on, with the bits above 2**27. */
  EVENTS: 3,
  DATA_LO: 4,
  DATA_HI: 5,
  /** WATCH_FLAG bits. */
  FLAGS: 6,
  /** Incremented with every new life of the entry. */
  LIFE: 7,
  /** Wait queue that it is in; 0 none. */
  QUEUE: 8,
  /** Next in its hash chain, or in the list of free entries. */
  HASH_NEXT: 9,
  /** Lists (epoll-watches.ts): next, previous. */
  READY: 10,
  OF_QUEUE: 12,
  OF_FILE: 14,
  OF_EPOLL: 16,
  SIZE: 18,
} as const;

export const WATCH_BUCKETS = 4096;

/** A host descriptor whose reads can block, then its ring. */
export const STREAM = {
  /** Descriptions. 0: the entry is free. */
  REFS: 0,
  HOST_FD: 1,
  /** STREAM_MODE (streams.ts). */
  MODE: 2,
  HEAD: 3,
  TAIL: 4,
  /** Bytes asked of the main thread, and not answered yet; 0 none. */
  WANTED: 5,
  /** 1: the host has said end of file, which the next read reports; then 0 again. */
  EOF: 6,
  /** Errno that the next read reports, or 0. */
  ERROR: 7,
  /** 1 once data or a writer has been seen (FIFOs). */
  CONNECTED: 8,
  QUEUE: 12,
  SIZE: 12 + QUEUE.SIZE,
} as const;

/** A terminal (terminal/tty.ts). The rings' heads and tails count bytes modulo 2**32. */
export const TTY = {
  /** 0: the entry is free. */
  USED: 0,
  /** N of /dev/pts/N. */
  NUMBER: 1,
  /** Open descriptions of each side. */
  MASTERS: 2,
  SLAVES: 3,
  /** Session whose controlling terminal it is, and the foreground process group; 0 none. */
  SESSION: 4,
  FOREGROUND: 5,
  /** struct winsize. */
  ROWS: 6,
  COLUMNS: 7,
  WIDTH: 8,
  HEIGHT: 9,
  /** TTY_FLAG. */
  FLAGS: 10,
  /** TIOCPKT_* that the master has not read. */
  PACKET: 11,
  /** Column of the cursor, and where the line that is being typed begins. */
  COLUMN: 12,
  LINE_COLUMN: 13,
  /** What was typed: next byte to write, end of the last whole line, next byte to read. */
  IN_HEAD: 14,
  IN_LINE: 15,
  IN_TAIL: 16,
  /** What the master reads. */
  OUT_HEAD: 17,
  OUT_TAIL: 18,
  /** Owner and permission bits of the slave. */
  UID: 19,
  GID: 20,
  MODE: 21,
  /** The host's terminal: a descriptor of it that does not block, its device number, and whether a read waits for a line. */
  HOST_FD: 22,
  WANTED: 23,
  /** struct termios2. */
  TERMIOS: 24,
  HOST_RDEV: 35,
  QUEUE: 36,
  SIZE: 36 + QUEUE.SIZE,
} as const;

/** An extended attribute. */
export const XATTR = {
  /** Bytes of the name + 1; 0: free. */
  NAME_LENGTH: 0,
  VALUE_LENGTH: 1,
  /** Device and inode: a stored NodeId. */
  ID: 2,
  NAME: 6,
  SIZE: 70,
} as const;

/** A context of io_setup: its ring is in guest memory. */
export const AIO = {
  /** 0: free. */
  USED: 0,
  /** Address space (Mm.space) and guest address of the ring: 64 bits each. */
  SPACE: 2,
  ADDRESS: 4,
  /** Events that the ring can hold, and one more. */
  SLOTS: 6,
  /** Mutex, by slot, of who changes the ring. */
  LOCK: 7,
  QUEUE: 8,
  /** Number of the epoll instance of its polls + 1; 0: it has none. */
  EPOLL: 8 + QUEUE.SIZE,
  SIZE: 10 + QUEUE.SIZE,
} as const;

/** A poll of such a context. */
export const AIO_POLL = {
  /** Context + 1; 0: free. */
  CONTEXT: 0,
  /** Descriptions: of what is polled, and of the eventfd that counts completions (-1: none). */
  FILE: 1,
  COUNTER_FILE: 2,
  /** Polls that this entry has been. */
  LIFE: 3,
  /** 64 bits each: what is told, and the address of the iocb. */
  DATA: 4,
  OBJECT: 6,
  SIZE: 8,
} as const;

/** An inotify instance. HEAD and TAIL count bytes modulo 2**32; HEAD - TAIL are in its ring. */
export const INOTIFY = {
  USED: 0,
  /** Last watch descriptor given. */
  WD: 1,
  HEAD: 2,
  TAIL: 3,
  /** Events in the ring, and where the last of them begins. */
  COUNT: 4,
  LAST: 5,
  /** First of its marks, the newest; 0 none. */
  MARKS: 6,
  QUEUE: 8,
  SIZE: 8 + QUEUE.SIZE,
} as const;

/** A file that an inotify instance watches. Links are numbers of marks, 0 none. */
export const INOTIFY_MARK = {
  /** Instance + 1; 0: free. */
  INSTANCE: 0,
  WD: 1,
  /** IN_* that are wanted, IN_ONESHOT and IN_EXCL_UNLINK. */
  MASK: 2,
  /** Next of those in its bucket, and of those of its instance. */
  HASH_NEXT: 3,
  OF_INSTANCE: 4,
  /** Incremented with every new life of the entry. */
  LIFE: 5,
  /** HOST_WATCH (inotify/marks.ts). */
  HOST: 6,
  /** Device and inode: a stored NodeId. */
  ID: 8,
  SIZE: 12,
} as const;

export const MARK_BUCKETS = 1024;
/** What guests do to files that the host watches, by hash: when they did it last. */
export const OWN_CHANGES = 4096;

/** Content of an in-memory file. */
export const BLOB = { REFS: 0, LENGTH: 1, SIZE: 2 } as const;

/** A record lock (fcntl) or a flock. Start and end are bytes, 64 bits; end is exclusive. */
export const LOCK = {
  /** 0 free, 1 shared, 2 exclusive. */
  TYPE: 0,
  /** LOCK_SPACE (record-locks.ts): which rules it belongs to. */
  SPACE: 1,
  /** An fd table, or -(description + 1). */
  OWNER: 2,
  PID: 3,
  DEV_LO: 4,
  DEV_HI: 5,
  INO_LO: 6,
  INO_HI: 7,
  START_LO: 8,
  START_HI: 9,
  END_LO: 10,
  END_HI: 11,
  SIZE: 12,
} as const;

let at = 0;
const area = (words: number): number => {
  const start = at;
  at += Math.ceil(words / 16) * 16;
  return start;
};

/** First word of each array. */
export const AREA = {
  HEAD: area(HEAD.SIZE),
  LOCK_QUEUE: area(QUEUE.SIZE),
  FILES: area(MAX_FILES * FILE.SIZE),
  COUNTERS: area(MAX_COUNTERS * COUNTER.SIZE),
  PIPES: area(MAX_PIPES * PIPE.SIZE),
  STREAMS: area(MAX_STREAMS * STREAM.SIZE),
  MQUEUES: area(MAX_MQUEUES * MQUEUE.SIZE),
  MQ_BYTES: area((MAX_MQUEUES * MQ_MESSAGES * MQ_BYTES) / 4),
  TIMERFDS: area(MAX_TIMERFDS * TIMERFD.SIZE),
  /** A queue a process: woken when a signal is queued for it or one of its threads, and when it ends. */
  PROCESS_QUEUES: area(MAX_PROCESSES * QUEUE.SIZE),
  EPOLLS: area(MAX_EPOLLS * EPOLL.SIZE),
  WATCHES: area(MAX_WATCHES * WATCH.SIZE),
  WATCH_HASH: area(WATCH_BUCKETS),
  XATTRS: area(MAX_XATTRS * XATTR.SIZE),
  XATTR_VALUES: area((MAX_XATTRS * XATTR_BYTES) / 4),
  AIOS: area(MAX_AIOS * AIO.SIZE),
  AIO_POLLS: area(MAX_AIO_POLLS * AIO_POLL.SIZE),
  INOTIFIES: area(MAX_INOTIFIES * INOTIFY.SIZE),
  MARKS: area(MAX_MARKS * INOTIFY_MARK.SIZE),
  MARK_HASH: area(MARK_BUCKETS),
  /** Who waits for the main thread to watch a file of the host. */
  MARK_QUEUE: area(QUEUE.SIZE),
  OWN_CHANGES: area(OWN_CHANGES),
  BLOBS: area(MAX_BLOBS * BLOB.SIZE),
  TTYS: area(MAX_TTYS * TTY.SIZE),
  RECORD_LOCKS: area(MAX_RECORD_LOCKS * LOCK.SIZE),
  TABLES: area(MAX_TABLES * TABLE.SIZE),
  FS: area(MAX_TABLES * FS.SIZE),
  NET: area(NET.SIZE),
  SOCKETS: area(MAX_SOCKETS * SOCKET.SIZE),
  SOCKET_QUEUES: area(MAX_SOCKETS * QUEUE.SIZE),
  PATHS: area(MAX_FILES * PATH_WORDS),
  PIPE_RINGS: area((MAX_PIPES * PIPE_CAPACITY) / 4),
  STREAM_RINGS: area((MAX_STREAMS * STREAM_CAPACITY) / 4),
  INOTIFY_RINGS: area((MAX_INOTIFIES * INOTIFY_RING) / 4),
  TTY_TYPED: area((MAX_TTYS * TTY_RING) / 4),
  TTY_MARKS: area((MAX_TTYS * TTY_RING) / 4),
  TTY_SHOWN: area((MAX_TTYS * TTY_RING) / 4),
  BLOB_BYTES: area((MAX_BLOBS * BLOB_CAPACITY) / 4),
  SOCKET_RINGS: area((MAX_RINGS * RING_BYTES) / 4),
  SMALL_RINGS: area((MAX_SOCKETS * SMALL_RING_BYTES) / 4),
  /** Of each ring that is free: the next one + 1. */
  RING_LINKS: area(MAX_RINGS),
} as const;

/** Bytes of the region. */
export const VFS_SIZE = at * 4;
