/**
 * lift64 as a library: runs x86-64 Linux programs, and shows how their code is translated. In: host paths and plain options. Out: promises of plain data.
 * A run takes workers of this Node process and passes the host's signals on to the guest while it lasts; one at a time.
 */
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UsageError } from './base/errors.js';
import { cpuModel, DEFAULT_CPU } from './engine/cpu-model.js';
import { dumpProgram, type Stage } from './engine/dump.js';
import { launch } from './engine/launch.js';
import { openLog } from './engine/log.js';
import { DEFAULT_HOT_THRESHOLD, DEFAULT_STACK_SIZE, HOST_TREE, type Tier } from './engine/options.js';
import { storeOptions } from './engine/store-options.js';
import type { Stats } from './engine/stats.js';
import { signalName } from '../runtime/linux/signals.js';

export { InternalError, Lift64Error, ProgramError, UsageError } from './base/errors.js';
export type { Stage } from './engine/dump.js';
export type { Tier } from './engine/options.js';
export type { Stats } from './engine/stats.js';

export interface RunSettings {
  /** Arguments after argv[0]. */
  readonly args?: readonly string[];
  /** argv[0]; the program's path by default. */
  readonly argv0?: string;
  /** The guest's whole environment; that of this process by default. */
  readonly env?: Readonly<Record<string, string>>;
  /** 'auto' by default. */
  readonly tier?: Tier;
  /** As -cpu. */
  readonly cpu?: string;
  /** As -L. */
  readonly prefix?: string;
  /** Bytes; 8 MiB by default. */
  readonly stackSize?: number;
  /** Makes the guest's random numbers the same each time. */
  readonly seed?: number;
  /** Where translated code is kept for the next run, as --cache-dir; nowhere by default. */
  readonly cacheDir?: string;
  /** File for a line each system call (as -strace -D FILE). */
  readonly strace?: string;
  /** What the guest reads: this process's standard input, nothing, or these bytes. 'inherit' by default. */
  readonly stdin?: 'inherit' | 'ignore' | Uint8Array;
  /** Where the guest's output goes: to this process's own, nowhere, or into the result ('capture': through a temporary file, whole at the end). 'inherit' by default. */
  readonly stdout?: 'inherit' | 'ignore' | 'capture';
  readonly stderr?: 'inherit' | 'ignore' | 'capture';
}

export interface RunResult {
  /** Exit status of the program; null when a signal has ended it. */
  readonly status: number | null;
  /** Name of that signal, or null. */
  readonly signal: string | null;
  readonly stats: Stats;
  /** With 'capture'; else undefined. */
  readonly stdout: Buffer | undefined;
  readonly stderr: Buffer | undefined;
}

/** The process has one umask, one set of standard descriptors, one terminal. */
let running = false;

/**
 * Runs the program at host path `program` to its end. Rejects with ProgramError when it can't be run, UsageError for bad settings, InternalError for bugs of lift64.
 * A signal that ends the guest is reported, not raised here.
 */
export async function run(program: string, settings: RunSettings = {}): Promise<RunResult> {
  if (running) throw new UsageError('a run is under way: one at a time');
  running = true;
  const s = settings;
  const dir = mkdtempSync(join(tmpdir(), 'lift64-'));
  const output = (name: string, mode: RunSettings['stdout'], own: number): number => {
    if (mode === 'capture') return openSync(join(dir, name), 'w');
    return mode === 'ignore' ? openSync(devNull, 'r+') : own;
  };
  const input = (): number => {
    if (s.stdin === undefined || s.stdin === 'inherit') return 0;
    if (s.stdin === 'ignore') return openSync(devNull, 'r');
    writeFileSync(join(dir, 'stdin'), s.stdin);
    return openSync(join(dir, 'stdin'), 'r');
  };
  try {
    const engine = {
      tier: s.tier ?? 'auto',
      singleStep: false,
      checkIr: false,
      log: { items: [], fd: s.strace === undefined ? 2 : openLog(s.strace, process.pid), ranges: [] },
      strace: s.strace !== undefined,
      hotThreshold: DEFAULT_HOT_THRESHOLD,
      disabledPasses: [],
      breaks: [],
      unchecked: false,
      perfMap: false,
      cpuModel: cpuModel(s.cpu ?? DEFAULT_CPU),
    } as const;
    const ended = await launch({
      engine: { ...engine, store: s.cacheDir === undefined ? undefined : storeOptions(engine, resolve(s.cacheDir)) },
      program,
      argv: [s.argv0 ?? program, ...(s.args ?? [])],
      env: Object.entries(s.env ?? process.env).map(([name, value]) => `${name}=${value ?? ''}`),
      prefix: s.prefix,
      tree: HOST_TREE,
      stackSize: s.stackSize ?? DEFAULT_STACK_SIZE,
      seed: s.seed,
      stats: undefined,
      stdio: [input(), output('stdout', s.stdout, 1), output('stderr', s.stderr, 2)],
    });
    const captured = (name: string, mode: RunSettings['stdout']): Buffer | undefined =>
      mode === 'capture' ? readFileSync(join(dir, name)) : undefined;
    return {
      status: ended.signal === 0 ? ended.code : null,
      signal: ended.signal === 0 ? null : signalName(ended.signal),
      stats: ended.stats,
      stdout: captured('stdout', s.stdout),
      stderr: captured('stderr', s.stderr),
    };
  } finally {
    running = false;
    rmSync(dir, { recursive: true });
  }
}

export interface DumpSettings {
  /** A function's name in the symbol table. */
  readonly symbol?: string;
  /** Guest addresses as linked, end exclusive. Without symbol and range: the code at the entry point. */
  readonly range?: { readonly start: number; readonly end: number };
  /** ['in_asm', 'op_opt'] by default. */
  readonly stages?: readonly Stage[];
}

/** Text of the stages of a program's code, as `lift64 dump` prints it; the IR stages are valid filetests. Rejects with ProgramError or UsageError. */
export function dump(program: string, settings: DumpSettings = {}): Promise<string> {
  return dumpProgram(program, {
    symbol: settings.symbol,
    range: settings.range,
    stages: settings.stages ?? ['in_asm', 'op_opt'],
  });
}
