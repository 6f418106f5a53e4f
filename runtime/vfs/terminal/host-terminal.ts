/**
 * The host's terminal, on the main thread. Node can switch it between cooked and raw only. While the guest's modes are those of a fresh terminal the host's line discipline is
 * at work, and a line is read when a guest wants one: what is typed ahead stays for the programs after lift64. With any other modes the host's terminal is raw, all that is typed is
 * read, and goes through our own line discipline. In: the terminal's record. Out: its ring of typed bytes, echoes, signals, its size. Source: Node's tty; man 3 termios.
 */
import * as fs from 'node:fs';
import type { ReadStream } from 'node:tty';
import { isTerminal, nodeModules } from '../../linux/node-modules.js';
import { HostReader } from '../../threads/host-reader.js';
import { hostFailure } from '../host-error.js';
import { TTY } from '../layout.js';
import { hostName } from '../mount-table.js';
import { LINUX_HOST } from '../open-flags.js';
import type { VfsState } from '../state.js';
import { EAGAIN } from '../../linux/errno.js';
import { signalForeground } from './access.js';
import { hostIsCooked, rawNewline } from './host-modes.js';
import { receive } from './line-discipline.js';
import { setWindowSize } from './terminal-ioctl.js';
import { HOST_TTY, Tty, TTY_FLAG, TYPED } from './tty.js';

/** Session of lift64 itself (runtime/process/boot.ts). */
export interface OwnSession {
  readonly pgid: number;
  readonly sid: number;
  readonly terminal?: number;
  readonly foreground?: number;
}

/** Bytes of one read: a line of the host has no more. */
const READ_BYTES = 4096;
/** An echo that the host's terminal has no room for is tried again after this time. */
const ECHO_RETRY_MS = 5;
const MEMORY_DEVICES_MAJOR = 1;

export class HostTerminal {
  private readonly tty: Tty;
  private readonly reader = new HostReader();
  /** Descriptor to read from; -1: there is no terminal. */
  private readonly fd: number;
  private input: ReadStream | undefined;
  private raw = false;
  private reading = false;
  private echo = Buffer.alloc(0);
  private readonly listeners: [NodeJS.Signals, () => void][] = [];

  constructor(
    private readonly state: VfsState,
    session: OwnSession,
  ) {
    this.tty = new Tty(state, HOST_TTY);
    this.fd = findTerminal(session.terminal);
    if (this.fd < 0) return;
    const { tty } = this;
    const rdev = fs.fstatSync(this.fd).rdev;
    tty.reset();
    tty.set(TTY.HOST_FD, nonBlocking(this.fd));
    tty.set(TTY.HOST_RDEV, rdev);
    tty.set(TTY.NUMBER, numberOf(this.fd));
    // Where the host does not tell, it is taken for the controlling terminal.
    if (session.terminal === undefined || session.terminal === rdev || this.fd > 2) {
      tty.set(TTY.SESSION, session.sid);
      tty.set(TTY.FOREGROUND, session.foreground ?? session.pgid);
    }
    this.measure();
    this.listen('SIGWINCH', () => {
      this.measure();
    });
    this.listen('SIGCONT', () => {
      // The shell that continues lift64 may have changed the modes.
      if (this.raw && this.input !== undefined) switchMode(this.input, true);
    });
  }

  /** Whether it is the controlling terminal of the first process. */
  get isControlling(): boolean {
    return this.fd >= 0 && this.tty.get(TTY.SESSION) !== 0;
  }

  /** Foreground process group; 0 none. */
  get foreground(): number {
    return this.fd < 0 ? 0 : this.tty.get(TTY.FOREGROUND);
  }

  /** The modes have changed, or a read waits. */
  serve(): void {
    if (this.fd < 0) return;
    const raw = !hostIsCooked(this.tty);
    if (this.raw && !raw) this.drain();
    this.setRaw(raw);
    if (this.raw || this.tty.get(TTY.WANTED) !== 0) this.read();
    else if (this.reading) this.reading = !this.reader.withdraw(this.fd);
  }

  /** Runs `fn` with the host's terminal as its shell wants it. */
  whileCooked(fn: () => void): void {
    const { raw } = this;
    this.setRaw(false);
    fn();
    this.setRaw(raw);
  }

  /** The guest is over. */
  close(): void {
    for (const [name, listener] of this.listeners) process.off(name, listener);
    this.setRaw(false);
    if (this.fd >= 0 && this.isGone()) this.abandon();
  }

  /** The host has hung up. */
  private isGone(): boolean {
    try {
      fs.writeSync(this.tty.get(TTY.HOST_FD), '');
      return this.tty.has(TTY_FLAG.HUNG);
    } catch {
      return true;
    }
  }

  /** Node puts the modes of its standard descriptors back when it exits, and aborts where a terminal that is gone refuses; it passes over those that are closed. */
  private abandon(): void {
    const rdev = this.tty.get(TTY.HOST_RDEV);
    for (const fd of [0, 1, 2]) if (deviceOf(fd) === rdev) fs.closeSync(fd);
  }

  private listen(name: NodeJS.Signals, listener: () => void): void {
    process.on(name, listener);
    this.listeners.push([name, listener]);
  }

  private setRaw(raw: boolean): void {
    if (raw === this.raw) return;
    this.raw = raw;
    this.tty.setFlag(TTY_FLAG.HOST_RAW, raw);
    this.input ??= new (nodeModules.tty().ReadStream)(this.fd);
    this.input.unref();
    switchMode(this.input, raw);
    this.tty.wake();
  }

  private read(): void {
    if (this.reading) return;
    this.reading = true;
    const buffer = new Uint8Array(READ_BYTES);
    this.reader.read(this.fd, buffer, (error, n) => {
      this.reading = false;
      if (error !== null && hostFailure(error) === -EAGAIN) {
        setTimeout(() => {
          this.serve();
        }, ECHO_RETRY_MS);
        return;
      }
      this.got(buffer.subarray(0, n), error !== null);
      if (error === null) this.serve();
    });
  }

  /** Takes what has been typed in raw mode: the cooked host would not see signals in it. */
  private drain(): void {
    if (this.tty.get(TTY.HOST_FD) === this.fd) return;
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (;;) {
        const n = fs.readSync(this.tty.get(TTY.HOST_FD), buffer, 0, READ_BYTES, null);
        if (n === 0) return;
        this.got(buffer.subarray(0, n), false);
      }
    } catch {
      // EAGAIN: that was all; the next read reports whatever else is wrong.
    }
  }

  private got(bytes: Uint8Array, failed: boolean): void {
    const { tty } = this;
    const signals: number[] = [];
    const echo: number[] = [];
    this.state.locked(() => {
      tty.set(TTY.WANTED, 0);
      if (failed || (this.raw && bytes.length === 0)) {
        tty.setFlag(TTY_FLAG.HUNG, true);
      } else if (this.raw) {
        receive(tty, (byte) => echo.push(rawNewline(byte)), bytes, signals);
      } else {
        // The host's line discipline has made a line, or the end of a file, of them.
        for (const [i, byte] of bytes.entries()) tty.type(byte, i === bytes.length - 1 ? TYPED.END : TYPED.PLAIN);
        if (bytes.length === 0) tty.type(0, TYPED.EOF);
        tty.endLine();
      }
    });
    for (const signal of signals) signalForeground(tty, signal);
    tty.wake();
    if (echo.length > 0) this.show(Buffer.from(echo));
  }

  private show(bytes: Buffer): void {
    const waiting = this.echo.length > 0;
    this.echo = Buffer.concat([this.echo, bytes]);
    if (!waiting) this.flushEcho();
  }

  private flushEcho(): void {
    try {
      this.echo = this.echo.subarray(fs.writeSync(this.tty.get(TTY.HOST_FD), this.echo));
    } catch (e) {
      // A terminal that is gone takes no echo.
      if (hostFailure(e) !== -EAGAIN) this.echo = Buffer.alloc(0);
    }
    if (this.echo.length === 0) return;
    setTimeout(() => {
      this.flushEcho();
    }, ECHO_RETRY_MS);
  }

  private measure(): void {
    const { WriteStream } = nodeModules.tty();
    const [columns, rows] = (isTerminal(1) ? process.stdout : new WriteStream(this.fd)).getWindowSize();
    setWindowSize(this.tty, { rows, columns, width: 0, height: 0 });
  }
}

/** A terminal that has hung up has no modes. */
function switchMode(input: ReadStream, raw: boolean): void {
  try {
    input.setRawMode(raw);
  } catch {
    // EIO. Reads and writes of the guest report it.
  }
}

/** The controlling terminal of lift64 among the standard descriptors, else opened by name; without one, any terminal among them; -1 none. */
function findTerminal(controlling: number | undefined): number {
  let any = -1;
  for (const fd of [0, 1, 2]) {
    const rdev = deviceOf(fd);
    if (rdev === undefined || rdev >> 8 === MEMORY_DEVICES_MAJOR || !isTerminal(fd)) continue;
    if (rdev === controlling) return fd;
    if (any < 0) any = fd;
  }
  if (controlling === undefined || controlling === 0) return any;
  const { O_RDWR, O_NOCTTY, O_NONBLOCK } = fs.constants;
  try {
    return fs.openSync('/dev/tty', O_RDWR | O_NOCTTY | O_NONBLOCK);
  } catch {
    return any;
  }
}

/** Device number of a character device. */
function deviceOf(fd: number): number | undefined {
  try {
    const st = fs.fstatSync(fd);
    return st.isCharacterDevice() ? st.rdev : undefined;
  } catch {
    return undefined;
  }
}

/** A descriptor that does not block, where the host gives one. */
function nonBlocking(fd: number): number {
  if (!LINUX_HOST) return fd;
  const { O_RDWR, O_NOCTTY, O_NONBLOCK } = fs.constants;
  try {
    return fs.openSync(`/proc/self/fd/${String(fd)}`, O_RDWR | O_NOCTTY | O_NONBLOCK);
  } catch {
    return fd;
  }
}

/** N, where the host calls it /dev/pts/N; else -1. */
function numberOf(fd: number): number {
  if (!LINUX_HOST) return -1;
  const match = /^\/dev\/pts\/(\d+)$/.exec(hostName(fd));
  return match === null ? -1 : Number(match[1]);
}
