/**
 * struct user_regs_struct of x86-64 and a thread's registers. In: registers, or the bytes. Out: the other; what a value may be. Source: man 2 ptrace; sys/user.h; Intel SDM volume 1, 3.4.3.
 */
import { TASK_SIZE_MAX } from '../../src/base/ids.js';
import { CPU, USER_CS, USER_SS } from '../../src/guest/cpu-state.js';
import { FLAG, USER_FLAGS } from '../../src/guest/flags.js';
import type { CpuView } from '../linux/thread.js';

export const USER_REGS_BYTES = 27 * 8;

/** Offsets of members. */
export const UREG = {
  R10: 56,
  R9: 64,
  R8: 72,
  RAX: 80,
  RDX: 96,
  RSI: 104,
  RDI: 112,
  ORIG_RAX: 120,
  RIP: 128,
  CS: 136,
  EFLAGS: 144,
  RSP: 152,
  SS: 160,
  FS_BASE: 168,
  GS_BASE: 176,
  DS: 184,
  ES: 192,
  FS: 200,
  GS: 208,
} as const;

/** Offset of the member, by register number as ModRM encodes it: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15. */
const MEMBER = [
  UREG.RAX,
  88,
  UREG.RDX,
  40,
  UREG.RSP,
  32,
  UREG.RSI,
  UREG.RDI,
  UREG.R8,
  UREG.R9,
  UREG.R10,
  48,
  24,
  16,
  8,
  0,
];
/** Offset in CPU.SEG_SELECTORS: 2 unused, ds, es, fs, gs. */
const SELECTORS = [
  [UREG.DS, 4],
  [UREG.ES, 6],
  [UREG.FS, 8],
  [UREG.GS, 10],
] as const;

/** Flags that a tracer may set. */
const FLAGS = USER_FLAGS | FLAG.RF;

/** Stores the registers at `at` of `v`. `call`: number of the system call under way, -1 none. */
export function saveUserRegs(cpu: CpuView, v: DataView, at: number, call: number): void {
  MEMBER.forEach((member, reg) => {
    v.setBigInt64(at + member, cpu.reg(reg), true);
  });
  v.setBigInt64(at + UREG.ORIG_RAX, BigInt(call), true);
  v.setBigUint64(at + UREG.RIP, cpu.rip, true);
  v.setBigUint64(at + UREG.CS, BigInt(USER_CS), true);
  v.setBigUint64(at + UREG.EFLAGS, BigInt(cpu.eflags >>> 0), true);
  v.setBigUint64(at + UREG.SS, BigInt(USER_SS), true);
  v.setBigUint64(at + UREG.FS_BASE, cpu.fsBase, true);
  v.setBigUint64(at + UREG.GS_BASE, cpu.gsBase, true);
  for (const [member, selector] of SELECTORS) {
    const from = CPU.SEG_SELECTORS + selector;
    v.setBigUint64(at + member, BigInt((cpu.bytes[from] ?? 0) | ((cpu.bytes[from + 1] ?? 0) << 8)), true);
  }
}

/** Loads the registers; gives the number of the system call under way, -1 none. */
export function loadUserRegs(cpu: CpuView, v: DataView, at: number): number {
  MEMBER.forEach((member, reg) => {
    cpu.setReg(reg, v.getBigInt64(at + member, true));
  });
  cpu.rip = v.getBigUint64(at + UREG.RIP, true);
  cpu.eflags = (cpu.eflags & ~FLAGS) | (v.getUint32(at + UREG.EFLAGS, true) & FLAGS);
  cpu.fsBase = v.getBigUint64(at + UREG.FS_BASE, true);
  cpu.gsBase = v.getBigUint64(at + UREG.GS_BASE, true);
  for (const [member, selector] of SELECTORS) {
    cpu.bytes[CPU.SEG_SELECTORS + selector] = v.getUint8(at + member);
    cpu.bytes[CPU.SEG_SELECTORS + selector + 1] = v.getUint8(at + member + 1);
  }
  return v.getInt32(at + UREG.ORIG_RAX, true);
}

/** Whether a tracer may store `value` in the member at `offset`. */
export function mayBeStored(offset: number, value: bigint): boolean {
  switch (offset) {
    case UREG.CS:
    case UREG.SS:
      return (value & 3n) === 3n;
    case UREG.DS:
    case UREG.ES:
    case UREG.FS:
    case UREG.GS:
      return value === 0n || (value & 3n) === 3n;
    case UREG.FS_BASE:
    case UREG.GS_BASE:
      return value < TASK_SIZE_MAX;
    default:
      return true;
  }
}

/** The value that the member at `offset` takes when `value` is stored in it. */
export function asStored(offset: number, value: bigint, before: bigint): bigint {
  switch (offset) {
    // These do not change.
    case UREG.CS:
    case UREG.SS:
      return before;
    case UREG.EFLAGS:
      return (before & ~BigInt(FLAGS)) | (value & BigInt(FLAGS));
    case UREG.DS:
    case UREG.ES:
    case UREG.FS:
    case UREG.GS:
      return value & 0xffffn;
    default:
      return value;
  }
}
