/** The progress bar of `lift64 bench`, on a terminal only. In: how far it is. Out: one line of standard error, rewritten. */
import { writeAll } from '../../engine/log.js';

const BAR = 24;

export class Progress {
  private readonly start = Date.now();
  private done = 0;

  /** @param total runs of all */
  constructor(private readonly total: number) {}

  /** The next run begins. */
  show(what: string): void {
    if (!process.stderr.isTTY) return;
    const share = this.done / this.total;
    const filled = Math.round(share * BAR);
    const bar = '#'.repeat(filled) + '-'.repeat(BAR - filled);
    // After a few runs the rest is guessed from them.
    const left = this.done < 4 ? '' : `  about ${duration(((Date.now() - this.start) / share) * (1 - share))} left`;
    const line = `[${bar}] ${Math.floor(share * 100)}%  ${what}${left}`;
    writeAll(2, `\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
  }

  /** `runs` runs are over. */
  add(runs: number): void {
    this.done += runs;
  }

  clear(): void {
    if (process.stderr.isTTY) writeAll(2, '\r\x1b[K');
  }
}

function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}
