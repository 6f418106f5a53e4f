/**
 * A terminal in the shared region: the host's (index 0) or a pair of pseudo-terminals, with the line discipline's state, the ring of what was typed and the ring of
 * what the master reads. In: its index. Out: Tty. Fields are changed with the region's lock held. Source: man 7 pty, man 2 ioctl_tty.
 */
import { AREA, MAX_TTYS, TTY, TTY_RING } from '../layout.js';
import type { VfsState } from '../state.js';
import { wakeAll } from '../wait-queue.js';
import { FIELD, freshTermios, TERMIOS2_BYTES } from './termios.js';

/** Index of the host's terminal. */
export const HOST_TTY = 0;

/** TTY.FLAGS. */
export const TTY_FLAG = {
  /** TIOCSPTLCK: the slave can't be opened. */
  LOCKED: 1,
  /** Output is stopped by VSTOP; by TCOOFF. */
  STOPPED: 2,
  TCO_STOPPED: 4,
  /** The slave's descriptors are dead: the master is closed, or vhangup. */
  HUNG: 8,
  /** TIOCEXCL. */
  EXCLUSIVE: 16,
  /** TIOCPKT. */
  PACKET: 32,
  /** The next character is taken as it is. */
  LNEXT: 64,
  /** ECHOPRT: within \ and /. */
  ERASING: 128,
  /** A slave was open, and none is now. */
  SLAVES_GONE: 256,
  /** The host's terminal is raw. */
  HOST_RAW: 512,
} as const;

/** Marks of bytes in the ring of what was typed. */
export const TYPED = {
  PLAIN: 0,
  /** Last byte of a line. */ END: 1,
  /** End of file: not a byte to be read. */ EOF: 2,
} as const;

const MASK = TTY_RING - 1;
/** Room in the master's ring that only echoes may take. */
const ECHO_ROOM = 4096;

export class Tty {
  private readonly word: number;
  private readonly typed: number;
  private readonly marks: number;
  private readonly shown: number;

  constructor(
    readonly s: VfsState,
    readonly index: number,
  ) {
    this.word = AREA.TTYS + index * TTY.SIZE;
    this.typed = AREA.TTY_TYPED * 4 + index * TTY_RING;
    this.marks = AREA.TTY_MARKS * 4 + index * TTY_RING;
    this.shown = AREA.TTY_SHOWN * 4 + index * TTY_RING;
  }

  /** Plain loads and stores: the region's lock orders them, and bytes are typed and shown one by one. */
  get(field: number): number {
    return this.s.peek(this.word + field);
  }
  set(field: number, value: number): void {
    this.s.words[this.word + field] = value;
  }
  has(flag: number): boolean {
    return (this.get(TTY.FLAGS) & flag) !== 0;
  }
  setFlag(flag: number, on: boolean): void {
    if (on) Atomics.or(this.s.words, this.word + TTY.FLAGS, flag);
    else Atomics.and(this.s.words, this.word + TTY.FLAGS, ~flag);
  }
  get isHost(): boolean {
    return this.index === HOST_TTY;
  }
  get queue(): number {
    return this.word + TTY.QUEUE;
  }
  wake(): void {
    wakeAll(this.s, this.queue);
  }

  /** A record for a new terminal. */
  reset(): void {
    this.s.words.fill(0, this.word, this.word + TTY.SIZE);
    this.setTermios(freshTermios());
    this.set(TTY.USED, 1);
  }

  /** It is no session's controlling terminal any more. */
  clearSession(): void {
    this.set(TTY.SESSION, 0);
    this.set(TTY.FOREGROUND, 0);
  }

  /** struct termios2. */
  termios(): Uint8Array {
    const at = (this.word + TTY.TERMIOS) * 4;
    return this.s.bytes.slice(at, at + TERMIOS2_BYTES);
  }
  setTermios(modes: Uint8Array): void {
    this.s.bytes.set(modes, (this.word + TTY.TERMIOS) * 4);
  }
  get iflag(): number {
    return this.get(TTY.TERMIOS + FIELD.IFLAG / 4);
  }
  get oflag(): number {
    return this.get(TTY.TERMIOS + FIELD.OFLAG / 4);
  }
  get lflag(): number {
    return this.get(TTY.TERMIOS + FIELD.LFLAG / 4);
  }
  /** Control character `i` (CC); 0: none. */
  char(i: number): number {
    return this.s.bytes[(this.word + TTY.TERMIOS) * 4 + FIELD.CHARS + i] ?? 0;
  }

  /** Bytes typed and not read, whether they make a line or not. */
  get typedBytes(): number {
    return (this.get(TTY.IN_HEAD) - this.get(TTY.IN_TAIL)) >>> 0;
  }
  /** Those of them that belong to whole lines. */
  get lineBytes(): number {
    return (this.get(TTY.IN_LINE) - this.get(TTY.IN_TAIL)) >>> 0;
  }
  get typedRoom(): number {
    return TTY_RING - 1 - this.typedBytes;
  }
  typedAt(position: number): number {
    return this.s.bytes[this.typed + (position & MASK)] ?? 0;
  }
  markAt(position: number): number {
    return this.s.bytes[this.marks + (position & MASK)] ?? 0;
  }
  setMark(position: number, mark: number): void {
    this.s.bytes[this.marks + (position & MASK)] = mark;
  }
  /** Appends a byte to what was typed; the caller has seen to the room. */
  type(byte: number, mark: number): void {
    const head = this.get(TTY.IN_HEAD);
    this.s.bytes[this.typed + (head & MASK)] = byte;
    this.s.bytes[this.marks + (head & MASK)] = mark;
    this.set(TTY.IN_HEAD, (head + 1) | 0);
  }
  /** What was typed up to here can be read. */
  endLine(): void {
    this.set(TTY.IN_LINE, this.get(TTY.IN_HEAD));
  }
  flushTyped(): void {
    this.set(TTY.IN_TAIL, this.get(TTY.IN_HEAD));
    this.set(TTY.IN_LINE, this.get(TTY.IN_HEAD));
  }

  /** Bytes for the master. */
  get shownBytes(): number {
    return (this.get(TTY.OUT_HEAD) - this.get(TTY.OUT_TAIL)) >>> 0;
  }
  /** Room for what the slave writes; that of echoes is larger. */
  get shownRoom(): number {
    return TTY_RING - ECHO_ROOM - this.shownBytes;
  }
  /** What there is no room for is lost: echoes alone come to that. */
  readonly show = (byte: number): void => {
    if (this.shownBytes >= TTY_RING) return;
    const head = this.get(TTY.OUT_HEAD);
    this.s.bytes[this.shown + (head & MASK)] = byte;
    this.set(TTY.OUT_HEAD, (head + 1) | 0);
  };
  flushShown(): void {
    this.set(TTY.OUT_TAIL, this.get(TTY.OUT_HEAD));
  }
  /** Takes what the master reads. */
  takeShown(dst: Uint8Array): number {
    const n = Math.min(dst.length, this.shownBytes);
    const tail = this.get(TTY.OUT_TAIL);
    for (let i = 0; i < n; i++) dst[i] = this.s.bytes[this.shown + ((tail + i) & MASK)] ?? 0;
    this.set(TTY.OUT_TAIL, (tail + n) | 0);
    return n;
  }
}

/** The pair of /dev/pts/NUMBER, whose master is open; undefined where there is none. */
export function findPair(s: VfsState, number: number): Tty | undefined {
  for (let i = HOST_TTY + 1; i < MAX_TTYS; i++) {
    const tty = new Tty(s, i);
    if (tty.get(TTY.MASTERS) > 0 && tty.get(TTY.NUMBER) === number) return tty;
  }
  return undefined;
}
