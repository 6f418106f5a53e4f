/** What `run` and `start` take and give. In: nothing. Out: types. */
import type { Readable, Writable } from 'node:stream';
import type { Stats } from '../engine/stats.js';
import type { GuestSettings } from './settings.js';

/**
 * What the guest reads as its standard input: this process's own ('inherit'), nothing ('ignore'), a descriptor of this process, which stays open, these bytes, or what a stream or another
 * iterable gives. A stream is read as far as the guest reads (and 64 KiB more), and is not closed.
 */
export type Input = 'inherit' | 'ignore' | number | Uint8Array | AsyncIterable<Uint8Array | string>;

/**
 * Where the guest's output goes: to this process's own ('inherit'), nowhere ('ignore'), into the result ('capture'), to a descriptor of this process, which stays open, or into a stream, as fast as that takes it.
 * The stream is not ended. Once it is destroyed or fails, the guest's writes give SIGPIPE.
 */
export type Output = 'inherit' | 'ignore' | 'capture' | number | Writable;

/** Settings of the process that embeds the guest. */
interface HostSettings {
  /** Kills the guest when it is aborted; the promise of its end then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether signals of the host to this process (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGUSR1, SIGUSR2) go to the guest, and no longer do what they do by default, and whether this process stops
   * when the guest is stopped. By default true where `stdin` is 'inherit', so that the guest has the terminal, else false.
   */
  readonly forwardSignals?: boolean | undefined;
}

/** What standard error may be besides: 'stdout' is the same as standard output, in one order (2>&1). */
export type ErrorOutput = Output | 'stdout';

/** Settings of `run`. `O`, `E`: what standard output and error are. */
export interface RunSettings<
  O extends Output | undefined = Output | undefined,
  E extends ErrorOutput | undefined = ErrorOutput | undefined,
>
  extends GuestSettings, HostSettings {
  /** 'inherit' by default. */
  readonly stdin?: Input | undefined;
  /** 'inherit' by default. */
  readonly stdout?: O | undefined;
  /** 'inherit' by default. */
  readonly stderr?: E | undefined;
}

/** Settings of `start`: those of `run`, and with 'pipe' the guest's standard streams are this program's to write and read. `I`, `O`, `E`: what they are. */
export interface StartSettings<
  I extends Input | 'pipe' | undefined = Input | 'pipe' | undefined,
  O extends Output | 'pipe' | undefined = Output | 'pipe' | undefined,
  E extends ErrorOutput | 'pipe' | undefined = ErrorOutput | 'pipe' | undefined,
>
  extends GuestSettings, HostSettings {
  /** 'inherit' by default. */
  readonly stdin?: I | undefined;
  /** 'inherit' by default. */
  readonly stdout?: O | undefined;
  /** 'inherit' by default. */
  readonly stderr?: E | undefined;
}

/** How a guest has ended. `O`, `E`: what its standard output and error were. */
export interface RunResult<O = Output | undefined, E = ErrorOutput | undefined> {
  /** Exit status of the program, 0 to 255; null when a signal has ended it. */
  readonly status: number | null;
  /** Name of that signal ('SIGSEGV'), or null. */
  readonly signal: string | null;
  /** True when it was killed because `timeoutMs` were over. */
  readonly timedOut: boolean;
  /** With 'capture': all that it wrote; else undefined. */
  readonly stdout: If<O, 'capture', Buffer>;
  readonly stderr: If<E, 'capture', Buffer>;
  readonly stats: Stats;
  /** With `profile`: lines of text, where the time went; else undefined. */
  readonly profile: readonly string[] | undefined;
}

/** A guest that runs. `I`, `O`, `E`: what its standard streams are. */
export interface Guest<
  I = Input | 'pipe' | undefined,
  O = Output | 'pipe' | undefined,
  E = ErrorOutput | 'pipe' | undefined,
> {
  /** Process id of the first process, as the guest sees it. */
  readonly pid: number;
  /** With 'pipe': what is written there is what the guest reads. As with a child process of Node, it fails with EPIPE when nobody will read. */
  readonly stdin: If<I, 'pipe', Writable>;
  /** With 'pipe': what the guest writes. What is not read holds the guest up after 64 KiB, and stays there when the guest ends. */
  readonly stdout: If<O, 'pipe', Readable>;
  readonly stderr: If<E, 'pipe', Readable>;
  /** Its end. Rejects with InternalError for bugs of lift64, with the reason of an AbortSignal, and with the error of a stream that was given for input or output. */
  readonly ended: Promise<RunResult<O, E>>;
  /** Sends a signal to the first process, as kill(2): SIGTERM by default, by name or by Linux's number. False: the guest has ended. Throws UsageError for what is no signal. */
  kill(signal?: string | number): boolean;
  /** Text: all guest processes and threads, where each is, and what system call it waits in. Empty when the guest has ended. */
  describe(): Promise<string>;
}

/** T where the choice is made, undefined where it is not, both where it is not known. */
type If<Mode, Choice, T> = Mode extends Choice ? T : undefined;
