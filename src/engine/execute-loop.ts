/**
 * The execute loop of a guest thread: run translated code until it needs JavaScript, serve what it asks for, go on.
 * In: a thread ready to run at rip. Out: how the thread ended. Source: DESIGN.md sections 1, 4 and 7.
 */
import { InternalError } from '../base/errors.js';
import { hex } from '../base/hex.js';
import {
  CONTROL,
  CPU,
  EXC,
  EXIT,
  JUMP_CACHE_BITS,
  JUMP_CACHE_SIZE,
  MXCSR_START,
  PF,
  RUN_FLAG,
  SPLIT_REACH,
} from '../guest/cpu-state.js';
import { FLAG } from '../guest/flags.js';
import { GUEST_END, PCB, PCB_BASE } from '../guest/memory-map.js';
import { jumpCacheIndex, TB, TB_FLAG } from '../guest/tb-header.js';
import type { CodeCache } from './code-cache.js';
import type { CpuRegisters } from './cpu-view.js';
import type { MemoryViews } from './memory-views.js';
import type { Translator, Watch } from './translator.js';

/** What the loop asks of the rest; each call may change any guest state. */
export interface LoopServices {
  /** Serves the system call in rax; rip is already behind the instruction. */
  syscall(): void;
  /** INT 0x80: as syscall, with the i386 numbers. */
  int80(): void;
  /** A page fault at `address` with the error code bits PF. True when it was an engine matter (a page that is made at its first touch): run on. */
  pageFault(address: bigint, error: number): void;
  /** A CPU exception. */
  exception(vector: number, error: number): void;
  /** Guest memory; undefined or false where it can't be accessed. */
  readGuest(addr: number, size: number): Uint8Array | undefined;
  writeGuest(addr: number, bytes: Uint8Array): boolean;
  /** An instruction at rip that lift64 does not have. */
  unimplemented(): void;
  /** Delivers pending signals, or sets `ended`. */
  signals(): void;
  /** Parks while another thread has the world stopped. */
  safepoint(): void;
  /** The TB whose header this is got hot. */
  hot(header: number): void;
  /** Puts compiled regions that came in into the function table. */
  installCode(): void;
  /** Translated code of these guest pages (undefined: all) was invalidated. */
  codeInvalidated(pages: ReadonlySet<number> | undefined): void;
  /** A slot has no function in this thread yet. */
  install(slot: number): void;
  /** Before the TB with this header runs: -d exec and -d cpu. */
  entering(header: number): void;
  /** Compiles the TB before it runs (--tier compiled); nothing otherwise. */
  beforeFirstRun(header: number): void;
  /** Changes when this thread parks or stops the world: compiled code that was under way has to be left then (ARCHITECTURE.md, rule 4). */
  readonly passages: number;
  /** What a tracer has the thread look at, before and after each instruction; undefined: nothing. */
  readonly debug: WatchedPlaces | undefined;
  /** True once the thread has exited or was killed. */
  readonly ended: boolean;
}

/** Debug registers. */
export interface WatchedPlaces {
  /** A breakpoint at `rip` that has not been reported. */
  stopsAt(rip: bigint): boolean;
  /** Before the instruction runs. */
  arm(): void;
  /** An instruction has run, under the trap flag or not: has it accessed what is watched? */
  hasHit(stepped: boolean): boolean;
}

export interface LoopOptions {
  /** Every TB returns to the loop. */
  readonly noChain: boolean;
  /** `entering` is wanted. */
  readonly logEntries: boolean;
}

/** Last address of the user half (SDM volume 1, 3.3.7.1). */
const LAST_USER_ADDRESS = 0x7fff_ffff_ffffn;

/** Steps between two returns of the interpreter while V8 may still have it in its baseline tier; then never. */
const FUEL_STEPS = 20_000;
/** Exits for a close look that a process may take: some 20 us each. */
const CLOSE_LOOK_LIMIT = 5000;
const FUEL_ROUNDS = 60;

export class ExecuteLoop {
  private rounds = 0;
  private generation: number;

  constructor(
    private readonly views: MemoryViews,
    private readonly cpu: CpuRegisters,
    private readonly cache: CodeCache,
    private readonly translator: Translator,
    /** The core's `run`. */
    private readonly enter: (cpu: number) => number,
    private readonly services: LoopServices,
    private readonly options: LoopOptions,
  ) {
    this.generation = cache.generation;
    this.clearJumpCache();
    cpu.setI32(CPU.FUEL, FUEL_STEPS);
    if (options.noChain) cpu.setI32(CPU.RUN_FLAGS, cpu.i32(CPU.RUN_FLAGS) | RUN_FLAG.NO_CHAIN);
  }

  /** Runs until the thread has ended. */
  run(): void {
    const { services } = this;
    services.signals();
    while (!services.ended) {
      const { watch } = this;
      if (watch === undefined) this.serve(this.step());
      else this.watchedStep(watch);
    }
  }

  /** What single instructions are watched for: the trap flag, the alignment check flag, debug registers. Undefined when there is none of it. */
  private get watch(): Watch | undefined {
    const flags = this.cpu.i32(CPU.EFLAGS_REST);
    const { debug } = this.services;
    if ((flags & (FLAG.TF | FLAG.AC)) === 0 && debug === undefined) return undefined;
    const isWatched = debug !== undefined;
    const oneIteration = (flags & FLAG.TF) !== 0 || isWatched;
    return { oneIteration, alignCheck: (flags & FLAG.AC) !== 0, noteAccesses: isWatched };
  }

  /**
   * Runs the instruction at rip as a TB of its own. With TF set before it, #DB follows, unless it faults or enters the kernel: then TF takes effect after what comes next
   * (SDM volume 3, 17.3.1.4). The one shot is lifted anew each time.
   */
  private watchedStep(watch: Watch): void {
    const { cpu, services } = this;
    this.poll();
    if (services.ended) return;
    this.prepare();
    if (cpu.rip > LAST_USER_ADDRESS) {
      this.translate();
      return;
    }
    const { debug } = services;
    const stepped = (cpu.i32(CPU.EFLAGS_REST) & FLAG.TF) !== 0;
    if (debug?.stopsAt(cpu.rip) === true) {
      services.exception(EXC.DR, 0);
      return;
    }
    const header = this.translator.oneShot(cpu.pc, watch);
    if (this.options.logEntries) services.entering(header);
    debug?.arm();
    const first = this.enterOneShot(header);
    const reason = first === EXIT.SPLIT_PAGE ? this.splitAccess() : first;
    if (reason === EXIT.CODE_WRITE) {
      this.translator.invalidate(Number(cpu.i64(CPU.EXIT_ARG0)), Number(cpu.i64(CPU.EXIT_ARG1)));
    } else if (reason !== EXIT.STEP && reason !== EXIT.POLL) {
      this.serve(reason);
    } else {
      const hit = debug?.hasHit(stepped) === true;
      if (stepped) services.exception(EXC.DB, 0);
      else if (hit) services.exception(EXC.DR, 0);
    }
  }

  /**
   * The instruction at rip accesses both sides of GUEST_END, whose pages are not adjacent in the memory: it runs on a copy of the bytes around it, and what it has changed is written back.
   * Not atomic for other threads.
   */
  private splitAccess(): number {
    const { cpu, services, views } = this;
    const sides = [GUEST_END - SPLIT_REACH, GUEST_END].map((start, i) => {
      const before = services.readGuest(start, SPLIT_REACH);
      if (before === undefined) throw new InternalError('a split access to what can not be read');
      const at = cpu.base + CPU.SPLIT_WINDOW + i * SPLIT_REACH;
      const window = views.u8.subarray(at, at + SPLIT_REACH);
      window.set(before);
      return { start, before, window };
    });
    cpu.setI32(CPU.SPLIT_OPEN, 1);
    const reason = this.enterOneShot(this.translator.oneShot(cpu.pc, this.watch));
    cpu.setI32(CPU.SPLIT_OPEN, 0);
    if (reason === EXIT.SPLIT_PAGE) throw new InternalError('a split access of more bytes than there are');
    for (const { start, before, window } of sides) {
      const first = window.findIndex((byte, i) => byte !== before[i]);
      if (first < 0) continue;
      const end = window.findLastIndex((byte, i) => byte !== before[i]) + 1;
      if (!services.writeGuest(start + first, window.slice(first, end)))
        throw new InternalError('a split access to what can not be written');
    }
    return reason;
  }

  /** Enters translated code once; gives the exit reason. */
  private step(): number {
    this.prepare();
    if (this.options.logEntries) {
      const header = this.translator.translate(this.cpu.pc);
      this.services.entering(header);
    }
    this.cpu.setI32(CPU.EXIT_REASON, EXIT.NONE);
    return this.enter(this.cpu.base);
  }

  /**
   * The system call of a compiled region, which waits with all functions under way, its state in the CPU block and rip behind the call. Gives EXIT.NONE when they may go on: the guest goes on at
   * rip, nobody wants the thread, and nothing that the functions rely on has changed; else the reason with which they return.
   */
  syscallInPlace(): number {
    const { cpu, services } = this;
    const low = cpu.i32(CPU.RIP);
    const high = cpu.i32(CPU.RIP + 4);
    const mxcsr = cpu.i32(CPU.MXCSR);
    const { passages } = services;
    services.syscall();
    const goesOn =
      cpu.i32(CPU.RIP) === low &&
      cpu.i32(CPU.RIP + 4) === high &&
      cpu.i32(CPU.MXCSR) === mxcsr &&
      (cpu.i32(CPU.EFLAGS_REST) & (FLAG.TF | FLAG.AC)) === 0 &&
      services.passages === passages &&
      services.debug === undefined &&
      !services.ended &&
      cpu.i32(CPU.CONTROL) === 0;
    return goesOn ? EXIT.NONE : EXIT.POLL;
  }

  private prepare(): void {
    // Beside LDMXCSR: sigreturn and clone bring an MXCSR too.
    if (this.cpu.i32(CPU.MXCSR) !== MXCSR_START) this.translator.makeFloatPrecise();
    this.followInvalidations();
  }

  private serve(reason: number): void {
    const { cpu, services } = this;
    switch (reason) {
      case EXIT.TRANSLATE:
        this.translate();
        break;
      case EXIT.SYSCALL:
        services.syscall();
        break;
      case EXIT.INT80:
        services.int80();
        break;
      case EXIT.PAGE_FAULT: {
        const [address, error] = [BigInt.asUintN(64, cpu.i64(CPU.EXIT_ARG0)), Number(cpu.i64(CPU.EXIT_ARG1))];
        // A jump to the kernel's half is done; what is fetched there faults.
        if ((error & PF.INSTR) !== 0 && address > LAST_USER_ADDRESS) cpu.rip = address;
        services.pageFault(address, error);
        break;
      }
      case EXIT.SHADOW:
        break;
      case EXIT.EXCEPTION:
        services.exception(Number(cpu.i64(CPU.EXIT_ARG0)) & 0xff, Number(cpu.i64(CPU.EXIT_ARG0)) >>> 8);
        break;
      case EXIT.POLL:
        this.poll();
        break;
      case EXIT.HOT:
        services.hot(cpu.i32(CPU.CUR_TB) >>> 0);
        break;
      case EXIT.CODE_WRITE:
        this.translator.invalidate(Number(cpu.i64(CPU.EXIT_ARG0)), Number(cpu.i64(CPU.EXIT_ARG1)));
        this.serve(this.enterOneShot(this.translator.oneShot(cpu.pc)));
        break;
      case EXIT.SPLIT_PAGE:
        this.serve(this.splitAccess());
        break;
      case EXIT.CLOSE_LOOK:
        this.closeLook();
        break;
      case EXIT.YIELD:
        cpu.setI32(CPU.FUEL, ++this.rounds < FUEL_ROUNDS ? FUEL_STEPS : -1);
        break;
      case EXIT.STEP:
        this.poll();
        break;
      case EXIT.UNIMPLEMENTED:
        services.unimplemented();
        break;
      case EXIT.INSTALL:
        services.install(Number(cpu.i64(CPU.EXIT_ARG0)));
        break;
      case EXIT.STALE:
        this.translator.retire(cpu.pc);
        break;
      case EXIT.FLOAT_CONTROL:
        this.translator.makeFloatPrecise();
        break;
      case EXIT.NONE:
        // A compiled region went back to the dispatcher of a nested call: go on at rip.
        break;
      default:
        throw new InternalError(`unknown exit reason ${reason}`, [`pc 0x${hex(cpu.rip)}`]);
    }
  }

  private translate(): void {
    const { cpu } = this;
    const link = cpu.i32(CPU.EXIT_LINK) >>> 0;
    cpu.setI32(CPU.EXIT_LINK, 0);
    const { rip } = cpu;
    if (rip > LAST_USER_ADDRESS) {
      // A signal frame can hold anything.
      if (BigInt.asUintN(64, BigInt.asIntN(48, rip)) === rip) this.services.pageFault(rip, PF.USER | PF.INSTR);
      else this.services.exception(EXC.GP, 0);
      return;
    }
    const { generation } = this.cache;
    const header = this.translator.translate(cpu.pc);
    if (((this.views.i32[(header + TB.FLAGS) / 4] ?? 0) & TB_FLAG.ONE_SHOT) !== 0) {
      this.serve(this.enterOneShot(header));
      return;
    }
    this.services.beforeFirstRun(header);
    // After a flush the link cell's place in the arena is another TB's.
    const kept = this.cache.generation === generation;
    if (link !== 0 && kept && !this.options.noChain) Atomics.store(this.views.i32, link / 4, header | 0);
  }

  /** One instruction in the interpreter. Where that happens all the time, as with data on pages of high addresses, code is compiled with a check an access from then on. */
  private closeLook(): void {
    const at = PCB_BASE / 4;
    if (Atomics.add(this.views.i32, at + PCB.CLOSE_LOOKS / 4, 1) === CLOSE_LOOK_LIMIT) {
      Atomics.store(this.views.i32, at + PCB.PLAIN_GUARDS / 4, 1);
      this.translator.flush();
    }
    this.serve(this.enterOneShot(this.translator.oneShot(this.cpu.pc)));
  }

  /** Runs a TB that is in no table: the dispatcher finds it through this thread's jump cache, once. Gives the exit reason. */
  private enterOneShot(header: number): number {
    const { cpu, views } = this;
    const pc = cpu.pc;
    const entry = cpu.base + CPU.JUMP_CACHE + 16 * jumpCacheIndex(pc, JUMP_CACHE_BITS);
    const flags = cpu.i32(CPU.RUN_FLAGS);
    views.i64[entry / 8] = BigInt(pc);
    views.i32[(entry + 8) / 4] = header | 0;
    views.i32[(entry + 12) / 4] = 0;
    cpu.setI32(CPU.RUN_FLAGS, flags | RUN_FLAG.NO_CHAIN);
    cpu.setI32(CPU.EXIT_REASON, EXIT.NONE);
    const reason = this.enter(cpu.base);
    cpu.setI32(CPU.RUN_FLAGS, flags);
    views.i64[entry / 8] = -1n;
    views.i32[(entry + 8) / 4] = 0;
    return reason;
  }

  private poll(): void {
    const { cpu, services } = this;
    const at = (cpu.base + CPU.CONTROL) / 4;
    const bits = Atomics.load(this.views.i32, at);
    if (bits === 0) return;
    if ((bits & CONTROL.STOP) !== 0) services.safepoint();
    if ((bits & CONTROL.KICK) !== 0) Atomics.and(this.views.i32, at, ~CONTROL.KICK);
    if ((bits & CONTROL.CODE) !== 0) {
      Atomics.and(this.views.i32, at, ~CONTROL.CODE);
      services.installCode();
    }
    if ((bits & (CONTROL.SIGNAL | CONTROL.EXIT)) !== 0) services.signals();
  }

  /** Other threads have invalidated code since this thread last ran any: its jump cache and table forget it. */
  private followInvalidations(): void {
    const now = this.cache.generation;
    if (now === this.generation) return;
    this.services.codeInvalidated(this.cache.invalidatedSince(this.generation, now));
    this.generation = now;
    this.clearJumpCache();
  }

  private clearJumpCache(): void {
    const start = (this.cpu.base + CPU.JUMP_CACHE) / 4;
    this.views.i32.fill(0, start, start + JUMP_CACHE_SIZE * 4);
  }
}
