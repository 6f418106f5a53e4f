/**
 * Translates guest code for the interpreter: lift, optimise, encode, enter into the code cache. In: a guest pc. Out: the address of a TB header.
 * Most TBs of a program run a few times, and the optimiser costs more than lifting and encoding together: a TB is first put together from templates (template-translator.ts) or encoded as lifted,
 * and translated again once that pays.
 * The rule of DESIGN.md section 6: mark the page CODE, synchronise, then read the bytes.
 */
import { InternalError } from '../base/errors.js';
import { CPU } from '../guest/cpu-state.js';
import { GUEST_END, PAGE_SHIFT, PCB, PCB_BASE, PERM, PERM_TABLE } from '../guest/memory-map.js';
import { HEAT_OFF, TB, TB_FLAG, TB_STATE } from '../guest/tb-header.js';
import type { Tb } from '../ir/types.js';
import type { CodeCache } from './code-cache.js';
import { WARM_HEAT } from './heat.js';
import { type MemoryViews, tbPc } from './memory-views.js';
import { withMutex } from './mutex.js';
import { withSelfCheck } from './self-check.js';
import type { TemplateTranslator } from './template-translator.js';
import { ThrashingPages } from './thrashing-pages.js';

/** What one instruction at a time is lifted for. */
export interface Watch {
  /** The trap flag: REP stops after each iteration. */
  readonly oneIteration: boolean;
  /** The alignment check flag. */
  readonly alignCheck: boolean;
  /** Watchpoints. */
  readonly noteAccesses: boolean;
}

export interface TranslatorParts {
  readonly views: MemoryViews;
  readonly cache: CodeCache;
  /** Address of this thread's CPU block. */
  readonly cpu: number;
  /** Decodes and lifts at most `maxInsns` guest instructions from `pc`; `endAfterStore`: the TB ends with the first that may write to memory. */
  readonly lift: (pc: number, maxInsns: number, endAfterStore?: boolean, watch?: Watch) => Tb;
  /** The optimiser's pipeline; the dumps of -d op and op_opt hang here. */
  readonly optimise: (tb: Tb) => Tb;
  /** Writes header and bytecode into memory from `allocate`; gives the header's address. `heat`: see TB.HEAT. */
  readonly encode: (tb: Tb, allocate: (bytes: number) => number, heat: number) => number;
  readonly stopWorld: <T>(fn: () => T) => T;
  readonly setCode: (page: number, on: boolean) => void;
  /** Guest instructions of a TB: 1 under singlestep. */
  readonly maxInsns: number;
  /** TB.HEAT of a new TB. */
  readonly heat: number;
  /** TBs are encoded as lifted, until they are hot. */
  readonly coldFirst: boolean;
  /** Puts TBs that are encoded as lifted together from templates; what it leaves is lifted. */
  readonly templates?: TemplateTranslator;
  /** Enters the TBs of a page that earlier runs have left; gives a page that is to be marked first, or 0 (code-store.ts, take). */
  readonly takeStored?: (page: number) => number;
}

/** Guest instructions of a TB that checks itself. */
const CHECKED_INSNS = 16;
/** Guest instructions of a TB. */
export const MAX_TB_INSNS = 64;

const FLOAT_PRECISE = (PCB_BASE + PCB.FLOAT_PRECISE) / 4;

/** True when floating point must be lifted to its precise forms in this process. */
export function isFloatPrecise(views: MemoryViews): boolean {
  return Atomics.load(views.i32, FLOAT_PRECISE) !== 0;
}

export class Translator {
  private readonly thrashing = new ThrashingPages();

  constructor(private readonly parts: TranslatorParts) {}

  /** Header of the TB at `pc`, translating it when there is none. TB_FLAG.ONE_SHOT marks one that must not be kept. */
  translate(pc: number): number {
    const { cache } = this.parts;
    for (;;) {
      const known = cache.lookup(pc);
      if (known !== 0) return known;
      if (pc >= GUEST_END) return this.oneShot(pc);
      if (this.thrashing.thrashes(pc >>> PAGE_SHIFT)) return this.selfChecked(pc);
      if (cache.full) this.flush();
      this.mark(pc >>> PAGE_SHIFT);
      const header = this.locked(() => {
        const other = cache.lookup(pc);
        if (other !== 0) return other;
        const stored = this.stored(pc) || this.assembled(pc);
        if (stored !== 0) return stored;
        const tb = this.parts.lift(pc, this.parts.maxInsns);
        const last = (pc + Math.max(tb.size, 1) - 1) >>> PAGE_SHIFT;
        if (!this.marked(pc >>> PAGE_SHIFT) || !this.marked(last)) return -last;
        const { coldFirst, heat } = this.parts;
        const header = this.encode(coldFirst ? tb : this.parts.optimise(tb), heat);
        if (coldFirst) this.parts.views.i32[(header + TB.FLAGS) / 4] = TB_FLAG.COLD;
        cache.insert(header, pc, tb.size);
        return header;
      });
      if (header > 0) return header;
      if (this.thrashing.thrashes(-header)) return this.selfChecked(pc);
      this.mark(-header);
    }
  }

  /** Translates a TB that was encoded as lifted again, with the optimiser. */
  warm(header: number): void {
    const { cache, views } = this.parts;
    const field = (offset: number): number => views.i32[(header + offset) / 4] ?? 0;
    this.locked(() => {
      if ((field(TB.FLAGS) & TB_FLAG.COLD) === 0 || field(TB.STATE) !== TB_STATE.VALID || cache.full) return;
      const pc = tbPc(views, header);
      // Its pages are marked, so its bytes are those of the first time; what lies behind it need not be.
      const tb = this.parts.lift(pc, field(TB.INSNS));
      if (tb.size !== field(TB.SIZE)) return;
      const optimised = this.encode(this.parts.optimise(tb), WARM_HEAT);
      views.i32[(optimised + TB.SLOT) / 4] = field(TB.SLOT);
      views.u8.copyWithin(optimised + TB.TARGETS, header + TB.TARGETS, header + TB.CODE);
      cache.retire(pc);
      cache.insert(optimised, pc, tb.size);
    });
  }

  /** The TB at `pc` of an earlier run; 0 none; the negative of a page: that has to be marked first. Its page may have lost its mark: then its content is not certain. */
  private stored(pc: number): number {
    const page = pc >>> PAGE_SHIFT;
    if (this.parts.takeStored === undefined || !this.marked(page)) return 0;
    const next = this.parts.takeStored(page);
    const header = this.parts.cache.lookup(pc);
    return header === 0 ? -next : header;
  }

  /** The TB at `pc` from templates; 0: it is left to the lifter; the negative of a page: that has to be marked first. */
  private assembled(pc: number): number {
    const { cache, heat, maxInsns, templates, views } = this.parts;
    if (templates?.assemble(pc, maxInsns, isFloatPrecise(views)) !== true) return 0;
    const last = (pc + templates.size - 1) >>> PAGE_SHIFT;
    if (!this.marked(pc >>> PAGE_SHIFT) || !this.marked(last)) return -last;
    const header = templates.write(views.i32, (bytes) => cache.allocate(bytes), heat);
    views.i32[(header + TB.FLAGS) / 4] = TB_FLAG.COLD;
    cache.insert(header, pc, templates.size);
    return header;
  }

  private encode(tb: Tb, heat: number): number {
    return this.parts.encode(tb, (bytes) => this.parts.cache.allocate(bytes), heat);
  }

  /** A TB that compares its guest bytes at every entry. Its pages are not marked: writes to them go on unhindered. */
  private selfChecked(pc: number): number {
    const { cache, views } = this.parts;
    return this.locked(() => {
      const other = cache.lookup(pc);
      if (other !== 0) return other;
      const tb = this.parts.lift(pc, Math.min(this.parts.maxInsns, CHECKED_INSNS), true);
      const bytes = views.u8.slice(pc, pc + tb.size);
      const checked = withSelfCheck(tb, bytes);
      const patience = this.thrashing.patience(pc >>> PAGE_SHIFT);
      const header = this.encode(this.parts.coldFirst ? checked : this.parts.optimise(checked), patience);
      views.i32[(header + TB.FLAGS) / 4] = TB_FLAG.SELF_CHECK;
      cache.insert(header, pc, tb.size);
      return header;
    });
  }

  /** The TB at `header`, which checks itself, has been entered many times with its bytes unchanged: its page is marked again when its code is next translated. */
  calm(header: number): void {
    const page = tbPc(this.parts.views, header) >>> PAGE_SHIFT;
    this.alone(() => {
      this.parts.cache.invalidatePage(page);
      this.thrashing.calm(page);
    });
  }

  /** Drops all translated code. */
  flush(): void {
    this.alone(() => {
      this.parts.cache.flush();
    });
  }

  /** The TB at `pc` has found itself stale. */
  retire(pc: number): void {
    this.locked(() => {
      this.parts.cache.retire(pc);
    });
  }

  /** A TB of the single instruction at `pc` that is in no table: for stores into translated code, for pages that thrash, and for the flags that are watched. */
  oneShot(pc: number, watch?: Watch): number {
    const { views } = this.parts;
    return this.locked(() => {
      const tb = this.parts.lift(pc, 1, false, watch);
      const ready = this.parts.coldFirst ? tb : this.parts.optimise(tb);
      const header = this.parts.encode(ready, (bytes) => this.oneShotArea(bytes), HEAT_OFF);
      views.i32[(header + TB.FLAGS) / 4] = TB_FLAG.ONE_SHOT;
      return header;
    });
  }

  /** Kills all translated code on [addr, addr + size). Stops the world: when it returns, no thread runs any of it. */
  invalidate(addr: number, size: number): void {
    const first = Math.floor(addr / 4096);
    const last = Math.min(Math.floor((addr + Math.max(size, 1) - 1) / 4096), (GUEST_END >>> PAGE_SHIFT) - 1);
    const { cache } = this.parts;
    const pages: number[] = [];
    for (let page = first; page <= last; page++) if (cache.hasCode(page)) pages.push(page);
    if (pages.length === 0) return;
    this.alone(() => {
      for (const page of pages) {
        cache.invalidatePage(page);
        this.thrashing.invalidated(page);
      }
    });
  }

  /** Floating point obeys MXCSR from now on, in all threads: what was translated otherwise goes. */
  makeFloatPrecise(): void {
    if (isFloatPrecise(this.parts.views)) return;
    this.alone(() => {
      Atomics.store(this.parts.views.i32, FLOAT_PRECISE, 1);
      this.parts.cache.flush();
    });
  }

  private oneShotArea(bytes: number): number {
    if (bytes > CPU.ONE_SHOT_END - CPU.ONE_SHOT)
      throw new InternalError(`one guest instruction took ${String(bytes)} bytes of bytecode`);
    return this.parts.cpu + CPU.ONE_SHOT;
  }

  /** Marks a page as holding code. A writable page is marked with the world stopped: a store that passed its check before the mark has then been done. */
  mark(page: number): void {
    if (this.marked(page)) return;
    const perm = Atomics.load(this.parts.views.u8, PERM_TABLE + page);
    if ((perm & PERM.W) !== 0)
      this.parts.stopWorld(() => {
        this.parts.setCode(page, true);
      });
    else this.parts.setCode(page, true);
  }

  private marked(page: number): boolean {
    return this.parts.cache.isCode(page);
  }

  /** With the world stopped, and the lock. */
  private alone(fn: () => void): void {
    this.parts.stopWorld(() => {
      this.locked(fn);
    });
  }

  private locked<T>(fn: () => T): T {
    return withMutex(this.parts.views.i32, (PCB_BASE + PCB.TRANSLATE_LOCK) / 4, fn);
  }
}
