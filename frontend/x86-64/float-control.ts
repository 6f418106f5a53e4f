/**
 * Loads of MXCSR. In: a Lifter. Out: IR that makes the process's floating point precise (EXIT.FLOAT_CONTROL), unless it is. Source: SDM 2A, LDMXCSR, FXRSTOR.
 */
import { CPU, EXC, EXIT } from '../../src/guest/cpu-state.js';
import { isPrecise } from './float-lanes.js';
import type { Lifter } from './lifter.js';
import { fxState } from './x87.js';

/** Bits that may be set. */
const MXCSR_MASK = 0xffff;

/** LDMXCSR: #GP for reserved bits. Who executes it cares for MXCSR, whatever it loads: feclearexcept loads what is there already. */
export function ldmxcsr(l: Lifter): void {
  const value = l.copy(l.load(0), 'tb');
  l.raiseIf('tstne', value, l.i64(~MXCSR_MASK), EXC.GP);
  l.setEnv(CPU.MXCSR, l.lo(value));
  if (!isPrecise(l)) l.exit(EXIT.FLOAT_CONTROL, 0, l.next);
}

export function stmxcsr(l: Lifter): void {
  const d = l.dest(0);
  d.store(l.up(l.env(CPU.MXCSR)));
}

/** Around an instruction that restores more than MXCSR, and mostly what it was (lazy resolvers): leaves when `restore` has changed it. */
export function watchMxcsr(l: Lifter, restore: () => void): void {
  if (isPrecise(l)) {
    restore();
    return;
  }
  const before = l.temp('i32', 'tb');
  l.emit('mov_i32', [before, l.env(CPU.MXCSR)]);
  restore();
  l.flags.sync();
  const same = l.label();
  l.emit('brcond_i32', [l.env(CPU.MXCSR), before], ['eq', same]);
  l.emit('exit', [], [EXIT.FLOAT_CONTROL, 0, l.next]);
  l.setLabel(same);
}

/** FXRSTOR, FXRSTOR64. */
export function fxrstor(rexW: 0 | 1): (l: Lifter) => void {
  const restore = fxState('x87_fxrstor', false, rexW);
  return (l) => {
    watchMxcsr(l, () => {
      restore(l, l.insn);
    });
  };
}
