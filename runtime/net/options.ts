/**
 * Socket options: a row each, with its place in the socket's words. In: sockets, levels, names, values. Out: values, or -errno. Options that change nothing here (routing, queueing, what the
 * host's kernel decides) are kept and given back. Source: man 7 socket, tcp, ip, ipv6, udp, netlink.
 */
import type { VfsState } from '../vfs/state.js';
import { AF, SOCK, SOL } from './constants.js';
import { OPTION_WORDS, SOCKET } from './layout.js';
import { get, set, socketWord } from './socket-table.js';

/** How a value is passed: int; int that is 0 or 1; int whose set value is doubled (buffer sizes); struct timeval; struct linger. */
type Form = 'int' | 'flag' | 'size' | 'time' | 'linger';

interface OptionRow {
  readonly level: number;
  readonly name: number;
  readonly form: Form;
  /** Words that hold it, from SOCKET.OPTIONS; times and linger take two. From 60 on: multicast.ts. */
  readonly at: number;
  readonly initial?: number;
  /** Smallest and largest value; others are EINVAL. */
  readonly range?: readonly [number, number];
}

/** Rows by a name for the code. */
const OPTION = {
  DEBUG: { level: SOL.SOCKET, name: 1, form: 'flag', at: 0 },
  REUSEADDR: { level: SOL.SOCKET, name: 2, form: 'flag', at: 1 },
  DONTROUTE: { level: SOL.SOCKET, name: 5, form: 'flag', at: 2 },
  BROADCAST: { level: SOL.SOCKET, name: 6, form: 'flag', at: 3 },
  SNDBUF: { level: SOL.SOCKET, name: 7, form: 'size', at: 4, initial: 212_992, range: [4608, 425_984] },
  RCVBUF: { level: SOL.SOCKET, name: 8, form: 'size', at: 5, initial: 212_992, range: [2304, 425_984] },
  KEEPALIVE: { level: SOL.SOCKET, name: 9, form: 'flag', at: 6 },
  OOBINLINE: { level: SOL.SOCKET, name: 10, form: 'flag', at: 7 },
  NO_CHECK: { level: SOL.SOCKET, name: 11, form: 'flag', at: 8 },
  PRIORITY: { level: SOL.SOCKET, name: 12, form: 'int', at: 9 },
  LINGER: { level: SOL.SOCKET, name: 13, form: 'linger', at: 10 },
  REUSEPORT: { level: SOL.SOCKET, name: 15, form: 'flag', at: 12 },
  PASSCRED: { level: SOL.SOCKET, name: 16, form: 'flag', at: 13 },
  RCVLOWAT: { level: SOL.SOCKET, name: 18, form: 'int', at: 14, initial: 1 },
  RCVTIMEO: { level: SOL.SOCKET, name: 20, form: 'time', at: 16 },
  SNDTIMEO: { level: SOL.SOCKET, name: 21, form: 'time', at: 18 },
  TIMESTAMP: { level: SOL.SOCKET, name: 29, form: 'flag', at: 20 },
  MARK: { level: SOL.SOCKET, name: 36, form: 'int', at: 21 },
  NODELAY: { level: SOL.TCP, name: 1, form: 'flag', at: 22 },
  CORK: { level: SOL.TCP, name: 3, form: 'flag', at: 23 },
  KEEPIDLE: { level: SOL.TCP, name: 4, form: 'int', at: 24, initial: 7200, range: [1, 32_767] },
  KEEPINTVL: { level: SOL.TCP, name: 5, form: 'int', at: 25, initial: 75, range: [1, 32_767] },
  KEEPCNT: { level: SOL.TCP, name: 6, form: 'int', at: 26, initial: 9, range: [1, 127] },
  SYNCNT: { level: SOL.TCP, name: 7, form: 'int', at: 27, initial: 6, range: [1, 127] },
  LINGER2: { level: SOL.TCP, name: 8, form: 'int', at: 28, initial: 60 },
  DEFER_ACCEPT: { level: SOL.TCP, name: 9, form: 'int', at: 29 },
  WINDOW_CLAMP: { level: SOL.TCP, name: 10, form: 'int', at: 30 },
  QUICKACK: { level: SOL.TCP, name: 12, form: 'flag', at: 31, initial: 1 },
  USER_TIMEOUT: { level: SOL.TCP, name: 18, form: 'int', at: 32 },
  FASTOPEN: { level: SOL.TCP, name: 23, form: 'int', at: 33 },
  NOTSENT_LOWAT: { level: SOL.TCP, name: 25, form: 'int', at: 34 },
  TOS: { level: SOL.IP, name: 1, form: 'int', at: 35 },
  TTL: { level: SOL.IP, name: 2, form: 'int', at: 36, initial: 64, range: [1, 255] },
  PKTINFO: { level: SOL.IP, name: 8, form: 'flag', at: 37 },
  MTU_DISCOVER: { level: SOL.IP, name: 10, form: 'int', at: 38, initial: 1 },
  RECVERR: { level: SOL.IP, name: 11, form: 'flag', at: 39 },
  RECVTTL: { level: SOL.IP, name: 12, form: 'flag', at: 40 },
  RECVTOS: { level: SOL.IP, name: 13, form: 'flag', at: 41 },
  FREEBIND: { level: SOL.IP, name: 15, form: 'flag', at: 42 },
  BIND_ADDRESS_NO_PORT: { level: SOL.IP, name: 24, form: 'flag', at: 43 },
  MULTICAST_TTL: { level: SOL.IP, name: 33, form: 'int', at: 44, initial: 1, range: [-1, 255] },
  MULTICAST_LOOP: { level: SOL.IP, name: 34, form: 'flag', at: 45, initial: 1 },
  UNICAST_HOPS: { level: SOL.IPV6, name: 16, form: 'int', at: 46, initial: 64, range: [-1, 255] },
  MULTICAST_HOPS: { level: SOL.IPV6, name: 18, form: 'int', at: 47, initial: 1, range: [-1, 255] },
  MULTICAST_LOOP6: { level: SOL.IPV6, name: 19, form: 'flag', at: 48, initial: 1 },
  MTU_DISCOVER6: { level: SOL.IPV6, name: 23, form: 'int', at: 49, initial: 1 },
  RECVERR6: { level: SOL.IPV6, name: 25, form: 'flag', at: 50 },
  V6ONLY: { level: SOL.IPV6, name: 26, form: 'flag', at: 51 },
  RECVPKTINFO: { level: SOL.IPV6, name: 49, form: 'flag', at: 52 },
  TCLASS: { level: SOL.IPV6, name: 67, form: 'int', at: 53 },
  NETLINK_PKTINFO: { level: SOL.NETLINK, name: 3, form: 'flag', at: 22 },
  NETLINK_NO_ENOBUFS: { level: SOL.NETLINK, name: 5, form: 'flag', at: 23 },
  NETLINK_CAP_ACK: { level: SOL.NETLINK, name: 10, form: 'flag', at: 24 },
  NETLINK_EXT_ACK: { level: SOL.NETLINK, name: 11, form: 'flag', at: 25 },
  NETLINK_STRICT_CHK: { level: SOL.NETLINK, name: 12, form: 'flag', at: 26 },
  MAXSEG: { level: SOL.TCP, name: 2, form: 'int', at: 54, initial: 536 },
  MULTICAST_ALL: { level: SOL.IP, name: 49, form: 'flag', at: 55, initial: 1 },
} as const satisfies Readonly<Record<string, OptionRow>>;
type OptionName = keyof typeof OPTION;

const ROWS: readonly OptionRow[] = Object.values(OPTION);
/** Buffer sizes of TCP sockets, as Linux gives them. */
const TCP_SEND_BYTES = 16_384;
const TCP_RECEIVE_BYTES = 131_072;

/** Whether a socket has the options of a level. */
export function hasLevel(s: VfsState, socket: number, level: number): boolean {
  const family = get(s, socket, SOCKET.FAMILY);
  const inet = family === AF.INET || family === AF.INET6;
  const tcp = inet && get(s, socket, SOCKET.TYPE) === SOCK.STREAM;
  return (
    level === SOL.SOCKET ||
    (level === SOL.TCP && tcp) ||
    (level === SOL.IP && inet) ||
    (level === SOL.IPV6 && family === AF.INET6) ||
    (level === SOL.NETLINK && family === AF.NETLINK)
  );
}

/** The row of an option of this socket; undefined: there is none. */
export const optionRow = (s: VfsState, socket: number, level: number, name: number): OptionRow | undefined =>
  hasLevel(s, socket, level) ? ROWS.find((row) => row.level === level && row.name === name) : undefined;

/** First word of an option, or its second (microseconds of a time, seconds of linger). */
export const optionOf = (s: VfsState, socket: number, name: OptionName, second: 0 | 1 = 0): number =>
  get(s, socket, SOCKET.OPTIONS + OPTION[name].at + second);

export const storeOption = (s: VfsState, socket: number, row: OptionRow, value: number, second = 0): void => {
  set(s, socket, SOCKET.OPTIONS + row.at, value);
  if (row.form === 'time' || row.form === 'linger') set(s, socket, SOCKET.OPTIONS + row.at + 1, second);
};
export const loadOption = (s: VfsState, socket: number, row: OptionRow, second: 0 | 1 = 0): number =>
  get(s, socket, SOCKET.OPTIONS + row.at + second);

/** The options of a new socket. Under the mutex. */
export function initialOptions(s: VfsState, socket: number): void {
  for (const row of ROWS) {
    if (row.initial !== undefined && hasLevel(s, socket, row.level)) storeOption(s, socket, row, row.initial);
  }
  const family = get(s, socket, SOCKET.FAMILY);
  if (get(s, socket, SOCKET.TYPE) !== SOCK.STREAM || family === AF.UNIX) return;
  storeOption(s, socket, OPTION.SNDBUF, TCP_SEND_BYTES);
  storeOption(s, socket, OPTION.RCVBUF, TCP_RECEIVE_BYTES);
}

/** A connection that waits for accept has its listener's options. Under the mutex. */
export function inheritOptions(s: VfsState, listener: number, socket: number): void {
  const from = socketWord(listener, SOCKET.OPTIONS);
  s.words.copyWithin(socketWord(socket, SOCKET.OPTIONS), from, from + OPTION_WORDS);
}

/** SO_RCVTIMEO or SO_SNDTIMEO in ms; 0 is for ever. */
export function timeoutOf(s: VfsState, socket: number, name: 'RCVTIMEO' | 'SNDTIMEO'): number {
  const ms = optionOf(s, socket, name) * 1000 + optionOf(s, socket, name, 1) / 1000;
  return ms === 0 ? Infinity : ms;
}

/** Whether close throws away what has not been sent, and resets the connection (SO_LINGER with 0 seconds). */
export const lingersNot = (s: VfsState, socket: number): boolean =>
  optionOf(s, socket, 'LINGER') !== 0 && optionOf(s, socket, 'LINGER', 1) === 0;
