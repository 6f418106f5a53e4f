/**
 * Settings, checked and with their defaults, as the engine takes them: the one place for the command line and for programs that embed lift64.
 * In: GuestSettings. Out: RunOptions, or a UsageError that names the setting as the caller knows it.
 */
import { resolve } from 'node:path';
import { UsageError } from '../base/errors.js';
import { cpuModel, DEFAULT_CPU } from '../engine/cpu-model.js';
import { type LogItem, type LogOptions, openLog } from '../engine/log.js';
import {
  type BreakSwitch,
  DEFAULT_HOT_THRESHOLD,
  DEFAULT_STACK_SIZE,
  type EngineOptions,
  type RunOptions,
} from '../engine/options.js';
import { storeOptions } from '../engine/store-options.js';
import { checkSettings, type Naming } from './checks.js';
import type { GuestSettings } from './settings.js';

/** What only the command line has. */
export interface CommandLineSettings {
  readonly breaks?: readonly BreakSwitch[];
  readonly perfMap?: boolean;
  /** Milliseconds. */
  readonly dumpOnTimeoutMs?: number | undefined;
  readonly statistics?: boolean;
}

/** Environment variables of lift64 itself. */
const OWN_VARIABLES = ['LIFT64_BREAK', 'LIFT64_NO_CACHE'];

/** The environment of a guest that is given none. */
export function defaultEnvironment(sandbox: boolean): Record<string, string | undefined> {
  const own = sandbox ? [] : Object.entries(process.env);
  return Object.fromEntries(own.filter(([name]) => !OWN_VARIABLES.includes(name)));
}

/**
 * @param naming what the user calls a setting
 * @param sharesSignals RunOptions.sharesSignals
 */
export function sessionOptions(
  program: string,
  s: GuestSettings,
  naming: Naming,
  sharesSignals: boolean,
  more: CommandLineSettings = {},
): RunOptions {
  checkSettings(program, s, naming);
  const sandbox = s.sandbox ?? false;
  if (sandbox && s.network === true) throw new UsageError(`a sandbox has no network: ${naming('network')}`);
  const engine = {
    tier: s.tier ?? 'auto',
    singleStep: s.singleStep ?? false,
    checkIr: s.checkIr ?? false,
    strace: (s.strace ?? false) !== false || (s.log ?? []).includes('strace'),
    hotThreshold: s.hotThreshold ?? DEFAULT_HOT_THRESHOLD,
    disabledPasses: s.disabledPasses ?? [],
    breaks: more.breaks ?? [],
    cpuModel: cpuModel(s.cpu ?? DEFAULT_CPU),
    unchecked: s.unchecked ?? false,
    perfMap: more.perfMap ?? false,
    // Last: a file is made for it.
    log: logOptions(s, naming),
  };
  const env = Object.entries(s.env ?? defaultEnvironment(sandbox)).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const ownRoot = sandbox || s.root !== undefined;
  return {
    engine: { ...engine, store: storeOf(s, engine) },
    // A path of this process stays what it is when the guest starts elsewhere.
    program: s.cwd === undefined || ownRoot ? program : resolve(program),
    argv: [s.argv0 ?? program, ...(s.args ?? [])],
    env,
    cwd: s.cwd,
    network: s.network ?? !sandbox,
    prefix: s.prefix,
    tree: {
      root: s.root,
      mounts: (s.mounts ?? []).map((m) => ({ ...m, readOnly: m.readOnly ?? false })),
      tmpfs: s.tmpfs ?? [],
      sandbox,
      names: {
        root: naming('root'),
        mounts: naming('mounts'),
        tmpfs: naming('tmpfs'),
        sandbox: naming('sandbox'),
      },
    },
    maxMemory: s.maxMemory,
    maxProcs: s.maxProcs,
    timeoutMs: s.timeoutMs,
    dumpOnTimeoutMs: more.dumpOnTimeoutMs,
    stackSize: s.stackSize ?? DEFAULT_STACK_SIZE,
    seed: s.seed,
    sharesSignals,
    stats: s.profile === true ? 'all' : more.statistics === true ? 'counts' : undefined,
  };
}

function storeOf(s: GuestSettings, engine: Omit<EngineOptions, 'store'>): EngineOptions['store'] {
  // What an earlier run has compiled has no names.
  if (s.cacheDir === undefined || s.cacheDir === false || engine.perfMap) return undefined;
  return storeOptions(engine, s.cacheDir === true ? undefined : resolve(s.cacheDir));
}

function logOptions(s: GuestSettings, naming: Naming): LogOptions {
  const items: readonly LogItem[] = s.log ?? [];
  const ranges = s.logRanges ?? [];
  const file = typeof s.strace === 'string' ? s.strace : s.logFile;
  if (s.logFile !== undefined && s.logFile !== file)
    throw new UsageError(`there is one log file: ${naming('strace')} and ${naming('logFile')} differ`);
  if (!items.includes('tid')) return { items, fd: file === undefined ? 2 : openLog(file, process.pid), ranges };
  if (file?.includes('%d') !== true)
    throw new UsageError(`${naming('log')} tid needs ${naming('logFile')} with %d in the name, for the TID`);
  return { items, fd: 2, perThread: file, ranges };
}
