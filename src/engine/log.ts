/**
 * The log: what -d, -strace and -dfilter ask for, written to -D FILE or stderr. In: options and lines. Out: one host write a record, so that records of several threads don't mix.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { UsageError } from '../base/errors.js';

/** Items of -d with their help text; the names are QEMU's. */
export const LOG_ITEMS = {
  in_asm: 'guest instructions of each TB translated',
  op: 'IR of each TB as lifted',
  op_opt: 'IR of each TB after the optimiser',
  out_asm: 'Wasm text of each compiled module',
  int: 'CPU exceptions and signals delivered',
  exec: 'a line for each TB entered from the execute loop',
  cpu: 'CPU registers before each TB entered from the execute loop',
  nochain: 'every TB returns to the execute loop, so that exec and cpu are complete',
  unimp: 'instructions and system calls that are not implemented, each time',
  page: 'the memory map when it changes',
  store: 'what the code store on disk gave to each process, and got',
  strace: 'system calls, as -strace',
  tid: 'one log file a thread: %d in the file name of -D is the TID, else the process id',
} as const;
export type LogItem = keyof typeof LOG_ITEMS;

/** Plain data: it travels to the workers. */
export interface LogOptions {
  readonly items: readonly LogItem[];
  /** Open descriptor of the log file; 2 for stderr. */
  readonly fd: number;
  /** Under `tid`: the name of each thread's own file, with %d for its TID. */
  readonly perThread?: string;
  /** Guest address ranges of -dfilter, end exclusive; empty: all. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

export class Log {
  private readonly items: ReadonlySet<LogItem>;
  private readonly fd: number;

  /** @param tid whose log it is */
  constructor(
    private readonly options: LogOptions,
    tid: number,
  ) {
    this.items = new Set(options.items);
    this.fd = options.perThread === undefined ? options.fd : openLog(options.perThread, tid);
  }

  has(item: LogItem): boolean {
    return this.items.has(item);
  }

  /** True when `item` is on and -dfilter covers `pc`. */
  hasAt(item: LogItem, pc: number): boolean {
    return (
      this.items.has(item) &&
      (this.options.ranges.length === 0 || this.options.ranges.some((r) => pc >= r.start && pc < r.end))
    );
  }

  /** Writes `text`, which ends with a newline. */
  write(text: string): void {
    writeAll(this.fd, text);
  }

  /** The thread is over. */
  close(): void {
    if (this.options.perThread !== undefined) closeSync(this.fd);
  }
}

/** Opens a log file; %d in its name is `id`. Throws UsageError. */
export function openLog(file: string, id: number): number {
  try {
    return openSync(file.replace('%d', String(id)), 'w');
  } catch (e) {
    throw new UsageError(`can't write the log file '${file}': ${(e as NodeJS.ErrnoException).code ?? String(e)}`);
  }
}

/** Writes all of `text` to a host descriptor; waits where a non-blocking pipe is full. Throws the host's error otherwise. */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EAGAIN') throw e;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}
