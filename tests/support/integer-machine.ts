/**
 * Runs guest instructions on integer states through decode, lift, optimise, encode and the interpreter, or the compiler: TB after TB until they end or fault.
 * In: machine code and an IntegerState. Out: the state after. Needs dist/core.wasm.
 */
import { HEAT_OFF } from '../../src/guest/tb-header.js';
import { readFileSync } from 'node:fs';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { regionFunction } from './ir-machine.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { setPerms } from '../../runtime/memory/perms.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { type Core, instantiateCore } from '../../src/engine/core.js';
import { exceptionSignal, type FaultSignal, pageFaultSignal } from '../../src/engine/faults.js';
import { type MemoryViews, memoryViews } from '../../src/engine/memory-views.js';
import { formRegion } from '../../src/engine/region.js';
import { CPU, EXC, EXIT, PF, RUN_FLAG } from '../../src/guest/cpu-state.js';
import { CC, FLAG } from '../../src/guest/flags.js';
import { CPU_BASE, PAGE_SHIFT, PAGE_SIZE, PERM, WASM_PAGES } from '../../src/guest/memory-map.js';
import type { Tb } from '../../src/ir/types.js';
import { verifyTb } from '../../src/ir/verify.js';
import { optimise, PASSES } from '../../src/opt/pipeline.js';
import { codeReader } from './insn-machine.js';
import { DATA, DATA_PAGES, FS_BASE, GS_BASE, type IntegerState, WINDOWS } from './integer-state.js';

/** The functions' table slot of every exit: nothing is ever installed there. */
const EXIT_SLOT = 1;
/** Entries of the core in one run, so that a loop that does not end is seen. */
const MOST_STEPS = 10_000;

export interface MachineOptions {
  /** Without: IR as lifted. */
  readonly optimised: boolean;
  /** Guest instructions of a TB. */
  readonly maxInsns: number;
}

/** ds, es, fs and gs among them. */
const SELECTOR_BYTES = 12;

type Region = (cpu: number) => number;

export class IntegerMachine {
  private readonly memory: WebAssembly.Memory;
  private readonly views: MemoryViews;
  private readonly core: Core;
  private readonly cache: CodeCache;
  /** Placed code by the address of its first byte. */
  private readonly code = new Map<number, Uint8Array>();
  private readonly regions = new Map<number, Region>();

  constructor(private readonly options: MachineOptions) {
    this.memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
    this.views = memoryViews(this.memory);
    CodeCache.initialise(this.views);
    this.cache = new CodeCache(this.views, () => undefined);
    this.core = instantiateCore(new WebAssembly.Module(readFileSync('dist/core.wasm')), this.memory);
    this.core.table.set(EXIT_SLOT, this.core.stub);
    for (const { page, writable } of DATA_PAGES) {
      const first = (DATA >>> PAGE_SHIFT) + page;
      setPerms(this.views.u8, first, first + 1, writable ? PERM.R | PERM.W : PERM.R);
    }
  }

  /** Puts code at a guest address where there is none yet. */
  place(code: Uint8Array, at: number): void {
    this.code.set(at, code);
  }

  /** Compiles the code at `starts` into one module: run() executes the regions from then on. */
  compile(starts: readonly number[]): void {
    const regions = starts.map((start) => {
      const end = start + this.codeAt(start).length;
      const inside = (pc: number): boolean => pc >= start && pc < end;
      const region = formRegion(start, { lift: (pc) => (inside(pc) ? this.lift(pc, start) : undefined) });
      if (region === undefined) throw new Error(`no region at ${start}`);
      return region;
    });
    const { bytes } = compileModule(regions, () => EXIT_SLOT);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: { memory: this.memory, table: this.core.table },
      core: this.core.exports,
    });
    starts.forEach((start, i) =>
      this.regions.set(
        start,
        regionFunction(instance.exports[`r${i}`], (rip) => {
          this.views.i64[(CPU_BASE + CPU.RIP) / 8] = rip;
        }),
      ),
    );
  }

  /** Runs the code at `before.rip` to its end or to a fault. */
  run(before: IntegerState): IntegerState {
    this.load(before);
    const start = before.rip;
    const end = start + this.codeAt(start).length;
    let fault: FaultSignal | undefined;
    for (let n = 0; fault === undefined && this.rip !== end; n++) {
      if (n > MOST_STEPS) throw new Error('the code does not end');
      this.setI32(CPU.EXIT_REASON, EXIT.NONE);
      let reason = this.enter();
      if (reason === EXIT.CLOSE_LOOK) reason = this.closeLook(start);
      if (reason === EXIT.TRANSLATE) this.translate(start);
      else fault = this.faultOf(reason);
    }
    const after = before.copy();
    this.store(after);
    // A jump to the kernel's half is done, and faults at its target, as the execute loop has it.
    if (fault?.trapno === EXC.PF && (fault.error & PF.INSTR) !== 0 && fault.address >> 63n === 1n)
      after.rip = Number(fault.address);
    if (fault !== undefined) after.setSignal(fault.signal, fault.code, fault.address);
    return after;
  }

  /** The instruction at rip and what follows it, interpreted. */
  private closeLook(start: number): number {
    this.translate(start);
    this.setI32(CPU.EXIT_REASON, EXIT.NONE);
    return this.core.run(CPU_BASE);
  }

  private enter(): number {
    const region = this.regions.get(this.rip);
    return region === undefined ? this.core.run(CPU_BASE) : region(CPU_BASE);
  }

  private codeAt(start: number): Uint8Array {
    const code = this.code.get(start);
    if (code === undefined) throw new Error(`no code at ${start}`);
    return code;
  }

  private lift(pc: number, start: number): Tb {
    const tb = translate(codeReader(this.codeAt(start), start), pc, { maxInsns: this.options.maxInsns });
    verifyTb(tb);
    return this.options.optimised ? optimise(tb, PASSES, verifyTb) : tb;
  }

  private translate(start: number): void {
    const pc = this.rip;
    const tb = this.lift(pc, start);
    const header = encodeTb(tb, this.views.i32, (bytes) => this.cache.allocate(bytes), HEAT_OFF);
    this.cache.insert(header, pc, tb.size);
  }

  private get rip(): number {
    return Number(this.views.i64[(CPU_BASE + CPU.RIP) / 8] ?? 0n);
  }

  private setI32(offset: number, value: number): void {
    this.views.i32[(CPU_BASE + offset) / 4] = value;
  }

  private i32(offset: number): number {
    return this.views.i32[(CPU_BASE + offset) / 4] ?? 0;
  }

  private setI64(offset: number, value: bigint): void {
    this.views.i64[(CPU_BASE + offset) / 8] = value;
  }

  private i64(offset: number): bigint {
    return this.views.i64[(CPU_BASE + offset) / 8] ?? 0n;
  }

  private load(s: IntegerState): void {
    for (let n = 0; n < 16; n++) this.setI64(CPU.REGS + 8 * n, s.gpr(n));
    this.setI64(CPU.RIP, BigInt(s.rip));
    this.setI64(CPU.CC_SRC, BigInt(s.rflags & FLAG.ARITH));
    this.setI32(CPU.CC_OP, CC.EFLAGS);
    this.setI32(CPU.DF, (s.rflags & FLAG.DF) === 0 ? 1 : -1);
    this.setI32(CPU.EFLAGS_REST, FLAG.IF);
    this.setI64(CPU.GS_BASE, BigInt(GS_BASE));
    this.setI64(CPU.FS_BASE, BigInt(FS_BASE));
    this.views.u8.fill(0, CPU_BASE + CPU.SEG_SELECTORS, CPU_BASE + CPU.SEG_SELECTORS + SELECTOR_BYTES);
    this.setI32(CPU.RUN_FLAGS, RUN_FLAG.NO_CHAIN | RUN_FLAG.INTERP_ONLY);
    this.setI32(CPU.FUEL, -1);
    for (const { page } of DATA_PAGES) this.views.u8.fill(0, DATA + PAGE_SIZE * page, DATA + PAGE_SIZE * (page + 1));
    let from = 0;
    for (const { at, size } of WINDOWS) this.views.u8.set(s.memory.subarray(from, (from += size)), at);
  }

  private store(s: IntegerState): void {
    for (let n = 0; n < 16; n++) s.setGpr(n, this.i64(CPU.REGS + 8 * n));
    s.rip = this.rip;
    const flags = this.core.flagsOf(
      this.i32(CPU.CC_OP),
      this.i64(CPU.CC_DST),
      this.i64(CPU.CC_SRC),
      this.i64(CPU.CC_SRC2),
    );
    const df = this.i32(CPU.DF) < 0 ? FLAG.DF : 0;
    s.rflags = (s.rflags & ~(FLAG.ARITH | FLAG.DF)) | Number(flags) | df;
    let to = 0;
    for (const { at, size } of WINDOWS) {
      s.memory.set(this.views.u8.subarray(at, at + size), to);
      to += size;
    }
  }

  /** The signal that Linux sends for an exit; undefined when there is none. */
  private faultOf(reason: number): FaultSignal | undefined {
    const argument = BigInt.asUintN(64, this.i64(CPU.EXIT_ARG0));
    const error = this.i64(CPU.EXIT_ARG1);
    switch (reason) {
      case EXIT.STEP:
      case EXIT.NONE:
        return undefined;
      case EXIT.PAGE_FAULT:
        return pageFaultSignal(argument, Number(error), (Number(error) & PF.PRESENT) === 0 ? 'maperr' : 'accerr');
      case EXIT.EXCEPTION:
        return exceptionSignal(Number(argument) & 0xff, Number(argument) >>> 8, BigInt(this.rip), 0);
      default:
        throw new Error(`unexpected exit ${reason} (${argument})`);
    }
  }
}
