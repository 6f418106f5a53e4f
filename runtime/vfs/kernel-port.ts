/**
 * What the file layer needs of the kernel, for one thread: thread-port.ts and kernel-proc.ts make it from the kernel's objects, which nothing else
 * in runtime/vfs knows. In: nothing. Out: types.
 */
import type { NetRequest } from '../net/requests.js';

/** A file that the host is to watch for an inotify mark (inotify/host-watches.ts), or, without a file, watches of marks that are gone. */
export interface WatchRequest {
  readonly mark: number;
  readonly life: number;
  readonly file?: {
    /** Of the host. */
    readonly path: string;
    /** Device and inode in 32-bit words. */
    readonly id: readonly [number, number, number, number];
    readonly isDirectory: boolean;
  };
}

export interface KernelPort {
  /** Index of this thread's park word, 0..MAX_SLOTS-2; the main thread is MAIN_SLOT. */
  readonly slot: number;
  /** Reads the thread's wake sequence: before looking at what is waited for. */
  sequence(): number;
  /** Sleeps until woken since `sequence` was read, for at most `timeoutMs` (Infinity: for ever). May return early. */
  park(sequence: number, timeoutMs: number): void;
  /** True when the thread has to leave a blocking call: an unblocked signal is pending, or the thread is to exit. */
  interrupted(): boolean;
  /** Wakes the thread of `slot`; the main thread by a message. From any thread. */
  wake(slot: number): void;
  /** As wake; the thread does what it has to do after a wake (Thread.afterWake) even if it runs guest code. */
  call(slot: number): void;
  /** Sends `signal` to this thread (SIGPIPE, SIGXFSZ). */
  raise(signal: number): void;
  /** Without it there are no process groups (tests). */
  readonly jobs?: JobControl;
  /** Ids as the guest sees them. */
  readonly pid: number;
  readonly tid: number;
  /** Real and effective ids. */
  readonly ids: { readonly uid: number; readonly euid: number; readonly gid: number; readonly egid: number };
  readonly processGroup: number;
  readonly session: number;
  /** The thread's fd table and fs struct, as newTable, newFs and their copies gave them. */
  readonly fdTable: number;
  readonly fsStruct: number;
  /** Soft limit of RLIMIT_NOFILE and RLIMIT_FSIZE (bytes, Infinity none). */
  fdLimit(): number;
  fileSizeLimit(): number;
  /** Index of the thread's process in the kernel's table. */
  readonly process: number;
  /** Whether a signal of `mask` is pending for the thread or its process. */
  hasSignal(mask: bigint): boolean;
  /** Takes the first pending signal of `mask`: its siginfo_t; undefined: there is none. */
  takeSignal(mask: bigint): Uint8Array | undefined;
  /** What has become of the process `pid`, whose index in the kernel's table was `process`. */
  processState(process: number, pid: number): 'alive' | 'zombie' | 'gone';
  /** Asks the main thread to serve stream `stream` (StreamService.request). Returns at once. */
  requestStream(stream: number): void;
  /** False: the guest has no network but lift64's own (--no-net). */
  readonly network: boolean;
  /** Asks the main thread for something of the host's network (net-service.ts). Returns at once. */
  requestNet(request: NetRequest): void;
  /** Tells the main thread that the modes of the host's terminal have changed, or that a read waits for its input. Returns at once. */
  terminalChanged(): void;
  /** Asks the main thread to watch a file. Returns at once; false: nobody will. */
  requestWatch(request: WatchRequest): boolean;
}

/** Process groups and sessions, as terminals want them: of the calling thread's process where nothing else is said. None of it is called with the region's lock held. */
export interface JobControl {
  /** Index of its controlling terminal, -1 none. */
  terminal: number;
  readonly isSessionLeader: boolean;
  /** Its effective user is root. */
  readonly isRoot: boolean;
  /** Whether the calling thread blocks or ignores `signal`. */
  shrugsOff(signal: number): boolean;
  /** Nobody of its session could continue its process group. */
  isOrphaned(): boolean;
  /** Session that process group `group` belongs to, which is 0 where its leader is outside of the PID namespace; undefined: there is no such group. */
  sessionOf(group: number): number | undefined;
  /** The kernel's signal to all processes of a group. */
  signalGroup(group: number, signal: number): void;
  /** Terminal `terminal` is no longer the controlling terminal of session `session`. */
  dropTerminal(session: number, terminal: number): void;
  /** The same because it has hung up: the leader gets SIGHUP and SIGCONT, and when it exits, so does process group `foreground`. */
  hangUp(session: number, terminal: number, foreground: number): void;
}

/** What /proc shows of guest processes. Byte strings are latin1: one character a byte. */
export interface ProcSource {
  /** Process ids of the guest, zombies included, ascending. */
  pids(): number[];
  /** Process that thread `id` belongs to; undefined when there is none. */
  processOf(id: number): number | undefined;
  threads(pid: number): number[];
  /** Absolute guest path of the program; undefined for a zombie. What argv, environ and auxv lie in now, raw, NULs included; empty for a zombie. */
  exe(pid: number): string | undefined;
  cmdline(pid: number): string;
  environ(pid: number): string;
  auxv(pid: number): Uint8Array;
  /** Name of a thread, without newline. */
  comm(tid: number): string;
  setComm(tid: number, name: string): void;
  /** Texts of /proc/PID/maps, smaps and smaps_rollup; undefined for a zombie. */
  maps(pid: number): string | undefined;
  smaps(pid: number, rollup: boolean): string | undefined;
  /** fd table and fs struct; 0 for a zombie. */
  tables(pid: number): { readonly files: number; readonly fs: number };
  /** By RLIMIT_*. */
  limits(pid: number): readonly { readonly soft: bigint; readonly hard: bigint }[];
  oomAdjust(pid: number): number;
  /** Text of uid_map or gid_map; setgroups. */
  idMap(kind: 'uid' | 'gid'): string;
  readonly setgroups: 'allow' | 'deny';
  setOomAdjust(pid: number, value: number): void;
  /** Copies bytes from, or to, the memory of a process, whatever its permissions; gives how many could be. */
  accessMemory(pid: number, addr: number, bytes: Uint8Array, write: boolean): number;
  /** Names of the machine, as uname gives them. */
  machineName(which: 'host' | 'domain'): string;
  /** Whether the reader may see the files and the memory of the process. */
  mayLookInto(pid: number): boolean;
  /** Whether the reader may list the descriptors of the process: a zombie's are root's. */
  mayListFiles(pid: number): boolean;
  /** Fields of /proc/PID/stat and status that only the kernel knows; undefined when the thread is gone. */
  task(tid: number): ProcTask | undefined;
}

export interface ProcTask {
  /** R, S, Z, T, t ... */
  readonly state: string;
  /** Tid of its tracer; 0 none. */
  readonly tracer: number;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** Number of the controlling terminal below /dev/pts; -1 none. */
  readonly terminal: number;
  /** Real, effective, saved. */
  readonly uids: readonly [number, number, number];
  readonly gids: readonly [number, number, number];
  /** Supplementary. */
  readonly groups: readonly number[];
  readonly capabilities: Readonly<Record<'inheritable' | 'permitted' | 'effective' | 'bounding' | 'ambient', bigint>>;
  readonly noNewPrivileges: boolean;
  readonly nice: number;
  /** Clock ticks of 10 ms: used by the thread, by threads of the process that have ended, by reaped children (user, system), and from boot to the thread's start. */
  readonly cpuTicks: number;
  readonly deadTicks: number;
  readonly childTicks: readonly [number, number];
  readonly startTicks: number;
  /** Nanoseconds used by the thread. */
  readonly cpuNs: number;
  /** As wait4 reports it, of a process that ends. */
  readonly exitStatus: number;
  readonly policy: number;
  readonly priority: number;
  /** Bytes. */
  readonly vsize: number;
  readonly rss: number;
  /** Masks, 64 bits: pending for the thread, for the process, blocked, ignored, caught. */
  readonly sigPending: bigint;
  readonly groupPending: bigint;
  readonly sigBlocked: bigint;
  readonly sigIgnored: bigint;
  readonly sigCaught: bigint;
}
