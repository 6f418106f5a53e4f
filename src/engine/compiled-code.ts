/**
 * Compiled regions in one guest thread: instances, function-table slots, invalidation. In: CompiledModules. Out: the table that the dispatcher and the regions call through.
 */
import { CPU } from '../guest/cpu-state.js';
import { PCB, PCB_BASE } from '../guest/memory-map.js';
import { TB } from '../guest/tb-header.js';
import type { CodeCache } from './code-cache.js';
import type { CompiledEntry, CompiledModule } from './compile-protocol.js';
import type { Core } from './core.js';
import type { MemoryViews } from './memory-views.js';
import { withMutex } from './mutex.js';

export class CompiledCode {
  /** Slots by guest page that their region depends on. */
  private readonly byPage = new Map<number, Set<number>>();
  /** Slots that hold a region in this thread. */
  private readonly installed = new Set<number>();
  private regions = 0;

  constructor(
    private readonly views: MemoryViews,
    private readonly memory: WebAssembly.Memory,
    private readonly core: Core,
    private readonly cache: CodeCache,
    /** Address of this thread's CPU block. */
    private readonly cpu: number,
  ) {
    for (let slot = 0; slot < core.table.length; slot++) core.table.set(slot, core.stub);
    this.tellSize();
  }

  /** Makes room in the table for all slots that are bound. */
  private grow(): void {
    const { table, stub } = this.core;
    const needed = Atomics.load(this.views.i32, (PCB_BASE + PCB.SLOT_COUNT) / 4) + 1;
    if (needed <= table.length) return;
    table.grow(Math.max(2 * table.length, needed) - table.length, stub);
    this.tellSize();
  }

  private tellSize(): void {
    this.views.i32[(this.cpu + CPU.TABLE_SIZE) / 4] = this.core.table.length;
  }

  /** Regions installed so far. */
  get count(): number {
    return this.regions;
  }

  has(slot: number): boolean {
    return this.installed.has(slot);
  }

  /** Puts the regions of a module into the table, those that no invalidation has made stale, and tells the dispatcher of all threads of them. */
  install(compiled: CompiledModule): void {
    this.place(this.instantiate(compiled.module), compiled.entries, compiled.generation);
  }

  /** An instance for this thread. All slots that the module names are bound, so that the table has them. */
  instantiate(module: WebAssembly.Module): WebAssembly.Instance {
    this.grow();
    return new WebAssembly.Instance(module, {
      env: { memory: this.memory, table: this.core.table },
      core: this.core.exports,
    });
  }

  /** Puts these regions of an instance into the table, unless their pages were invalidated since `generation` or their TBs are not there. Gives how many are there now. */
  place(instance: WebAssembly.Instance, entries: readonly CompiledEntry[], generation: number): number {
    return withMutex(this.views.i32, (PCB_BASE + PCB.TRANSLATE_LOCK) / 4, () => {
      const stale = this.cache.invalidatedSince(generation, this.cache.generation);
      if (stale === undefined) return 0;
      let placed = 0;
      for (const entry of entries) {
        if (entry.pages.some((page) => stale.has(page))) continue;
        const header = this.cache.lookup(entry.pc);
        if (header === 0) continue;
        this.core.table.set(entry.slot, instance.exports[entry.name]);
        this.installed.add(entry.slot);
        this.regions++;
        placed++;
        for (const page of entry.pages) {
          let slots = this.byPage.get(page);
          if (slots === undefined) this.byPage.set(page, (slots = new Set()));
          slots.add(entry.slot);
        }
        Atomics.store(this.views.i32, (header + TB.SLOT) / 4, entry.slot);
      }
      return placed;
    });
  }

  /** The code of `pages` is no longer valid; undefined: none is. */
  invalidate(pages: ReadonlySet<number> | undefined): void {
    if (pages === undefined) {
      for (const slot of this.installed) this.core.table.set(slot, this.core.stub);
      this.installed.clear();
      this.byPage.clear();
      return;
    }
    for (const page of pages) {
      for (const slot of this.byPage.get(page) ?? []) {
        this.core.table.set(slot, this.core.stub);
        this.installed.delete(slot);
      }
      this.byPage.delete(page);
    }
  }
}
