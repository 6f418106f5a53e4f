/**
 * Standard streams of a guest as settings ask for them. In: the settings, the file layer's state. Out: what its descriptors 0, 1 and 2 are; streams, captured bytes, errors of the caller's streams.
 * What is not the host's is a pipe (runtime/vfs/host-pipes.ts).
 */
import { Readable, Writable } from 'node:stream';
import { HostPipes } from '../../runtime/vfs/host-pipes.js';
import type { StandardStream, StandardStreams } from '../../runtime/vfs/inherit.js';
import type { VfsState } from '../../runtime/vfs/state.js';
import type { Input, Output, StartSettings } from './run-types.js';

export class GuestStreams {
  stdin: Writable | undefined;
  stdout: Readable | undefined;
  stderr: Readable | undefined;
  /** Of one of the caller's streams. */
  failure: Error | undefined;
  /** Nobody waits for output any more. */
  abandon: () => void = () => undefined;
  private pipes: HostPipes | undefined;
  private readonly captured: { stdout?: Buffer[]; stderr?: Buffer[] } = {};
  /** Each resolves when a guest's output has gone where it is to go. */
  private readonly outputs: Promise<void>[] = [];
  /** What lets go of the caller's streams. */
  private readonly releases: (() => void)[] = [];
  private readonly abandoned = new Promise<void>((resolve) => {
    this.abandon = resolve;
  });

  constructor(private readonly settings: StartSettings) {}

  /** Embedding.stdio */
  open(state: VfsState): StandardStreams {
    const { stdin, stdout, stderr } = this.settings;
    const pipes = new HostPipes(state);
    this.pipes = pipes;
    return [
      this.input(pipes, stdin ?? 'inherit'),
      this.output(pipes, stdout ?? 'inherit', 'stdout', 1),
      stderr === 'stdout' ? { kind: 'stdout' } : this.output(pipes, stderr ?? 'inherit', 'stderr', 2),
    ];
  }

  /** Embedding.woken */
  woken(): void {
    this.pipes?.look();
  }

  /** Embedding.ended */
  finish(): void {
    this.pipes?.finish();
  }

  /** Waits until all output has gone where it is to go, and lets go of the caller's streams. */
  async settle(): Promise<void> {
    await Promise.race([Promise.all(this.outputs), this.abandoned]);
    for (const release of this.releases) release();
  }

  /** What has been captured; undefined: nothing was to be. */
  bytesOf(name: 'stdout' | 'stderr'): Buffer | undefined {
    const chunks = this.captured[name];
    return chunks === undefined ? undefined : Buffer.concat(chunks);
  }

  private input(pipes: HostPipes, input: Input | 'pipe'): StandardStream {
    if (input === 'inherit') return { kind: 'host', fd: 0 };
    if (input === 'ignore') return { kind: 'null' };
    if (typeof input === 'number') return { kind: 'host', fd: input };
    const { pipe, stream } = pipes.input();
    if (input === 'pipe') {
      this.stdin = stream;
      return { kind: 'pipe', pipe };
    }
    // A guest that does not read all of its input is none of the caller's business.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.failure ??= error;
    });
    if (input instanceof Uint8Array) stream.end(input);
    else this.follow(input, stream);
    return { kind: 'pipe', pipe };
  }

  private follow(input: AsyncIterable<Uint8Array | string>, stream: Writable): void {
    const source = input instanceof Readable ? input : Readable.from(input, { objectMode: false });
    const failed = (error: Error): void => {
      this.failure ??= error;
      stream.end();
    };
    source.on('error', failed);
    source.pipe(stream);
    this.releases.push(() => {
      source.unpipe(stream);
      source.off('error', failed);
      // Which ends the iteration.
      if (source !== input) source.destroy();
      stream.destroy();
    });
  }

  private output(pipes: HostPipes, output: Output | 'pipe', name: 'stdout' | 'stderr', fd: number): StandardStream {
    if (output === 'inherit') return { kind: 'host', fd };
    if (output === 'ignore') return { kind: 'null' };
    if (typeof output === 'number') return { kind: 'host', fd: output };
    const { pipe, stream } = pipes.output();
    if (output === 'pipe') {
      this[name] = stream;
      return { kind: 'pipe', pipe };
    }
    this.outputs.push(
      new Promise((resolve) => {
        stream.on('close', resolve);
      }),
    );
    if (output === 'capture') {
      const chunks: Buffer[] = [];
      this.captured[name] = chunks;
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
      });
    } else {
      this.pour(stream, output);
    }
    return { kind: 'pipe', pipe };
  }

  private pour(stream: Readable, sink: Writable): void {
    const failed = (error: Error): void => {
      this.failure ??= error;
      stream.destroy();
    };
    const closed = (): void => {
      stream.destroy();
    };
    sink.on('error', failed);
    sink.on('close', closed);
    if (sink.destroyed) closed();
    else stream.pipe(sink, { end: false });
    this.releases.push(() => {
      stream.unpipe(sink);
      sink.off('error', failed);
      sink.off('close', closed);
    });
  }
}
