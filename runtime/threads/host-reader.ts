/**
 * Reads of host descriptors that may take for ever, on the main thread. In: a descriptor and a buffer. Out: a callback like that of fs.read.
 * fs.read would block a thread of the host's pool in read(2), and Node's exit waits for such a thread: lift64 would outlive its guest until the next key press. So
 * pipes, FIFOs, sockets and terminals are read through the event loop; a pipe or FIFO is opened anew, so that O_NONBLOCK is set on a description of ours.
 * Source: Node's net.Socket (option onread), tty.ReadStream; man 7 pipe, man 5 proc (/proc/self/fd).
 */
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as tty from 'node:tty';

/** `n` is 0 at the end of the file. */
export type ReadCallback = (error: NodeJS.ErrnoException | null, n: number) => void;

interface Source {
  readonly socket: net.Socket;
  buffer: Uint8Array;
  callback: ReadCallback | undefined;
  /** An end of file that nobody has asked for yet. */
  ended: boolean;
  error: NodeJS.ErrnoException | undefined;
}

export class HostReader {
  private readonly sources = new Map<number, Source>();

  /** Reads up to buffer.length bytes, at least one, no more than the one read. One read a descriptor at a time. */
  read(fd: number, buffer: Uint8Array, callback: ReadCallback): void {
    let source = this.sources.get(fd);
    if (source === undefined) {
      source = this.open(fd);
      if (source === undefined) {
        fs.read(fd, buffer, 0, buffer.length, null, callback);
        return;
      }
      this.sources.set(fd, source);
    }
    source.buffer = buffer;
    source.callback = callback;
    if (source.error !== undefined || source.ended) this.finish(fd, source);
    else source.socket.resume();
  }

  /** The descriptor is about to be closed: forgets it. A read under way never calls back. */
  forget(fd: number): void {
    const source = this.sources.get(fd);
    if (source === undefined) return;
    source.callback = undefined;
    this.sources.delete(fd);
    source.socket.destroy();
  }

  /** Undefined: reads of this descriptor do not wait (regular files, most devices), or the host has no way to do without the pool. */
  private open(fd: number): Source | undefined {
    const stat = fs.fstatSync(fd);
    const source: Omit<Source, 'socket'> & { socket?: net.Socket } = {
      buffer: new Uint8Array(0),
      callback: undefined,
      ended: false,
      error: undefined,
    };
    const onread = {
      buffer: () => source.buffer,
      callback: (n: number): boolean => {
        this.answer(source, null, n);
        return false;
      },
    };
    const options: net.SocketConstructorOpts & net.ConnectOpts = { readable: true, writable: false, onread };
    let socket: net.Socket;
    if (stat.isFIFO() && process.platform === 'linux') {
      const own = fs.openSync(`/proc/self/fd/${fd}`, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      socket = new net.Socket({ ...options, fd: own });
    } else if (stat.isSocket()) {
      socket = new net.Socket({ ...options, fd });
    } else if (tty.isatty(fd)) {
      // ReadStream hands its options on to net.Socket.
      socket = new tty.ReadStream(fd, options);
    } else {
      return undefined;
    }
    socket.pause();
    socket.on('end', () => {
      source.ended = true;
      this.answer(source, null, 0);
    });
    socket.on('error', (error) => {
      source.error = error;
      this.answer(source, error, 0);
    });
    // A terminal's end of file is not its last.
    socket.on('close', () => {
      if (tty.isatty(fd)) this.sources.delete(fd);
    });
    source.socket = socket;
    return source as Source;
  }

  private finish(fd: number, source: Source): void {
    const { error } = source;
    setImmediate(() => {
      this.answer(source, error ?? null, 0);
      if (error !== undefined) this.sources.delete(fd);
    });
  }

  private answer(source: Omit<Source, 'socket'>, error: NodeJS.ErrnoException | null, n: number): void {
    const { callback } = source;
    source.callback = undefined;
    callback?.(error, n);
  }
}
