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
} from '../guest/cpu-state.js';
import { jumpCacheIndex, TB, TB_FLAG } from '../guest/tb-header.js';
import type { CodeCache } from './code-cache.js';
import type { CpuRegisters } from './cpu-view.js';
import type { MemoryViews } from './memory-views.js';
import type { Translator } from './translator.js';

/** What the loop asks of the rest; each call may change any guest state. */
export interface LoopServices {
  /** Serves the system call in rax; rip is already behind the instruction. */
  syscall(): void;
  /** INT 0x80: as syscall, with the i386 numbers. */
  int80(): void;
  /** A page fault at `address` with the error code bits PF. True when it was an engine matter (a page that is made at its first touch): run on. */
  pageFault(address: bigint, error: number): void;
  /** A CPU exception. */
  exception(vector: number, error: bigint): void;
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
  /** True once the thread has exited or was killed. */
  readonly ended: boolean;
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
    while (!services.ended) this.serve(this.step());
  }

  /** Enters translated code once; gives the exit reason. */
  private step(): number {
    // Beside LDMXCSR: sigreturn and clone bring an MXCSR too.
    if (this.cpu.i32(CPU.MXCSR) !== MXCSR_START) this.translator.makeFloatPrecise();
    this.followInvalidations();
    if (this.options.logEntries) {
      const header = this.translator.translate(this.cpu.pc);
      this.services.entering(header);
    }
    this.cpu.setI32(CPU.EXIT_REASON, EXIT.NONE);
    return this.enter(this.cpu.base);
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
      case EXIT.PAGE_FAULT:
        services.pageFault(cpu.i64(CPU.EXIT_ARG0), Number(cpu.i64(CPU.EXIT_ARG1)));
        break;
      case EXIT.EXCEPTION:
        services.exception(Number(cpu.i64(CPU.EXIT_ARG0)), cpu.i64(CPU.EXIT_ARG1));
        break;
      case EXIT.POLL:
        this.poll();
        break;
      case EXIT.HOT:
        services.hot(cpu.i32(CPU.CUR_TB) >>> 0);
        break;
      case EXIT.CODE_WRITE:
        this.translator.invalidate(Number(cpu.i64(CPU.EXIT_ARG0)), Number(cpu.i64(CPU.EXIT_ARG1)));
        this.runOneShot(this.translator.oneShot(cpu.pc));
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
      // A signal frame can hold anything; lifted jumps fault where they stand.
      if (BigInt.asUintN(64, BigInt.asIntN(48, rip)) === rip) this.services.pageFault(rip, PF.USER | PF.INSTR);
      else this.services.exception(EXC.GP, 0n);
      return;
    }
    const { generation } = this.cache;
    const header = this.translator.translate(cpu.pc);
    if (((this.views.i32[(header + TB.FLAGS) / 4] ?? 0) & TB_FLAG.ONE_SHOT) !== 0) {
      this.runOneShot(header);
      return;
    }
    this.services.beforeFirstRun(header);
    // After a flush the link cell's place in the arena is another TB's.
    const kept = this.cache.generation === generation;
    if (link !== 0 && kept && !this.options.noChain) Atomics.store(this.views.i32, link / 4, header | 0);
  }

  /** Runs a TB that is in no table: the dispatcher finds it through this thread's jump cache, once. */
  private runOneShot(header: number): void {
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
    this.serve(reason);
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
