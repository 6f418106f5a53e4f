/**
 * Guest threads without an engine, for tests of the runtime: a shared memory in which everything below `mapped` is readable and writable, registers, and "guest code" that is
 * a JS function. In: the kernel. Out: Thread objects.
 */
import { CPU, GPR } from '../../src/guest/cpu-state.js';
import { CPU_BLOCK_SIZE, WASM_PAGES } from '../../src/guest/memory-map.js';
import type { GuestMemory } from '../../runtime/linux/context.js';
import { ENOEXEC } from '../../runtime/linux/errno.js';
import { dispatchSyscall } from '../../runtime/linux/dispatch.js';
import type { CpuView, Thread } from '../../runtime/linux/thread.js';
import { createFirstProcess } from '../../runtime/process/boot.js';
import { threadStarted } from '../../runtime/process/exit.js';
import { Kernel } from '../../runtime/process/kernel.js';
import { allocCpu } from '../../runtime/threads/cpu-slots.js';
import { Quiesce } from '../../runtime/threads/quiesce.js';

/** Guest bytes from here to MAPPED_END are readable and writable in the tests. */
export const MAPPED = 0x1_0000;
export const MAPPED_END = 0x100_0000;

export function makeMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });
}

export class FakeMemory implements GuestMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
  canRead(addr: number, size: number): boolean {
    return addr >= MAPPED && addr + size <= MAPPED_END;
  }
  atHand(addr: number, size: number): boolean {
    return this.canRead(addr, size);
  }
  canWrite(addr: number, size: number): boolean {
    return this.canRead(addr, size);
  }
  read(addr: number, size: number): Uint8Array | undefined {
    return this.canRead(addr, size) ? this.bytes.slice(addr, addr + size) : undefined;
  }
  write(addr: number, data: Uint8Array): boolean {
    if (!this.canWrite(addr, data.length)) return false;
    this.bytes.set(data, addr);
    return true;
  }
  slice(addr: number, size: number): Uint8Array | undefined {
    return this.canRead(addr, size) ? this.bytes.subarray(addr, addr + size) : undefined;
  }
  cstring(addr: number, max = 4096): Uint8Array | undefined {
    for (let n = 0; n < max; n++) {
      if (!this.canRead(addr + n, 1)) return undefined;
      if (this.bytes[addr + n] === 0) return this.bytes.slice(addr, addr + n);
    }
    return this.bytes.slice(addr, addr + max);
  }
  readU32(addr: number): number | undefined {
    return this.canRead(addr, 4) ? this.view.getUint32(addr, true) : undefined;
  }
  readI32(addr: number): number | undefined {
    return this.canRead(addr, 4) ? this.view.getInt32(addr, true) : undefined;
  }
  readU64(addr: number): bigint | undefined {
    return this.canRead(addr, 8) ? this.view.getBigUint64(addr, true) : undefined;
  }
  writeU32(addr: number, v: number): boolean {
    if (!this.canWrite(addr, 4)) return false;
    this.view.setUint32(addr, v, true);
    return true;
  }
  writeU64(addr: number, v: bigint): boolean {
    if (!this.canWrite(addr, 8)) return false;
    this.view.setBigUint64(addr, v, true);
    return true;
  }
}

export class FakeCpu implements CpuView {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  /** Plain EFLAGS, kept in a field that nothing else here uses. */
  private readonly flagsAt = CPU.SCRATCH;
  constructor(
    buffer: SharedArrayBuffer,
    readonly base: number,
  ) {
    this.bytes = new Uint8Array(buffer, base, CPU_BLOCK_SIZE);
    this.view = new DataView(buffer, base, CPU_BLOCK_SIZE);
  }
  reg(n: number): bigint {
    return this.view.getBigInt64(CPU.REGS + 8 * n, true);
  }
  setReg(n: number, v: bigint): void {
    this.view.setBigInt64(CPU.REGS + 8 * n, v, true);
  }
  get rip(): bigint {
    return this.view.getBigUint64(CPU.RIP, true);
  }
  set rip(v: bigint) {
    this.view.setBigUint64(CPU.RIP, v, true);
  }
  get eflags(): number {
    return this.view.getInt32(this.flagsAt, true) | 0x202;
  }
  set eflags(v: number) {
    this.view.setInt32(this.flagsAt, v, true);
  }
  get fsBase(): bigint {
    return this.view.getBigUint64(CPU.FS_BASE, true);
  }
  set fsBase(v: bigint) {
    this.view.setBigUint64(CPU.FS_BASE, v, true);
  }
  get gsBase(): bigint {
    return this.view.getBigUint64(CPU.GS_BASE, true);
  }
  set gsBase(v: bigint) {
    this.view.setBigUint64(CPU.GS_BASE, v, true);
  }
  i32(offset: number): number {
    return this.view.getInt32(offset, true);
  }
  setI32(offset: number, v: number): void {
    this.view.setInt32(offset, v, true);
  }
}

export interface FakeThread extends Thread {
  readonly logged: string[];
  /** Signals that uncaughtSignal was called with. */
  readonly uncaught: number[];
}

/** A Thread over task `task`, whose CPU block exists already. */
export function fakeThread(kernel: Kernel, task: number, memory: WebAssembly.Memory, strace = false): FakeThread {
  const buffer = memory.buffer as SharedArrayBuffer;
  const t = kernel.task(task);
  const quiesce = new Quiesce(new Int32Array(buffer), t.cpu);
  const logged: string[] = [];
  const uncaught: number[] = [];
  return {
    cpu: new FakeCpu(buffer, t.cpu),
    mem: new FakeMemory(buffer),
    engine: {
      invalidate: () => undefined,
      invalidateIn: () => () => undefined,
      stopWorld: (fn) => quiesce.stopWorld(fn),
      symbol: () => '',
      logSignals: false,
      logUnimplemented: false,
      log: (text) => logged.push(text),
      strace,
      forkMemory: () => 0,
      emptyMemory: () => undefined,
      parseProgram: () => -ENOEXEC,
      startImage: () => -ENOEXEC,
      uncaughtSignal: (_t, signal) => uncaught.push(signal),
    },
    kernel,
    task: t,
    quiesce,
    // No test here maps memory or opens files.
    mm: { writeAll: () => undefined, sharesFiles: false, sharedPlace: () => undefined } as unknown as Thread['mm'],
    files: undefined as unknown as Thread['files'],
    sharing: undefined as unknown as Thread['sharing'],
    exiting: undefined,
    next: undefined,
    afterWake: undefined,
    logged,
    uncaught,
  };
}

/** A kernel with its first process, in one isolate. */
export function firstThread(strace = false): { kernel: Kernel; memory: WebAssembly.Memory; t: FakeThread } {
  const kernel = Kernel.create({ firstTid: 4459, hostPpid: 77, uid: 1000, euid: 1000, gid: 100, egid: 100 });
  const memory = makeMemory();
  const words = new Int32Array(memory.buffer as SharedArrayBuffer);
  const cpu = allocCpu(words);
  const task = createFirstProcess(kernel, { comm: 'test', cpu, files: 0, fs: 0 });
  kernel.addMemory(task.mm, words);
  const t = fakeThread(kernel, task.index, memory, strace);
  threadStarted(t);
  t.cpu.setReg(GPR.RSP, BigInt(STACK_TOP));
  t.cpu.rip = 0x40_1002n;
  return { kernel, memory, t };
}

export const STACK_TOP = 0x80_0000;

const ARGS = [GPR.RDI, GPR.RSI, GPR.RDX, GPR.R10, GPR.R8, GPR.R9];

/** A system call with the thread's registers; gives rax as it is afterwards (that of a handler, if one is to run). */
export function sys(t: Thread, nr: number, ...args: (number | bigint)[]): number {
  t.cpu.setReg(GPR.RAX, BigInt(nr));
  args.forEach((arg, i) => {
    t.cpu.setReg(ARGS[i] ?? 0, BigInt.asIntN(64, BigInt(arg)));
  });
  dispatchSyscall(t);
  return Number(t.cpu.reg(GPR.RAX));
}
