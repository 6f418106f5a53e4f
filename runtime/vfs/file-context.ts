/**
 * The file layer as one guest thread uses it. In: the thread's view of the shared region and the configuration of this lift64. Out: FileContext, which
 * the system calls and the vfs functions take.
 */
import type { BytePath } from './byte-path.js';
import type { FileMappings } from './coherence.js';
import type { DirectorySnapshot } from './directories.js';
import type { KernelPort, ProcSource } from './kernel-port.js';
import { hostFd } from './open-files.js';
import type { VfsState } from './state.js';

/** CPU and memory as /proc/cpuinfo and /proc/meminfo show them: they agree with CPUID and sysinfo. */
export interface MachineInfo {
  readonly cpus: number;
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly modelName: string;
  /** CPUID's highest basic leaf. */
  readonly cpuidLevel: number;
  /** KiB of the last level. */
  readonly cacheKib: number;
  readonly physicalBits: number;
  readonly virtualBits: number;
  /** Names of the CPU features, as Linux writes them. */
  readonly flags: readonly string[];
  /** Bytes. */
  readonly memoryTotal: number;
  memoryFree(): number;
}

export interface VfsConfig {
  /** -L: absolute paths are looked for under it first. Without a slash at its end. */
  readonly prefix?: BytePath;
  readonly proc: ProcSource;
  readonly machine: MachineInfo;
}

export class FileContext {
  /** Listings of open directories, by description. */
  readonly directories = new Map<number, DirectorySnapshot>();

  constructor(
    readonly state: VfsState,
    readonly config: VfsConfig,
    /** Shared mappings of files, to be kept in step; absent where there is no memory. */
    readonly mappings?: FileMappings,
  ) {}

  get port(): KernelPort {
    return this.state.port;
  }

  /** The thread's fd table and fs struct. */
  get table(): number {
    return this.state.port.fdTable;
  }

  /** Descriptor of the host behind a description, or -1. */
  hostFd(file: number): number {
    return hostFd(this.state, file);
  }

  get fs(): number {
    return this.state.port.fsStruct;
  }
}
