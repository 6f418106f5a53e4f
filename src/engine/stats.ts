/** What --stats reports. In: nothing. Out: the type and the prefix of its line on stderr. */

/** The line on stderr: this prefix and one JSON object. */
export const STATS_PREFIX = 'lift64: stats ';

/** What a guest thread's time is spent on. */
export const SHARES = [
  'interpreter',
  'compiled code',
  'translation',
  'installing code',
  'system calls',
  'garbage collection',
  'other',
] as const;
export type Share = (typeof SHARES)[number];

export interface CallFigures {
  readonly count: number;
  readonly ms: number;
}

/** Of one guest thread or several: milliseconds by share and by symbol of compiled regions, system calls by name. */
export interface ThreadReport {
  readonly shares: Readonly<Partial<Record<Share, number>>>;
  readonly regions: Readonly<Record<string, number>>;
  readonly calls: Readonly<Record<string, CallFigures>>;
  /** Guest instructions that the interpreter executed, by symbol: of all threads of a process, as its last one reports them. */
  readonly interpreted: Readonly<Record<string, number>>;
}

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
  /** Of the compile worker: modules, their bytes, and the time that it took for them, seconds. */
  readonly compiledModules: number;
  readonly compiledBytes: number;
  readonly compileSeconds: number;
}
