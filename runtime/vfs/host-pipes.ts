/**
 * Pipes between a guest and the program that embeds lift64: the main thread's ends, as Node's streams. In: the file layer's state on the main thread. Out: pipe numbers for the guest's ends (inherit.ts), streams.
 * The main thread never sleeps in a queue: it enters it, and whoever wakes it takes it out and sends it a message (look). Source: man 7 pipe.
 */
import { Readable, Writable } from 'node:stream';
import { InternalError } from '../../src/base/errors.js';
import { PIPE_CAPACITY } from './layout.js';
import { countEnd, drainUnlocked, newPipe, pipeQueue, pipeReaders, putIntoPipe, readPipe } from './pipes.js';
import { dequeue, enqueue } from './queue-bits.js';
import type { VfsState } from './state.js';
import { wakeAll } from './wait-queue.js';

export class HostPipes {
  /** Attempts of streams that wait, by pipe; each says whether it is done. */
  private readonly waiting = new Map<number, () => boolean>();
  private over = false;

  constructor(private readonly s: VfsState) {}

  /** What is written into the stream is what the guest reads; an end of it is the end of the file. It fails with EPIPE once no guest can read. */
  input(): { readonly pipe: number; readonly stream: Writable } {
    const { s } = this;
    const pipe = this.make();
    const stream = new Writable({
      highWaterMark: PIPE_CAPACITY,
      decodeStrings: true,
      write: (chunk: Uint8Array, _encoding, done) => {
        let rest = chunk;
        this.until(pipe, () => {
          if (this.over || stream.destroyed || pipeReaders(s, pipe) === 0) {
            done(brokenPipe());
            return true;
          }
          rest = rest.subarray(putIntoPipe(s, pipe, rest, false));
          if (rest.length > 0) return false;
          done();
          return true;
        });
      },
      final: (done) => {
        this.leave(pipe, true);
        done();
      },
      destroy: (error, done) => {
        if (!stream.writableFinished) this.leave(pipe, true);
        done(error);
      },
    });
    return { pipe, stream };
  }

  /** The stream has what the guest writes; once it is destroyed, writes get SIGPIPE. It ends with the last guest's end of the pipe, or with the run. */
  output(): { readonly pipe: number; readonly stream: Readable } {
    const { s } = this;
    const pipe = this.make();
    const buffer = Buffer.alloc(PIPE_CAPACITY);
    const stream = new Readable({
      highWaterMark: PIPE_CAPACITY,
      read: () => {
        this.until(pipe, () => {
          if (stream.destroyed) return true;
          if (this.over) {
            const left = drainUnlocked(s, pipe);
            if (left.length > 0) stream.push(left);
            stream.push(null);
            return true;
          }
          const n = readPipe(s, pipe, [buffer]);
          if (n === undefined) return false;
          stream.push(n === 0 ? null : Buffer.from(buffer.subarray(0, n)));
          return true;
        });
      },
      destroy: (error, done) => {
        this.leave(pipe, false);
        done(error);
      },
    });
    return { pipe, stream };
  }

  /** A guest has woken the main thread. */
  look(): void {
    const all = [...this.waiting];
    this.waiting.clear();
    for (const [pipe, attempt] of all) this.until(pipe, attempt);
  }

  /** The guest is over, its workers have ended: what is in the pipes can still be read. No lock of the guest's is taken from here on: a worker that was ended may hold it. */
  finish(): void {
    this.over = true;
    this.look();
  }

  private make(): number {
    const pipe = newPipe(this.s);
    if (pipe < 0) throw new InternalError('no room for a pipe at the start');
    return pipe;
  }

  /** Calls `attempt` now and at each wake, until it says true. */
  private until(pipe: number, attempt: () => boolean): void {
    if (attempt()) return;
    const queue = pipeQueue(pipe);
    enqueue(this.s, queue);
    // Once more: a guest may have been here in between.
    if (attempt()) dequeue(this.s, queue);
    else this.waiting.set(pipe, attempt);
  }

  /** The main thread's end is closed. */
  private leave(pipe: number, writer: boolean): void {
    const { s } = this;
    if (!this.over) {
      s.locked(() => {
        countEnd(s, pipe, writer, -1);
      });
      wakeAll(s, pipeQueue(pipe));
    }
    const attempt = this.waiting.get(pipe);
    this.waiting.delete(pipe);
    attempt?.();
  }
}

/** What Node's own streams fail with when nobody reads a pipe. */
function brokenPipe(): NodeJS.ErrnoException {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
}
