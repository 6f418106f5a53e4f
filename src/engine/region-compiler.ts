/**
 * Compiles regions from guest memory. In: head pcs. Out: a WebAssembly.Module and what it covers. Used in the compile worker (tier auto) and in guest threads (tier compiled).
 */
import { GUEST_END, PAGE_SIZE, PCB, PCB_BASE, PERM, PERM_TABLE } from '../guest/memory-map.js';
import { TARGETS_KEPT, TB } from '../guest/tb-header.js';
import type { Pass } from '../opt/pipeline.js';
import { hostSimd } from '../../backend-wasm/compiler/host-simd.js';
import type { compileModule } from '../../backend-wasm/compiler/module.js';
import type { Region } from '../../backend-wasm/compiler/region.js';
import type { Decode } from '../../frontend/x86-64/decoder.js';
import type { CodeCache } from './code-cache.js';
import { pageHash } from './code-store-file.js';
import type { CompiledEntry, CompiledModule, ModuleRecord } from './compile-protocol.js';
import { isAtEdges, isHot, isWarm } from './heat.js';
import { LiftedTbs } from './lifted-tbs.js';
import { distinctModule, machineCode } from './machine-code.js';
import { lifeOf, withinLife } from './memory-life.js';
import type { MemoryViews } from './memory-views.js';
import { formRegion, limitsWithout, REGION_LIMITS, regionPages, type RegionLimits } from './region.js';
import { type BoundSlot, slotOf } from './slots.js';
import { isFloatPrecise } from './translator.js';

/** Times that an indirect jump may have gone to a place that is not in its TB's list, for the list to be worth a comparison each. */
const STRAY_TARGETS = 50;

/**
 * Slots that are bound from which on modules do without the function table: V8 11 gives each instance that has it a copy of it, and writes all copies when a slot is set. Of the 30 s that cc1 took with 3,000 regions of
 * earlier runs in 1,000 modules and 13,000 slots, that was 8; most programs stay below 2,000 slots.
 */
const TABLE_SLOTS = 2048;

/** A copy that costs the workers that it goes to nothing. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

const plainModule = (bytes: Uint8Array): WebAssembly.Module => new WebAssembly.Module(bytes);

export interface RegionCompilerOptions {
  readonly decode: Decode;
  /** The compiler, which comes with Binaryen. */
  readonly compile: typeof compileModule;
  readonly passes: readonly Pass[];
  /** Passes of the compiler and of forming regions to leave out (region-passes.ts). */
  readonly disabled?: readonly string[];
  /** Only TBs that have been run a number of times belong to a region, beside its head. */
  readonly onlyWarm?: boolean;
  /** Modules come with their Wasm text. */
  readonly wantText?: boolean;
  readonly limits?: RegionLimits;
  /** Makes a module; V8's usual way by default. */
  readonly load?: (bytes: Uint8Array) => WebAssembly.Module;
  /** Modules come with what the code store keeps. */
  readonly keep?: boolean;
  /** Accesses have no permission checks. */
  readonly unchecked?: boolean;
  /** The life of the memory that it compiles for (memory-life.ts); the present one by default. */
  readonly life?: number;
}

export class RegionCompiler {
  private readonly tbs: LiftedTbs;
  private readonly limits: RegionLimits;
  private readonly life: number;
  /** Symbols of heads, for the names of their functions. */
  readonly symbols = new Map<number, string>();

  constructor(
    private readonly views: MemoryViews,
    private readonly cache: CodeCache,
    private readonly options: RegionCompilerOptions,
  ) {
    this.tbs = new LiftedTbs(views, cache, options);
    this.life = options.life ?? lifeOf(views);
    this.limits = limitsWithout(options.limits ?? REGION_LIMITS, options.disabled ?? []);
  }

  /** One module with the regions headed at `heads`; undefined when none of them can be had. Throws LifeOver. */
  compileHeads(heads: readonly number[]): CompiledModule | undefined {
    // Read before the guest's bytes: what is invalidated from now on makes the result stale.
    const { generation } = this.cache;
    const regions = heads.flatMap((pc) => {
      const region = this.form(pc);
      return region === undefined ? [] : [region];
    });
    return regions.length === 0 ? undefined : this.compileRegions(regions, generation);
  }

  /** The region headed at `pc`; undefined when it can't be had. */
  form(pc: number): Region | undefined {
    const source = {
      lift: (at: number) => this.tbs.at(at),
      isWorth: (at: number) => this.options.onlyWarm !== true || isWarm(this.views, this.cache.lookup(at)),
      read: (addr: number, size: 4 | 8) => this.readTable(addr, size),
      hot: (at: number) => isHot(this.views, this.cache.lookup(at)),
      targets: (at: number) => this.targets(at),
    };
    return formRegion(pc, source, this.limits);
  }

  /** One module with `regions`, at least one. `generation`: the code's before the first of them was formed. Throws LifeOver. */
  compileRegions(regions: readonly Region[], generation: number): CompiledModule {
    const slots = new Map<number, number>();
    const slot = (pc: number): number => {
      const n = this.slot(pc);
      if (n !== 0) slots.set(pc, n);
      return n;
    };
    const {
      compile,
      wantText = false,
      unchecked = false,
      disabled = [],
      keep = false,
      load = plainModule,
    } = this.options;
    const { bytes: compiled, text } = compile(regions, slot, {
      text: wantText,
      unchecked,
      disabled,
      symbolOf: (pc) => this.symbols.get(pc),
      plainGuards: Atomics.load(this.views.i32, (PCB_BASE + PCB.PLAIN_GUARDS) / 4) !== 0,
      atEdges: (pc) => isAtEdges(this.views, this.cache.lookup(pc)),
      viaCore: Atomics.load(this.views.i32, (PCB_BASE + PCB.SLOT_COUNT) / 4) >= TABLE_SLOTS,
    });
    const entries = regions.map((r, i) => ({ pc: r.head, slot: slot(r.head), name: `r${i}`, pages: regionPages(r) }));
    const copies = Atomics.load(this.views.i32, (PCB_BASE + PCB.COPIES) / 4);
    const bytes = keep ? distinctModule(compiled) : compiled;
    const module = load(bytes);
    const record = keep ? this.record({ module, bytes }, entries, [...slots], generation) : undefined;
    return { module, generation, copies, entries, size: bytes.length, text, record };
  }

  /** What the code store keeps of a module; undefined when it depends on what changes: pages that can be written, or that have been. */
  private record(
    { module, bytes }: { readonly module: WebAssembly.Module; readonly bytes: Uint8Array },
    entries: readonly CompiledEntry[],
    slots: readonly BoundSlot[],
    generation: number,
  ): ModuleRecord | undefined {
    const { views, cache } = this;
    const pages = new Set(entries.flatMap((e) => e.pages));
    const contents = new Map([...pages].map((page) => [page, pageHash(views.i32, page)]));
    // In this order: a write after the hash was taken is the next run's matter, one before it shows here.
    const stale = cache.invalidatedSince(generation, cache.generation);
    const writable = (page: number): boolean => ((views.u8[PERM_TABLE + page] ?? PERM.W) & PERM.W) !== 0;
    const plain = Atomics.load(views.i32, (PCB_BASE + PCB.PLAIN_GUARDS) / 4) !== 0;
    if (stale === undefined || plain || isFloatPrecise(views)) return undefined;
    if ([...pages].some((page) => stale.has(page) || writable(page))) return undefined;
    const code = machineCode(module);
    return {
      bytes: shared(bytes),
      code: code && shared(code),
      host: hostSimd(),
      slots,
      entries: entries.map((e) => ({
        pc: e.pc,
        slot: e.slot,
        name: e.name,
        contents: e.pages.map((page) => [page, contents.get(page) ?? 0] as const),
      })),
    };
  }

  /** What the interpreter has seen of the indirect jump at the end of the TB at `pc`; none when it goes to many places. */
  private targets(pc: number): number[] {
    const header = this.cache.lookup(pc);
    const { i32 } = this.views;
    if (header === 0 || (i32[(header + TB.OTHER_TARGETS) / 4] ?? 0) > STRAY_TARGETS) return [];
    const seen = i32.subarray((header + TB.TARGETS) / 4, (header + TB.TARGETS) / 4 + TARGETS_KEPT);
    return [...new Set(Array.from(seen, (low) => low >>> 0))].filter((target) => target !== 0);
  }

  private readTable(addr: number, size: 4 | 8): bigint | undefined {
    const { u8, view } = this.views;
    if (!(addr >= 0 && addr < GUEST_END - size)) return undefined;
    const last = Math.floor((addr + size - 1) / PAGE_SIZE);
    for (let page = Math.floor(addr / PAGE_SIZE); page <= last; page++)
      if ((Atomics.load(u8, PERM_TABLE + page) & PERM.R) === 0) return undefined;
    return size === 4 ? BigInt(view.getInt32(addr, true)) : view.getBigInt64(addr, true);
  }

  private slot(pc: number): number {
    return withinLife(this.views, this.life, () => slotOf(this.views, pc));
  }
}
