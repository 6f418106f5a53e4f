/**
 * Near jumps, calls and returns, interrupts. Out: rows. Source: SDM 2A/2B, Jcc JMP CALL RET LOOP INT UD. With operand size prefix 0x66, near branches
 * behave as on Intel: the prefix is ignored.
 */
import { InternalError } from '../../../src/base/errors.js';
import { EXC, EXIT, GPR } from '../../../src/guest/cpu-state.js';
import { G } from '../../../src/ir/globals.js';
import { CCODE } from '../conditions.js';
import type { LiftFn } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { pushValue } from './stack.js';
import type { InsnRow } from '../insn.js';

/** Target of a relative branch. */
function relative(l: Lifter): bigint {
  const o = l.op(0);
  if (o.kind !== 'rel') throw new InternalError(`${l.insn.row.mnemonic} has no relative target`);
  return o.target;
}
const isRelative = (l: Lifter): boolean => l.op(0).kind === 'rel';

/** Jcc; `cc` is the opcode's low four bits. */
function jcc(cc: number): LiftFn {
  return (l) => {
    l.condJump(cc, relative(l));
  };
}

/** LOOP, LOOPE, LOOPNE: the counter is RCX or, with address size 4, ECX; no flags change. */
function loop(cc: number | undefined): LiftFn {
  return (l) => {
    const size = l.insn.addrSize;
    const counter = l.reg(GPR.RCX, size);
    const n = l.copy(l.zext(l.sub(counter.load(), l.i64(1)), size), 'tb');
    const again =
      cc === undefined ? l.setcond('ne', n, l.i64(0)) : l.and(l.flags.value(cc), l.setcond('ne', n, l.i64(0)));
    counter.store(n);
    l.branch('ne', again, l.i64(0), relative(l));
  };
}

function jrcxz(l: Lifter): void {
  l.branch('eq', l.zext(G.reg(GPR.RCX), l.insn.addrSize), l.i64(0), relative(l));
}

function jmp(l: Lifter): void {
  if (isRelative(l)) l.jump(relative(l));
  else l.jumpIndirect(l.load(0));
}

function call(l: Lifter): void {
  const push = (): void => {
    pushValue(l, l.i64(l.next), 8);
  };
  if (!isRelative(l)) {
    // The target is read with the stack pointer of before.
    l.jumpIndirect(l.load(0), push);
    return;
  }
  const to = relative(l);
  if (!l.isWild(to) || BigInt.asIntN(48, to) === BigInt.asIntN(64, to)) push();
  l.jump(to);
}

function ret(l: Lifter): void {
  const rsp = G.reg(GPR.RSP);
  const o = l.insn.operands[0];
  const extra = o?.kind === 'imm' ? BigInt.asUintN(16, o.value) : 0n;
  l.jumpIndirect(l.ld(l.guardRead(rsp, 8), 8), () => {
    l.mov(rsp, l.add(rsp, l.i64(8n + extra)));
  });
}

const int3 = (l: Lifter): void => {
  l.exception(EXC.BP, l.next);
};
const int1 = (l: Lifter): void => {
  l.exception(EXC.INT1, l.next);
};
const ud = (l: Lifter): void => {
  l.undefinedOpcode();
};

/** INT n: 0x80 is the i386 system call, 3 and 4 are as INT3 and INTO; the gates of the others are closed to user code: #GP, whose error code names the gate. */
function int(l: Lifter): void {
  const o = l.op(0);
  const vector = o.kind === 'imm' ? Number(BigInt.asUintN(8, o.value)) : 0;
  if (vector === 0x80) l.exit(EXIT.INT80, 0, l.options.latePc ? l.insn.addr : l.next);
  else if (vector === 3) l.exception(EXC.BP, l.next);
  else if (vector === 4) l.exception(EXC.OF, l.next);
  else l.exception(EXC.GP, l.insn.addr, 8 * vector + 2);
}

export const branchRows = [
  { enc: '70', mnemonic: 'jo', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(0) },
  { enc: '71', mnemonic: 'jno', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(1) },
  { enc: '72', mnemonic: 'jb', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(2) },
  { enc: '73', mnemonic: 'jae', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(3) },
  { enc: '74', mnemonic: 'je', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(4) },
  { enc: '75', mnemonic: 'jne', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(5) },
  { enc: '76', mnemonic: 'jbe', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(6) },
  { enc: '77', mnemonic: 'ja', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(7) },
  { enc: '78', mnemonic: 'js', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(8) },
  { enc: '79', mnemonic: 'jns', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(9) },
  { enc: '7A', mnemonic: 'jp', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(10) },
  { enc: '7B', mnemonic: 'jnp', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(11) },
  { enc: '7C', mnemonic: 'jl', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(12) },
  { enc: '7D', mnemonic: 'jge', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(13) },
  { enc: '7E', mnemonic: 'jle', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(14) },
  { enc: '7F', mnemonic: 'jg', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(15) },
  { enc: '0F 80', mnemonic: 'jo', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(0) },
  { enc: '0F 81', mnemonic: 'jno', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(1) },
  { enc: '0F 82', mnemonic: 'jb', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(2) },
  { enc: '0F 83', mnemonic: 'jae', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(3) },
  { enc: '0F 84', mnemonic: 'je', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(4) },
  { enc: '0F 85', mnemonic: 'jne', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(5) },
  { enc: '0F 86', mnemonic: 'jbe', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(6) },
  { enc: '0F 87', mnemonic: 'ja', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(7) },
  { enc: '0F 88', mnemonic: 'js', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(8) },
  { enc: '0F 89', mnemonic: 'jns', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(9) },
  { enc: '0F 8A', mnemonic: 'jp', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(10) },
  { enc: '0F 8B', mnemonic: 'jnp', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(11) },
  { enc: '0F 8C', mnemonic: 'jl', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(12) },
  { enc: '0F 8D', mnemonic: 'jge', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(13) },
  { enc: '0F 8E', mnemonic: 'jle', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(14) },
  { enc: '0F 8F', mnemonic: 'jg', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jcc(15) },
  { enc: 'E0', mnemonic: 'loopne', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: loop(CCODE.NE) },
  { enc: 'E1', mnemonic: 'loope', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: loop(CCODE.E) },
  { enc: 'E2', mnemonic: 'loop', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: loop(undefined) },
  // jecxz with address size 4.
  { enc: 'E3', mnemonic: 'jrcxz', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jrcxz },
  { enc: 'E8', mnemonic: 'call', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: call },
  { enc: 'E9', mnemonic: 'jmp', operands: 'Jz', feature: 'base', attrs: ['f64', 'branch'], lift: jmp },
  { enc: 'EB', mnemonic: 'jmp', operands: 'Jb', feature: 'base', attrs: ['f64', 'branch'], lift: jmp },
  { enc: 'FF /2', mnemonic: 'call', operands: 'Ev', feature: 'base', attrs: ['f64', 'branch'], lift: call },
  { enc: 'FF /4', mnemonic: 'jmp', operands: 'Ev', feature: 'base', attrs: ['f64', 'branch'], lift: jmp },
  { enc: 'C2', mnemonic: 'ret', operands: 'Iw', feature: 'base', attrs: ['f64', 'branch'], lift: ret },
  { enc: 'C3', mnemonic: 'ret', operands: '', feature: 'base', attrs: ['f64', 'branch'], lift: ret },
  { enc: 'CC', mnemonic: 'int3', operands: '', feature: 'base', attrs: ['branch'], lift: int3 },
  { enc: 'CD', mnemonic: 'int', operands: 'Ib', feature: 'base', attrs: ['branch'], lift: int },
  { enc: 'F1', mnemonic: 'int1', operands: '', feature: 'base', attrs: ['branch'], lift: int1 },
  { enc: '0F 0B', mnemonic: 'ud2', operands: '', feature: 'base', attrs: ['branch'], lift: ud },
  { enc: '0F B9 /r', mnemonic: 'ud1', operands: 'Gv,Ev', feature: 'base', attrs: ['branch'], lift: ud },
  { enc: '0F FF /r', mnemonic: 'ud0', operands: 'Gv,Ev', feature: 'base', attrs: ['branch'], lift: ud },
] as const satisfies readonly InsnRow[];
