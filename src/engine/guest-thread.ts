/**
 * One guest thread in its worker: joins frontend, interpreter and runtime, and gives the runtime its Thread. In: a task of the kernel and its memory. Out: the thread runs to its end.
 */
import { InternalError } from '../base/errors.js';
import { hex } from '../base/hex.js';
import { CPU, EXC, EXIT, PF, RUN_FLAG } from '../guest/cpu-state.js';
import { FLAG } from '../guest/flags.js';
import { GUEST_END, PAGE_SIZE, PCB, PCB_BASE, PERM, PERM_TABLE } from '../guest/memory-map.js';
import { HEAT_OFF, TB, TB_FLAG } from '../guest/tb-header.js';
import { printTb } from '../ir/print.js';
import type { Tb } from '../ir/types.js';
import { verifyTb } from '../ir/verify.js';
import { optimise, type Pass } from '../opt/pipeline.js';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { type Decode, isInsn } from '../../frontend/x86-64/decoder.js';
import type { Insn } from '../../frontend/x86-64/insn.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { dispatchInt80, dispatchSyscall } from '../../runtime/linux/dispatch.js';
import { randomBytes } from '../../runtime/linux/random.js';
import { defaultAction, SIGILL, signalText } from '../../runtime/linux/signals.js';
import type { EngineHooks, Thread } from '../../runtime/linux/thread.js';
import { AddressSpace } from '../../runtime/memory/address-space.js';
import { SharedGuestMemory } from '../../runtime/memory/guest-memory.js';
import { setCode } from '../../runtime/memory/perms.js';
import type { Kernel } from '../../runtime/process/kernel.js';
import { deliverFault, deliverPending } from '../../runtime/process/signal-deliver.js';
import type { Task } from '../../runtime/process/task.js';
import { Quiesce } from '../../runtime/threads/quiesce.js';
import { requestService } from '../../runtime/threads/worker.js';
import { FileContext } from '../../runtime/vfs/file-context.js';
import { fileTables } from '../../runtime/vfs/resources.js';
import { kernelProc } from '../../runtime/vfs/kernel-proc.js';
import { threadVfsState } from '../../runtime/vfs/thread-port.js';
import { bytePath } from '../../runtime/vfs/byte-path.js';
import { resourceLimits } from 'node:worker_threads';
import { CodeCache } from './code-cache.js';
import { CodeStore } from './code-store.js';
import type { CompiledModule } from './compile-protocol.js';
import { CompiledCode } from './compiled-code.js';
import { enginePasses } from './passes.js';
import type { RegionCompiler } from './region-compiler.js';
import { RegionStore } from './region-store.js';
import { GuestCodeReader } from './code-reader.js';
import { instantiateCore, type Core } from './core.js';
import { cpuFigures, installCpuid } from './cpuid-leaves.js';
import { CpuRegisters } from './cpu-view.js';
import { crashReport, registerLines } from './crash-report.js';
import type { Disassemble } from './disassemble.js';
import { ExecuteLoop, type LoopServices } from './execute-loop.js';
import { exceptionSignal, fpeCode, isFault, pageFaultSignal, TASK_SIZE_MAX } from './faults.js';
import { addFigures, noteStart } from './figures.js';
import { GuestSymbols } from './guest-symbols.js';
import { COLD_HEAT } from './heat.js';
import { illegalInsn } from './illegal-insn.js';
import { Log } from './log.js';
import { isStackFault } from './stack-fault.js';
import { isMathFaultFirst } from './waiting-x87.js';
import { ThreadProfile } from './thread-profile.js';
import { memoryViews, type MemoryViews } from './memory-views.js';
import { withMutex } from './mutex.js';
import type { EngineOptions } from './options.js';
import { emptyMemory, forkMemory, parseProgram, type StartedImage, startImage } from './process-memory.js';
import { type Forked, type HotPc, SERVICE, type SpineData } from './spine.js';
import { modelDecoder, modelTemplates } from './model-decoder.js';
import { TemplateTranslator } from './template-translator.js';
import { isFloatPrecise, MAX_TB_INSNS, Translator, type Watch } from './translator.js';

/** Bytes of a worker's stack that compiled regions leave to everything else: JavaScript, the core, and frames that are larger than reckoned. */
const STACK_RESERVE = 24 << 20;

/** Blocks that a crash report names. */
const RECENT_BLOCKS = 8;

/** TB.HEAT of a TB whose region an earlier run has left: V8 has to compile it again. */
const KEPT_HEAT = 100;

/** Where a thread's compiled code comes from. */
export interface CodeSource {
  /** All modules of that address space so far (tier auto). */
  readonly modulesOf: (space: number) => readonly CompiledModule[];
  /** Makes the compiler of this thread (tier compiled). */
  readonly compiler: ((views: MemoryViews, cache: CodeCache) => RegionCompiler) | undefined;
}

/** TB.HEAT of new TBs. */
function firstHeat({ tier, hotThreshold }: EngineOptions): number {
  if (tier === 'interp') return COLD_HEAT;
  return tier === 'compiled' || hotThreshold === 0 ? HEAT_OFF : hotThreshold;
}

export class GuestThread implements Thread, EngineHooks, LoopServices {
  readonly cpu: CpuRegisters;
  readonly mem: SharedGuestMemory;
  readonly mm: AddressSpace;
  readonly files: FileContext;
  readonly quiesce: Quiesce;
  readonly task: Task;
  readonly engine: EngineHooks = this;
  exiting: Thread['exiting'];
  next: Thread['next'];

  private readonly views: MemoryViews;
  private readonly core: Core;
  private readonly cache: CodeCache;
  private readonly translator: Translator;
  private readonly compiled: CompiledCode;
  private readonly symbols: GuestSymbols;
  private readonly reader: GuestCodeReader;
  private readonly passes: readonly Pass[];
  private readonly decode: Decode;
  private readonly logger: Log;
  private readonly templates: TemplateTranslator | undefined;
  private readonly store: CodeStore | undefined;
  private readonly regions: RegionStore | undefined;
  private readonly recent: number[] = [];
  private profile: ThreadProfile | undefined;
  private executeLoop: ExecuteLoop | undefined;
  private translated = 0;
  private syscalls = 0;
  private mapsLogged = '';
  /** Modules of this address space that this thread has looked at. */
  private modulesSeen = 0;

  constructor(
    readonly kernel: Kernel,
    taskIndex: number,
    memory: WebAssembly.Memory,
    private readonly spine: SpineData,
    private readonly disassemble: Disassemble | undefined,
    private readonly code: CodeSource,
  ) {
    const { options } = spine;
    this.task = kernel.task(taskIndex);
    this.views = memoryViews(memory);
    this.core = instantiateCore(spine.core, memory, {
      random: () => new DataView(randomBytes(kernel, 8).buffer).getBigUint64(0, true),
      syscall: () => this.executeLoop?.syscallInPlace() ?? EXIT.SYSCALL,
    });
    const base = this.task.cpu;
    this.cpu = new CpuRegisters(this.views, base, this.core.eflagsOf);
    this.quiesce = new Quiesce(this.views.i32, base);
    this.logger = new Log(options.log, this.task.tid);
    const buffer = this.views.u8.buffer;
    this.mem = new SharedGuestMemory(
      buffer,
      (addr, size) => {
        this.invalidate(addr, size);
      },
      (addr, size) => this.mm.materialise(addr, size),
    );
    this.mm = new AddressSpace(buffer, this);
    this.symbols = new GuestSymbols(this.mm, spine.prefix);
    this.cache = new CodeCache(this.views, (page, on) => {
      setCode(this.views.u8, page, on);
    });
    this.reader = new GuestCodeReader(this.views, (page) => this.mm.highCode(page));
    this.decode = modelDecoder(options.cpuModel);
    installCpuid(this.views, options.cpuModel);
    this.passes = enginePasses(options.disabledPasses, options.breaks.includes('reorder-memory'));
    this.compiled = new CompiledCode(this.views, memory, this.core, this.cache, base);
    this.store =
      options.store === undefined
        ? undefined
        : new CodeStore({
            options: options.store,
            views: this.views,
            cache: this.cache,
            program: () => this.task.mmRecord.exe,
            isFile: (page) => this.isFile(page),
            heat: (pc) => (this.regions?.has(pc) === true ? KEPT_HEAT : firstHeat(options)),
          });
    const { store } = this;
    this.regions =
      store === undefined || options.store === undefined || options.tier !== 'auto'
        ? undefined
        : new RegionStore({
            views: this.views,
            cache: this.cache,
            compiled: this.compiled,
            directory: options.store.directory,
            name: () => (isFloatPrecise(this.views) ? undefined : store.name),
            watch: (page) => {
              this.mm.materialise(page * PAGE_SIZE, PAGE_SIZE);
              this.translator.mark(page);
            },
            isFile: (page) => this.isFile(page),
          });
    this.latePc = options.breaks.includes('late-pc');
    // Dumps and checks are of every TB, once.
    const coldFirst =
      !options.checkIr && !(['in_asm', 'op', 'op_opt', 'unimp'] as const).some((item) => this.logger.has(item));
    if (coldFirst && !this.latePc)
      this.templates = new TemplateTranslator(this.reader, (precise) =>
        modelTemplates(options.cpuModel, precise, spine.templates),
      );
    this.translator = new Translator({
      views: this.views,
      cache: this.cache,
      cpu: base,
      lift: (pc, maxInsns, endAfterStore, watch) => this.lift(pc, maxInsns, endAfterStore, watch),
      optimise: (tb) => this.optimised(tb),
      encode: (tb, allocate, heat) => {
        this.translated++;
        return encodeTb(tb, this.views.i32, allocate, heat);
      },
      stopWorld: (fn) => this.stopWorld(fn),
      setCode: (page, on) => {
        setCode(this.views.u8, page, on);
      },
      maxInsns: options.singleStep ? 1 : MAX_TB_INSNS,
      heat: firstHeat(options),
      coldFirst,
      ...(this.templates === undefined ? {} : { templates: this.templates }),
      ...(store === undefined ? {} : { takeStored: (page) => store.take(page) }),
    });
    const state = threadVfsState(this, {
      requestStream: (stream) => {
        requestService(SERVICE.STREAM, stream);
      },
      setTerminalRaw: (raw) => {
        requestService(SERVICE.TERMINAL, raw);
      },
    });
    kernel.files = fileTables(state);
    this.files = new FileContext(
      state,
      {
        ...(spine.prefix === undefined ? {} : { prefix: bytePath(spine.prefix) }),
        proc: kernelProc(kernel, this.task, {
          read: (addr, size) => this.mem.read(addr, size),
          maps: () => this.mm.maps(),
          usage: () => this.mm.usage(),
        }),
        machine: {
          ...options.cpuModel,
          flags: options.cpuModel.features,
          ...cpuFigures(options.cpuModel),
          cpus: spine.cpus,
          memoryTotal: 3 * 2 ** 30,
          memoryFree: () => 3 * 2 ** 30 - this.mm.usage().rss,
        },
      },
      this.mm,
    );
    this.strace = options.strace;
    this.logSignals = this.logger.has('int');
    this.logUnimplemented = this.logger.has('unimp');
    this.logMaps = this.logger.has('page');
    this.cpu.setI32(CPU.TID, this.task.tid);
    this.cpu.setI32(CPU.STACK_BUDGET, ((resourceLimits.stackSizeMb ?? 0) << 20) - STACK_RESERVE);
    if (options.tier === 'interp') this.cpu.setI32(CPU.RUN_FLAGS, RUN_FLAG.INTERP_ONLY);
  }

  /** Runs the guest thread until it has ended. */
  loop(): void {
    const { options } = this.spine;
    const noChain = options.singleStep || this.logger.has('nochain');
    const loop = (this.executeLoop = new ExecuteLoop(
      this.views,
      this.cpu,
      this.cache,
      this.translator,
      this.core.run,
      this,
      {
        noChain,
        logEntries: this.logger.has('exec') || this.logger.has('cpu'),
      },
    ));
    noteStart(this.kernel);
    Atomics.add(this.views.i32, (PCB_BASE + PCB.THREADS_BEGUN) / 4, 1);
    if (this.logMaps) this.logMemoryMap('at the start');
    if (this.spine.profile) this.profile = new ThreadProfile();
    try {
      loop.run();
    } catch (e) {
      throw this.bugReport(e);
    }
    if (this.profile !== undefined)
      requestService(
        SERVICE.REPORT,
        this.profile.finish((pc) => this.symbol(pc)),
      );
    this.saveCode();
    addFigures(this.kernel, {
      storedTbs: this.store?.taken ?? 0,
      interpretedInsns: Number(this.cpu.i64(CPU.INSN_EXECS)),
      translatedTbs: this.translated + (this.templates?.count ?? 0),
      syscalls: this.syscalls,
      compiledRegions: this.compiled.count,
    });
    this.logger.close();
  }

  /** The last thread of a process keeps its code for the next run. */
  private saveCode(): void {
    const { store } = this;
    const { i32 } = this.views;
    const left = Atomics.add(i32, (PCB_BASE + PCB.THREADS_LEFT) / 4, 1) + 1;
    if (store === undefined || left !== Atomics.load(i32, (PCB_BASE + PCB.THREADS_BEGUN) / 4)) return;
    const records = this.modules().flatMap(({ record }) => (record === undefined ? [] : [record]));
    const [tbs, modules] = withMutex(
      i32,
      (PCB_BASE + PCB.TRANSLATE_LOCK) / 4,
      () => [store.save(), this.regions?.save(records) ?? 0] as const,
    );
    if (this.logger.has('store'))
      this.logger.write(
        `${this.task.tid} code store: ${store.report}, ${tbs} new ones written; ${this.regions?.installed ?? 0} regions installed, ${modules} new modules written\n`,
      );
  }

  /** A failure of ours, with what leads to its cause: guest pc, TB, IR. */
  private bugReport(e: unknown): Error {
    const error = e instanceof Error ? e : new Error(String(e));
    if (error instanceof InternalError && error.details.length > 0) return error;
    const header = this.cpu.i32(CPU.CUR_TB) >>> 0;
    const lines = [`rip 0x${hex(this.cpu.rip)}, thread ${this.task.tid}`];
    if (header !== 0) {
      const pc = Number(this.views.i64[(header + TB.PC) / 8]);
      lines.push(
        `last TB 0x${hex(pc)} ${this.symbol(pc)}`,
        ...printTb(optimise(this.lift(pc, MAX_TB_INSNS), this.passes)),
      );
    }
    return new InternalError(error.message, lines, { cause: error });
  }

  // ---------------------------------------------------------------- EngineHooks

  readonly strace: boolean;
  readonly logSignals: boolean;
  readonly logUnimplemented: boolean;
  private readonly logMaps: boolean;
  private readonly latePc: boolean;

  invalidate(addr: number, size: number): void {
    this.translator.invalidate(addr, size);
  }

  stopWorld<T>(fn: () => T): T {
    return this.quiesce.stopWorld(fn);
  }

  forkMemory(mm: number, child: WebAssembly.Memory): number {
    const cpu = this.stopWorld(() => forkMemory(this.views, this.mm, this.cpu.base, child));
    const forked: Forked = { parent: this.task.mmRecord.space, child: this.kernel.mm(mm).space };
    requestService(SERVICE.FORKED, forked);
    return cpu;
  }

  emptyMemory(memory: WebAssembly.Memory): void {
    emptyMemory(memory);
  }

  readonly parseProgram = parseProgram;

  startImage(memory: WebAssembly.Memory, o: Parameters<EngineHooks['startImage']>[1]): StartedImage | number {
    return startImage(memory, this.spine.options, o);
  }

  symbol(pc: number): string {
    return this.symbols.at(pc);
  }

  /** Names compiled code for --perf-map. */
  private perfSymbol(pc: number): string | undefined {
    const name = this.spine.options.perfMap ? this.symbol(pc) : '';
    return name === '' ? undefined : name;
  }

  log(text: string): void {
    this.logger.write(text);
  }

  uncaughtSignal(_t: Thread, signal: number): void {
    // The parent of another process is told; only crashes are reported here.
    const isFirst = this.task.groupIndex === this.kernel.initGroup.index;
    if (!isFirst && defaultAction(signal) !== 'core') return;
    const last = this.cpu.i32(CPU.CUR_TB) >>> 0;
    const blocks = this.recent.length > 0 || last === 0 ? this.recent : [Number(this.views.i64[(last + TB.PC) / 8])];
    const { pc } = this.cpu;
    const cause = signal === SIGILL ? illegalInsn(this.reader, pc, this.spine.options.cpuModel) : undefined;
    this.logger.write(crashReport(signal, signalText(signal), this.cpu, (at) => this.symbol(at), blocks, cause));
  }

  // ---------------------------------------------------------------- LoopServices

  get passages(): number {
    return this.quiesce.passages;
  }

  get ended(): boolean {
    return this.exiting !== undefined;
  }

  syscall(): void {
    this.syscalls++;
    if (this.latePc) this.lateSyscall();
    else if (this.profile !== undefined) this.profile.timed(this.cpu.i32(CPU.REGS), this.dispatch);
    else dispatchSyscall(this);
    if (this.logMaps) this.logMemoryMap('changed');
  }

  private readonly dispatch = (): void => {
    dispatchSyscall(this);
  };

  /** The broken rule of the test switch: the pc advances only after the call, so a child of clone has started at the SYSCALL. */
  private lateSyscall(): void {
    const before = this.cpu.rip;
    dispatchSyscall(this);
    if (this.cpu.rip === before) this.cpu.rip = before + 2n;
  }

  /** -d page: the mappings, when they are others than when they were last logged. */
  private logMemoryMap(when: string): void {
    const maps = this.mm.maps();
    if (maps !== this.mapsLogged) this.logger.write(`${this.task.tid} memory map ${when}:\n${maps}`);
    this.mapsLogged = maps;
  }

  int80(): void {
    dispatchInt80(this);
  }

  pageFault(address: bigint, error: number): void {
    const at = BigInt.asUintN(64, address);
    const kind = this.mm.fault(at, error);
    if (kind === 'retry') return;
    if ((error & PF.INSTR) === 0 && this.isMathFaultFirst()) {
      this.exception(EXC.MF, 0);
      return;
    }
    const s = pageFaultSignal(at, error, kind);
    const present = at >= TASK_SIZE_MAX || this.mm.isPresent(Number(at));
    this.raise(s.signal, s.code, s.address, s.trapno, (s.error & ~1) | (present ? 1 : 0));
  }

  exception(cause: number, error: number): void {
    const vector = cause === EXC.GP && error === 0 ? this.vectorOfAddress() : cause;
    const status =
      vector === EXC.MF
        ? this.cpu.i32(CPU.FPSW) & ~this.cpu.i32(CPU.FPCW)
        : this.cpu.i32(CPU.MXCSR) & ~(this.cpu.i32(CPU.MXCSR) >> 7);
    const s = exceptionSignal(vector, error, this.cpu.rip, fpeCode(status & 0x3f));
    this.raise(s.signal, s.code, s.address, s.trapno, s.error);
  }

  /** A #GP for an address that is not canonical is #SS on the stack. */
  private vectorOfAddress(): number {
    const insn = this.faultingInsn();
    if (insn === undefined) return EXC.GP;
    if (isMathFaultFirst(insn, this.cpu.i32(CPU.FPSW))) return EXC.MF;
    return isStackFault(insn, this.lift(this.cpu.pc, 1), this.cpu) ? EXC.SS : EXC.GP;
  }

  private isMathFaultFirst(): boolean {
    const insn = this.faultingInsn();
    return insn !== undefined && isMathFaultFirst(insn, this.cpu.i32(CPU.FPSW));
  }

  /** The instruction at rip; undefined where none can be fetched. */
  private faultingInsn(): Insn | undefined {
    const { pc } = this.cpu;
    if (this.reader.readable(pc) === 0) return undefined;
    const insn = this.decode(this.reader, pc);
    return isInsn(insn) ? insn : undefined;
  }

  readGuest(addr: number, size: number): Uint8Array | undefined {
    return this.mem.read(addr, size);
  }

  writeGuest(addr: number, bytes: Uint8Array): boolean {
    return this.mem.write(addr, bytes);
  }

  unimplemented(): void {
    this.exception(EXC.UD, 0);
  }

  private raise(signal: number, code: number, address: bigint, trapno: number, error: number): void {
    if (this.logger.has('int'))
      this.logger.write(
        `${this.task.tid} exception ${trapno} at 0x${hex(this.cpu.rip, 16)}: signal ${signal} code ${code} address 0x${hex(address, 16)}\n`,
      );
    // Processors set RF in the flags that a fault saves (SDM volume 3, 6.8.3); a handler starts without it.
    if (isFault(trapno)) this.cpu.setI32(CPU.EFLAGS_REST, this.cpu.i32(CPU.EFLAGS_REST) | FLAG.RF);
    deliverFault(this, signal, code, address, trapno, error);
  }

  signals(): void {
    deliverPending(this);
  }

  safepoint(): void {
    this.quiesce.safepoint();
  }

  hot(header: number): void {
    const { i32, i64 } = this.views;
    const flags = i32[(header + TB.FLAGS) / 4] ?? 0;
    const cold = (flags & TB_FLAG.COLD) !== 0;
    if ((flags & TB_FLAG.SELF_CHECK) !== 0) {
      this.translator.calm(header);
      return;
    }
    if (this.regions?.install(Number(i64[(header + TB.PC) / 8])) === true) return;
    if (this.spine.options.tier === 'auto' && (flags & TB_FLAG.ASKED) === 0) {
      const hot: HotPc = {
        space: this.task.mmRecord.space,
        pc: Number(i64[(header + TB.PC) / 8]),
        warm: this.regions?.isWarm === true,
        symbol: this.perfSymbol(Number(i64[(header + TB.PC) / 8])),
      };
      requestService(SERVICE.HOT, hot);
      if (!cold) return;
      i32[(header + TB.FLAGS) / 4] = flags | TB_FLAG.ASKED;
      Atomics.store(i32, (header + TB.HEAT) / 4, COLD_HEAT);
    } else if (cold) this.translator.warm(header);
  }

  /** The compile worker's modules for this address space so far. */
  private modules(): readonly CompiledModule[] {
    return this.code.modulesOf(this.task.mmRecord.space);
  }

  private isFile(page: number): boolean {
    return this.mm.fileAt(page * PAGE_SIZE) !== undefined;
  }

  installCode(): void {
    const modules = this.modules();
    for (const compiled of modules.slice(this.modulesSeen)) {
      if (compiled.text !== undefined) this.logger.write(compiled.text);
      this.compiled.install(compiled);
    }
    this.modulesSeen = modules.length;
  }

  codeInvalidated(pages: ReadonlySet<number> | undefined): void {
    this.compiled.invalidate(pages);
    this.store?.forget(pages);
    this.regions?.forget(pages);
  }

  install(slot: number): void {
    this.installCode();
    if (this.compiled.has(slot) || this.regions?.install(this.cpu.pc) === true) return;
    // Another thread has compiled it (tier compiled), or its module is not here yet: this thread goes on without.
    if (this.code.compiler !== undefined) this.compileHere(this.cpu.pc);
    else this.forget(this.cpu.pc);
  }

  beforeFirstRun(header: number): void {
    if (this.code.compiler !== undefined && this.views.i32[(header + TB.SLOT) / 4] === 0)
      this.compileHere(Number(this.views.i64[(header + TB.PC) / 8]));
  }

  private compileHere(pc: number): void {
    const compiler = this.code.compiler?.(this.views, this.cache);
    const symbol = this.perfSymbol(pc);
    if (symbol !== undefined) compiler?.symbols.set(pc, symbol);
    const compiled = compiler?.compileHeads([pc]);
    if (compiled === undefined) return;
    if (compiled.text !== undefined) this.logger.write(compiled.text);
    this.compiled.install(compiled);
  }

  /** The TB at `pc` is interpreted again, until it is hot once more. */
  private forget(pc: number): void {
    const header = this.cache.lookup(pc);
    if (header !== 0) Atomics.store(this.views.i32, (header + TB.SLOT) / 4, 0);
  }

  entering(header: number): void {
    const pc = Number(this.views.i64[(header + TB.PC) / 8]);
    this.recent.push(pc);
    if (this.recent.length > RECENT_BLOCKS) this.recent.shift();
    if (this.logger.hasAt('exec', pc)) {
      const name = this.symbol(pc);
      this.logger.write(
        `[${this.task.tid}] Trace 0x${hex(this.views.i32[(header + TB.ID) / 4] ?? 0)} [${hex(pc, 16)}]${name === '' ? '' : ` ${name}`}\n`,
      );
    }
    if (this.logger.hasAt('cpu', pc)) this.logger.write(registerLines(this.cpu, () => '').join('\n') + '\n');
  }

  // ---------------------------------------------------------------- translation

  private lift(pc: number, maxInsns: number, endAfterStore = false, watch?: Watch): Tb {
    return translate(this.reader, pc, {
      ...watch,
      decode: this.decode,
      maxInsns,
      endAfterStore,
      preciseFloat: isFloatPrecise(this.views),
      latePc: this.latePc,
      unimplemented: (at, mnemonic) => {
        if (this.logger.hasAt('unimp', at))
          this.logger.write(`0x${hex(at, 16)}: ${mnemonic} is not implemented: SIGILL\n`);
      },
    });
  }

  private optimised(tb: Tb): Tb {
    const { checkIr } = this.spine.options;
    if (checkIr) verifyTb(tb);
    if (this.logger.hasAt('in_asm', tb.pc)) this.logInput(tb);
    if (this.logger.hasAt('op', tb.pc)) this.logger.write(['OP:', ...printTb(tb), ''].join('\n') + '\n');
    const result = optimise(tb, this.passes, checkIr ? verifyTb : undefined);
    if (this.logger.hasAt('op_opt', tb.pc))
      this.logger.write(['OP after optimization:', ...printTb(result), ''].join('\n') + '\n');
    return result;
  }

  private logInput(tb: Tb): void {
    const readable = tb.pc < GUEST_END && ((this.views.u8[PERM_TABLE + (tb.pc >>> 12)] ?? 0) & PERM.X) !== 0;
    const lines = readable ? (this.disassemble?.(this.views.u8.slice(tb.pc, tb.pc + tb.size), tb.pc) ?? []) : [];
    this.logger.write(['----------------', `IN: ${this.symbol(tb.pc)}`, ...lines, ''].join('\n') + '\n');
  }
}
