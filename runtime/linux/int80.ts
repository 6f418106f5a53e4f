/**
 * INT 0x80 in a 64-bit process: i386's numbers and 32-bit arguments. In: a number, the registers. Out: the row of the call that does the same on x86-64, the arguments as it reads them.
 * Here are the calls whose arguments are integers, strings and bytes; those with structures of i386's own sizes (stat, timespec, iovec, argv of execve ...) are not served.
 * Source: Linux's table of i386 system calls; man 2 syscall (eax; ebx ecx edx esi edi ebp; result in eax, no other register changes).
 */
import { CPU, GPR } from '../../src/guest/cpu-state.js';
import type { SyscallArgs, SyscallRow } from './context.js';
import { SYSCALL_NAMES } from './syscall-names.js';
import { rowOf } from './table.js';
import type { CpuView } from './thread.js';

/** i386 number and the name of x86-64's call. */
const CALLS: readonly (readonly [number, string])[] = [
  [1, 'exit'],
  [2, 'fork'],
  [3, 'read'],
  [4, 'write'],
  [5, 'open'],
  [6, 'close'],
  [8, 'creat'],
  [9, 'link'],
  [10, 'unlink'],
  [12, 'chdir'],
  [15, 'chmod'],
  [19, 'lseek'],
  [20, 'getpid'],
  [33, 'access'],
  [36, 'sync'],
  [37, 'kill'],
  [38, 'rename'],
  [39, 'mkdir'],
  [40, 'rmdir'],
  [41, 'dup'],
  [42, 'pipe'],
  [45, 'brk'],
  [57, 'setpgid'],
  [60, 'umask'],
  [63, 'dup2'],
  [64, 'getppid'],
  [65, 'getpgrp'],
  [66, 'setsid'],
  [83, 'symlink'],
  [85, 'readlink'],
  [91, 'munmap'],
  [94, 'fchmod'],
  [118, 'fsync'],
  [122, 'uname'],
  [125, 'mprotect'],
  [132, 'getpgid'],
  [133, 'fchdir'],
  [144, 'msync'],
  [147, 'getsid'],
  [148, 'fdatasync'],
  [158, 'sched_yield'],
  [183, 'getcwd'],
  [190, 'vfork'],
  [199, 'getuid'],
  [200, 'getgid'],
  [201, 'geteuid'],
  [202, 'getegid'],
  [224, 'gettid'],
  [238, 'tkill'],
  [252, 'exit_group'],
  [270, 'tgkill'],
  [330, 'dup3'],
  [331, 'pipe2'],
  [355, 'getrandom'],
];

const ROWS = new Map(CALLS.map(([nr, name]) => [nr, rowOf(SYSCALL_NAMES.indexOf(name))]));

/** Row of i386's call `nr`; undefined where it is not served. */
export function int80Row(nr: number): SyscallRow | undefined {
  return ROWS.get(nr);
}

const ARG_REGS = [GPR.RBX, GPR.RCX, GPR.RDX, GPR.RSI, GPR.RDI, GPR.RBP];

/** The low halves of the registers: longs come sign-extended, pointers and sizes zero-extended. */
export class Int80Args implements SyscallArgs {
  constructor(private readonly cpu: CpuView) {}

  i32(i: number): number {
    return this.cpu.i32(CPU.REGS + 8 * (ARG_REGS[i] ?? 0));
  }

  u32(i: number): number {
    return this.i32(i) >>> 0;
  }

  ptr(i: number): number {
    return this.u32(i);
  }

  i64(i: number): bigint {
    return BigInt(this.i32(i));
  }

  u64(i: number): bigint {
    return BigInt(this.u32(i));
  }
}
