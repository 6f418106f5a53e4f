/**
 * Pages whose code is written to again and again: code and data on one page, places where a JIT compiler puts one function after another. In: what happens to pages. Out: whether a page's TBs are to check
 * themselves (self-check.ts), and how long. Of one thread.
 *
 * A page begins marked: each write to it kills its TBs. After some such writes its TBs check themselves, in the interpreter. When one has done so often enough and found its bytes unchanged, the page is
 * marked again, and its code can be compiled. Each time it turns out to be too soon, it takes twice as many entries.
 */

/** Writes that kill a page's code before its TBs check themselves: at first, and when it is marked again. */
const FIRST_LIMIT = 32;
const NEXT_LIMIT = 2;
/** Entries of a TB that checks itself, all with the same bytes, before the page is marked again: at first, and at most. Each is some 0.1 us, a cycle of marking and killing 0.5 ms. */
const FIRST_PATIENCE = 10_000;
const MAX_PATIENCE = 1 << 22;

interface History {
  invalidations: number;
  limit: number;
  patience: number;
}

export class ThrashingPages {
  private readonly pages = new Map<number, History>();

  /** The code on `page` was killed by a write. */
  invalidated(page: number): void {
    const history = this.pages.get(page);
    if (history === undefined) this.pages.set(page, { invalidations: 1, limit: FIRST_LIMIT, patience: FIRST_PATIENCE });
    else history.invalidations++;
  }

  /** True when TBs on `page` are to check themselves. */
  thrashes(page: number): boolean {
    const history = this.pages.get(page);
    return history !== undefined && history.invalidations > history.limit;
  }

  /** Entries of a TB on `page` that checks itself until the page counts as calm. */
  patience(page: number): number {
    return this.pages.get(page)?.patience ?? FIRST_PATIENCE;
  }

  /** A TB on `page` has been entered so often without finding its bytes changed: the page is marked again. */
  calm(page: number): void {
    const patience = Math.min(2 * this.patience(page), MAX_PATIENCE);
    this.pages.set(page, { invalidations: 0, limit: NEXT_LIMIT, patience });
  }
}
