/** What --stats reports. In: nothing. Out: the type and the prefix of its line on stderr. */

/** The line on stderr: this prefix and one JSON object. */
export const STATS_PREFIX = 'lift64: stats ';

export interface Stats {
  /** From the first guest instruction to the end of the guest, seconds. */
  readonly guestSeconds: number;
  /** From the start of Node to the first guest instruction, seconds. */
  readonly startupSeconds: number;
  /** Guest instructions that the interpreter executed. */
  readonly interpretedInsns: number;
  readonly translatedTbs: number;
  /** TBs of earlier runs, from the code store. */
  readonly storedTbs: number;
  readonly compiledRegions: number;
  readonly syscalls: number;
  readonly threads: number;
}
