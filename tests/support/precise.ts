/**
 * Checks that a TB is precise (DESIGN.md section 7): where it may leave in the middle of an instruction, nothing of that instruction has been done on any path to there.
 * In: a Tb as lifted. Out: the ops that break the rule. Rip counts as not written: every side exit sets it.
 */
import { EXIT } from '../../src/guest/cpu-state.js';
import { G, NB_GLOBALS } from '../../src/ir/globals.js';
import { helperDef } from '../../src/ir/helpers.js';
import { opDef } from '../../src/ir/ops.js';
import { printTb } from '../../src/ir/print.js';
import type { Op, Tb } from '../../src/ir/types.js';
import { opInfo } from '../../src/ir/op-info.js';

/** Helpers that change CPU state beyond the globals when they are not pure: all but these, which only read. */
const READERS: ReadonlySet<string> = new Set([
  'rdtsc',
  'round_f32x4',
  'round_f64x2',
  'check_canonical',
  'wild_jump',
  'x87_check',
  'raise',
  'check_aligned',
  'masked_load',
]);

class Walk {
  readonly broken: string[] = [];
  private readonly atLabel = new Map<number, boolean>();
  private changed = false;
  private pc = 0;
  private ccOp = -1;

  constructor(private readonly tb: Tb) {}

  /** From the TB's start to its end; true when it must be walked again, since a branch backwards has brought news to its label. */
  run(): boolean {
    this.changed = false;
    this.broken.length = 0;
    let done: boolean | undefined = false;
    this.tb.ops.forEach((op, i) => (done = this.step(op, i, done)));
    return this.changed;
  }

  /** `done`: a part of the instruction has been done; undefined: not reached. Gives the same for after the op. */
  private step(op: Op, index: number, done: boolean | undefined): boolean | undefined {
    const { effects } = opDef(op.name);
    if (op.name === 'insn_start') {
      this.pc = Number(op.imms[0]);
      this.ccOp = Number(op.imms[1]);
      return done === undefined ? undefined : false;
    }
    if (op.name === 'set_label') {
      const there = this.atLabel.get(Number(op.imms[0]));
      return done === undefined ? there : there === undefined ? done : done || there;
    }
    if (done === undefined) return undefined;
    // A jump to the kernel's half is done before what is fetched there faults; the exit behind it is for targets that are not canonical, which leave before anything is done.
    if (done && op.name === 'call' && op.imms[0] === 'wild_jump') return undefined;
    if (done && this.mayLeave(op)) this.broken.push(printTb(this.tb, index).join('\n'));
    if (effects.includes('branch')) this.reach(Number(op.imms.at(-1)), done);
    if (effects.includes('end')) return undefined;
    return done || this.changes(op);
  }

  private reach(label: number, done: boolean): void {
    const old = this.atLabel.get(label);
    if (old === done || old === true) return;
    this.atLabel.set(label, done);
    this.changed = true;
  }

  /** The op may leave with the state of the instruction's start. */
  private mayLeave(op: Op): boolean {
    if (op.name === 'call') return helperDef(String(op.imms[0])).faults === true;
    if (op.name !== 'exit') return opDef(op.name).effects.includes('side-exit');
    const [reason, , pc] = op.imms;
    const isFault = reason === EXIT.EXCEPTION || reason === EXIT.PAGE_FAULT || reason === EXIT.UNIMPLEMENTED;
    return isFault && pc === this.pc;
  }

  /** The op changes what the program sees. */
  private changes(op: Op): boolean {
    const { effects } = opDef(op.name);
    if (effects.includes('gwrite') || effects.includes('env-write')) return true;
    if (op.name === 'call') {
      const helper = helperDef(String(op.imms[0]));
      if (helper.pure !== true && !READERS.has(helper.name)) return true;
    }
    return op.args.slice(0, opInfo(op).outs).some((id) => id < NB_GLOBALS && id !== G.rip && !this.isSync(op));
  }

  /** A write of what holds anyway: cc_op becomes what insn_start says. */
  private isSync(op: Op): boolean {
    const [to, value = 0] = op.args;
    return op.name === 'mov_i32' && to === G.ccOp && this.tb.temps[value]?.value === BigInt(this.ccOp);
  }
}

/** Listings of the TB, one for each op that may leave too late, which is marked. */
export function impreciseOps(tb: Tb): readonly string[] {
  const walk = new Walk(tb);
  while (walk.run());
  return walk.broken;
}
