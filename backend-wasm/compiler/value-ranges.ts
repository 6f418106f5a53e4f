/**
 * Bounds of an integer within a node: where an index is narrow and its table's address a constant, a guard's page is known. In: a value of a node, and where it is read. Out: its range.
 *
 *     ext8u_i64 t1, rax            0 to 255
 *     shl_i64 t2, t1, $0x2         0 to 1020
 *     add_i64 t3, t2, $0x417140    0x417140 to 0x41753c
 *
 * A range is of integers that the 64-bit value is equal to, modulo 2**64: it may be negative, and is exact as a number. Looked for on demand, backwards from the reader.
 * Requirement of any rule here: the value is within the range whatever the inputs without one hold.
 */
import { NB_GLOBALS } from '../../src/ir/globals.js';
import { opInfo } from '../../src/ir/op-info.js';
import type { Op } from '../../src/ir/types.js';
import type { CfgNode } from './cfg.js';
import { callInfo } from './call-info.js';

/** Both ends are within it. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/** Ops between a value's definition and its reader, and definitions in a row, that are looked at: for the time to compile. */
const MAX_DISTANCE = 40;
const MAX_DEPTH = 4;

/** The range of `id`, of type i64, before the op at `at`; undefined: nothing is known. */
export function valueRange(node: CfgNode, id: number | undefined, at: number, depth = 0): ValueRange | undefined {
  const value = node.tb.temps[id ?? 0]?.value;
  if (id === undefined || depth > MAX_DEPTH) return undefined;
  if (value !== undefined) {
    const constant = Number(BigInt.asIntN(64, value));
    return exact(constant, constant);
  }
  const definition = definitionOf(node, id, at);
  return definition === undefined ? undefined : rangeOfResult(node, definition, depth);
}

/** Position of the op that gave `id` the value that it has before the op at `at`; undefined: none that is near. */
function definitionOf(node: CfgNode, id: number, at: number): number | undefined {
  for (let i = at - 1; i >= Math.max(node.start, at - MAX_DISTANCE); i--) {
    const op = node.tb.ops[i] as Op;
    const { outs, pure } = opInfo(op);
    for (let out = 0; out < outs; out++) if (op.args[out] === id) return i;
    if (id < NB_GLOBALS && op.name === 'call' && !pure && callInfo(String(op.imms[0])).writes.has(id)) return undefined;
  }
  return undefined;
}

function rangeOfResult(node: CfgNode, at: number, depth: number): ValueRange | undefined {
  const op = node.tb.ops[at] as Op;
  const input = (i: number): ValueRange | undefined => valueRange(node, op.args[i], at, depth + 1);
  const { width } = opInfo(op);
  if (width !== undefined) return bits(width);
  switch (op.name) {
    case 'mov_i64':
      return input(1);
    case 'extract_i64':
      return Number(op.imms[1]) > 52 ? undefined : bits(Number(op.imms[1]));
    case 'and_i64': {
      const mask = constantOf(input(2));
      return mask === undefined || mask < 0 ? undefined : { low: 0, high: mask };
    }
    case 'add_i64': {
      const [a, b] = [input(1), input(2)];
      return a && b && exact(a.low + b.low, a.high + b.high);
    }
    case 'shl_i64': {
      const [a, by] = [input(1), constantOf(input(2))];
      return a && by !== undefined ? exact(a.low * 2 ** by, a.high * 2 ** by) : undefined;
    }
    case 'shr_i64': {
      const [a, by] = [input(1), constantOf(input(2))];
      if (a === undefined || by === undefined || a.low < 0) return undefined;
      return { low: Math.floor(a.low / 2 ** by), high: Math.floor(a.high / 2 ** by) };
    }
    default:
      return undefined;
  }
}

const bits = (n: number): ValueRange => ({ low: 0, high: 2 ** n - 1 });

const constantOf = (range: ValueRange | undefined): number | undefined =>
  range !== undefined && range.low === range.high ? range.low : undefined;

const exact = (low: number, high: number): ValueRange | undefined =>
  low >= Number.MIN_SAFE_INTEGER && high <= Number.MAX_SAFE_INTEGER ? { low, high } : undefined;
