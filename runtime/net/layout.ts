/**
 * Layout of sockets in the file layer's region. In: nothing. Out: field offsets in 32-bit words from the start of a record, sizes in bytes.
 * The wait queue and the ring of a socket lie in areas of their own (runtime/vfs/layout.ts).
 */

/** Sockets of all processes together, those of the host's side of connections included. */
export const MAX_SOCKETS = 4096;
/**
 * Receive rings: a socket has one as long as there is something in it, the last one that has become free. So memory is touched for what is on its way, not for each socket. Where none is left, the
 * socket's own small one serves. Sizes are powers of two.
 */
export const RING_BYTES = 262_144;
export const MAX_RINGS = 512;
export const SMALL_RING_BYTES = 16_384;
/** Bytes of a socket address that are kept: sockaddr_un is the longest (110). */
export const NAME_BYTES = 112;
/** Words of stored options (options.ts). */
export const OPTION_WORDS = 102;

/** Words common to all sockets. */
export const NET = {
  /** Mutex of all sockets, by slot. Taken inside no other lock but the region's; nothing is taken inside it. */
  LOCK: 0,
  /** Sockets from here on have never been used. */
  HIGH: 1,
  /** Where the search for a free socket begins. */
  HINT: 2,
  /** Last names given by autobind of Unix sockets, and last port number given. */
  AUTOBIND: 3,
  PORT: 4,
  /** First free ring + 1, and rings that have ever been used. */
  FREE_RING: 5,
  RINGS_USED: 6,
  SIZE: 64,
} as const;

export const SOCKET = {
  /** 0: the record is free; else 1. */
  USED: 0,
  FAMILY: 1,
  TYPE: 2,
  PROTOCOL: 3,
  /** STATE (socket-table.ts). */
  STATE: 4,
  /** Socket + 1 that what is sent goes to, or 0. */
  PEER: 5,
  /** SHUT bits. */
  SHUT: 6,
  /** Errno that the next call reports (SO_ERROR), or 0. */
  ERROR: 7,
  /** FLAG bits. */
  FLAGS: 8,
  INODE: 9,
  /** Receive ring: bytes put and taken, modulo 2**32; records in it; payload bytes in it. */
  HEAD: 10,
  TAIL: 11,
  RECORDS: 12,
  DATA: 13,
  /** Where the header of the last record is. */
  LAST: 14,
  /** Bytes left of a first record that has been read in part (its header is gone), and whose it is. */
  FRONT_LEFT: 15,
  FRONT_PID: 16,
  FRONT_UID: 17,
  FRONT_GID: 18,
  /** SO_PEERCRED. */
  PEER_PID: 19,
  PEER_UID: 20,
  PEER_GID: 21,
  /** Queue of connections that wait for accept: first and last socket + 1, how many, how many may. Within the queue: the next one. */
  FIRST: 22,
  NEWEST: 23,
  QUEUED: 24,
  BACKLOG: 25,
  NEXT: 26,
  /** File of a bound Unix socket with a path: device and inode, 64 bits each; 0 none. */
  DEV: 28,
  INO: 30,
  /** What it has of the host: 1 for a TCP port, proxy + 1 for a UDP one; 0 none. Result of the last request, PENDING (ask.ts) until it is there. */
  HOST: 32,
  RESULT: 33,
  /** 0: no ring; 1: its own small one; else 2 + the number of a ring. */
  RING: 34,
  /** Bytes of the socket's own address and of its peer's, then both. */
  NAME_LENGTH: 35,
  PEER_NAME_LENGTH: 36,
  NAME: 40,
  PEER_NAME: 40 + NAME_BYTES / 4,
  OPTIONS: 40 + (2 * NAME_BYTES) / 4,
  SIZE: 40 + (2 * NAME_BYTES) / 4 + OPTION_WORDS,
} as const;
