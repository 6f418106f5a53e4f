/**
 * Which functions are inlined in a region. In: the region's own TBs and what they call. Out: bodies in the place of calls.
 * Small functions are: what a call costs beside them (all registers stored and loaded again, the function table, the poll) is most of their time.
 */
import type { Body } from '../../backend-wasm/compiler/region.js';
import { directTargets, transferOf } from '../../backend-wasm/compiler/transfer.js';
import type { Tb } from '../ir/types.js';

/** Of one function, without what is inlined in it. */
const MAX_TBS = 12;
const MAX_INSNS = 24;
/** Calls under way at once within a region. */
const MAX_DEPTH = 4;
/** Copies of a function within itself: fib takes 0.75 of the time with one, 0.63 with two. */
const MAX_RECURSION = 2;

export interface BodyLimits {
  readonly tbs: number;
  /** Guest instructions. */
  readonly insns: number;
}

/** Makes the body of the function at `pc`; undefined when it is bigger than that, or can't be had. */
export type FormBody = (pc: number, limits: BodyLimits) => Body | undefined;

/**
 * `body` with the functions that it calls, as far as they are small and called often.
 * @param total guest instructions of all that may be inlined
 * @param hot whether the TB at a pc runs often
 */
export function withCallees(
  body: Body,
  form: FormBody,
  total: number,
  hot: (pc: number) => boolean = () => true,
): Body {
  return new Inliner(form, total, hot).inline(body, [body.head]);
}

class Inliner {
  constructor(
    private readonly form: FormBody,
    /** Guest instructions. */
    private left: number,
    private readonly hot: (pc: number) => boolean,
  ) {}

  /** @param path heads of the functions around it, and its own */
  inline(body: Body, path: readonly number[]): Body {
    if (path.length > MAX_DEPTH) return body;
    const callees = new Map<number, ReadonlyMap<number, Body>>();
    for (const tb of body.tbs.values()) {
      if (!this.hot(tb.pc)) continue;
      const inlined = this.calleesOf(body, tb, path);
      if (inlined.size > 0) callees.set(tb.pc, inlined);
    }
    return callees.size === 0 ? body : { ...body, callees };
  }

  private calleesOf(body: Body, tb: Tb, path: readonly number[]): Map<number, Body> {
    const callees = new Map<number, Body>();
    const transfer = transferOf(tb);
    if (transfer.kind === 'call' && !body.tbs.has(transfer.back)) return callees;
    const direct = transfer.kind === 'call' ? directTargets(tb) : [];
    for (const pc of [...direct, ...(body.guesses?.get(tb.pc) ?? [])]) {
      if (path.filter((head) => head === pc).length > MAX_RECURSION || (transfer.kind === 'jump' && body.tbs.has(pc)))
        continue;
      const callee = this.form(pc, { tbs: MAX_TBS, insns: Math.min(MAX_INSNS, this.left) });
      if (callee === undefined) continue;
      for (const { insns } of callee.tbs.values()) this.left -= insns;
      callees.set(pc, this.inline(callee, [...path, pc]));
    }
    return callees;
  }
}
