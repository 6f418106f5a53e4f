/**
 * Lift functions of SSE floating point (legacy encoding): operands fetched, a lane function applied, its result written. In: a Lifter. Out: writes of operand 0, EFLAGS.
 * Operand 0 is also the first source. Source: SDM 2A/2B. The operations themselves: float-lanes.ts, float-convert.ts.
 */
import type { TempId } from '../../src/base/ids.js';
import { fromIntegerLane, toIntegerLane } from './float-convert.js';
import {
  addSubLane,
  binaryLane,
  compareFlagsLane,
  compareLane,
  type FloatOp,
  type FloatType,
  horizontalLane,
  type Lane,
  reciprocalLane,
  sqrtLane,
} from './float-lanes.js';
import type { LiftFn } from './insn.js';
import type { Lifter } from './lifter.js';
import { enterMmx, imm8, setGeneral32, setVec, vec } from './vector.js';

/** Operand 0 = lane(operand 0, operand 1). */
export function withDestination(lane: Lane): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    setVec(l, 0, lane(l, vec(l, 0), b));
  };
}

/** Operand 0 = lane(operand 1). */
export function ofSource(lane: (l: Lifter, b: TempId) => TempId): LiftFn {
  return (l) => {
    setVec(l, 0, lane(l, vec(l, 1)));
  };
}

/** The same of an MMX destination. The x87 state is that of MMX before the conversion raises an exception, as on AMD's processors. */
export function intoMmx(lane: (l: Lifter, b: TempId) => TempId): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    enterMmx(l);
    setVec(l, 0, lane(l, b));
  };
}

export const arithmetic = (op: FloatOp, t: FloatType): LiftFn => withDestination(binaryLane(op, t));
export const squareRoot = (t: FloatType): LiftFn => withDestination(sqrtLane(t));
export const reciprocal = (t: 'ps' | 'ss', ofRoot: boolean): LiftFn => withDestination(reciprocalLane(t, ofRoot));
export const horizontal = (op: 'add' | 'sub', t: 'ps' | 'pd'): LiftFn => withDestination(horizontalLane(op, t));
export const addSub = (t: 'ps' | 'pd'): LiftFn => withDestination(addSubLane(t));

/** CMPPS and relatives, predicates 0 to 7. */
export function compare(t: FloatType): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    setVec(l, 0, compareLane(t, imm8(l, 2) & 7)(l, vec(l, 0), b));
  };
}

/** COMISS, COMISD; quiet: UCOMISS, UCOMISD. */
export function compareFlags(t: 'ss' | 'sd', quiet: boolean): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    compareFlagsLane(l, t, quiet, vec(l, 0), b);
  };
}

/** CVTSI2SS and CVTSI2SD. */
export function fromInteger(t: 'ss' | 'sd'): LiftFn {
  return (l) => {
    const value = l.load(1);
    setVec(l, 0, fromIntegerLane(t, l.size(1) === 8 ? 8 : 4)(l, vec(l, 0), value));
  };
}

/** CVTSS2SI, CVTSD2SI and their truncating forms. */
export function toInteger(t: 'ss' | 'sd', truncate: boolean): LiftFn {
  return (l) => {
    const b = vec(l, 1);
    if (l.size(0) === 8) l.dest(0).store(toIntegerLane(t, 8, truncate)(l, b));
    else setGeneral32(l, 0, toIntegerLane(t, 4, truncate)(l, b));
  };
}
