/**
 * What becomes of a typed byte: flow control, signals, line editing, echo, or a place in the ring of what a program reads. In: bytes from the master or from the
 * host's terminal, in raw mode. Out: the ring, echoes, signals for the foreground process group. The caller holds the region's lock, and sends the signals afterwards.
 * Source: man 3 termios (c_iflag, c_lflag, canonical mode).
 */
import { TTY } from '../layout.js';
import { SIGINT, SIGQUIT, SIGTSTP } from '../../linux/signals.js';
import { editLine } from './line-editing.js';
import { CR, echoByte, echoRaw, finishErasing, NL, type Sink } from './output.js';
import { CC, IFLAG, LFLAG } from './termios.js';
import { TTY_FLAG, TYPED, type Tty } from './tty.js';

/** TIOCPKT_* bits. */
export const PACKET = {
  FLUSHREAD: 1,
  FLUSHWRITE: 2,
  STOP: 4,
  START: 8,
  NOSTOP: 16,
  DOSTOP: 32,
  IOCTL: 64,
} as const;

/** Longest line in canonical mode, its end not counted. */
const LONGEST_LINE = 4095;
const BELL = 7;

/** Takes typed bytes, as many as there is room for; gives their number. `signals` gets those that ISIG makes of them. */
export function receive(tty: Tty, sink: Sink, bytes: Uint8Array, signals: number[]): number {
  for (const [i, byte] of bytes.entries()) {
    // A byte may take two places (PARMRK); one is left for the end of a line.
    if (tty.typedRoom < 3) return i;
    receiveByte(tty, sink, byte, signals);
  }
  return bytes.length;
}

function receiveByte(tty: Tty, sink: Sink, typed: number, signals: number[]): void {
  const { iflag, lflag } = tty;
  let c = typed;
  if ((iflag & IFLAG.ISTRIP) !== 0) c &= 0x7f;
  if ((iflag & IFLAG.IUCLC) !== 0 && (lflag & LFLAG.IEXTEN) !== 0 && c >= 65 && c <= 90) c += 32;
  if (tty.has(TTY_FLAG.LNEXT)) {
    tty.setFlag(TTY_FLAG.LNEXT, false);
    plain(tty, sink, c);
    return;
  }
  if ((lflag & LFLAG.EXTPROC) !== 0) {
    store(tty, c);
    return;
  }
  if ((iflag & IFLAG.IXON) !== 0 && c !== 0) {
    if (c === tty.char(CC.START)) {
      startOutput(tty);
      return;
    }
    if (c === tty.char(CC.STOP)) {
      stopOutput(tty);
      return;
    }
    if ((iflag & IFLAG.IXANY) !== 0) startOutput(tty);
  }
  const signal = (lflag & LFLAG.ISIG) === 0 ? 0 : signalOf(tty, c);
  if (signal !== 0) {
    interrupt(tty, sink, c, signal, signals);
    return;
  }
  if (c === CR) {
    if ((iflag & IFLAG.IGNCR) !== 0) return;
    if ((iflag & IFLAG.ICRNL) !== 0) c = NL;
  } else if (c === NL && (iflag & IFLAG.INLCR) !== 0) {
    c = CR;
  }
  if ((lflag & LFLAG.ICANON) !== 0 && canonical(tty, sink, c)) return;
  plain(tty, sink, c, typed === CR && c === NL);
}

function signalOf(tty: Tty, c: number): number {
  if (c === 0) return 0;
  if (c === tty.char(CC.INTR)) return SIGINT;
  if (c === tty.char(CC.QUIT)) return SIGQUIT;
  return c === tty.char(CC.SUSP) ? SIGTSTP : 0;
}

function interrupt(tty: Tty, sink: Sink, c: number, signal: number, signals: number[]): void {
  if ((tty.lflag & LFLAG.NOFLSH) === 0) {
    tty.flushTyped();
    tty.setFlag(TTY_FLAG.ERASING, false);
    tty.flushShown();
    packetEvent(tty, PACKET.FLUSHREAD | PACKET.FLUSHWRITE);
  }
  signals.push(signal);
  if ((tty.iflag & IFLAG.IXON) !== 0) startOutput(tty);
  if ((tty.lflag & LFLAG.ECHO) !== 0) echoByte(tty, sink, c);
}

/** Line ends and editing. False: the character is an ordinary one. */
function canonical(tty: Tty, sink: Sink, c: number): boolean {
  const { lflag } = tty;
  const extended = (lflag & LFLAG.IEXTEN) !== 0;
  if (c === NL) {
    if ((lflag & (LFLAG.ECHO | LFLAG.ECHONL)) !== 0) {
      finishErasing(tty, sink);
      echoRaw(tty, sink, NL);
    }
    tty.type(NL, TYPED.END);
    tty.endLine();
    return true;
  }
  if (c === 0) return false;
  if (editLine(tty, sink, c)) return true;
  if (c === tty.char(CC.EOF)) {
    tty.type(0, TYPED.EOF);
    tty.endLine();
    return true;
  }
  if (c === tty.char(CC.EOL) || (extended && c === tty.char(CC.EOL2))) {
    echo(tty, sink, c);
    doubled(tty, c);
    tty.type(c, TYPED.END);
    tty.endLine();
    return true;
  }
  return false;
}

/** `newline`: a return key that has become one; the echo of a newline that is typed as such is ^J in noncanonical mode. */
function plain(tty: Tty, sink: Sink, c: number, newline = false): void {
  const line = tty.get(TTY.IN_HEAD) - tty.get(TTY.IN_LINE);
  if ((tty.lflag & LFLAG.ICANON) !== 0 && line >= LONGEST_LINE) {
    if ((tty.iflag & IFLAG.IMAXBEL) !== 0) sink(BELL);
    return;
  }
  echo(tty, sink, c, newline);
  store(tty, c);
}

function echo(tty: Tty, sink: Sink, c: number, newline = false): void {
  if ((tty.lflag & LFLAG.ECHO) === 0) return;
  finishErasing(tty, sink);
  if (newline) {
    echoRaw(tty, sink, NL);
    return;
  }
  if (tty.get(TTY.IN_HEAD) === tty.get(TTY.IN_LINE)) tty.set(TTY.LINE_COLUMN, tty.get(TTY.COLUMN));
  echoByte(tty, sink, c);
}

function store(tty: Tty, c: number): void {
  doubled(tty, c);
  tty.type(c, TYPED.PLAIN);
}

/** PARMRK: 0xff is marked by another one. */
function doubled(tty: Tty, c: number): void {
  if (c === 0xff && (tty.iflag & (IFLAG.PARMRK | IFLAG.ISTRIP)) === IFLAG.PARMRK) tty.type(c, TYPED.PLAIN);
}

/** Lets output go on that VSTOP has stopped. */
function startOutput(tty: Tty): void {
  if (!tty.has(TTY_FLAG.STOPPED)) return;
  tty.setFlag(TTY_FLAG.STOPPED, false);
  packetEvent(tty, PACKET.START);
}

function stopOutput(tty: Tty): void {
  if (tty.has(TTY_FLAG.STOPPED)) return;
  tty.setFlag(TTY_FLAG.STOPPED, true);
  packetEvent(tty, PACKET.STOP);
}

/** Notes what the master is to be told in packet mode. */
export function packetEvent(tty: Tty, bits: number): void {
  if (!tty.has(TTY_FLAG.PACKET)) return;
  let before = tty.get(TTY.PACKET);
  // The later of two opposites counts.
  if ((bits & PACKET.START) !== 0) before &= ~PACKET.STOP;
  if ((bits & PACKET.STOP) !== 0) before &= ~PACKET.START;
  if ((bits & PACKET.DOSTOP) !== 0) before &= ~PACKET.NOSTOP;
  if ((bits & PACKET.NOSTOP) !== 0) before &= ~PACKET.DOSTOP;
  tty.set(TTY.PACKET, before | bits);
}

/** New modes: what was typed so far is a line, or is none any more, where ICANON changes. */
export function changeModes(tty: Tty, modes: Uint8Array): void {
  const before = tty.lflag;
  const flowBefore = usesFlow(tty);
  tty.setTermios(modes);
  if (((before ^ tty.lflag) & (LFLAG.ICANON | LFLAG.EXTPROC)) !== 0) {
    const head = tty.get(TTY.IN_HEAD);
    const tail = tty.get(TTY.IN_TAIL);
    for (let at = tail; at !== head; at = (at + 1) | 0) tty.setMark(at, TYPED.PLAIN);
    tty.set(TTY.IN_LINE, tail);
    if ((tty.lflag & LFLAG.ICANON) !== 0 && head !== tail) {
      tty.setMark((head - 1) | 0, TYPED.END);
      tty.endLine();
    }
    tty.setFlag(TTY_FLAG.ERASING | TTY_FLAG.LNEXT, false);
  }
  if ((tty.iflag & IFLAG.IXON) === 0) startOutput(tty);
  const flow = usesFlow(tty);
  if (flow !== flowBefore) packetEvent(tty, flow ? PACKET.DOSTOP : PACKET.NOSTOP);
}

/** Whether ^S and ^Q mean flow control: what the master of a pair in packet mode wants to know. */
function usesFlow(tty: Tty): boolean {
  return (tty.iflag & IFLAG.IXON) !== 0 && tty.char(CC.STOP) === 19 && tty.char(CC.START) === 17;
}
