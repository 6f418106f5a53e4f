/**
 * One guest thread in its worker: joins frontend, interpreter and runtime, and gives the runtime its Thread. In: a task of the kernel and its memory. Out: the thread runs to its end.
 */
import { CONTROL, CPU, EXC, EXIT, RUN_FLAG } from '../guest/cpu-state.js';
import { PAGE_SIZE, PCB, PCB_BASE } from '../guest/memory-map.js';
import { HEAT_OFF } from '../guest/tb-header.js';
import { encodeTb } from '../../backend-wasm/bytecode/encode.js';
import { dispatchInt80, dispatchSyscall } from '../../runtime/linux/dispatch.js';
import { randomBytes } from '../../runtime/linux/random.js';
import { defaultAction, SIGQUIT } from '../../runtime/linux/signals.js';
import type { EngineHooks, Thread } from '../../runtime/linux/thread.js';
import { AddressSpace } from '../../runtime/memory/address-space.js';
import { SharedGuestMemory } from '../../runtime/memory/guest-memory.js';
import { setCode } from '../../runtime/memory/perms.js';
import { RLIMIT } from '../../runtime/process/boot.js';
import type { DebugRegisters } from '../../runtime/process/debug-registers.js';
import type { Kernel } from '../../runtime/process/kernel.js';
import { deliverPending } from '../../runtime/process/signal-deliver.js';
import type { Task } from '../../runtime/process/task.js';
import { park } from '../../runtime/threads/park.js';
import { Quiesce } from '../../runtime/threads/quiesce.js';
import { ThreadSharing } from '../../runtime/threads/share-lock.js';
import { requestService } from '../../runtime/threads/worker.js';
import { FileContext } from '../../runtime/vfs/file-context.js';
import { availableParallelism } from 'node:os';
import { resourceLimits } from 'node:worker_threads';
import { CodeCache } from './code-cache.js';
import { CodeStore } from './code-store.js';
import { CompiledCode } from './compiled-code.js';
import { enginePasses } from './passes.js';
import { RegionStore } from './region-store.js';
import { GuestCodeReader } from './code-reader.js';
import { checkBytecode, instantiateCore, type Core } from './core.js';
import { installCpuid } from './cpuid-leaves.js';
import { CpuRegisters } from './cpu-view.js';
import type { Disassemble } from './disassemble.js';
import { ExecuteLoop, type LoopServices } from './execute-loop.js';
import { addFigures, noteStart, whileLeaving } from './figures.js';
import { GuestFaults } from './guest-faults.js';
import { guestFiles } from './guest-files.js';
import { GuestLifter } from './guest-lifter.js';
import { GuestSymbols } from './guest-symbols.js';
import { COLD_HEAT } from './heat.js';
import { interpretedBySymbol } from './interpreted-code.js';
import { Log } from './log.js';
import { ThreadProfile } from './thread-profile.js';
import { type CodeSource, ThreadRegions } from './thread-regions.js';
import { ThreadReports } from './thread-reports.js';
import { memoryViews, type MemoryViews } from './memory-views.js';
import type { EngineOptions } from './options.js';
import {
  emptyMemory,
  forkMemory,
  invalidateIn,
  parseProgram,
  type StartedImage,
  startImage,
} from './process-memory.js';
import { type Forked, SERVICE, type SpineData } from './spine.js';
import { modelDecoder, modelTemplates } from './model-decoder.js';
import { TemplateTranslator } from './template-translator.js';
import { isFloatPrecise, MAX_TB_INSNS, Translator } from './translator.js';

/** Bytes of a worker's stack that compiled regions leave to everything else: JavaScript, the core, and frames that are larger than reckoned. */
const STACK_RESERVE = 24 << 20;

const CPUS = availableParallelism();
/** How long a thread waits for compiled code in all. */
const PATIENCE_NS = 1e9;

/** A limit; RLIM_INFINITY, like all that no address space reaches, is none. */
const bytesOf = (limit: bigint): number => (limit >= 1n << 47n ? Infinity : Number(limit));

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
  readonly sharing: ThreadSharing;
  readonly task: Task;
  readonly engine: EngineHooks = this;
  exiting: Thread['exiting'];
  next: Thread['next'];
  afterWake: Thread['afterWake'];

  private readonly views: MemoryViews;
  private readonly core: Core;
  private readonly cache: CodeCache;
  private readonly translator: Translator;
  private readonly compiled: CompiledCode;
  private readonly symbols: GuestSymbols;
  private readonly reader: GuestCodeReader;
  private readonly lifter: GuestLifter;
  private readonly faults: GuestFaults;
  private readonly logger: Log;
  private readonly templates: TemplateTranslator | undefined;
  private readonly store: CodeStore | undefined;
  private readonly regions: ThreadRegions;
  private readonly reports: ThreadReports;
  private profile: ThreadProfile | undefined;
  private executeLoop: ExecuteLoop | undefined;
  private translated = 0;
  private syscalls = 0;
  private mapsLogged = '';
  private patienceNs = PATIENCE_NS;

  constructor(
    readonly kernel: Kernel,
    taskIndex: number,
    memory: WebAssembly.Memory,
    private readonly spine: SpineData,
    disassemble: Disassemble | undefined,
    source: CodeSource,
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
      (addr, size, write) => this.mm.materialise(addr, size, write),
    );
    this.sharing = new ThreadSharing(this);
    this.mm = new AddressSpace(buffer, this);
    this.symbols = new GuestSymbols(this.mm, spine.prefix);
    this.cache = new CodeCache(this.views, (page, on) => {
      setCode(this.views.u8, page, on);
    });
    this.reader = new GuestCodeReader(this.views, (page) => this.mm.highCode(page));
    const decode = modelDecoder(options.cpuModel);
    installCpuid(this.views, options.cpuModel);
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
            core: this.core,
            heat: firstHeat(options),
            keptOn: (page) => kept?.headsOn(page) ?? [],
          });
    const { store } = this;
    const kept: RegionStore | undefined =
      store === undefined || options.store === undefined || options.tier !== 'auto'
        ? undefined
        : new RegionStore({
            views: this.views,
            cache: this.cache,
            compiled: this.compiled,
            directory: options.store.directory,
            name: () => (isFloatPrecise(this.views) ? undefined : store.name),
            watch: (page) => {
              this.mm.materialise(page * PAGE_SIZE, PAGE_SIZE, false);
              this.translator.mark(page);
            },
            isFile: (page) => this.isFile(page),
            wordsHash: this.core.wordsHash,
          });
    this.latePc = options.breaks.includes('late-pc');
    this.lifter = new GuestLifter({
      views: this.views,
      reader: this.reader,
      decode,
      passes: enginePasses(options.disabledPasses, options.breaks.includes('reorder-memory')),
      checkIr: options.checkIr,
      latePc: this.latePc,
      logger: this.logger,
      symbol: (pc) => this.symbol(pc),
      disassemble,
    });
    const { cpu, reader, lifter, logger } = this;
    const syscall = (): void => {
      this.syscall();
    };
    this.faults = new GuestFaults({ thread: this, cpu, reader, decode, lifter, logger, syscall });
    this.reports = new ThreadReports({
      views: this.views,
      cpu,
      reader,
      lifter,
      logger,
      tid: this.task.tid,
      cpuModel: options.cpuModel,
      symbol: (pc) => this.symbol(pc),
    });
    // Dumps and checks are of every TB, once.
    const coldFirst =
      !options.checkIr && !(['in_asm', 'op', 'op_opt', 'unimp'] as const).some((item) => this.logger.has(item));
    if (coldFirst && !this.latePc)
      this.templates = new TemplateTranslator(this.reader, (precise) => {
        checkBytecode(this.core);
        return modelTemplates(options.cpuModel, precise, spine.templates);
      });
    this.translator = new Translator({
      views: this.views,
      cache: this.cache,
      cpu: base,
      lift: (pc, maxInsns, endAfterStore, watch) => lifter.lift(pc, maxInsns, endAfterStore, watch),
      optimise: (tb) => lifter.optimised(tb),
      encode: (tb, allocate, heat) => {
        if (this.translated++ === 0) checkBytecode(this.core);
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
    this.regions = new ThreadRegions({
      views: this.views,
      cache: this.cache,
      translator: this.translator,
      compiled: this.compiled,
      source,
      store,
      kept,
      asks: options.tier === 'auto',
      awaitCode: () => this.awaitCode(),
      space: () => this.task.mmRecord.space,
      symbol: (pc) => this.perfSymbol(pc),
      log: (text) => {
        this.log(text);
      },
    });
    this.files = guestFiles(this, spine);
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
      throw this.reports.bug(e);
    }
    whileLeaving(this.kernel, () => {
      this.end();
    });
    this.logger.close();
  }

  /** Figures, the profile, and the code that later runs take up. */
  private end(): void {
    const isLast = this.leave();
    if (this.profile !== undefined) {
      const symbol = (pc: number): string => this.symbol(pc);
      // Of all threads of the process.
      const interpreted = isLast ? interpretedBySymbol(this.views, symbol) : {};
      requestService(SERVICE.REPORT, { ...this.profile.finish(symbol), interpreted });
    }
    addFigures(this.kernel, {
      storedTbs: this.store?.taken ?? 0,
      interpretedInsns: Number(this.cpu.i64(CPU.INSN_EXECS)),
      translatedTbs: this.translated + (this.templates?.count ?? 0),
      syscalls: this.syscalls,
      compiledRegions: this.compiled.count,
    });
    const saved = isLast ? this.regions.save() : undefined;
    if (saved !== undefined && this.logger.has('store')) this.logger.write(`${this.task.tid} ${saved}\n`);
  }

  /** This thread runs no more guest code; true for the last one of the process. */
  private leave(): boolean {
    const at = PCB_BASE / 4;
    const left = Atomics.add(this.views.i32, at + PCB.THREADS_LEFT / 4, 1) + 1;
    return left === Atomics.load(this.views.i32, at + PCB.THREADS_BEGUN / 4);
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
    const { views, cpu: registers, sharing } = this;
    const cpu = this.mm.undisturbed(() =>
      this.stopWorld(() =>
        forkMemory(views, this.mm, registers.base, child, (space) => {
          space.afterCopy(sharing.objects, mm);
        }),
      ),
    );
    const forked: Forked = {
      parent: this.task.mmRecord.space,
      child: this.kernel.mm(mm).space,
      copies: (memoryViews(child).i32[(PCB_BASE + PCB.COPIES) / 4] ?? 0) - 1,
    };
    requestService(SERVICE.FORKED, forked);
    return cpu;
  }

  emptyMemory(memory: WebAssembly.Memory): void {
    emptyMemory(memory, memory.buffer === this.views.u8.buffer ? this.mm : undefined);
  }

  invalidateIn(memory: WebAssembly.Memory): (addr: number, size: number) => void {
    return invalidateIn(memoryViews(memory));
  }

  readonly limits = (): { readonly as: number; readonly data: number } => {
    const { group } = this.task;
    return { as: bytesOf(group.rlimit(RLIMIT.AS).soft), data: bytesOf(group.rlimit(RLIMIT.DATA).soft) };
  };

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
    // Who sends or types other signals wants no report, and the parent is told.
    if (defaultAction(signal) === 'core' && signal !== SIGQUIT) this.reports.crash(signal);
  }

  // ---------------------------------------------------------------- LoopServices

  get passages(): number {
    return this.quiesce.passages;
  }

  get debug(): DebugRegisters | undefined {
    return this.task.debug;
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
    this.faults.pageFault(address, error);
  }

  exception(vector: number, error: number): void {
    this.faults.exception(vector, error);
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

  signals(): void {
    this.afterWake?.();
    deliverPending(this);
  }

  safepoint(): void {
    this.quiesce.safepoint();
  }

  hot(header: number): void {
    this.regions.hot(header);
  }

  private isFile(page: number): boolean {
    return this.mm.fileAt(page * PAGE_SIZE) !== undefined;
  }

  /**
   * Where the guest's threads run on all CPUs, the compile worker, which needs 0.3 s of one for the first region, takes far longer, and they all interpret meanwhile, a tenth as fast.
   * So those beyond the other CPUs wait for it, a second at most.
   */
  private awaitCode(): boolean {
    const { kernel, task, quiesce } = this;
    if (this.patienceNs <= 0 || quiesce.running < CPUS) return false;
    const start = kernel.now();
    task.awaitsCode = true;
    const came = park(this, () => ((this.cpu.i32(CPU.CONTROL) & CONTROL.CODE) !== 0 ? true : undefined), {
      deadlineNs: start + this.patienceNs,
    });
    task.awaitsCode = false;
    this.patienceNs -= kernel.now() - start;
    return came === true;
  }

  installCode(): void {
    this.regions.installNew();
  }

  codeInvalidated(pages: ReadonlySet<number> | undefined): void {
    this.regions.invalidate(pages);
  }

  install(slot: number): void {
    this.regions.install(slot, this.cpu.pc);
  }

  beforeFirstRun(header: number): void {
    this.regions.beforeFirstRun(header);
  }

  entering(header: number): void {
    this.reports.entering(header);
  }
}
