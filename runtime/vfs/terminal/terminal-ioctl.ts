/**
 * ioctl of terminals, from either side of a pair. In: requests and their arguments. Out: results. Most requests to a master are about the slave's modes and size.
 * Source: man 2 ioctl_tty.
 */
import type { Thread } from '../../linux/thread.js';
import { EFAULT, EINVAL, EIO, ENOTTY, EPERM } from '../../linux/errno.js';
import { SIGWINCH } from '../../linux/signals.js';
import { TTY } from '../layout.js';
import { giveDescriptor } from '../new-descriptor.js';
import { CREATION_FLAGS, O_CLOEXEC, O_NOCTTY } from '../open-flags.js';
import { leaveTerminal, mayChange, setForeground, signalForeground, takeTerminal } from './access.js';
import { changeHost } from './host-io.js';
import { changeModes, PACKET, packetEvent } from './line-discipline.js';
import { hangUp, openTty, slavePath } from './pairs.js';
import { CC, FIELD, speedOf, TERMIOS2_BYTES, TERMIOS_BYTES } from './termios.js';
import { TTY_FLAG, type Tty } from './tty.js';

export type Side = 'slave' | 'master';

const TIOCSPGRP = 0x5410;
const CSIZE_PARENB = 0o460;
const CS8_CREAD = 0o260;
const QUEUES = { IN: 0, OUT: 1, BOTH: 2 } as const;
const FLOW = { OUTPUT_OFF: 0, OUTPUT_ON: 1, INPUT_OFF: 2, INPUT_ON: 3 } as const;
const WINSIZE_BYTES = 8;

/** Whom a request is for. */
interface Call {
  readonly t: Thread;
  readonly tty: Tty;
  readonly side: Side;
  readonly arg: number;
}
type Request = (c: Call) => number;

const REQUESTS: ReadonlyMap<number, Request> = new Map<number, Request>([
  /* TCGETS */ [0x5401, (c) => put(c, c.tty.termios().subarray(0, TERMIOS_BYTES))],
  /* TCSETS, TCSETSW, TCSETSF */
  [0x5402, (c) => setModes(c, TERMIOS_BYTES, false)],
  [0x5403, (c) => setModes(c, TERMIOS_BYTES, false)],
  [0x5404, (c) => setModes(c, TERMIOS_BYTES, true)],
  /* TCSBRK */ [0x5409, ({ tty, t }) => mayChange(tty, t.files.port)],
  /* TCXONC */ [0x540a, flowControl],
  /* TCFLSH */ [0x540b, flush],
  /* TIOCEXCL, TIOCNXCL */
  [0x540c, (c) => setFlag(c, TTY_FLAG.EXCLUSIVE, true)],
  [0x540d, (c) => setFlag(c, TTY_FLAG.EXCLUSIVE, false)],
  /* TIOCSCTTY */ [0x540e, ({ tty, t, arg }) => takeTerminal(tty, t.files.port, arg === 1)],
  /* TIOCGPGRP */ [0x540f, (c) => (isOwn(c) ? putInt(c, c.tty.get(TTY.FOREGROUND)) : -ENOTTY)],
  /* TIOCSPGRP */
  [
    TIOCSPGRP,
    ({ tty, t, arg }) => {
      const group = t.mem.readI32(arg);
      if (group === undefined) return -EFAULT;
      return group < 0 ? -EINVAL : setForeground(tty, t.files.port, group);
    },
  ],
  /* TIOCOUTQ */ [0x5411, (c) => putInt(c, 0)],
  /* TIOCSTI: as kernels refuse it that have dev.tty.legacy_tiocsti off */ [0x5412, () => -EIO],
  /* TIOCGWINSZ, TIOCSWINSZ */
  [0x5413, (c) => put(c, windowSize(c.tty))],
  [0x5414, resize],
  /* TIOCPKT, TIOCGPKT */
  [0x5420, (c) => (c.side === 'master' ? flagFromMemory(c, TTY_FLAG.PACKET) : -ENOTTY)],
  [0x8004_5438, (c) => (c.side === 'master' ? putInt(c, c.tty.has(TTY_FLAG.PACKET) ? 1 : 0) : -ENOTTY)],
  /* TIOCNOTTY */ [0x5422, ({ tty, t }) => leaveTerminal(tty, t.files.port)],
  /* TIOCSETD, TIOCGETD: N_TTY is the one line discipline */
  [0x5423, ({ t, arg }) => lineDiscipline(t.mem.readI32(arg))],
  [0x5424, (c) => putInt(c, 0)],
  /* TCSBRKP */ [0x5425, ({ tty, t }) => mayChange(tty, t.files.port)],
  /* TIOCGSID */
  [0x5429, (c) => (isOwn(c) && c.tty.get(TTY.SESSION) !== 0 ? putInt(c, c.tty.get(TTY.SESSION)) : -ENOTTY)],
  /* TCGETS2, TCSETS2, TCSETSW2, TCSETSF2 */
  [0x802c_542a, (c) => put(c, c.tty.termios())],
  [0x402c_542b, (c) => setModes(c, TERMIOS2_BYTES, false)],
  [0x402c_542c, (c) => setModes(c, TERMIOS2_BYTES, false)],
  [0x402c_542d, (c) => setModes(c, TERMIOS2_BYTES, true)],
  /* TIOCGPTN */ [0x8004_5430, (c) => (c.side === 'master' ? putInt(c, c.tty.get(TTY.NUMBER)) : -ENOTTY)],
  /* TIOCSPTLCK, TIOCGPTLCK */
  [0x4004_5431, (c) => (c.side === 'master' ? flagFromMemory(c, TTY_FLAG.LOCKED) : -ENOTTY)],
  [0x8004_5439, (c) => (c.side === 'master' ? putInt(c, c.tty.has(TTY_FLAG.LOCKED) ? 1 : 0) : -ENOTTY)],
  /* TIOCSIG */ [0x4004_5436, sendSignal],
  /* TIOCVHANGUP */ [0x5437, virtualHangUp],
  /* TIOCGEXCL */ [0x8004_5440, (c) => putInt(c, c.tty.has(TTY_FLAG.EXCLUSIVE) ? 1 : 0)],
  /* TIOCGPTPEER */ [0x5441, (c) => (c.side === 'master' ? openPeer(c) : -ENOTTY)],
]);

/** -ENOTTY for what terminals do not know. */
export function terminalIoctl(t: Thread, tty: Tty, side: Side, request: number, arg: number): number {
  if (side === 'slave' && tty.has(TTY_FLAG.HUNG)) return request === TIOCSPGRP ? -ENOTTY : -EIO;
  return REQUESTS.get(request)?.({ t, tty, side, arg }) ?? -ENOTTY;
}

const put = ({ t, arg }: Call, bytes: Uint8Array): number => (t.mem.write(arg, bytes) ? 0 : -EFAULT);
const putInt = ({ t, arg }: Call, value: number): number => (t.mem.writeU32(arg, value >>> 0) ? 0 : -EFAULT);
/** A master is asked for its slave's; a slave by those whose controlling terminal it is. */
const isOwn = ({ t, tty, side }: Call): boolean => side === 'master' || t.files.port.jobs?.terminal === tty.index;

function setFlag({ tty }: Call, flag: number, on: boolean): number {
  tty.setFlag(flag, on);
  return 0;
}

function flagFromMemory(c: Call, flag: number): number {
  const on = c.t.mem.readI32(c.arg);
  if (on === undefined) return -EFAULT;
  if (flag === TTY_FLAG.PACKET && on !== 0 && !c.tty.has(flag)) c.tty.set(TTY.PACKET, 0);
  return setFlag(c, flag, on !== 0);
}

function setModes({ t, tty, arg }: Call, bytes: number, flushes: boolean): number {
  const given = t.mem.read(arg, bytes);
  if (given === undefined) return -EFAULT;
  const allowed = mayChange(tty, t.files.port);
  if (allowed < 0) return allowed;
  const modes = tty.termios();
  modes.set(given);
  const v = new DataView(modes.buffer);
  if (bytes === TERMIOS_BYTES) {
    const speed = speedOf(v.getUint32(FIELD.CFLAG, true), v.getUint32(FIELD.OSPEED, true));
    v.setUint32(FIELD.ISPEED, speed, true);
    v.setUint32(FIELD.OSPEED, speed, true);
  }
  // A pseudo-terminal has eight bits and no parity.
  v.setUint32(FIELD.CFLAG, ((v.getUint32(FIELD.CFLAG, true) & ~CSIZE_PARENB) | CS8_CREAD) >>> 0, true);
  tty.s.locked(() => {
    if (flushes) flushInput(tty);
    changeModes(tty, modes);
  });
  if (tty.isHost) changeHost(tty);
  tty.wake();
  return 0;
}

function flushInput(tty: Tty): void {
  tty.flushTyped();
  packetEvent(tty, PACKET.FLUSHREAD);
}

function flushOutput(tty: Tty): void {
  tty.flushShown();
  packetEvent(tty, PACKET.FLUSHWRITE);
}

function flush({ t, tty, side, arg }: Call): number {
  if (arg !== QUEUES.IN && arg !== QUEUES.OUT && arg !== QUEUES.BOTH) return -EINVAL;
  const allowed = mayChange(tty, t.files.port);
  if (allowed < 0) return allowed;
  // What the slave reads is what the master has written, and the other way round.
  const [reads, writes] = side === 'slave' ? [flushInput, flushOutput] : [flushOutput, flushInput];
  tty.s.locked(() => {
    if (arg !== QUEUES.OUT) reads(tty);
    if (arg !== QUEUES.IN) writes(tty);
  });
  tty.wake();
  return 0;
}

function flowControl({ t, tty, side, arg }: Call): number {
  const allowed = mayChange(tty, t.files.port);
  if (allowed < 0) return allowed;
  switch (arg) {
    case FLOW.OUTPUT_OFF:
    case FLOW.OUTPUT_ON:
      tty.setFlag(TTY_FLAG.TCO_STOPPED, arg === FLOW.OUTPUT_OFF);
      break;
    case FLOW.INPUT_OFF:
    case FLOW.INPUT_ON: {
      const char = tty.char(arg === FLOW.INPUT_OFF ? CC.STOP : CC.START);
      if (char === 0 || side === 'master') return 0;
      tty.s.locked(() => {
        tty.show(char);
      });
      break;
    }
    default:
      return -EINVAL;
  }
  tty.wake();
  return 0;
}

/** struct winsize. */
function windowSize(tty: Tty): Uint8Array {
  const fields = [TTY.ROWS, TTY.COLUMNS, TTY.WIDTH, TTY.HEIGHT].map((f) => tty.get(f));
  return new Uint8Array(Uint16Array.from(fields).buffer);
}

function resize({ t, tty, arg }: Call): number {
  const bytes = t.mem.read(arg, WINSIZE_BYTES);
  if (bytes === undefined) return -EFAULT;
  const [rows = 0, columns = 0, width = 0, height = 0] = new Uint16Array(bytes.slice().buffer);
  setWindowSize(tty, { rows, columns, width, height });
  return 0;
}

/** A change is told to the foreground process group. */
export function setWindowSize(
  tty: Tty,
  size: { readonly rows: number; readonly columns: number; readonly width: number; readonly height: number },
): void {
  const changed = tty.s.locked(() => {
    const fields: readonly [number, number][] = [
      [TTY.ROWS, size.rows],
      [TTY.COLUMNS, size.columns],
      [TTY.WIDTH, size.width],
      [TTY.HEIGHT, size.height],
    ];
    const differs = fields.some(([field, value]) => tty.get(field) !== value);
    for (const [field, value] of fields) tty.set(field, value);
    return differs;
  });
  if (changed) signalForeground(tty, SIGWINCH);
}

const lineDiscipline = (number: number | undefined): number =>
  number === undefined ? -EFAULT : number === 0 ? 0 : -EINVAL;

function sendSignal({ tty, side, arg }: Call): number {
  if (side !== 'master') return -ENOTTY;
  if (arg < 1 || arg > 64) return -EINVAL;
  signalForeground(tty, arg);
  return 0;
}

function virtualHangUp({ t, tty }: Call): number {
  const { jobs } = t.files.port;
  if (jobs?.isRoot !== true) return -EPERM;
  const session = tty.get(TTY.SESSION);
  const foreground = tty.get(TTY.FOREGROUND);
  tty.s.locked(() => {
    hangUp(tty);
  });
  tty.wake();
  if (session !== 0) jobs.hangUp(session, tty.index, foreground);
  return 0;
}

function openPeer({ t, tty, arg }: Call): number {
  const file = openTty(t.files, tty, slavePath(tty), (arg & ~CREATION_FLAGS) | (arg & O_NOCTTY));
  return file < 0 ? file : giveDescriptor(t.files, file, (arg & O_CLOEXEC) !== 0);
}
