/**
 * Compiled regions of a guest thread: which TBs ask for one, where regions come from (the compile worker, the thread's own compiler, earlier runs), and what is kept for the next run.
 * In: exits of the execute loop. Out: regions in the thread's table.
 */
import { PCB, PCB_BASE } from '../guest/memory-map.js';
import { TB, TB_FLAG } from '../guest/tb-header.js';
import { requestService } from '../../runtime/threads/worker.js';
import { COLD_HEAT } from './heat.js';
import type { CodeCache } from './code-cache.js';
import type { CodeStore } from './code-store.js';
import type { CompiledModule, SpaceModule } from './compile-protocol.js';
import type { CompiledCode } from './compiled-code.js';
import { lifeOf } from './memory-life.js';
import { type MemoryViews, tbPc } from './memory-views.js';
import { withMutex } from './mutex.js';
import type { RegionCompiler } from './region-compiler.js';
import type { RegionStore } from './region-store.js';
import { type HotPc, SERVICE } from './spine.js';
import type { Translator } from './translator.js';

/** Where a thread's compiled code comes from. */
export interface CodeSource {
  /** All modules of that address space so far (tier auto). */
  readonly modulesOf: (space: number) => readonly CompiledModule[];
  /** Makes the compiler of this thread (tier compiled). */
  readonly compiler: ((views: MemoryViews, cache: CodeCache) => RegionCompiler) | undefined;
}

export interface RegionParts {
  readonly views: MemoryViews;
  readonly cache: CodeCache;
  readonly translator: Translator;
  readonly compiled: CompiledCode;
  readonly source: CodeSource;
  readonly store: CodeStore | undefined;
  readonly kept: RegionStore | undefined;
  /** Hot TBs go to the compile worker (tier auto). */
  readonly asks: boolean;
  /** Leaves this thread's CPU to the compile worker where there are too few; true: it has sent code meanwhile. */
  readonly awaitCode: () => boolean;
  /** Mm.space. */
  readonly space: () => number;
  /** Name of a TB for --perf-map; undefined: none is wanted. */
  readonly symbol: (pc: number) => string | undefined;
  readonly log: (text: string) => void;
}

export class ThreadRegions {
  /** Modules of this address space that this thread has looked at. */
  private seen = 0;
  /** This thread's compiler, made when it first compiles (tier compiled). */
  private compiler: RegionCompiler | undefined;
  /** Modules that other threads have compiled, by the pcs of their regions: this thread takes one when it gets there (tier compiled). */
  private readonly others = new Map<number, CompiledModule>();

  constructor(private readonly parts: RegionParts) {}

  /** The TB at `header` has been entered often. */
  hot(header: number): void {
    const { views, cache, translator, kept, asks, space, symbol, awaitCode } = this.parts;
    const { i32 } = views;
    const flags = i32[(header + TB.FLAGS) / 4] ?? 0;
    const cold = (flags & TB_FLAG.COLD) !== 0;
    if ((flags & TB_FLAG.SELF_CHECK) !== 0) {
      translator.calm(header);
      return;
    }
    const pc = tbPc(views, header);
    if (kept?.install(pc) === true) return;
    if (asks && (flags & TB_FLAG.ASKED) === 0) {
      const hot: HotPc = {
        space: space(),
        life: lifeOf(views),
        pc,
        warm: kept?.isWarm === true,
        symbol: symbol(pc),
      };
      requestService(SERVICE.HOT, hot);
      if (!cold) return;
      i32[(header + TB.FLAGS) / 4] = flags | TB_FLAG.ASKED;
      Atomics.store(i32, (header + TB.HEAT) / 4, COLD_HEAT);
    } else if (cold) {
      const { generation } = cache;
      const came = asks && kept?.isWarm !== true && awaitCode();
      // While this thread was parked, others may have flushed the TB away.
      if (cache.generation !== generation) return;
      if (came) {
        this.installNew();
        Atomics.store(i32, (header + TB.HEAT) / 4, COLD_HEAT);
      } else translator.warm(header);
    }
  }

  /** Puts the regions that have come in since into the table. */
  installNew(): void {
    const modules = this.modules();
    for (const compiled of modules.slice(this.seen)) {
      if (this.parts.source.compiler === undefined) this.place(compiled);
      else
        for (const { pc, slot } of compiled.entries) if (!this.parts.compiled.has(slot)) this.others.set(pc, compiled);
    }
    this.seen = modules.length;
  }

  /** Code of these pages (undefined: all) is no longer valid. */
  invalidate(pages: ReadonlySet<number> | undefined): void {
    const { compiled, store, kept } = this.parts;
    compiled.invalidate(pages);
    if (pages === undefined) this.others.clear();
    store?.forget(pages);
    kept?.forget(pages);
  }

  /** The thread is at `pc`, whose slot holds no region yet: another thread has compiled it (tier compiled), or its module is not here, and this thread goes on without. */
  install(slot: number, pc: number): void {
    const { compiled, kept, source } = this.parts;
    this.installNew();
    if (compiled.has(slot) || kept?.install(pc) === true) return;
    if (source.compiler !== undefined) this.takeOrCompile(slot, pc);
    else this.forget(pc);
  }

  /** Compiles the TB before it runs (tier compiled). */
  beforeFirstRun(header: number): void {
    const { source, views } = this.parts;
    if (source.compiler !== undefined && views.i32[(header + TB.SLOT) / 4] === 0) this.compile(tbPc(views, header));
  }

  /** Keeps the process's code for the next run. Gives the line that -d store logs, undefined where nothing is kept. */
  save(): string | undefined {
    const { store, kept, views } = this.parts;
    if (store === undefined) return undefined;
    const records = this.modules().flatMap(({ record }) => (record === undefined ? [] : [record]));
    const [tbs, modules] = withMutex(
      views.i32,
      (PCB_BASE + PCB.TRANSLATE_LOCK) / 4,
      () => [store.save(), kept?.save(records) ?? 0] as const,
    );
    return `code store: ${store.report}, ${tbs} new ones written; ${kept?.installed ?? 0} regions installed, ${modules} new modules written`;
  }

  /** The compile worker's modules for this address space so far. */
  private modules(): readonly CompiledModule[] {
    return this.parts.source.modulesOf(this.parts.space());
  }

  private place(compiled: CompiledModule): void {
    if (compiled.text !== undefined) this.parts.log(compiled.text);
    this.parts.compiled.install(compiled);
  }

  /** What another thread has compiled for this pc, if that is still valid; else it is compiled here. */
  private takeOrCompile(slot: number, pc: number): void {
    const theirs = this.others.get(pc);
    this.others.delete(pc);
    if (theirs !== undefined) this.parts.compiled.install(theirs);
    if (!this.parts.compiled.has(slot)) this.compile(pc);
  }

  private compile(pc: number): void {
    const { source, views, cache, space } = this.parts;
    this.compiler ??= source.compiler?.(views, cache);
    const { compiler } = this;
    if (compiler === undefined) return;
    const symbol = this.parts.symbol(pc);
    if (symbol !== undefined) compiler.symbols.set(pc, symbol);
    const compiled = compiler.compileHeads([pc]);
    if (compiled === undefined) return;
    this.place(compiled);
    const module: SpaceModule = { space: space(), compiled };
    requestService(SERVICE.COMPILED, module);
  }

  /** The TB at `pc` is interpreted again, until it is hot once more. */
  private forget(pc: number): void {
    const header = this.parts.cache.lookup(pc);
    if (header !== 0) Atomics.store(this.parts.views.i32, (header + TB.SLOT) / 4, 0);
  }
}
