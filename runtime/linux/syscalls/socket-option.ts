/** Socket options. In: descriptors, values in guest memory. Out: rows. Source: man 2 getsockopt; man 7 socket, tcp. */
import { peerCredentials } from '../../net/connection.js';
import { SOCK, SOL } from '../../net/constants.js';
import { SOCKET } from '../../net/layout.js';
import { IP_MULTICAST_IF, MREQN_BYTES, multicastInterface, setMulticast, tellMulticast } from '../../net/multicast.js';
import { hasLevel, loadOption, optionRow, storeOption } from '../../net/options.js';
import { takeError } from '../../net/send.js';
import { get, netLocked, STATE } from '../../net/socket-table.js';
import { tcpInfo } from '../../net/tcp-info.js';
import type { Handler, SyscallRow } from '../context.js';
import { EDOM, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP } from '../errno.js';
import type { Thread } from '../thread.js';
import { ints, withSocket } from './socket-args.js';

const longs = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);

/** Options of SOL_SOCKET that can be read only. */
const READ_ONLY: Readonly<Record<number, (t: Thread, socket: number) => Uint8Array>> = {
  /** SO_TYPE, SO_ERROR, SO_PEERCRED, SO_SNDLOWAT, SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN. */
  3: (t, socket) => ints(get(t.files.state, socket, SOCKET.TYPE)),
  4: (t, socket) => ints(netLocked(t.files.state, () => -takeError(t.files.state, socket))),
  17: (t, socket) => {
    const { pid, uid, gid } = peerCredentials(t.files.state, socket);
    return pid === 0 ? ints(0, -1, -1) : ints(pid, uid, gid);
  },
  19: () => ints(1),
  30: (t, socket) => ints(get(t.files.state, socket, SOCKET.STATE) === STATE.LISTENING ? 1 : 0),
  38: (t, socket) => ints(get(t.files.state, socket, SOCKET.PROTOCOL)),
  39: (t, socket) => ints(get(t.files.state, socket, SOCKET.FAMILY)),
};
/** SO_RCVTIMEO_NEW and SO_SNDTIMEO_NEW: the same on x86-64; SO_SNDBUFFORCE and SO_RCVBUFFORCE. */
const ALIASES: Readonly<Record<number, number>> = { 66: 20, 67: 21, 32: 7, 33: 8 };

const rowOf = (t: Thread, socket: number, level: number, name: number): ReturnType<typeof optionRow> =>
  optionRow(t.files.state, socket, level, level === SOL.SOCKET ? (ALIASES[name] ?? name) : name);

/** An unknown option, or level. */
const unknown = (t: Thread, socket: number, level: number): number =>
  hasLevel(t.files.state, socket, level) ? -ENOPROTOOPT : -EOPNOTSUPP;

const TCP_INFO = 11;
const isMulticast = (level: number, name: number): boolean =>
  level === SOL.IP && (name === IP_MULTICAST_TTL || name === IP_MULTICAST_LOOP);
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;

function valueOf(t: Thread, socket: number, level: number, name: number): Uint8Array | number {
  if (level === SOL.SOCKET) {
    const special = READ_ONLY[name];
    if (special !== undefined) return special(t, socket);
  }
  const { state } = t.files;
  const has = hasLevel(state, socket, level);
  if (has && level === SOL.TCP && name === TCP_INFO) return tcpInfo(state, socket);
  if (has && level === SOL.IP && name === IP_MULTICAST_IF) return multicastInterface(state, socket);
  const row = rowOf(t, socket, level, name);
  if (row === undefined) return unknown(t, socket, level);
  const value = loadOption(state, socket, row);
  const second = loadOption(state, socket, row, 1);
  if (row.form === 'time') return longs(value, second);
  return row.form === 'linger' ? ints(value, second) : ints(value);
}

/** Integers of the level IP that fit into a byte are given as one, where there is no room for more. */
const ipRoom = (value: Uint8Array, room: number): number =>
  room > 0 && room < 4 && value.slice(1).every((byte) => byte === 0) ? 1 : room;

const getsockopt: Handler = (t, a) =>
  withSocket(t, a.i32(0), (_file, socket) => {
    const room = t.mem.readI32(a.ptr(4));
    if (room === undefined) return -EFAULT;
    if (room < 0) return -EINVAL;
    const value = valueOf(t, socket, a.i32(1), a.i32(2));
    if (typeof value === 'number') return value;
    const part = value.subarray(0, a.i32(1) === SOL.IP ? ipRoom(value, room) : room);
    if (!t.mem.write(a.ptr(3), part)) return -EFAULT;
    return t.mem.writeU32(a.ptr(4), part.length) ? 0 : -EFAULT;
  });

/** Bytes of a value of each form. */
const SIZES = { int: 4, flag: 4, size: 4, time: 16, linger: 8 } as const;
const MICROSECONDS = 1_000_000;

const setsockopt: Handler = (t, a) =>
  withSocket(t, a.i32(0), (_file, socket) => {
    const { state } = t.files;
    const [level, name, length] = [a.i32(1), a.i32(2), a.i32(4)];
    if (length < 0) return -EINVAL;
    if (level === SOL.SOCKET && READ_ONLY[name] !== undefined) return -ENOPROTOOPT;
    if (level === SOL.IP && hasLevel(state, socket, level)) {
      const given = t.mem.read(a.ptr(3), Math.min(length, MREQN_BYTES));
      if (given === undefined) return -EFAULT;
      const done = setMulticast(state, socket, name, given);
      if (done !== undefined) return done;
    }
    const row = rowOf(t, socket, level, name);
    if (row === undefined) return unknown(t, socket, level);
    const isByte = level === SOL.IP && length > 0 && length < SIZES[row.form];
    if (length < SIZES[row.form] && !isByte) return -EINVAL;
    if (isMulticast(level, name) && get(state, socket, SOCKET.TYPE) === SOCK.STREAM) return -EINVAL;
    const given = t.mem.read(a.ptr(3), isByte ? 1 : SIZES[row.form]);
    if (given === undefined) return -EFAULT;
    const bytes = isByte ? Uint8Array.of(given[0] ?? 0, 0, 0, 0) : given;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (row.form === 'time') {
      const [sec, usec] = [Number(view.getBigInt64(0, true)), Number(view.getBigInt64(8, true))];
      if (usec < 0 || usec >= MICROSECONDS) return -EDOM;
      storeOption(state, socket, row, sec < 0 ? 0 : Math.min(sec, 0x7fff_ffff), sec < 0 ? 0 : usec);
      return 0;
    }
    const value = view.getInt32(0, true);
    if (row.form === 'linger') {
      storeOption(state, socket, row, value === 0 ? 0 : 1, view.getInt32(4, true));
      return 0;
    }
    if (row.form === 'flag') {
      storeOption(state, socket, row, value === 0 ? 0 : 1);
      return isMulticast(level, name) ? tellMulticast(state, socket) : 0;
    }
    const [least, most] = row.range ?? [-0x8000_0000, 0x7fff_ffff];
    if (row.form === 'size') {
      // Linux doubles what is asked for, and takes the nearest that it has.
      storeOption(state, socket, row, Math.max(least, Math.min(value * 2, most)));
      return 0;
    }
    if (value < least || value > most) return -EINVAL;
    // -1: as at the beginning.
    storeOption(state, socket, row, name === IP_MULTICAST_TTL && level === SOL.IP && value < 0 ? 1 : value);
    return isMulticast(level, name) ? tellMulticast(state, socket) : 0;
  });

export const optionRows = [
  {
    nr: 54,
    name: 'setsockopt',
    args: 'd,d,d,p,u',
    support: 'partly',
    note: 'options of routing and queueing are kept and change nothing; no filters',
    handler: setsockopt,
  },
  { nr: 55, name: 'getsockopt', args: 'd,d,d,p,p', support: 'partly', note: 'as setsockopt', handler: getsockopt },
] as const satisfies readonly SyscallRow[];
