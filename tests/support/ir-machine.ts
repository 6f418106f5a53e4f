/**
 * Runs IR in both engines: as compiled regions and in the interpreter. In: TBs built by IrBuilder. Out: CPU state and memory after it.
 * V8 compiles the regions as in the compile worker, with its optimising compiler at once. Needs dist/core.wasm.
 */
import { HEAT_OFF } from '../../src/guest/tb-header.js';
import { readFileSync } from 'node:fs';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { compileModule, type ModuleOptions } from '../../backend-wasm/compiler/module.js';
import type { Region } from '../../backend-wasm/compiler/region.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { type Core, instantiateCore } from '../../src/engine/core.js';
import { type MemoryViews, memoryViews } from '../../src/engine/memory-views.js';
import { optimiseAllModules } from '../../src/engine/v8-flags.js';
import { CPU, RUN_FLAG } from '../../src/guest/cpu-state.js';
import { CPU_BASE, PAGE_SHIFT, PERM_TABLE, WASM_PAGES } from '../../src/guest/memory-map.js';
import { GLOBALS, globalId } from '../../src/ir/globals.js';
import type { Tb, Temp } from '../../src/ir/types.js';
import { verifyTb } from '../../src/ir/verify.js';

optimiseAllModules();

/** A compiled region: takes the CPU block's address, gives 0, with the pc to go on at in rip, or an EXIT reason. */
export interface RegionFunction {
  (cpu: number): number;
  /** The function itself, for the table. */
  readonly raw: (cpu: number, budget: number) => bigint;
}

/** Bytes of the host's stack that the calls of a region may take. */
const BUDGET = 100_000;

/** `raw`, a region's function of a module, as tests call it. */
export function regionFunction(raw: unknown, setRip: (rip: bigint) => void): RegionFunction {
  // An export of a compiled region: region.ts of the compiler has the type.
  const enter = raw as RegionFunction['raw'];
  const call = (cpu: number): number => {
    const result = enter(cpu, BUDGET);
    if (result < 0n) return -Number(result);
    setRip(result);
    return 0;
  };
  return Object.assign(call, { raw: enter });
}

/** The region of `tbs`, headed at the first one. */
export function regionOf(...tbs: readonly Tb[]): Region {
  return { head: tbs[0]?.pc ?? 0, tbs: new Map(tbs.map((tb) => [tb.pc, tb])) };
}

export class IrMachine {
  readonly memory: WebAssembly.Memory;
  readonly views: MemoryViews;
  readonly core: Core;
  readonly cpu = CPU_BASE;
  /** Wasm bytes of the last module. */
  bytes = new Uint8Array();
  private readonly cache: CodeCache;

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
    this.views = memoryViews(this.memory);
    CodeCache.initialise(this.views);
    this.cache = new CodeCache(this.views, () => undefined);
    this.core = instantiateCore(new WebAssembly.Module(readFileSync('dist/core.wasm')), this.memory);
    for (let slot = 0; slot < 64; slot++) this.core.table.set(slot, this.core.stub);
    this.setI32(CPU.FUEL, -1);
  }

  /** Compiles `regions` into one module, after the verifier. `core` replaces functions of the core. */
  compile(
    regions: readonly Region[],
    slotOf: (pc: number) => number = () => 0,
    core: Readonly<Record<string, unknown>> = {},
    options: ModuleOptions = {},
  ): RegionFunction[] {
    for (const region of regions) for (const tb of region.tbs.values()) verifyTb(tb);
    this.bytes = new Uint8Array(compileModule(regions, slotOf, options).bytes);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(this.bytes), {
      env: { memory: this.memory, table: this.core.table },
      core: { ...this.core.exports, ...core } as Record<string, WebAssembly.ImportValue>,
    });
    return regions.map((_, i) =>
      regionFunction(exports[`r${i}`], (rip) => {
        this.set('rip', rip);
      }),
    );
  }

  /** Compiles one region of TBs and runs it; gives what it returned. */
  runCompiled(...tbs: readonly Tb[]): number {
    const [run] = this.compile([regionOf(...tbs)]);
    this.setI32(CPU.EXIT_REASON, 0);
    return run?.(this.cpu) ?? -1;
  }

  /** Runs TBs in the interpreter from the first one on, until they leave; gives the EXIT reason. */
  runInterpreted(...tbs: readonly Tb[]): number {
    for (const tb of tbs) {
      const header = encodeTb(tb, this.views.i32, (bytes) => this.cache.allocate(bytes), HEAT_OFF);
      this.cache.insert(header, tb.pc, tb.size);
    }
    this.set('rip', BigInt(tbs[0]?.pc ?? 0));
    this.setI32(CPU.RUN_FLAGS, RUN_FLAG.INTERP_ONLY);
    this.setI32(CPU.EXIT_REASON, 0);
    const reason = this.core.run(this.cpu);
    this.cache.flush();
    return reason;
  }

  /** Value of a global in CPU state, unsigned. */
  get(name: string): bigint {
    const g = GLOBALS[globalId(name)] as Temp;
    const at = this.cpu + (g.offset ?? 0);
    const { view } = this.views;
    if (g.type === 'i32') return BigInt(view.getUint32(at, true));
    const low = view.getBigUint64(at, true);
    return g.type === 'v128' ? low | (view.getBigUint64(at + 8, true) << 64n) : low;
  }

  set(name: string, value: bigint): void {
    const g = GLOBALS[globalId(name)] as Temp;
    const at = this.cpu + (g.offset ?? 0);
    const { view } = this.views;
    if (g.type === 'i32') view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    else view.setBigUint64(at, BigInt.asUintN(64, value), true);
    if (g.type === 'v128') view.setBigUint64(at + 8, value >> 64n, true);
  }

  /** All globals by name. */
  globals(): Record<string, bigint> {
    return Object.fromEntries(GLOBALS.map((g) => [g.name, this.get(g.name)]));
  }

  i32(offset: number): number {
    return this.views.i32[(this.cpu + offset) / 4] ?? 0;
  }

  setI32(offset: number, value: number): void {
    this.views.i32[(this.cpu + offset) / 4] = value;
  }

  i64(offset: number): bigint {
    return this.views.i64[(this.cpu + offset) / 8] ?? 0n;
  }

  /** Sets the permission byte (PERM) of the page at `addr`. */
  allow(addr: number, perm: number): void {
    this.views.u8[PERM_TABLE + (addr >>> PAGE_SHIFT)] = perm;
  }
}
