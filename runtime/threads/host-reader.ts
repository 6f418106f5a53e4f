/**
 * Reads of host descriptors that may take for ever, on the main thread. In: a descriptor and a buffer. Out: a callback like that of fs.read.
 * fs.read would block a thread of the host's pool in read(2), and Node's exit waits for such a thread: lift64 would outlive its guest until the next key press. So
 * pipes, FIFOs, sockets and terminals are read through the event loop: one byte that way, then what else is there without waiting. A pipe or FIFO is opened anew, so that
 * O_NONBLOCK is set on a description of ours; a terminal is by libuv; a socket that lift64 was started with becomes non-blocking itself.
 * Source: Node's net.Socket (option onread), tty.ReadStream; man 7 pipe, man 5 proc (/proc/self/fd).
 */
import * as fs from 'node:fs';
import type * as net from 'node:net';
import { isTerminal, nodeModules } from '../linux/node-modules.js';

/** `n` is 0 at the end of the file. */
export type ReadCallback = (error: NodeJS.ErrnoException | null, n: number) => void;

class Source {
  /** Where the event loop puts the first byte. */
  readonly first = new Uint8Array(1);
  socket: net.Socket | undefined;
  /** The non-blocking descriptor. */
  fd = -1;
  private buffer = new Uint8Array(0);
  private callback: ReadCallback | undefined;
  private error: NodeJS.ErrnoException | null = null;
  private ended = false;

  read(buffer: Uint8Array<ArrayBuffer>, callback: ReadCallback): void {
    this.buffer = buffer;
    this.callback = callback;
    this.socket?.ref();
    // Not at once: the caller may be in the callback of the read before, after which Node stops reading.
    setImmediate(() => {
      if (this.callback === undefined) return;
      if (this.ended) this.answer(0);
      else this.socket?.resume();
    });
  }

  /** The first byte has come. */
  gotFirst(): void {
    this.buffer.set(this.first);
    this.answer(1 + this.rest());
  }

  end(error: NodeJS.ErrnoException | null): void {
    this.ended = true;
    this.error = error;
    this.answer(0);
  }

  withdraw(): boolean {
    if (this.callback === undefined) return false;
    this.callback = undefined;
    this.socket?.pause();
    return true;
  }

  /** Nothing is read for now, and this process need not go on for it. */
  idle(): void {
    this.withdraw();
    this.socket?.unref();
  }

  cancel(): void {
    this.callback = undefined;
    this.socket?.destroy();
  }

  private answer(n: number): void {
    const { callback } = this;
    this.callback = undefined;
    callback?.(n === 0 ? this.error : null, n);
  }

  /** What follows the first byte and is there already. */
  private rest(): number {
    if (this.buffer.length === 1) return 0;
    try {
      return fs.readSync(this.fd, this.buffer, 1, this.buffer.length - 1, null);
    } catch (e) {
      if (e instanceof Error && 'code' in e && e.code === 'EAGAIN') return 0;
      throw e;
    }
  }
}

export class HostReader {
  private readonly sources = new Map<number, Source>();

  /** Reads up to buffer.length bytes, at least one; what was not asked for stays where it is. One read a descriptor at a time. */
  read(fd: number, buffer: Uint8Array<ArrayBuffer>, callback: ReadCallback): void {
    let source = this.sources.get(fd);
    if (source === undefined) {
      source = this.open(fd);
      if (source === undefined) {
        fs.read(fd, buffer, 0, buffer.length, null, callback);
        return;
      }
      this.sources.set(fd, source);
    }
    source.read(buffer, callback);
  }

  /** Takes a read back: what comes from now on stays where it is. False: there is none under way, or it can't be taken back. */
  withdraw(fd: number): boolean {
    return this.sources.get(fd)?.withdraw() ?? false;
  }

  /** The descriptor is about to be closed: forgets it. A read under way never calls back. */
  forget(fd: number): void {
    this.sources.get(fd)?.cancel();
    this.sources.delete(fd);
  }

  /** A guest is over: reads under way are taken back, and keep this process alive no longer. What is not ours stays open. */
  idle(): void {
    for (const [fd, source] of this.sources) {
      source.idle();
      // A description of ours.
      if (source.fd !== fd) source.cancel();
      // Standard input is the next guest's, too; other numbers may come to be other files'.
      if (source.fd !== fd || fd > 2) this.sources.delete(fd);
    }
  }

  /** Undefined: reads of this descriptor do not wait (regular files, most devices), or the host has no way to do without the pool. */
  private open(fd: number): Source | undefined {
    const stat = fs.fstatSync(fd);
    const source = new Source();
    const options: net.SocketConstructorOpts & net.ConnectOpts = {
      readable: true,
      writable: false,
      onread: {
        buffer: source.first,
        callback: () => {
          source.gotFirst();
          return false;
        },
      },
    };
    const terminal = isTerminal(fd);
    if (stat.isFIFO() && process.platform === 'linux') {
      source.fd = fs.openSync(`/proc/self/fd/${fd}`, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      source.socket = new (nodeModules.net().Socket)({ ...options, fd: source.fd });
    } else if (stat.isSocket()) {
      source.fd = fd;
      source.socket = new (nodeModules.net().Socket)({ ...options, fd });
    } else if (terminal) {
      source.fd = fd;
      // ReadStream hands its options on to net.Socket.
      source.socket = new (nodeModules.tty().ReadStream)(fd, options);
    } else {
      return undefined;
    }
    source.socket.pause();
    source.socket.on('end', () => {
      // The end of file of a terminal is not its last: the next read begins anew.
      if (terminal) this.sources.delete(fd);
      source.end(null);
    });
    source.socket.on('error', (error) => {
      source.end(error);
    });
    return source;
  }
}
