/**
 * The terminal as guests see it: modes and size. Node can switch the host's terminal between cooked and raw only, so the guest's termios are kept
 * here, and ICANON decides. In: state. Out: struct termios, struct winsize. Source: man 2 ioctl_tty, man 3 termios.
 */
import type { ReadStream } from 'node:tty';
import { isTerminal, nodeModules } from '../linux/node-modules.js';
import { AREA, HEAD } from './layout.js';
import type { VfsState } from './state.js';

/** Bytes of the kernel's struct termios: four flag words, c_line, 19 control characters; struct termios2 has two speeds more. */
export const TERMIOS_BYTES = 36;
export const TERMIOS2_BYTES = 44;
const ICANON = 0o2;

/** Modes of a fresh terminal: c_iflag ICRNL|IXON, c_oflag OPOST|ONLCR, c_cflag B38400|CS8|CREAD, c_lflag ISIG|ICANON|ECHO|ECHOE|ECHOK|ECHOCTL|ECHOKE|IEXTEN. */
const FRESH_FLAGS = [0o2400, 0o5, 0o277, 0o105073] as const;
/** VINTR ^C, VQUIT ^\, VERASE DEL, VKILL ^U, VEOF ^D, VTIME 0, VMIN 1, VSWTC, VSTART ^Q, VSTOP ^S, VSUSP ^Z, VEOL, VREPRINT ^R, VDISCARD ^O, VWERASE ^W, VLNEXT ^V. */
const FRESH_CHARS = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0] as const;
const B38400 = 38400;

const WORD = AREA.HEAD + HEAD.TERMIOS;

/** struct termios2: TERMIOS_BYTES of it are struct termios. */
export function readTermios(s: VfsState): Uint8Array {
  if (s.get(AREA.HEAD + HEAD.TERMIOS_SET) !== 0) {
    return s.locked(() => s.bytes.slice(WORD * 4, WORD * 4 + TERMIOS2_BYTES));
  }
  const bytes = new Uint8Array(TERMIOS2_BYTES);
  const v = new DataView(bytes.buffer);
  FRESH_FLAGS.forEach((flags, i) => {
    v.setUint32(i * 4, flags, true);
  });
  bytes.set(FRESH_CHARS, 17);
  v.setUint32(36, B38400, true);
  v.setUint32(40, B38400, true);
  return bytes;
}

/** Takes new modes, and tells the main thread when the terminal turns raw or cooked. `modes`: TERMIOS_BYTES or TERMIOS2_BYTES. */
export function writeTermios(s: VfsState, modes: Uint8Array): void {
  const before = readTermios(s);
  const after = before.slice();
  after.set(modes);
  s.locked(() => {
    s.bytes.set(after, WORD * 4);
  });
  s.set(AREA.HEAD + HEAD.TERMIOS_SET, 1);
  const raw = isRaw(after);
  if (raw !== isRaw(before)) s.port.setTerminalRaw(raw);
}

const isRaw = (termios: Uint8Array): boolean => ((termios[12] ?? 0) & ICANON) === 0;

/** Rows and columns; 0 where lift64 has no terminal. */
export function windowSize(s: VfsState): { readonly rows: number; readonly columns: number } {
  return { rows: s.get(AREA.HEAD + HEAD.WINDOW_ROWS), columns: s.get(AREA.HEAD + HEAD.WINDOW_COLUMNS) };
}

export function setWindowSize(s: VfsState, rows: number, columns: number): void {
  s.set(AREA.HEAD + HEAD.WINDOW_ROWS, rows);
  s.set(AREA.HEAD + HEAD.WINDOW_COLUMNS, columns);
}

/** Foreground process group that a guest has set; 0 none. */
export const foregroundGroup = (s: VfsState): number => s.get(AREA.HEAD + HEAD.FOREGROUND);
export const setForegroundGroup = (s: VfsState, group: number): void => {
  s.set(AREA.HEAD + HEAD.FOREGROUND, group);
};

/** The host's terminal, on the main thread: tells its size, follows its changes, and sets its modes. */
export class HostTerminal {
  private input: ReadStream | undefined;
  private readonly listener: (() => void) | undefined;

  /** `resized` is called after a change of the size (SIGWINCH to the guest's foreground group). */
  constructor(
    private readonly state: VfsState,
    resized: () => void,
  ) {
    if (!isTerminal(1)) return;
    this.measure();
    this.listener = () => {
      this.measure();
      resized();
    };
    process.on('SIGWINCH', this.listener);
  }

  /** The guest is over. */
  close(): void {
    if (this.listener !== undefined) process.off('SIGWINCH', this.listener);
  }

  private measure(): void {
    const [columns, rows] = process.stdout.getWindowSize();
    setWindowSize(this.state, rows, columns);
  }

  /** Serves KernelPort.setTerminalRaw. */
  setRaw(raw: boolean): void {
    if (!isTerminal(0)) return;
    this.input ??= new (nodeModules.tty().ReadStream)(0);
    this.input.unref();
    this.input.setRawMode(raw);
  }
}
