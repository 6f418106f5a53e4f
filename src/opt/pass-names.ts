/** The optimiser's passes in order, by name: apart from pipeline.ts, for those that need no more. In: nothing. Out: names. */

export const OPTIMISER_PASSES = ['fold', 'merge-guards', 'dead-code', 'coalesce'] as const;
export type OptimiserPass = (typeof OPTIMISER_PASSES)[number];
