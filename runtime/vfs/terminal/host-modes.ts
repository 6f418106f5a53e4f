/**
 * What of a guest's modes the host's terminal can do by itself. In: a terminal's record. Out: whether it is to be cooked, and what is written to it. In either mode of Node the
 * host maps newlines to CR and NL. Source: Node's tty (setRawMode), libuv's uv_tty_set_mode; man 3 termios, man 4 console_codes (VT).
 */
import { FIELD, freshTermios, IFLAG, LFLAG, OFLAG } from './termios.js';
import type { Tty } from './tty.js';

/** Bits whose meaning does not show in what is typed and echoed by lines, or that the host has set as its user likes. */
const ANY_IFLAG = IFLAG.IUTF8 | IFLAG.IMAXBEL | IFLAG.IXANY | IFLAG.BRKINT | IFLAG.IGNBRK;
const ANY_LFLAG = LFLAG.TOSTOP | LFLAG.NOFLSH;
const LAST_CHAR = FIELD.CHARS + 17;
const FRESH = freshTermios();
const NL = 10;
/** Moves the cursor down as NL does, and is left alone by the host. */
const VT = 11;

/** True: the host's line discipline does what the guest's modes say. */
export function hostIsCooked(tty: Tty): boolean {
  const modes = tty.termios();
  const word = (bytes: Uint8Array, field: number): number => new DataView(bytes.buffer).getUint32(field, true);
  if (((word(modes, FIELD.IFLAG) ^ word(FRESH, FIELD.IFLAG)) & ~ANY_IFLAG) !== 0) return false;
  if (((word(modes, FIELD.LFLAG) ^ word(FRESH, FIELD.LFLAG)) & ~ANY_LFLAG) !== 0) return false;
  for (let i: number = FIELD.CHARS; i < LAST_CHAR; i++) if (modes[i] !== FRESH[i]) return false;
  return true;
}

const OUTPUT = OFLAG.OPOST | OFLAG.OLCUC | OFLAG.ONLCR | OFLAG.OCRNL | OFLAG.ONOCR | OFLAG.ONLRET | OFLAG.XTABS;

/** True: output needs no processing but the host's. */
export const hostOutput = (tty: Tty): boolean => (tty.oflag & OUTPUT) === (OFLAG.OPOST | OFLAG.ONLCR);

/** A byte of processed output, for a host that puts a CR before NL. */
export const rawNewline = (byte: number): number => (byte === NL ? VT : byte);
