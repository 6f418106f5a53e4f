/**
 * A guest thread for tests of the file layer: plain memory, a port without a kernel, system calls by name. In: nothing. Out: FakeThread.
 */
import { HEAD } from '../../runtime/process/layout.js';
import type { Handler, SyscallArgs, SyscallRow } from '../../runtime/linux/context.js';
import { dirRows } from '../../runtime/linux/syscalls/dir.js';
import { epollRows } from '../../runtime/linux/syscalls/epoll.js';
import { fdRows } from '../../runtime/linux/syscalls/fd.js';
import { fileRows } from '../../runtime/linux/syscalls/file.js';
import { miscFileRows } from '../../runtime/linux/syscalls/misc-file.js';
import { pathRows } from '../../runtime/linux/syscalls/path.js';
import { pollRows } from '../../runtime/linux/syscalls/poll.js';
import { statRows } from '../../runtime/linux/syscalls/stat.js';
import type { GuestMemory } from '../../runtime/linux/context.js';
import type { Thread } from '../../runtime/linux/thread.js';
import { bytePath } from '../../runtime/vfs/byte-path.js';
import { newTable } from '../../runtime/vfs/fd-table.js';
import { FileContext, type VfsConfig } from '../../runtime/vfs/file-context.js';
import { FILE_KINDS } from '../../runtime/vfs/kinds/table.js';
import { newFs } from '../../runtime/vfs/fs-struct.js';
import type { KernelPort, ProcSource } from '../../runtime/vfs/kernel-port.js';
import { VFS_SIZE } from '../../runtime/vfs/layout.js';
import { VfsState } from '../../runtime/vfs/state.js';

const ROWS: ReadonlyMap<string, SyscallRow> = new Map(
  ([fileRows, fdRows, dirRows, statRows, pathRows, pollRows, epollRows, miscFileRows] as (readonly SyscallRow[])[])
    .flat()
    .map((row) => [row.name, row]),
);

/** Bytes of guest memory; the last page is not accessible, the one before it is read-only. */
const MEMORY = 1 << 20;
export const READ_ONLY = MEMORY - 8192;
export const NO_ACCESS = MEMORY - 4096;

class FakeMemory implements GuestMemory {
  readonly bytes = new Uint8Array(new SharedArrayBuffer(MEMORY));
  readonly view = new DataView(this.bytes.buffer);

  atHand(addr: number, size: number): boolean {
    return this.canRead(addr, size);
  }

  canRead(addr: number, size: number): boolean {
    return size === 0 || (addr >= 4096 && addr + size <= NO_ACCESS);
  }
  canWrite(addr: number, size: number): boolean {
    return size === 0 || (addr >= 4096 && addr + size <= READ_ONLY);
  }
  read(addr: number, size: number): Uint8Array | undefined {
    return this.canRead(addr, size) ? this.bytes.slice(addr, addr + size) : undefined;
  }
  write(addr: number, data: Uint8Array): boolean {
    if (!this.canWrite(addr, data.length)) return false;
    this.bytes.set(data, addr);
    return true;
  }
  slice(addr: number, size: number, forWrite: boolean): Uint8Array | undefined {
    const ok = forWrite ? this.canWrite(addr, size) : this.canRead(addr, size);
    return ok ? this.bytes.subarray(addr, addr + size) : undefined;
  }
  cstring(addr: number, max = 1 << 16): Uint8Array | undefined {
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

/** Shared by all threads of a test, in all workers: the file layer's region, then a park word a slot. */
const SLOTS = 16;
export const newRegion = (): SharedArrayBuffer => new SharedArrayBuffer(VFS_SIZE + SLOTS * 4);

export class FakePort implements KernelPort {
  readonly signals: number[] = [];
  interruptedNow = false;
  fileLimit = Infinity;
  descriptorLimit = 1024;
  fdTable = 0;
  fsStruct = 0;
  readonly pid = 4711;
  readonly tid = 4711;
  readonly processGroup = 4711;
  readonly session = 4700;
  readonly requests: number[] = [];
  /** Called when the thread would sleep: a test's other side. */
  onPark: (() => void) | undefined;
  private readonly parks: Int32Array;

  constructor(
    region: SharedArrayBuffer,
    readonly slot: number,
  ) {
    this.parks = new Int32Array(region, VFS_SIZE, SLOTS);
  }
  sequence(): number {
    return Atomics.load(this.parks, this.slot);
  }
  park(sequence: number, timeoutMs: number): void {
    this.onPark?.();
    Atomics.wait(this.parks, this.slot, sequence, Math.min(timeoutMs, 10_000));
  }
  interrupted(): boolean {
    return this.interruptedNow;
  }
  call(slot: number): void {
    this.wake(slot);
  }
  wake(slot: number): void {
    if (slot >= SLOTS) return;
    Atomics.add(this.parks, slot, 1);
    Atomics.notify(this.parks, slot);
  }
  raise(signal: number): void {
    this.signals.push(signal);
  }
  fdLimit(): number {
    return this.descriptorLimit;
  }
  fileSizeLimit(): number {
    return this.fileLimit;
  }
  readonly process = 1;
  hasSignal(): boolean {
    return false;
  }
  takeSignal(): undefined {
    return undefined;
  }
  processState(): 'alive' {
    return 'alive';
  }
  readonly ids = { uid: 1000, euid: 1000, gid: 1000, egid: 1000 };
  readonly network = false;
  requestNet(): void {
    // Nobody is there to answer.
  }
  requestStream(stream: number): void {
    this.requests.push(stream);
  }
  terminalChanged(): void {
    throw new Error('no terminal in tests');
  }
  requestWatch(): boolean {
    return false;
  }
}

const proc: ProcSource = {
  pids: () => [4711],
  processOf: (id) => (id === 4711 ? 4711 : undefined),
  threads: () => [4711],
  exe: () => '/bin/true',
  cmdline: () => 'true\0-x\0',
  environ: () => 'A=1\0',
  auxv: () => new Uint8Array(32),
  comm: () => 'true',
  setComm: () => undefined,
  accessMemory: () => 0,
  maps: () => '00400000-00401000 r-xp 00000000 08:01 123 /bin/true\n',
  smaps: () => '',
  tables: () => ({ files: 1, fs: 1 }),
  limits: () => [],
  idMap: () => '',
  setgroups: 'allow',
  oomAdjust: () => 0,
  setOomAdjust: () => undefined,
  machineName: () => 'name',
  mayLookInto: () => true,
  mayListFiles: () => true,
  task: () => ({
    state: 'R',
    tracer: 0,
    ppid: 1,
    pgrp: 4711,
    session: 4700,
    terminal: -1,
    uids: [0, 0, 0],
    gids: [0, 0, 0],
    groups: [0],
    capabilities: { inheritable: 0n, permitted: 0n, effective: 0n, bounding: 0n, ambient: 0n },
    noNewPrivileges: false,
    nice: 0,
    cpuTicks: 4,
    cpuNs: 4e7,
    deadTicks: 0,
    childTicks: [0, 0],
    exitStatus: 0,
    policy: 0,
    priority: 0,
    groupPending: 0n,
    startTicks: 100,
    vsize: 8192,
    rss: 4096,
    sigPending: 0n,
    sigBlocked: 0n,
    sigIgnored: 0n,
    sigCaught: 0n,
  }),
};

/** Of a process that several threads share. */
export interface Tables {
  readonly fdTable: number;
  readonly fsStruct: number;
}

type Arg = number | bigint | string | Uint8Array;

export class FakeThread {
  readonly mem = new FakeMemory();
  readonly port: FakePort;
  readonly files: FileContext;
  private readonly thread: Thread;
  private next = 65536;

  constructor(region: SharedArrayBuffer, slot: number, cwd: string, config: Partial<VfsConfig> = {}, tables?: Tables) {
    this.port = new FakePort(region, slot);
    const state = VfsState.attach(region, 0, this.port, FILE_KINDS);
    this.port.fdTable = tables?.fdTable ?? newTable(state);
    this.port.fsStruct = tables?.fsStruct ?? newFs(state, bytePath(Buffer.from(cwd).toString('latin1')), 0o022);
    this.files = new FileContext(state, {
      proc,
      machine: {
        cpus: 2,
        vendor: 'GenuineIntel',
        family: 6,
        model: 15,
        stepping: 1,
        modelName: 'lift64',
        cpuidLevel: 13,
        cacheKib: 512,
        physicalBits: 40,
        virtualBits: 48,
        flags: ['fpu', 'sse2'],
        memoryTotal: 3 * 2 ** 30,
        memoryFree: () => 2 ** 30,
      },
      ...config,
    });
    const port = this.port;
    // Of zeros: all users are shown, and the offset of the clock is to be found.
    const kernelHeader = new ArrayBuffer(8 * HEAD.ONE_USER);
    // The handlers use nothing else of a thread, except for poll's and ppoll's restart and mask.
    this.thread = {
      mem: this.mem,
      files: this.files,
      kernel: { i32: new Int32Array(kernelHeader), i64: new BigInt64Array(kernelHeader) },
      task: {
        restart: undefined,
        get files() {
          return port.fdTable;
        },
        set files(table: number) {
          port.fdTable = table;
        },
      },
    } as unknown as Thread;
  }

  /** Address of `size` fresh bytes, zeroed. */
  alloc(size: number): number {
    const at = this.next;
    this.next += (size + 15) & ~15;
    if (this.next > READ_ONLY) throw new Error('test memory is full');
    this.mem.bytes.fill(0, at, at + size);
    return at;
  }

  /** Stores bytes, or a string with its NUL. */
  put(data: string | Uint8Array): number {
    const bytes = typeof data === 'string' ? Buffer.concat([Buffer.from(data), Buffer.of(0)]) : data;
    const at = this.alloc(bytes.length);
    this.mem.bytes.set(bytes, at);
    return at;
  }

  /** Runs a system call; strings and bytes are stored first. Memory that it took is free again afterwards. */
  call(name: string, ...args: Arg[]): number {
    const row = ROWS.get(name);
    if (row === undefined) throw new Error(`no row ${name}`);
    const keep = this.next;
    const raw = args.map((v) => (typeof v === 'string' || v instanceof Uint8Array ? this.put(v) : v));
    const u64 = (i: number): bigint => BigInt.asUintN(64, BigInt(raw[i] ?? 0));
    const a: SyscallArgs = {
      i32: (i) => Number(BigInt.asIntN(32, u64(i))),
      u32: (i) => Number(BigInt.asUintN(32, u64(i))),
      ptr: (i) => Number(u64(i)),
      i64: (i) => BigInt.asIntN(64, u64(i)),
      u64,
    };
    const handler: Handler | undefined = row.handler;
    if (handler === undefined) throw new Error(`${name} has no handler`);
    const result = handler(this.thread, a);
    this.next = keep;
    return Number(result);
  }

  bytes(addr: number, size: number): Buffer {
    return Buffer.from(this.mem.bytes.slice(addr, addr + size));
  }

  text(addr: number, size: number): string {
    return this.bytes(addr, size).toString('latin1');
  }

  /** Reads up to `size` bytes as text; a negative errno as it is. */
  readText(fd: number, size = 65536): string | number {
    const at = this.alloc(size);
    const n = this.call('read', fd, at, size);
    this.next = at;
    return n < 0 ? n : this.text(at, n);
  }

  writeText(fd: number, text: string): number {
    return this.call('write', fd, Buffer.from(text), Buffer.byteLength(text));
  }

  /** What a fresh run of the pending restart block gives. */
  restart(): number {
    const { restart } = this.thread.task;
    return Number(restart?.() ?? 0);
  }
}
