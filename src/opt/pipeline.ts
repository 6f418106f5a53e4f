/**
 * The optimiser: its passes in order. In: a Tb as lifted. Out: a Tb that computes the same. Each pass is one file with a before and after at its top.
 */
import type { Tb } from '../ir/types.js';
import { coalesceMoves } from './coalesce.js';
import { removeDeadCode } from './dead-code.js';
import { foldConstants } from './fold.js';
import { mergeGuards } from './merge-guards.js';
import { OPTIMISER_PASSES, type OptimiserPass } from './pass-names.js';

export interface Pass {
  /** Name for --disable-pass and filetests. */
  readonly name: string;
  readonly run: (tb: Tb) => Tb;
}

const RUNS: Readonly<Record<OptimiserPass, Pass['run']>> = {
  fold: foldConstants,
  'merge-guards': mergeGuards,
  'dead-code': removeDeadCode,
  coalesce: coalesceMoves,
};

export const PASSES: readonly Pass[] = OPTIMISER_PASSES.map((name) => ({ name, run: RUNS[name] }));

/** Runs `passes` over `tb` in order; `after` sees every intermediate result (the verifier under --check-ir). */
export function optimise(tb: Tb, passes: readonly Pass[], after?: (tb: Tb, pass: Pass) => void): Tb {
  let result = tb;
  for (const pass of passes) {
    result = pass.run(result);
    after?.(result, pass);
  }
  return result;
}
