/** What goes between guest threads, the main thread and the compile worker. In: nothing. Out: types. */

import type { HostSimd } from '../../backend-wasm/compiler/host-simd.js';
import type { CpuModel } from './cpu-model.js';
import type { BoundSlot } from './slots.js';

/** A compiled module, as it travels to every guest worker. */
export interface CompiledModule {
  readonly module: WebAssembly.Module;
  /** CODE_GENERATION before the guest's bytes were read. */
  readonly generation: number;
  /** PCB.COPIES once all slots that it names were bound: copies made since lack some of them, and may have changed the code. */
  readonly copies: number;
  readonly entries: readonly CompiledEntry[];
  /** Bytes of the Wasm module. */
  readonly size: number;
  /** Wasm text for -d out_asm. */
  readonly text: string | undefined;
  /** What the code store keeps of it; undefined when it keeps nothing. */
  readonly record: ModuleRecord | undefined;
}

/** A module as the code store keeps it (region-store.ts). */
export interface ModuleRecord {
  readonly bytes: Uint8Array;
  /** V8's machine code of it (machine-code.ts). */
  readonly code: Uint8Array | undefined;
  readonly entries: readonly StoredEntry[];
  /** What its code takes of the host's relaxed SIMD. */
  readonly host: HostSimd;
  /** Slots that it names, with their pcs. */
  readonly slots: readonly BoundSlot[];
}

export interface StoredEntry {
  readonly pc: number;
  readonly slot: number;
  readonly name: string;
  /** Guest pages whose bytes it depends on, with pageHash of what they held. */
  readonly contents: readonly (readonly [page: number, content: number])[];
}

export interface CompiledEntry {
  readonly pc: number;
  readonly slot: number;
  /** Export of the module. */
  readonly name: string;
  /** Guest pages whose bytes it depends on. */
  readonly pages: readonly number[];
}

/** Main thread to guest worker, on the port of its own: a module of that space; and from a guest worker that has compiled it for itself (tier compiled). */
export interface SpaceModule {
  readonly space: number;
  readonly compiled: CompiledModule;
}

/** Main thread to compile worker. */
export type ToCompiler =
  /** A life of an address space (Mm.space), and of the memory that it has (memory-life.ts), before the first pc in it; another one of the same memory is over then. */
  | { readonly kind: 'memory'; readonly space: number; readonly life: number; readonly memory: WebAssembly.Memory }
  | { readonly kind: 'compile'; readonly space: number; readonly pc: number; readonly symbol: string | undefined };

/** Compile worker to main thread. */
export type FromCompiler =
  | { readonly kind: 'module'; readonly space: number; readonly compiled: CompiledModule; readonly ms: number }
  | { readonly kind: 'failed'; readonly message: string; readonly details: readonly string[] };

/** What the compile worker is started with. */
export interface CompilerStart {
  readonly cpuModel: CpuModel;
  readonly disabledPasses: readonly string[];
  readonly reorderMemory: boolean;
  readonly unchecked: boolean;
  readonly wantText: boolean;
  /** Modules are for the code store too. */
  readonly keep: boolean;
}
