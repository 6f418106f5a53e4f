/**
 * Runs instruction sequences in lift64's tiers, through the engine's own parts: translator, code cache, region compiler, table slots and execute loop, without Linux around them.
 * In: code at addresses, states. Out: the states after; how a sequence ended is in them. Needs dist/core.wasm.
 */
import { readFileSync } from 'node:fs';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { compileModule } from '../../backend-wasm/compiler/module.js';
import { allRows, createDecoder, decode, isInsn } from '../../frontend/x86-64/decoder.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { setCode, setPerms } from '../../runtime/memory/perms.js';
import { CodeCache } from '../../src/engine/code-cache.js';
import { GuestCodeReader } from '../../src/engine/code-reader.js';
import { CompiledCode } from '../../src/engine/compiled-code.js';
import { type Core, instantiateCore } from '../../src/engine/core.js';
import { cpuModel, DEFAULT_CPU } from '../../src/engine/cpu-model.js';
import { installCpuid } from '../../src/engine/cpuid-leaves.js';
import { CpuRegisters } from '../../src/engine/cpu-view.js';
import { ExecuteLoop, type LoopServices } from '../../src/engine/execute-loop.js';
import { exceptionSignal, type FaultSignal, fpeCode, pageFaultSignal } from '../../src/engine/faults.js';
import { type MemoryViews, memoryViews } from '../../src/engine/memory-views.js';
import { formRegion } from '../../src/engine/region.js';
import { RegionCompiler } from '../../src/engine/region-compiler.js';
import { isStackFault } from '../../src/engine/stack-fault.js';
import { isMathFaultFirst } from '../../src/engine/waiting-x87.js';
import type { Insn } from '../../frontend/x86-64/insn.js';
import { TemplateCache } from '../../src/engine/template-cache.js';
import { TemplateTranslator } from '../../src/engine/template-translator.js';
import { isFloatPrecise, MAX_TB_INSNS, Translator } from '../../src/engine/translator.js';
import { CONTROL, CPU, EXC, MXCSR_START, RUN_FLAG } from '../../src/guest/cpu-state.js';
import { CC, FLAG } from '../../src/guest/flags.js';
import {
  CPU_BASE,
  PAGE_SHIFT,
  PAGE_SIZE,
  PCB,
  PCB_BASE,
  PERM,
  SLOT_HASH_SIZE,
  SLOT_TABLE,
  WASM_PAGES,
} from '../../src/guest/memory-map.js';
import { HEAT_OFF } from '../../src/guest/tb-header.js';
import type { Tb } from '../../src/ir/types.js';
import { verifyTb } from '../../src/ir/verify.js';
import { optimise, type Pass } from '../../src/opt/pipeline.js';
import {
  CODE,
  CODE_BYTES,
  DATA,
  DATA_MAP,
  DATA_PAGES,
  FX_AT,
  GS_BASE,
  hashPages,
  SequenceState,
  STATE_AT,
  WINDOWS,
} from './sequence-state.js';

/** How sequences are run. */
export interface SequenceTier {
  readonly compiled: boolean;
  /** TBs are put together from templates where they can be. */
  readonly templates: boolean;
  readonly passes: readonly Pass[];
  /** Guest instructions of a TB that the interpreter runs. */
  readonly maxInsns: number;
  /** Every TB returns to the execute loop. */
  readonly noChain: boolean;
  /** Compiled code has a permission check an access. */
  readonly plainGuards: boolean;
  /** Floating point obeys MXCSR from the start. */
  readonly preciseFloat: boolean;
  /** Half of the regions are left out: the interpreter runs what they hold. */
  readonly mixed: boolean;
  /** The verifier sees what each pass makes. */
  readonly checkIr: boolean;
  readonly stress: Stress;
}

/** What interrupts sequences on the way, so that they leave and come back where programs seldom do. */
export interface Stress {
  /** So many safepoints of each run leave translated code. */
  readonly polls: number;
  /** TBs after which the interpreter returns to JavaScript; undefined: many. */
  readonly fuel: number | undefined;
  /** Bytes of the host's stack that compiled regions may take. */
  readonly stackBudget: number;
  /** TBs are encoded as lifted, and translated again after so many entries; undefined: optimised at once. */
  readonly heat: number | undefined;
}
export const NO_STRESS: Stress = { polls: 0, fuel: undefined, stackBudget: 200_000, heat: undefined };

/** Code at a guest address, and the addresses in it that get regions of their own when it is compiled. */
export interface PlacedCode {
  readonly at: number;
  readonly code: Uint8Array;
  readonly entries: readonly number[];
}

const TOP = 0x3800;
const INT3 = 0xcc;
const PCB_WORD = PCB_BASE / 4;

const checked = (pass: Pass): Pass => ({
  name: pass.name,
  run: (tb) => {
    const result = pass.run(tb);
    verifyTb(result);
    return result;
  },
});

export class SequenceMachine implements LoopServices {
  readonly debug = undefined;
  readonly memory = new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
  readonly cpu: CpuRegisters;
  private readonly views: MemoryViews = memoryViews(this.memory);
  private readonly core: Core;
  private readonly cache: CodeCache;
  private readonly reader: GuestCodeReader;
  private readonly compiled: CompiledCode;
  /** The same for all sequences: it has met ever more shapes. */
  private readonly templates: TemplateTranslator;
  private loop: ExecuteLoop | undefined;
  private fault: FaultSignal | undefined;
  private checkIr = true;
  private stress = NO_STRESS;
  private translator: Translator | undefined;
  /** Safepoints of this run that are still to leave. */
  private polls = 0;
  ended = false;
  readonly passages = 0;

  constructor() {
    const { views } = this;
    CodeCache.initialise(views);
    this.cache = new CodeCache(views, (page, on) => {
      setCode(views.u8, page, on);
    });
    this.reader = new GuestCodeReader(views, () => undefined);
    const tables = new DispatchTables(allRows());
    const decoder = createDecoder(tables);
    const [plain, precise] = [false, true].map(
      (preciseFloat) => new TemplateCache(decoder, tables, { preciseFloat }),
    ) as [TemplateCache, TemplateCache];
    this.templates = new TemplateTranslator(this.reader, (isPrecise) => (isPrecise ? precise : plain));
    this.core = instantiateCore(new WebAssembly.Module(readFileSync('dist/core.wasm')), this.memory);
    this.compiled = new CompiledCode(views, this.memory, this.core, this.cache, CPU_BASE);
    this.cpu = new CpuRegisters(views, CPU_BASE, this.core.eflagsOf);
    installCpuid(views, cpuModel(DEFAULT_CPU));
    for (const { page, writable } of DATA_MAP) {
      const first = (DATA >>> PAGE_SHIFT) + page;
      setPerms(views.u8, first, first + 1, writable ? PERM.R | PERM.W : PERM.R);
    }
    setPerms(views.u8, CODE >>> PAGE_SHIFT, (CODE + CODE_BYTES) >>> PAGE_SHIFT, PERM.R | PERM.X);
  }

  /** Puts code into guest memory, drops what was translated before, and compiles it where the tier says so. */
  prepare(tier: SequenceTier, placed: readonly PlacedCode[]): void {
    const { views, cache, cpu } = this;
    const passes = tier.checkIr ? tier.passes.map(checked) : tier.passes;
    this.checkIr = tier.checkIr;
    this.stress = tier.stress;
    const translator = new Translator({
      views,
      cache,
      cpu: CPU_BASE,
      lift: (pc, maxInsns, endAfterStore, watch) => this.lift(pc, maxInsns, endAfterStore, watch),
      optimise: (tb) => optimise(tb, passes),
      encode: (tb, allocate, heat) => encodeTb(tb, views.i32, allocate, heat),
      stopWorld: (fn) => fn(),
      setCode: (page, on) => {
        setCode(views.u8, page, on);
      },
      maxInsns: tier.maxInsns,
      heat: tier.stress.heat ?? HEAT_OFF,
      coldFirst: tier.templates || tier.stress.heat !== undefined,
      ...(tier.templates ? { templates: this.templates } : {}),
    });
    this.translator = translator;
    translator.flush();
    this.compiled.invalidate(undefined);
    views.u8.fill(0, SLOT_TABLE, SLOT_TABLE + 16 * SLOT_HASH_SIZE);
    views.i32[PCB_WORD + PCB.SLOT_COUNT / 4] = 0;
    views.i32[PCB_WORD + PCB.FLOAT_PRECISE / 4] = tier.preciseFloat ? 1 : 0;
    views.i32[PCB_WORD + PCB.CLOSE_LOOKS / 4] = 0;
    views.i32[PCB_WORD + PCB.PLAIN_GUARDS / 4] = tier.plainGuards ? 1 : 0;
    views.u8.fill(INT3, CODE, CODE + CODE_BYTES);
    for (const { at, code } of placed) views.u8.set(code, at);
    cpu.setI32(CPU.STACK_BUDGET, tier.stress.stackBudget);
    cpu.setI32(CPU.RUN_FLAGS, tier.compiled ? 0 : RUN_FLAG.INTERP_ONLY);
    this.loop = new ExecuteLoop(views, cpu, cache, translator, this.core.run, this, {
      noChain: tier.noChain,
      logEntries: false,
    });
    if (tier.compiled) this.compile(translator, passes, placed, tier.mixed);
  }

  private compile(
    translator: Translator,
    passes: readonly Pass[],
    placed: readonly PlacedCode[],
    mixed: boolean,
  ): void {
    const { views, cache } = this;
    const all = [...new Set(placed.flatMap(({ at, entries }) => [at, ...entries]))];
    const heads = mixed ? all.filter((pc) => (pc % 7) % 2 === 0) : all;
    for (const pc of heads) translator.translate(pc);
    for (const { at, code } of placed)
      for (let page = at >>> PAGE_SHIFT; page <= (at + code.length - 1) >>> PAGE_SHIFT; page++)
        setCode(views.u8, page, true);
    // As RegionCompiler.form, but a TB that several regions have is lifted once.
    const tbs = new Map<number, Tb>();
    const liftOnce = (pc: number): Tb | undefined => {
      if (this.reader.readable(pc) === 0) return undefined;
      const tb = tbs.get(pc) ?? optimise(this.lift(pc, MAX_TB_INSNS), passes);
      tbs.set(pc, tb);
      return tb;
    };
    const regions = heads.flatMap((pc) => formRegion(pc, { lift: liftOnce }) ?? []);
    const compiler = new RegionCompiler(views, cache, { decode, compile: compileModule, passes });
    if (regions.length > 0) this.compiled.install(compiler.compileRegions(regions, cache.generation));
  }

  private lift(pc: number, maxInsns: number, endAfterStore = false, watch = {}): Tb {
    const tb = translate(this.reader, pc, {
      ...watch,
      maxInsns,
      endAfterStore,
      preciseFloat: isFloatPrecise(this.views),
    });
    if (this.checkIr) verifyTb(tb);
    return tb;
  }

  /** Regions compiled so far. */
  get regions(): number {
    return this.compiled.count;
  }

  /** Guest instructions that the interpreter has run so far. */
  get interpreted(): number {
    return Number(this.cpu.i64(CPU.INSN_EXECS));
  }

  /** Runs from the state's rip on, until a signal. */
  run(before: SequenceState): SequenceState {
    if (this.loop === undefined) throw new Error('nothing was prepared');
    this.load(before);
    this.fault = undefined;
    this.ended = false;
    this.polls = this.stress.polls;
    if (this.stress.fuel !== undefined) this.cpu.setI32(CPU.FUEL, this.stress.fuel);
    this.loop.run();
    const after = before.copy();
    this.store(after);
    return after;
  }

  private load(s: SequenceState): void {
    const { views, cpu } = this;
    const { u8 } = views;
    const copy = (to: number, from: number, size: number): void => {
      u8.set(s.bytes.subarray(from, from + size), CPU_BASE + to);
    };
    copy(CPU.REGS, STATE_AT.GPR, 128);
    copy(CPU.RIP, STATE_AT.RIP, 8);
    copy(CPU.XMM, STATE_AT.FX + FX_AT.XMM, 256);
    copy(CPU.YMMH, STATE_AT.YMMH, 256);
    const { top } = s;
    u8.fill(0, CPU_BASE + CPU.ST, CPU_BASE + CPU.ST + 128);
    for (let n = 0; n < 8; n++) copy(CPU.ST + 16 * ((n + top) & 7), SequenceState.st(n), 10);
    cpu.setI32(CPU.CC_OP, CC.EFLAGS);
    cpu.setI64(CPU.CC_SRC, BigInt(s.rflags & FLAG.ARITH));
    cpu.setI64(CPU.CC_DST, 0n);
    cpu.setI64(CPU.CC_SRC2, 0n);
    cpu.setI32(CPU.DF, (s.rflags & FLAG.DF) === 0 ? 1 : -1);
    cpu.setI32(CPU.EFLAGS_REST, FLAG.IF);
    cpu.setI64(CPU.GS_BASE, BigInt(GS_BASE));
    cpu.setI32(CPU.MXCSR, s.mxcsr);
    cpu.setI32(CPU.FPCW, s.fcw);
    cpu.setI32(CPU.FPSW, s.fsw & ~TOP);
    cpu.setI32(CPU.FPTOP, top);
    cpu.setI32(CPU.FPTAG, ~s.valid & 0xff);
    u8.fill(0, DATA, DATA + DATA_PAGES * PAGE_SIZE);
    const { memory } = s;
    let from = 0;
    for (const { at, size } of WINDOWS) u8.set(memory.subarray(from, (from += size)), at);
  }

  private store(s: SequenceState): void {
    const { views, cpu } = this;
    const { u8 } = views;
    const copy = (from: number, to: number, size: number): void => {
      s.bytes.set(u8.subarray(CPU_BASE + from, CPU_BASE + from + size), to);
    };
    copy(CPU.REGS, STATE_AT.GPR, 128);
    copy(CPU.RIP, STATE_AT.RIP, 8);
    copy(CPU.XMM, STATE_AT.FX + FX_AT.XMM, 256);
    copy(CPU.YMMH, STATE_AT.YMMH, 256);
    const top = cpu.i32(CPU.FPTOP);
    for (let n = 0; n < 8; n++) copy(CPU.ST + 16 * ((n + top) & 7), SequenceState.st(n), 10);
    const flags = this.core.flagsOf(cpu.i32(CPU.CC_OP), cpu.i64(CPU.CC_DST), cpu.i64(CPU.CC_SRC), cpu.i64(CPU.CC_SRC2));
    s.rflags = Number(flags) | (cpu.i32(CPU.DF) < 0 ? FLAG.DF : 0);
    s.mxcsr = cpu.i32(CPU.MXCSR);
    s.fcw = cpu.i32(CPU.FPCW);
    s.fsw = (cpu.i32(CPU.FPSW) & ~TOP) | (top << 11);
    s.valid = ~cpu.i32(CPU.FPTAG) & 0xff;
    let to = 0;
    for (const { at, size } of WINDOWS) {
      s.memory.set(u8.subarray(at, at + size), to);
      to += size;
    }
    s.hash = hashPages(views.i32, DATA);
    if (this.fault !== undefined) s.setSignal(this.fault.signal, this.fault.code, this.fault.address);
  }

  // ---------------------------------------------------------------- LoopServices

  private raise(fault: FaultSignal): void {
    this.fault = fault;
    this.ended = true;
  }

  pageFault(address: bigint, error: number): void {
    const insn = this.faultingInsn();
    if (insn !== undefined && isMathFaultFirst(insn, this.cpu.i32(CPU.FPSW))) {
      this.exception(EXC.MF, 0);
      return;
    }
    const at = BigInt.asUintN(64, address);
    const isMapped =
      (at >= BigInt(CODE) && at < BigInt(CODE + CODE_BYTES)) ||
      DATA_MAP.some(({ page }) => at >> BigInt(PAGE_SHIFT) === BigInt((DATA >>> PAGE_SHIFT) + page));
    this.raise(pageFaultSignal(at, error, isMapped ? 'accerr' : 'maperr'));
  }

  exception(cause: number, error: number): void {
    const { cpu } = this;
    const vector = cause === EXC.GP && error === 0 ? this.vectorOfAddress() : cause;
    const status =
      vector === EXC.MF ? cpu.i32(CPU.FPSW) & ~cpu.i32(CPU.FPCW) : cpu.i32(CPU.MXCSR) & ~(cpu.i32(CPU.MXCSR) >> 7);
    this.raise(exceptionSignal(vector, error, cpu.rip, fpeCode(status & 0x3f)));
  }

  private vectorOfAddress(): number {
    const insn = this.faultingInsn();
    if (insn === undefined) return EXC.GP;
    if (isMathFaultFirst(insn, this.cpu.i32(CPU.FPSW))) return EXC.MF;
    return isStackFault(insn, this.lift(this.cpu.pc, 1), this.cpu) ? EXC.SS : EXC.GP;
  }

  private faultingInsn(): Insn | undefined {
    const { cpu, reader } = this;
    if (cpu.rip >= 2n ** 47n || reader.readable(cpu.pc) === 0) return undefined;
    const insn = decode(reader, cpu.pc);
    return isInsn(insn) ? insn : undefined;
  }

  unimplemented(): void {
    this.exception(EXC.UD, 0);
  }

  /** At the start, and at safepoints where CONTROL.SIGNAL is set. */
  signals(): void {
    const at = (CPU_BASE + CPU.CONTROL) / 4;
    if (this.polls-- > 0) Atomics.or(this.views.i32, at, CONTROL.SIGNAL);
    else Atomics.and(this.views.i32, at, ~CONTROL.SIGNAL);
  }

  syscall(): void {
    throw new Error('a sequence makes no system calls');
  }
  int80(): void {
    this.syscall();
  }
  readGuest(): Uint8Array | undefined {
    return undefined;
  }
  writeGuest(): boolean {
    return false;
  }
  safepoint(): void {
    throw new Error('a sequence has no other threads');
  }
  codeInvalidated(pages: ReadonlySet<number> | undefined): void {
    this.compiled.invalidate(pages);
  }
  hot(header: number): void {
    this.translator?.warm(header);
  }
  installCode(): void {
    throw new Error('no code comes from elsewhere');
  }
  install(slot: number): void {
    throw new Error(`slot ${slot} has no region`);
  }
  entering(): void {
    throw new Error('entries are not logged');
  }
  beforeFirstRun(): void {
    // Everything was compiled before.
  }
}

/** MXCSR as sequences without precise floating point have it. */
export const PLAIN_MXCSR = MXCSR_START;
