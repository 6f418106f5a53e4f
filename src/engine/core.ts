/**
 * The AssemblyScript core in one thread: its instance, function table and exports. In: the compiled module and the memory. Out: typed functions.
 */
import { nodeModules } from '../../runtime/linux/node-modules.js';
import { bytecodeFingerprint } from '../../backend-wasm/bytecode/opcodes.js';
import { InternalError } from '../base/errors.js';
import { EXIT } from '../guest/cpu-state.js';
import type { EflagsOf } from './cpu-view.js';

export interface Core {
  readonly exports: WebAssembly.Exports;
  readonly table: WebAssembly.Table;
  /** Runs translated code of the CPU block; gives an EXIT reason. */
  readonly run: (cpu: number) => number;
  readonly eflagsOf: EflagsOf;
  /** The six arithmetic flags of a lazy state: cc_op, cc_dst, cc_src, cc_src2. */
  readonly flagsOf: (op: number, dst: bigint, src: bigint, src2: bigint) => bigint;
  /** Enters the TBs that lie from `start` to `end` (i32) as the code store keeps them, with that TB.HEAT; gives how many (backend-wasm/interpreter/stored-tbs.ts). The caller holds the translation lock. */
  readonly takeTbs: (start: number, end: number, heat: number) => number;
  /** wordsHash (code-store-file.ts) of `count` words at an address (i32). */
  readonly wordsHash: (address: number, count: number) => number;
  /** Of the bytecode that the core was built for (backend-wasm/bytecode/opcodes.ts). */
  readonly bytecodeFingerprint: () => number;
  /** What a table slot holds until its region is installed. */
  readonly stub: unknown;
}

/** Entries of a new function table: it grows with the slots (compiled-code.ts), since V8 gives each instance a copy of it, 20 bytes an entry (60,000 entries: 4 ms an instance). */
const FIRST_TABLE_SIZE = 1024;

/** The time-stamp counter: nanoseconds of the host's monotonic clock, a 1 GHz TSC. */
const clock = (): bigint => process.hrtime.bigint();

/** 64 random bits of the host's, for machines without a kernel. */
const hostRandom = (): bigint => nodeModules.crypto().randomBytes(8).readBigUInt64LE();

/** What the core asks of the engine. */
export interface CoreServices {
  /** What RDRAND gives. */
  readonly random: () => bigint;
  /** A compiled region's system call: 0 once it has been served, else the EXIT reason with which the region is to be left. */
  readonly syscall: (cpu: number) => number;
}

/** Without a kernel: system calls leave. */
const NO_SERVICES: CoreServices = { random: hostRandom, syscall: () => EXIT.SYSCALL };

export function instantiateCore(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  { random, syscall }: CoreServices = NO_SERVICES,
): Core {
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: FIRST_TABLE_SIZE });
  const { exports } = new WebAssembly.Instance(module, { env: { memory, table, clock, random, syscall } });
  const get = (name: string): unknown => {
    const f = exports[name];
    if (typeof f !== 'function') throw new InternalError(`the core has no function ${name}`);
    return f;
  };
  // The types are those of dispatch.ts and stored-tbs.ts in backend-wasm/interpreter, and of backend-wasm/helpers/cc.ts.
  return {
    exports,
    table,
    run: get('run') as (cpu: number) => number,
    eflagsOf: get('eflagsOf') as EflagsOf,
    flagsOf: get('cc_compute_all') as Core['flagsOf'],
    takeTbs: get('takeTbs') as Core['takeTbs'],
    wordsHash: get('wordsHash') as Core['wordsHash'],
    bytecodeFingerprint: get('bytecodeFingerprint') as Core['bytecodeFingerprint'],
    stub: get('slotStub'),
  };
}

/** Once a thread, before it writes bytecode for `core`: it takes some milliseconds, which threads that find their code translated do without. */
export function checkBytecode(core: Core): void {
  if (core.bytecodeFingerprint() !== bytecodeFingerprint())
    throw new InternalError('dist/core.wasm was built for other bytecode: run npm run build');
}
