/**
 * Far jumps, calls and returns, and IRET, as far as they stay in 64-bit user code: the selectors of Linux' flat user segments. Others raise #GP with the selector; so does the 32-bit code segment (0x23), since
 * there is no compatibility mode here. Out: rows. Source: SDM 2A/2B, JMP, CALL, RET, IRET; volume 3, 5.8 (privilege).
 */
import type { TempId } from '../../../src/base/ids.js';
import { CPU, EXC, GPR, USER_CS, USER_SS } from '../../../src/guest/cpu-state.js';
import { FLAG } from '../../../src/guest/flags.js';
import { G } from '../../../src/ir/globals.js';
import type { InsnRow } from '../insn.js';
import type { Lifter } from '../lifter.js';
import { wide } from '../operands.js';
import { raiseForSelector } from '../segments.js';
import { kickIfWatched, writeFlags } from './stack.js';

const RSP = G.reg(GPR.RSP);

/** Offset and selector of a far pointer in memory. */
function farPointer(l: Lifter): { readonly offset: TempId; readonly selector: TempId } {
  const m = l.mem(0);
  const size = wide(m.size - 2);
  const host = l.guardRead(l.ea(m), m.size, 1, m.size - 2);
  return { offset: l.copy(l.ld(host, size), 'tb'), selector: l.copy(l.ld(host, 2, size), 'tb') };
}

/** A jump or call may name the code segment with any RPL. */
function checkTarget(l: Lifter, selector: TempId): void {
  raiseForSelector(l, 'ne', l.and(selector, l.i64(~3)), l.i64(USER_CS & ~3), selector);
}

function jump(l: Lifter): void {
  const { offset, selector } = farPointer(l);
  checkTarget(l, selector);
  l.jumpIndirect(offset);
}

function call(l: Lifter): void {
  const size = l.insn.opSize;
  const { offset, selector } = farPointer(l);
  checkTarget(l, selector);
  l.jumpIndirect(offset, () => {
    const sp = l.sub(RSP, l.i64(2 * size));
    const host = l.guardWrite(sp, 2 * size);
    l.st(host, l.i64(USER_CS), size, size);
    l.st(host, l.i64(l.next), size);
    l.mov(RSP, sp);
  });
}

/** A return goes to the same privilege: RPL 3. */
function checkReturn(l: Lifter, selector: TempId): void {
  raiseForSelector(l, 'ne', selector, l.i64(USER_CS), selector);
}

function ret(l: Lifter): void {
  const size = l.insn.opSize;
  const o = l.insn.operands[0];
  const extra = o?.kind === 'imm' ? BigInt.asUintN(16, o.value) : 0n;
  const host = l.guardRead(RSP, 2 * size);
  const target = l.copy(l.ld(host, size), 'tb');
  const selector = l.copy(l.ld(host, 2, size), 'tb');
  checkReturn(l, selector);
  l.jumpIndirect(target, () => {
    l.mov(RSP, l.add(RSP, l.i64(BigInt(2 * size) + extra)));
  });
}

/** IRET pops RIP, CS, RFLAGS, RSP and SS; a nested task is #GP. The flags are read first, which a fault tells. */
function iret(l: Lifter): void {
  const size = l.insn.opSize;
  l.raiseIf('tstne', l.up(l.env(CPU.EFLAGS_REST)), l.i64(FLAG.NT), EXC.GP);
  l.guardRead(l.add(RSP, l.i64(2 * size)), size);
  const host = l.guardRead(RSP, 5 * size);
  const at = (i: number): TempId => l.copy(l.ld(host, size, i * size), 'tb');
  const target = at(0);
  const flags = at(2);
  const sp = at(3);
  const cs = l.copy(l.ld(host, 2, size), 'tb');
  const ss = l.copy(l.ld(host, 2, 4 * size), 'tb');
  checkReturn(l, cs);
  raiseForSelector(l, 'ne', ss, l.i64(USER_SS), ss);
  l.jumpIndirect(target, () => {
    writeFlags(l, flags, size);
    l.flags.sync();
    l.mov(RSP, sp);
    kickIfWatched(l, flags);
  });
}

export const farRows = [
  { enc: 'FF /3', mnemonic: 'call', operands: 'Mp', feature: 'base', attrs: ['branch'], lift: call },
  { enc: 'FF /5', mnemonic: 'jmp', operands: 'Mp', feature: 'base', attrs: ['branch'], lift: jump },
  { enc: 'CA', mnemonic: 'retf', operands: 'Iw', feature: 'base', attrs: ['branch'], lift: ret },
  { enc: 'CB', mnemonic: 'retf', operands: '', feature: 'base', attrs: ['branch'], lift: ret },
  { enc: 'CF', mnemonic: 'iret/iretd/iretq', operands: '', feature: 'base', attrs: ['branch'], lift: iret },
] as const satisfies readonly InsnRow[];
