/**
 * The types between the decoder and the lifter: one table row an instruction form, one decoded instruction.
 * In: nothing. Out: types only. Source: Intel SDM volume 2, appendix A (operand letters), section 2.1 (formats).
 */
import type { Lifter } from './lifter.js';

/** CPUID feature that a row needs. */
export type Feature =
  | 'base'
  | 'x87'
  | 'mmx'
  | 'sse'
  | 'sse2'
  | 'sse3'
  | 'ssse3'
  | 'sse4.1'
  | 'sse4.2'
  | 'cx16'
  | 'fxsr'
  | 'xsave'
  | 'rdtscp'
  | 'popcnt'
  | 'lzcnt'
  | 'bmi1'
  | 'bmi2'
  | 'avx'
  | 'avx2'
  | 'fma'
  | 'f16c'
  | 'aes'
  | 'pclmulqdq'
  | 'sha'
  | 'movbe'
  | 'adx'
  | 'rdrand'
  | 'rdseed'
  | 'rdpid'
  | 'clflushopt'
  | 'clwb'
  | 'xsaveopt'
  | 'xsavec'
  | 'cet'
  | 'fsgsbase'
  | 'monitor'
  | '3dnow-prefetch';

/** Behaviour of a row that differs from the plain case. */
export type Attr =
  /** LOCK allowed when the destination is memory (SDM 2A, LOCK). */
  | 'lock'
  /** REP/REPE/REPNE repeat the instruction. */
  | 'rep'
  /** Operand size is 64 bits by default in 64-bit mode, 0x66 gives 16 (push, pop). */
  | 'd64'
  /** Operand size is forced to 64 bits in 64-bit mode (near branches). */
  | 'f64'
  /** Ends the TB: jump, call, ret, syscall, int, hlt. */
  | 'branch'
  /** Only a memory operand is valid in ModRM.rm. */
  | 'mem-only'
  /** Only a register operand is valid in ModRM.rm. */
  | 'reg-only'
  /** ModRM.mod is not looked at: ModRM.rm is a register whatever it says (mov to and from control registers). */
  | 'mod-ignored'
  /** Privileged: #GP(0) at CPL 3. */
  | 'privileged';

/** Lifts one decoded instruction: appends IR through the lifter. */
export type LiftFn = (l: Lifter, insn: Insn) => void;

/**
 * One row of the instruction tables, one a form. `enc` is written as in the SDM: bytes in hex; '/0'..'/7' an opcode extension, '/r' ModRM;
 * 'NP', '66', 'F3', 'F2' before the opcode a mandatory prefix (NP: none of the three; NFx: neither F2 nor F3); 'REX.W' where a row is for that width alone;
 * '+r' a register in the low three opcode bits; a whole ModRM byte in hex for forms such as '0F 01 D0'. Examples: '81 /0', '0F AF /r', '66 0F 6F /r', '50+r', 'REX.W 99', 'D9 E8'.
 * A row with none of the four prefix tokens takes them all: 66 is then the operand size, F2 and F3 repeat or do nothing. Further tokens: 'REX.B0' (REX.B clear),
 * '+i' a whole ModRM byte of a register form with any rm ('D8 C0+i'). The row with more conditions wins over the one with fewer.
 *
 * VEX rows begin with one token as the SDM writes it, fields between dots: 'VEX.256.66.0F38.W0 58 /r'. Length: '128' and '256', 'LZ' (L must be 0, general registers); 'LIG' or
 * none: either. Prefix: '66', 'F3', 'F2', 'NP' or none for none. Map: '0F', '0F38', '0F3A'. 'W0', 'W1'; 'WIG' or none: either. A legacy row and a VEX row never meet.
 *
 * `operands` are the SDM's letters and sizes, in Intel order, comma separated: 'Ev,Gv', 'Vx,Wx', 'Eb,Ib', 'AL,Ib', 'Jz', 'M', 'Ev/w'. Implied operands are
 * listed only where assemblers write them.
 * Letters: E general register or memory by ModRM.rm, G general register by ModRM.reg, R general register by ModRM.rm, M memory, Z general register in the
 * opcode's low bits; V xmm by reg, W xmm or memory, U xmm by rm; P mmx by reg, Q mmx or memory, N mmx by rm; S, C, D segment, control, debug register by reg;
 * H and B the register in VEX.vvvv, xmm or ymm and general; L the xmm or ymm register in imm8[7:4]. Where neither H nor B is used, VEX.vvvv must be 1111b.
 * vm32 and vm64: memory by a vector of 32- or 64-bit indices (VSIB), with the size of the index register and the size of an element: 'vm32x/q'.
 * I immediate, J branch displacement, O absolute address in the code, X ds:rsi, Y es:rdi, BA ds:rbx+al, BD ds:rdi; STi, ST0; AL, AX, CL, DX, rAX (size v), eAX
 * (size z), FS, GS; 1 the constant.
 * Sizes: b 1, w 2, d 4, q 8, t 10, dq 16, qq 32, x or ps or pd 16, or 32 with VEX.L; xh, xq, xe a half, a quarter, an eighth of x; ss 4, sd 8, 512; v the operand size, z the same but at most 4, y 4 or 8 (REX.W); p far pointer (2 + v),
 * s descriptor table (10), e x87 environment (14 or 28), f x87 state (94 or 108); none: no access (size 0). 'Ev/w': a register of size v, or memory of size w.
 * Immediates: 'Ib' and 'Iw' are zero-extended, 'Ibs' is a byte that is sign-extended to the operand size, 'Iz' is 2 or 4 bytes, sign-extended to the operand size, 'Iv'
 * is as wide as the operand.
 *
 * `mnemonic`: where it depends on the operand size, the names for 16, 32 and 64 bits with slashes between.
 */
export interface InsnRow {
  readonly enc: string;
  readonly mnemonic: string;
  readonly operands: string;
  readonly feature: Feature;
  readonly attrs?: readonly Attr[];
  /** Absent: not lifted yet; the instruction raises SIGILL and -d unimp names it. */
  readonly lift?: LiftFn;
}

export type SegName = 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs';

/** A decoded operand. Sizes in bytes. Register numbers 0..15 include the REX bits. */
export type Operand =
  | {
      readonly kind: 'gpr';
      readonly reg: number;
      readonly size: 1 | 2 | 4 | 8;
      /** ah, ch, dh, bh: `reg` is 0..3. */ readonly high8: boolean;
    }
  /** xmm, or ymm when `size` is 32. */
  | { readonly kind: 'xmm'; readonly reg: number; readonly size: number }
  | { readonly kind: 'mmx'; readonly reg: number; readonly size: number }
  | { readonly kind: 'st'; readonly reg: number }
  | { readonly kind: 'seg'; readonly reg: number }
  | { readonly kind: 'cr'; readonly reg: number }
  | { readonly kind: 'dr'; readonly reg: number }
  | MemOperand
  | VsibOperand
  | {
      readonly kind: 'imm';
      /** Sign- or zero-extended to 64 bits as the form says, as a signed value. */ readonly value: bigint;
      readonly size: number;
    }
  | { readonly kind: 'rel'; /** Absolute target, a 64-bit unsigned value. */ readonly target: bigint };

/** base + index * scale + disp. `base` or `index` is -1 where absent, 16 for rip (disp is then already absolute and base -1 is used instead: rip-relative operands arrive resolved). */
export interface MemOperand {
  readonly kind: 'mem';
  readonly base: number;
  readonly index: number;
  readonly scale: 1 | 2 | 4 | 8;
  /** Signed 64-bit displacement; for rip-relative operands the absolute address. */
  readonly disp: bigint;
  /** fs and gs add their base; the others are flat in 64-bit mode. */
  readonly seg: SegName;
  /** Address size in bytes: 8, or 4 with prefix 0x67 (the sum is truncated to 32 bits and zero-extended, before the segment base is added). */
  readonly addrSize: 4 | 8;
  /** Bytes accessed; 0 where the form has none (lea, prefetch, fxsave gives 512). */
  readonly size: number;
}

/** Memory that a gather reads: for each element, base + index element * scale + disp. `index` is the number of a vector register of `indexSize` bytes. */
export interface VsibOperand {
  readonly kind: 'vsib';
  readonly base: number;
  readonly index: number;
  readonly indexSize: 16 | 32;
  /** Bits of an index element. */
  readonly indexBits: 32 | 64;
  readonly scale: 1 | 2 | 4 | 8;
  readonly disp: bigint;
  readonly seg: SegName;
  readonly addrSize: 4 | 8;
  /** Bytes of an element. */
  readonly size: number;
}

/** A decoded instruction. */
export interface Insn {
  /** Guest address of its first byte. */
  readonly addr: number;
  /** Bytes, 1..15. */
  readonly length: number;
  readonly row: InsnRow;
  /** Effective operand size in bytes for 'v' and 'z' operands: 2, 4 or 8. */
  readonly opSize: 2 | 4 | 8;
  readonly addrSize: 4 | 8;
  /** Bits of a vector as VEX.L says; 0 without a VEX prefix. */
  readonly vexL: 0 | 128 | 256;
  readonly lock: boolean;
  /** The last repeat prefix that is not a mandatory one: 0xf3, 0xf2 or 0. */
  readonly rep: 0 | 0xf2 | 0xf3;
  readonly operands: readonly Operand[];
}

/** Why bytes are not an instruction. 'truncated': the reader ran out of readable bytes at `at` (a fetch fault if on an unmapped page). */
export type DecodeError =
  | { readonly kind: 'invalid'; readonly addr: number; readonly length: number }
  | { readonly kind: 'too-long'; readonly addr: number; readonly length: number }
  | { readonly kind: 'truncated'; readonly addr: number; readonly at: number };
