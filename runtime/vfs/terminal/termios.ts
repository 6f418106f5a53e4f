/**
 * struct termios as the terminals keep it, and the bits that the line discipline looks at. In: nothing. Out: constants, the modes of a fresh terminal.
 * Source: man 3 termios; the kernel's struct termios2 (asm-generic/termbits.h).
 */

/** Bytes of the kernel's struct termios: four flag words, c_line, 19 control characters; struct termios2 has two speeds more. */
export const TERMIOS_BYTES = 36;
export const TERMIOS2_BYTES = 44;
/** Offsets of the flag words, and of the control characters. */
export const FIELD = { IFLAG: 0, OFLAG: 4, CFLAG: 8, LFLAG: 12, LINE: 16, CHARS: 17, ISPEED: 36, OSPEED: 40 } as const;

export const IFLAG = {
  IGNBRK: 0o1,
  BRKINT: 0o2,
  PARMRK: 0o10,
  ISTRIP: 0o40,
  INLCR: 0o100,
  IGNCR: 0o200,
  ICRNL: 0o400,
  IUCLC: 0o1000,
  IXON: 0o2000,
  IXANY: 0o4000,
  IXOFF: 0o10000,
  IMAXBEL: 0o20000,
  IUTF8: 0o40000,
} as const;

export const OFLAG = {
  OPOST: 0o1,
  OLCUC: 0o2,
  ONLCR: 0o4,
  OCRNL: 0o10,
  ONOCR: 0o20,
  ONLRET: 0o40,
  /** Both bits: tabs become spaces. */
  XTABS: 0o14000,
} as const;

export const LFLAG = {
  ISIG: 0o1,
  ICANON: 0o2,
  ECHO: 0o10,
  ECHOE: 0o20,
  ECHOK: 0o40,
  ECHONL: 0o100,
  NOFLSH: 0o200,
  TOSTOP: 0o400,
  ECHOCTL: 0o1000,
  ECHOPRT: 0o2000,
  ECHOKE: 0o4000,
  IEXTEN: 0o100000,
  EXTPROC: 0o200000,
} as const;

/** Indices of the control characters. */
export const CC = {
  INTR: 0,
  QUIT: 1,
  ERASE: 2,
  KILL: 3,
  EOF: 4,
  TIME: 5,
  MIN: 6,
  START: 8,
  STOP: 9,
  SUSP: 10,
  EOL: 11,
  REPRINT: 12,
  WERASE: 14,
  LNEXT: 15,
  EOL2: 16,
} as const;

/** Modes of a fresh terminal: c_iflag ICRNL|IXON, c_oflag OPOST|ONLCR, c_cflag B38400|CS8|CREAD, c_lflag ISIG|ICANON|ECHO|ECHOE|ECHOK|ECHOCTL|ECHOKE|IEXTEN. */
const FRESH_FLAGS = [0o2400, 0o5, 0o277, 0o105073] as const;
/** VINTR ^C, VQUIT ^\, VERASE DEL, VKILL ^U, VEOF ^D, VTIME 0, VMIN 1, VSWTC, VSTART ^Q, VSTOP ^S, VSUSP ^Z, VEOL, VREPRINT ^R, VDISCARD ^O, VWERASE ^W, VLNEXT ^V, VEOL2. */
const FRESH_CHARS = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0] as const;
const SPEED_38400 = 38400;

/** struct termios2 of a terminal that nobody has changed. */
export function freshTermios(): Uint8Array {
  const bytes = new Uint8Array(TERMIOS2_BYTES);
  const v = new DataView(bytes.buffer);
  FRESH_FLAGS.forEach((flags, i) => {
    v.setUint32(i * 4, flags, true);
  });
  bytes.set(FRESH_CHARS, FIELD.CHARS);
  v.setUint32(FIELD.ISPEED, SPEED_38400, true);
  v.setUint32(FIELD.OSPEED, SPEED_38400, true);
  return bytes;
}

/** Bits of c_cflag that name a speed, and the speeds in their order: the second row with CBAUDEX. */
const CBAUD = 0o10017;
const CBAUDEX = 0o10000;
const SPEEDS = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400] as const;
const HIGH_SPEEDS = [
  0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000,
  3500000, 4000000,
] as const;

/** Speed that c_cflag names; `other` where it says that the speed is one of its own (BOTHER). */
export function speedOf(cflag: number, other: number): number {
  const index = cflag & CBAUD & ~CBAUDEX;
  if ((cflag & CBAUDEX) === 0) return SPEEDS[index] ?? 0;
  return index === 0 ? other : (HIGH_SPEEDS[index] ?? 0);
}
