/**
 * The tiers that sequences run in, by name, with the variations that a block of sequences gets. In: a name, a block's number. Out: SequenceTier.
 */
import { type Pass, PASSES } from '../../../src/opt/pipeline.js';
import { NO_STRESS, type SequenceTier, type Stress } from '../../support/sequence-machine.js';

export const TIER_NAMES = ['lifted', 'interp', 'compiled', 'compiled-lifted', 'templates'] as const;
export type TierName = (typeof TIER_NAMES)[number];

export const isTierName = (name: string): name is TierName => (TIER_NAMES as readonly string[]).includes(name);

/** Guest instructions of a TB, by block: mostly as the engine has it. */
const MAX_INSNS = [64, 64, 64, 3, 64, 1, 64, 9] as const;

/** Interruptions, by block. */
const STRESS: readonly Stress[] = [
  NO_STRESS,
  { ...NO_STRESS, polls: 1, fuel: 2 },
  NO_STRESS,
  { ...NO_STRESS, stackBudget: 300, heat: 1 },
  NO_STRESS,
  { ...NO_STRESS, polls: 3, heat: 3 },
  { ...NO_STRESS, polls: 30, fuel: 5, stackBudget: 1000 },
];

/** @param without name of a pass that is left out */
export function tierOf(
  name: TierName,
  block: number,
  preciseFloat: boolean,
  without: string | undefined,
): SequenceTier {
  const templates = name === 'templates';
  const passes: readonly Pass[] =
    templates || name.endsWith('lifted') ? [] : PASSES.filter((pass) => pass.name !== without);
  const compiled = name.startsWith('compiled');
  return {
    compiled,
    templates,
    passes,
    maxInsns: MAX_INSNS[block % MAX_INSNS.length] ?? 64,
    noChain: !compiled && block % 5 === 4,
    plainGuards: block % 3 === 2,
    preciseFloat,
    checkIr: block % 4 === 0,
    mixed: block % 4 === 1,
    stress: STRESS[block % STRESS.length] ?? NO_STRESS,
  };
}
