/**
 * lift64 as a library: runs x86-64 Linux programs, and shows how their code is translated. In: host paths and plain settings. Out: promises of plain data, or a guest that runs.
 * A run takes workers of this Node process, whose event loop serves it, and sets the process's umask to 0 while it lasts; one at a time.
 */
import { startGuest } from './api/guest.js';
import type { ErrorOutput, Guest, Input, Output, RunResult, RunSettings, StartSettings } from './api/run-types.js';
import type { AddressRange } from './api/settings.js';
import { dumpProgram, type Stage } from './engine/dump.js';

export type { ErrorOutput, Guest, Input, Output, RunResult, RunSettings, StartSettings } from './api/run-types.js';
export type { AddressRange, GuestSettings, Mount } from './api/settings.js';
export { InternalError, Lift64Error, ProgramError, UsageError } from './base/errors.js';
export type { Stage } from './engine/dump.js';
export type { LogItem } from './engine/log.js';
export type { PassName, Tier } from './engine/options.js';
export type { Stats } from './engine/stats.js';

/**
 * Runs the program at host path `program` (guest path, where the settings have a `root`) to its end. Rejects with ProgramError when it can't be run, UsageError for bad settings, InternalError for bugs of lift64.
 * A signal that ends the guest is reported, not raised here.
 */
export async function run<O extends Output | undefined = undefined, E extends ErrorOutput | undefined = undefined>(
  program: string,
  settings: RunSettings<O, E> = {},
): Promise<RunResult<O, E>> {
  const guest = await startGuest(program, settings, []);
  return await guest.ended;
}

/** Starts the program as `run` does, and resolves as soon as it runs: to write to it, to read from it, and to send it signals in the meantime. Rejects like `run`. */
export async function start<
  I extends Input | 'pipe' | undefined = undefined,
  O extends Output | 'pipe' | undefined = undefined,
  E extends ErrorOutput | 'pipe' | undefined = undefined,
>(program: string, settings: StartSettings<I, O, E> = {}): Promise<Guest<I, O, E>> {
  return (await startGuest(program, settings, ['pipe'])) as Guest<I, O, E>;
}

export interface DumpSettings {
  /** A function's name in the symbol table. */
  readonly symbol?: string | undefined;
  /** Guest addresses as linked. Without symbol and range: the code at the entry point. */
  readonly range?: AddressRange | undefined;
  /** ['in_asm', 'op_opt'] by default. */
  readonly stages?: readonly Stage[] | undefined;
}

/** Text of the stages of a program's code, as `lift64 dump` prints it; the IR stages are valid filetests. Rejects with ProgramError or UsageError. */
export function dump(program: string, settings: DumpSettings = {}): Promise<string> {
  return dumpProgram(program, {
    symbol: settings.symbol,
    range: settings.range,
    stages: settings.stages ?? ['in_asm', 'op_opt'],
  });
}
