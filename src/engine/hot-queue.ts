/**
 * Which hot pcs are compiled, and with which others. In: pcs, as the guest's threads ask for them. Out: batches of regions, a module each.
 *
 * The TBs of a loop get hot one after another, before the first of them is compiled; its region mostly holds the others too, and threads get into it at the next passage of its head.
 * So a pc that lies in a region of late is put off, once: its heat is set anew, and it is compiled when it is asked for again (a thread that is in an inner loop does not pass the head).
 *
 * Large programs ask for more than the worker can compile at the time: what has been entered most often since it was asked for comes first, and what has not been entered any more waits for a quiet moment.
 */
import { TB } from '../guest/tb-header.js';
import { type Region, tbsOf } from '../../backend-wasm/compiler/region.js';
import type { CodeCache } from './code-cache.js';
import { entriesSinceAsked, SECOND_HEAT } from './heat.js';
import { withinLife } from './memory-life.js';
import type { MemoryViews } from './memory-views.js';

/** Regions of one module: a module costs a mapping and some 15 KB. */
const MAX_REGIONS = 16;
/** Guest instructions after which a module takes no more regions: the first ones are wanted soon. */
const MAX_INSNS = 600;

export class HotQueue {
  private queue: number[] = [];
  /** Pcs of TBs in regions, and those that were put off; of one code generation. */
  private readonly covered = new Set<number>();
  private readonly putOff = new Set<number>();
  private generation = -1;

  /** @param life of the memory (memory-life.ts) */
  constructor(
    private readonly views: MemoryViews,
    private readonly life: number,
    private readonly cache: CodeCache,
    private readonly form: (pc: number) => Region | undefined,
  ) {}

  get empty(): boolean {
    return this.queue.length === 0;
  }

  push(pc: number): void {
    this.queue.push(pc);
  }

  /** The regions of the next module; may be none. Throws LifeOver. */
  take(): Region[] {
    if (this.generation !== this.cache.generation) {
      this.generation = this.cache.generation;
      this.covered.clear();
      this.putOff.clear();
    }
    this.hottestFirst();
    const regions: Region[] = [];
    let insns = 0;
    while (regions.length < MAX_REGIONS && insns < MAX_INSNS) {
      const pc = this.queue.shift();
      if (pc === undefined) break;
      if (this.covered.has(pc) && !this.putOff.has(pc)) {
        this.putOff.add(pc);
        this.reheat(pc);
        continue;
      }
      const region = this.form(pc);
      if (region === undefined) continue;
      regions.push(region);
      for (const at of region.tbs.keys()) this.covered.add(at);
      for (const tb of tbsOf(region)) insns += tb.insns;
    }
    return regions;
  }

  private hottestFirst(): void {
    if (this.queue.length < 2) return;
    const entries = new Map(this.queue.map((pc) => [pc, this.entriesOf(pc)]));
    this.queue = [...entries.keys()].sort((a, b) => (entries.get(b) ?? 0) - (entries.get(a) ?? 0));
  }

  /** Of a pc whose TB is gone: 0, as forming its region fails. */
  private entriesOf(pc: number): number {
    const header = this.cache.lookup(pc);
    return header === 0 ? 0 : entriesSinceAsked(this.views, header);
  }

  private reheat(pc: number): void {
    withinLife(this.views, this.life, () => {
      const header = this.cache.lookup(pc);
      if (header !== 0) Atomics.store(this.views.i32, (header + TB.HEAT) / 4, SECOND_HEAT);
    });
  }
}
