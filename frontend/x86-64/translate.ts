/**
 * Guest code to IR: decodes and lifts one TB. In: a code reader and a guest pc. Out: a Tb.
 * A TB ends at a branch, at its limit of instructions, before an instruction that can't be fetched or decoded (which then has a TB of its own, whose only op is the fault).
 */
import { CPU, EXC, EXIT, PF } from '../../src/guest/cpu-state.js';
import { IrBuilder } from '../../src/ir/builder.js';
import type { Tb } from '../../src/ir/types.js';
import { type CodeReader, type Decode, decode as decodeAll, isInsn, mnemonicOf } from './decoder.js';
import type { DecodeError, Insn } from './insn.js';
import { Lifter, type LiftOptions } from './lifter.js';

export interface TranslateOptions extends LiftOptions {
  /** The decoder of the CPU model; by default every row is there. */
  readonly decode?: Decode;
  /** Most guest instructions. */
  readonly maxInsns: number;
  /** The TB ends with the first instruction that may write to guest memory. */
  readonly endAfterStore?: boolean;
  /** Told of an instruction that has a row but no lifter. */
  readonly unimplemented?: (pc: number, mnemonic: string) => void;
}

/** Last address of the user half. Lifted jumps never go past it (Lifter.wildJump), but a signal frame can hold anything. */
const LAST_USER_PC = 0x7fff_ffff_ffff;

/** The TB at `pc`. */
export function translate(reader: CodeReader, pc: number, options: TranslateOptions): Tb {
  if (pc > LAST_USER_PC) return wildTb(pc);
  const decode = options.decode ?? decodeAll;
  const first = decode(reader, pc);
  if (!isInsn(first)) return faultTb(pc, first);
  const l = new Lifter(pc, options);
  let at = pc;
  let insn: Insn | undefined = first;
  for (let n = 0; insn !== undefined;) {
    liftInsn(l, insn, options);
    at += insn.length;
    n++;
    if (l.ended || n >= options.maxInsns || (options.endAfterStore === true && l.wrote)) break;
    const next: Insn | DecodeError = decode(reader, at);
    insn = isInsn(next) ? next : undefined;
  }
  return l.finish(at - pc);
}

function liftInsn(l: Lifter, insn: Insn, options: TranslateOptions): void {
  const { row } = insn;
  l.begin(insn);
  if (row.attrs?.includes('privileged') === true && row.lift === undefined) l.exception(EXC.GP);
  else if (row.lift !== undefined) row.lift(l, insn);
  else {
    options.unimplemented?.(insn.addr, mnemonicOf(insn));
    l.exit(EXIT.UNIMPLEMENTED, 0, insn.addr);
  }
  l.end();
}

/** #GP at an address that is no user's; past 2**53, where a number is not exact, the last that is. */
function wildTb(pc: number): Tb {
  const b = new IrBuilder(Math.min(pc, Number.MAX_SAFE_INTEGER));
  b.insnStart(b.pc, -1);
  b.emit('exit', [], [EXIT.EXCEPTION, EXC.GP, b.pc]);
  return b.finish(1);
}

/** A TB that raises what fetching or decoding at `pc` raises: #PF at the missing byte, #GP past 15 bytes, else #UD. */
function faultTb(pc: number, error: DecodeError): Tb {
  const b = new IrBuilder(pc);
  b.insnStart(pc, -1);
  switch (error.kind) {
    case 'truncated':
      b.emit('st_i64', [b.i64(PF.USER | PF.INSTR)], [CPU.EXIT_ARG1]);
      b.emit('exit', [], [EXIT.PAGE_FAULT, error.at, pc]);
      break;
    case 'too-long':
      b.emit('exit', [], [EXIT.EXCEPTION, EXC.GP, pc]);
      break;
    case 'invalid':
      b.emit('exit', [], [EXIT.EXCEPTION, EXC.UD, pc]);
  }
  // A fetch that crosses into a missing page depends on that page too.
  return b.finish(error.kind === 'truncated' ? error.at - pc + 1 : error.length);
}
