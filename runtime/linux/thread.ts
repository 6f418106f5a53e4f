/**
 * A guest thread as the runtime's handlers see it; the engine makes one in its worker and passes it to every handler. In: nothing. Out: types.
 */
import type { ImageFile, ImageOptions } from '../process/exec-image.js';
import type { ExecLayout } from '../process/mm.js';
import type { GuestMemory } from './context.js';

/** Registers and state of the thread's CPU block (src/guest/cpu-state.ts), through views over the shared memory. */
export interface CpuView {
  /** Address of the CPU block in the memory. */
  readonly base: number;
  reg(n: number): bigint;
  setReg(n: number, v: bigint): void;
  get rip(): bigint;
  set rip(v: bigint);
  /** EFLAGS with the lazy flags computed; setting stores CC_OP EFLAGS, DF and the rest. */
  get eflags(): number;
  set eflags(v: number);
  get fsBase(): bigint;
  set fsBase(v: bigint);
  get gsBase(): bigint;
  set gsBase(v: bigint);
  i32(offset: number): number;
  setI32(offset: number, v: number): void;
  /** Bytes of the CPU block (no copy). */
  readonly bytes: Uint8Array;
}

/** What the engine does for the runtime; injected by the spine. */
export interface EngineHooks {
  /** Invalidates translated code on [addr, addr + size) in all threads, and returns once each has acknowledged. */
  invalidate(addr: number, size: number): void;
  /** As invalidate, for another memory, whose world the caller of the result has stopped. */
  invalidateIn(memory: WebAssembly.Memory): (addr: number, size: number) => void;
  /** Runs `fn` while all other threads of this memory are parked at safepoints. */
  stopWorld<T>(fn: () => T): T;
  /** Symbol at `pc`, for logs; empty when unknown. */
  symbol(pc: number): string;
  /** Writes to the log (-D FILE or stderr). */
  log(text: string): void;
  /** Whether -strace is on. */
  readonly strace: boolean;
  /** Whether -d int is on: signals that are taken are logged. */
  readonly logSignals: boolean;
  /** Whether -d unimp is on: what is refused is logged each time. */
  readonly logUnimplemented: boolean;
  /** fork: copies the memory to the empty `child`, that of address space `mm`, with the world stopped; gives the CPU block of its thread, 0 when there is none. */
  forkMemory(mm: number, child: WebAssembly.Memory): number;
  /** Makes the memory, which no thread but this one uses any more, an empty one. */
  emptyMemory(memory: WebAssembly.Memory): void;
  /** An ELF file; -ENOEXEC where it is none that can run. */
  parseProgram(
    hostFd: number,
    path: string,
  ): { readonly image: ImageFile; readonly interpreter: string | undefined } | number;
  /** Puts a program into an empty memory; a negative errno where it does not fit. */
  startImage(
    memory: WebAssembly.Memory,
    options: Omit<ImageOptions, 'hwcap' | 'hwcap2'>,
  ): { readonly cpu: number; readonly layout: ExecLayout } | number;
  /** A signal without handler is about to end the process by its default action: registers are those at the time. Writes the report of DESIGN.md section 8. */
  uncaughtSignal(t: Thread, signal: number): void;
}

export interface Thread {
  readonly cpu: CpuView;
  readonly mem: GuestMemory;
  readonly engine: EngineHooks;
  /** Kernel objects: tasks, fd tables, signals... (runtime/process/kernel.ts). */
  readonly kernel: import('../process/kernel.js').Kernel;
  /** This thread's task in the kernel. */
  readonly task: import('../process/task.js').Task;
  /** Gate between this thread and stop-the-world (runtime/threads/quiesce.ts); the waits of runtime/threads/park.ts pass it. */
  readonly quiesce: import('../threads/quiesce.js').Quiesce;
  /** Open files, paths and directories (runtime/vfs). */
  readonly files: import('../vfs/file-context.js').FileContext;
  /** Address space of its memory (runtime/memory/address-space.ts). */
  readonly mm: import('../memory/address-space.js').AddressSpace;
  /** Pages that processes share, and the memories of other processes (runtime/threads/share-lock.ts). */
  readonly sharing: import('../threads/share-lock.js').ThreadSharing;
  /** Set by exit/exit_group and fatal signals: the engine leaves the guest thread when the handler returns. */
  exiting: { readonly code: number; readonly signal: number } | undefined;
  /** What the thread does after each sleep in the kernel, and when it is called (KernelPort.call): polls that it has submitted. No mutex is held. */
  afterWake: (() => void) | undefined;
  /** Set with `exiting` by execve: the thread goes on in this program. */
  next: NextProgram | undefined;
}

/** A program that execve has loaded into address space `mm`. */
export interface NextProgram {
  readonly mm: number;
  readonly memory: WebAssembly.Memory;
  readonly cpu: number;
  readonly layout: ExecLayout;
  /** What /proc shows: path, and name of the thread. */
  readonly exe: string;
  readonly comm: string;
}
