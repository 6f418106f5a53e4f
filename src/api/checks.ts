/** Whether settings are of the right type and within their ranges. In: settings, of callers in JavaScript too. Out: nothing, or a UsageError. */
import { inspect } from 'node:util';
import { UsageError } from '../base/errors.js';
import { LOG_ITEMS } from '../engine/log.js';
import { PASS_NAMES, TIERS } from '../engine/options.js';
import type { GuestSettings } from './settings.js';

/** What the caller calls a setting: its own name in the API, an option on the command line. */
export type Naming = (setting: keyof GuestSettings) => string;

/** Undefined: fine; else what the setting takes. */
export type Check = (value: unknown) => string | undefined;

export const must =
  (takes: string, holds: (value: unknown) => boolean): Check =>
  (value) =>
    holds(value) ? undefined : takes;

const isText = (v: unknown): v is string => typeof v === 'string' && !v.includes('\0');
const isPath = (v: unknown): boolean => isText(v) && v !== '';
const isAbsolute = (v: unknown): boolean => isText(v) && v.startsWith('/');
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const isWhole = (v: unknown, least: number, most = Number.MAX_SAFE_INTEGER): boolean =>
  typeof v === 'number' && Number.isSafeInteger(v) && v >= least && v <= most;
const isList = (v: unknown, holds: (item: unknown) => boolean): boolean => Array.isArray(v) && v.every(holds);

const text = must('a string without NUL', isText);
const path = must('a path', isPath);
const flag = must('true or false', (v) => typeof v === 'boolean');
const whole = (least: number): Check => must(`a whole number, ${String(least)} or more`, (v) => isWhole(v, least));
const oneOf = (values: readonly string[]): Check =>
  must(`one of ${values.join(', ')}`, (v) => typeof v === 'string' && values.includes(v));

const listOf = (values: readonly string[]): Check =>
  must(`a list of ${values.join(', ')}`, (v) => isList(v, (item) => typeof item === 'string' && values.includes(item)));

/** Node's timers take 31 bits of milliseconds: longer ones would run out at once. */
const MOST_MS = 2 ** 31 - 1;
export const isTime = (v: unknown): boolean => typeof v === 'number' && v > 0 && v <= MOST_MS;

const isMount = (v: unknown): boolean =>
  isObject(v) &&
  isPath(v['host']) &&
  isAbsolute(v['guest']) &&
  (v['readOnly'] === undefined || typeof v['readOnly'] === 'boolean');

const CHECKS: Readonly<Record<keyof GuestSettings, Check>> = {
  args: must('a list of strings without NUL', (v) => isList(v, isText)),
  argv0: text,
  env: must('an object of strings without NUL', (v) => {
    return isObject(v) && Object.entries(v).every(([name, x]) => isText(name) && (x === undefined || isText(x)));
  }),
  cwd: path,
  prefix: path,
  root: path,
  mounts: must('a list of { host, guest, readOnly? }, guest an absolute path', (v) => isList(v, isMount)),
  tmpfs: must('absolute guest paths', (v) => isList(v, isAbsolute)),
  sandbox: flag,
  network: flag,
  maxMemory: must('bytes, 1 MiB or more', (v) => isWhole(v, 2 ** 20)),
  maxProcs: whole(1),
  stackSize: must('bytes, from 64 KiB to 1 GiB', (v) => isWhole(v, 2 ** 16, 2 ** 30)),
  timeoutMs: must('a time of more than 0 and at most 2147483 seconds', isTime),
  tier: oneOf(TIERS),
  cpu: text,
  seed: whole(0),
  cacheDir: must('a path, true or false', (v) => typeof v === 'boolean' || isPath(v)),
  unchecked: flag,
  singleStep: flag,
  hotThreshold: whole(0),
  disabledPasses: listOf(PASS_NAMES),
  checkIr: flag,
  strace: must('true, false or a path', (v) => typeof v === 'boolean' || isPath(v)),
  log: listOf(Object.keys(LOG_ITEMS)),
  logFile: path,
  logRanges: must('a list of { start, end }', (v) =>
    isList(v, (range) => isObject(range) && isWhole(range['start'], 0) && isWhole(range['end'], 0)),
  ),
  profile: flag,
};

/** True for the name of a guest's setting. */
export const isGuestSetting = (name: string): name is keyof GuestSettings => Object.hasOwn(CHECKS, name);

/** Throws UsageError. Names that are none of a guest's settings are left alone. */
export function checkSettings(program: unknown, settings: GuestSettings, naming: Naming): void {
  if (!isText(program)) throw new UsageError('the program is a path, without NUL');
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || !isGuestSetting(name)) continue;
    const takes = CHECKS[name](value);
    if (takes !== undefined) throw new UsageError(`${naming(name)} takes ${takes}${butNot(value)}`);
  }
}

/** A value in a message. A word of the command line that is no number has come to be NaN. */
export function butNot(value: unknown): string {
  if (Number.isNaN(value)) return '';
  const whole = inspect(value, { depth: 1, breakLength: Infinity });
  return `, not ${whole.length > 60 ? `${whole.slice(0, 60)}...` : whole}`;
}
