/**
 * What a system call handler gets, and the row of the syscall table. In: nothing. Out: types.
 * Source: man 2 syscall (x86-64: rax; rdi rsi rdx r10 r8 r9), System V ABI AMD64 A.2.
 */
import type { Thread } from './thread.js';

/** The six arguments, read from the registers by their C type. `i` is 0..5. */
export interface SyscallArgs {
  /** int: low 32 bits, signed. */
  i32(i: number): number;
  /** unsigned int: low 32 bits. */
  u32(i: number): number;
  /** Pointer or size_t or off_t as a number: exact up to 2**53; larger unsigned values come as Infinity-free doubles that no mapping contains. */
  ptr(i: number): number;
  /** long: 64 bits, signed. */
  i64(i: number): bigint;
  /** unsigned long: 64 bits. */
  u64(i: number): bigint;
}

/** Result: 0 or more, or a negative errno (errno.ts). bigint only where a number can't hold it. */
export type SyscallResult = number | bigint;
export type Handler = (t: Thread, a: SyscallArgs) => SyscallResult;

export type Support = 'yes' | 'partly' | 'no';

/** One row of the syscall table. */
export interface SyscallRow {
  /** x86-64 number. */
  readonly nr: number;
  readonly name: string;
  /** strace formats of the arguments, comma separated, in QEMU's manner: 'd' int, 'u' unsigned, 'x' hex, 'p' pointer (0 is NULL), 's' path or string in guest memory, 'o' octal mode, 'S' signal, 'ms' mmap flags, ... (strace.ts lists them). */
  readonly args: string;
  /** strace format of the result: 'd' decimal (the default), 'p' an address, 'none': the call does not return, so its line is printed at the entry. */
  readonly ret?: 'd' | 'p' | 'none';
  readonly support: Support;
  /** What is missing, or why the call is refused. */
  readonly note?: string;
  /** Errno returned when there is no handler; ENOSYS by default. */
  readonly refuse?: number;
  /** Set where every program asks and does without: the refusal is not named at run time. */
  readonly quiet?: true;
  readonly handler?: Handler;
}

/** Guest memory as the syscall layer sees it. Every accessor checks permissions; false or undefined means EFAULT. Addresses are bytes, unsigned. */
export interface GuestMemory {
  /** The whole 4 GiB, shared. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** True when [addr, addr + size) is readable (write: writable). Writing marks: translated code on those pages is invalidated before this returns. */
  canRead(addr: number, size: number): boolean;
  /** True when [addr, addr + size) can be read, or written, at once: without waiting for other processes or threads. */
  atHand(addr: number, size: number, forWrite: boolean): boolean;
  canWrite(addr: number, size: number): boolean;
  /** Copies out; undefined on EFAULT. */
  read(addr: number, size: number): Uint8Array | undefined;
  /** Copies in; false on EFAULT (nothing is written then). */
  write(addr: number, data: Uint8Array): boolean;
  /** The memory itself as Uint8Array (no copy) for [addr, addr + size), for fs.*Sync; undefined on EFAULT. */
  slice(addr: number, size: number, forWrite: boolean): Uint8Array | undefined;
  /** NUL-terminated bytes without the NUL, at most `max`; undefined on EFAULT. */
  cstring(addr: number, max?: number): Uint8Array | undefined;
  readU32(addr: number): number | undefined;
  readI32(addr: number): number | undefined;
  readU64(addr: number): bigint | undefined;
  writeU32(addr: number, v: number): boolean;
  writeU64(addr: number, v: bigint): boolean;
}
