/**
 * A broken IR invariant: which check, the temp and where it was allocated, the guest pc, and the IR so far.
 * In: the facts. Out: an error whose details print the IR with the offending line marked.
 */
import { InternalError } from '../base/errors.js';
import type { TempId } from '../base/ids.js';
import { hex } from '../base/hex.js';
import type { AllocSite } from './builder.js';
import { printTb } from './print.js';
import type { Tb } from './types.js';

export type IrCheck =
  | 'free-global'
  | 'free-const'
  | 'double-free'
  | 'use-after-free'
  | 'temp-range'
  | 'type'
  | 'arity'
  | 'leak'
  | 'ebb-escape'
  | 'use-before-def'
  | 'label-missing'
  | 'label-twice'
  | 'goto-tb-index'
  | 'goto-tb-twice'
  | 'exit-tb-alone'
  | 'write-const'
  | 'immediate'
  | 'no-end';

export interface IrFailure {
  readonly check: IrCheck;
  readonly message: string;
  readonly tb: Tb;
  /** Guest pc of the instruction whose IR is wrong. */
  readonly pc: number;
  /** Index of the offending op; absent where the failure is of the TB as a whole. */
  readonly op?: number;
  readonly temp?: TempId;
  readonly site?: AllocSite | undefined;
}

export class IrError extends InternalError {
  constructor(readonly failure: IrFailure) {
    super(`IR check ${failure.check}: ${failure.message}`, report(failure));
  }
}

function report(f: IrFailure): string[] {
  const lines = [`guest pc 0x${hex(f.pc)}, TB 0x${hex(f.tb.pc)}`];
  const t = f.temp === undefined ? undefined : f.tb.temps[f.temp];
  if (t !== undefined)
    lines.push(
      `${t.kind} ${t.name} (temp ${t.id}, ${t.type})${f.site === undefined ? '' : `, allocated at pc 0x${hex(f.site.pc)} before op ${f.site.op}`}`,
    );
  return [...lines, ...printTb(f.tb, f.op)];
}
