/**
 * The log: what -d, -strace and -dfilter ask for, written to -D FILE or stderr. In: options and lines. Out: one host write a record, so that records of several threads don't mix.
 */
import { writeSync } from 'node:fs';

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
  unimp: 'instructions and system calls that are not implemented',
  page: 'the memory map when it changes',
  strace: 'system calls, as -strace',
  tid: 'one log file a thread: %d in the file name of -D is the TID',
} as const;
export type LogItem = keyof typeof LOG_ITEMS;

/** Plain data: it travels to the workers. */
export interface LogOptions {
  readonly items: readonly LogItem[];
  /** Open descriptor of the log file; 2 for stderr. */
  readonly fd: number;
  /** Guest address ranges of -dfilter, end exclusive; empty: all. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

export class Log {
  private readonly items: ReadonlySet<LogItem>;

  constructor(private readonly options: LogOptions) {
    this.items = new Set(options.items);
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
    writeAll(this.options.fd, text);
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
