/**
 * Output processing (OPOST), and the echo of what is typed. In: bytes that a program writes or a user types. Out: bytes for the sink: the master's ring, or the
 * host's terminal. The caller holds the region's lock. Source: man 3 termios (c_oflag; ECHO, ECHOCTL).
 */
import { TTY } from '../layout.js';
import { IFLAG, LFLAG, OFLAG } from './termios.js';
import { TTY_FLAG, type Tty } from './tty.js';

export type Sink = (byte: number) => void;

export const NL = 10;
export const CR = 13;
const TAB = 9;
const BACKSPACE = 8;
const SPACE = 32;
const CARET = 94;
const TAB_STOP = 8;
/** Bytes that one byte becomes at most. */
export const LONGEST_OUTPUT = TAB_STOP;

/** Control characters of ASCII. */
export const isControl = (byte: number): boolean => byte < SPACE || byte === 127;
/** Second and further bytes of a UTF-8 character, where the terminal knows UTF-8. */
export const continues = (tty: Tty, byte: number): boolean => (tty.iflag & IFLAG.IUTF8) !== 0 && (byte & 0xc0) === 0x80;

/** A byte that a program writes. */
export function putOutput(tty: Tty, sink: Sink, byte: number): void {
  const flags = tty.oflag;
  if ((flags & OFLAG.OPOST) === 0) {
    sink(byte);
    return;
  }
  const column = tty.get(TTY.COLUMN);
  switch (byte) {
    case NL:
      if ((flags & OFLAG.ONLCR) !== 0) sink(CR);
      if ((flags & (OFLAG.ONLCR | OFLAG.ONLRET)) !== 0) setColumn(tty, 0);
      sink(NL);
      return;
    case CR:
      if ((flags & OFLAG.ONOCR) !== 0 && column === 0) return;
      if ((flags & OFLAG.OCRNL) !== 0) {
        if ((flags & OFLAG.ONLRET) !== 0) setColumn(tty, 0);
        sink(NL);
        return;
      }
      setColumn(tty, 0);
      sink(CR);
      return;
    case TAB: {
      const width = TAB_STOP - (column % TAB_STOP);
      tty.set(TTY.COLUMN, column + width);
      if ((flags & OFLAG.XTABS) === OFLAG.XTABS) for (let i = 0; i < width; i++) sink(SPACE);
      else sink(TAB);
      return;
    }
    case BACKSPACE:
      if (column > 0) tty.set(TTY.COLUMN, column - 1);
      sink(byte);
      return;
    default: {
      const upper = (flags & OFLAG.OLCUC) !== 0 && byte >= 97 && byte <= 122;
      if (!isControl(byte) && !continues(tty, byte)) tty.set(TTY.COLUMN, column + 1);
      sink(upper ? byte - 32 : byte);
    }
  }
}

/** A carriage return has been put: a line that is being typed begins here, too. */
function setColumn(tty: Tty, column: number): void {
  tty.set(TTY.COLUMN, column);
  tty.set(TTY.LINE_COLUMN, column);
}

/** The echo of a character as ECHOCTL shows it: ^X for control characters other than the tab. */
export function echoByte(tty: Tty, sink: Sink, byte: number): void {
  if ((tty.lflag & LFLAG.ECHOCTL) === 0 || !isControl(byte) || byte === TAB) {
    putOutput(tty, sink, byte);
    return;
  }
  putRaw(tty, sink, CARET, byte ^ 0x40);
}

/** Echoes without ^X: line ends, and what moves the cursor. */
export function echoRaw(tty: Tty, sink: Sink, ...bytes: readonly number[]): void {
  for (const b of bytes) putOutput(tty, sink, b);
}

/** Printable characters past OPOST. */
function putRaw(tty: Tty, sink: Sink, ...bytes: readonly number[]): void {
  tty.set(TTY.COLUMN, tty.get(TTY.COLUMN) + bytes.length);
  for (const b of bytes) sink(b);
}

/** Wipes out the last `width` columns. */
export function eraseColumns(tty: Tty, sink: Sink, width: number): void {
  for (let i = 0; i < width; i++) echoRaw(tty, sink, BACKSPACE, SPACE, BACKSPACE);
}

/** Moves the cursor back over a tab. */
export function eraseTab(tty: Tty, sink: Sink, width: number): void {
  for (let i = 0; i < width; i++) {
    sink(BACKSPACE);
    if (tty.get(TTY.COLUMN) > 0) tty.set(TTY.COLUMN, tty.get(TTY.COLUMN) - 1);
  }
}

/** The / that ends what ECHOPRT shows of erased characters. */
export function finishErasing(tty: Tty, sink: Sink): void {
  if (!tty.has(TTY_FLAG.ERASING)) return;
  tty.setFlag(TTY_FLAG.ERASING, false);
  echoRaw(tty, sink, 47);
}
