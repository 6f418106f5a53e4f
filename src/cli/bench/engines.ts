/** The engines that `lift64 bench` compares. In: names. Out: command lines, and which of them this host has. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../base/errors.js';
import type { Group } from './workloads.js';

/** Directory of the installed package; this module is `dist/src/cli/bench/engines.js` in it. */
export const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const LIFT64 = join(PACKAGE, 'bin', 'lift64.js');

export const ENGINES = ['native', 'qemu', 'interp', 'lift64', 'warm', 'unchecked'] as const;
export type Engine = (typeof ENGINES)[number];

interface EngineRow {
  readonly describe: string;
  /** What stands before the program and its arguments. `cache`: a directory of this bench, empty at its start. */
  readonly command: (cache: string) => readonly string[];
  /** Runs before the first that counts. */
  readonly warmups: number;
  /** Why this host can't run it; undefined where it can. */
  readonly missing: () => string | undefined;
}

const lift64 = (...options: string[]): readonly string[] => [process.execPath, LIFT64, '--stats', ...options];
/** Each run translates and compiles its program anew: without what earlier runs have left. */
const cold =
  (...options: string[]) =>
  (): readonly string[] =>
    lift64('--no-cache', ...options);
const present = (): undefined => undefined;

export const ENGINE: Readonly<Record<Engine, EngineRow>> = {
  native: {
    describe: 'the host itself',
    command: () => [],
    warmups: 0,
    missing: () => (process.platform === 'linux' && process.arch === 'x64' ? undefined : 'no x86-64 Linux host'),
  },
  qemu: {
    describe: 'qemu-x86_64, of PATH',
    command: () => ['qemu-x86_64'],
    warmups: 0,
    missing: () =>
      onPath('qemu-x86_64') === undefined ? 'qemu-x86_64 is not installed (Debian: qemu-user)' : undefined,
  },
  interp: { describe: "lift64's interpreter alone", command: cold('--tier', 'interp'), warmups: 0, missing: present },
  lift64: { describe: 'lift64, which translates everything anew', command: cold(), warmups: 0, missing: present },
  warm: {
    describe:
      "lift64 from the third run on: what earlier runs have translated is in a cache on disk, as in users' runs",
    command: (cache) => lift64('--cache-dir', cache),
    warmups: 2,
    missing: present,
  },
  unchecked: {
    describe: 'lift64 without checks of guest accesses',
    command: cold('--unchecked'),
    warmups: 0,
    missing: () =>
      spawnSync(process.execPath, [LIFT64, '--unchecked', '--version']).status === 0
        ? undefined
        : 'this lift64 has no --unchecked',
  },
};

/** Whether `engine` is run in `group` when nothing is said: the interpreter takes minutes for Debian's programs; what a warm start saves shows where the start is in the times. */
export const suits = (engine: Engine, group: Group): boolean =>
  engine === 'interp' ? group !== 'debian' : engine === 'warm' ? group === 'debian' || group === 'start' : true;

/** File of a command of PATH; undefined where there is none. */
export function onPath(command: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((dir) => join(dir, command))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The engines of a comma-separated list, in the order of ENGINES. Throws UsageError. */
export function parseEngines(list: string): Engine[] {
  const names = list.split(',');
  for (const name of names)
    if (!(ENGINES as readonly string[]).includes(name))
      throw new UsageError(`unknown engine '${name}': ${ENGINES.join(', ')}`);
  return ENGINES.filter((e) => names.includes(e));
}
