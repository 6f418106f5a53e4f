/** The command line of sequence-fuzz. In: arguments. Out: Options; throws an Error that names what is wrong. */
import { join } from 'node:path';
import { PASSES } from '../../../src/opt/pipeline.js';
import { isTierName, TIER_NAMES, type TierName } from './tiers.js';

export interface Options {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  readonly seconds: number;
  readonly only: number | undefined;
  readonly tiers: readonly TierName[];
  readonly without: string | undefined;
  readonly rotate: boolean;
  readonly shrink: boolean;
  readonly optimisingCompiler: boolean;
  readonly states: number;
  /** Of a tier only one block in so many. */
  readonly every: ReadonlyMap<TierName, number>;
  readonly out: string;
}

const FLAGS = ['rotate', 'no-shrink', 'liftoff'] as const;
const VALUES = ['seed', 'first', 'count', 'seconds', 'only', 'tier', 'without', 'states', 'every', 'out'] as const;

export function readOptions(args: readonly string[]): Options {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const name = /^--(.*)$/.exec(args[i] ?? '')?.[1] ?? '';
    if ((FLAGS as readonly string[]).includes(name)) given.set(name, '');
    else if ((VALUES as readonly string[]).includes(name) && args[i + 1] !== undefined)
      given.set(name, args[++i] ?? '');
    else throw new Error(`no option: ${args[i] ?? ''}`);
  }
  const number = (name: string, otherwise: number): number => {
    const value = Number(given.get(name) ?? otherwise);
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a number`);
    return value;
  };
  const tiers = (given.get('tier') ?? TIER_NAMES.join(',')).split(',').map((name) => {
    if (!isTierName(name)) throw new Error(`no tier ${name}: ${TIER_NAMES.join(', ')}`);
    return name;
  });
  const every = (given.get('every') ?? '').split(',').flatMap((text): (readonly [TierName, number])[] => {
    if (text === '') return [];
    const [name = '', n = ''] = text.split('=');
    if (!isTierName(name) || !/^[1-9]\d*$/.test(n)) throw new Error(`--every takes TIER=N, not ${text}`);
    return [[name, Number(n)]];
  });
  const without = given.get('without');
  if (without !== undefined && !PASSES.some((p) => p.name === without))
    throw new Error(`no pass ${without}: ${PASSES.map((p) => p.name).join(', ')}`);
  return {
    seed: number('seed', Date.now() % 1_000_000),
    first: number('first', 0),
    count: number('count', 2048),
    states: number('states', 3),
    every: new Map(every),
    seconds: given.has('seconds') ? number('seconds', 0) : Infinity,
    only: given.has('only') ? number('only', 0) : undefined,
    tiers,
    without,
    rotate: given.has('rotate'),
    shrink: !given.has('no-shrink'),
    optimisingCompiler: !given.has('liftoff'),
    out: given.get('out') ?? join('tests', 'filetests', 'sequences'),
  };
}
