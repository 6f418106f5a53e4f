/** What a guest thread says of its way: the TBs that it enters, how it died of a signal, what led to a failure of ours. In: its state. Out: log lines, errors. */
import { framesOf, InternalError } from '../base/errors.js';
import { hex } from '../base/hex.js';
import { CPU } from '../guest/cpu-state.js';
import { TB } from '../guest/tb-header.js';
import { printTb } from '../ir/print.js';
import { SIGILL, signalText } from '../../runtime/linux/signals.js';
import type { GuestCodeReader } from './code-reader.js';
import type { CpuModel } from './cpu-model.js';
import type { CpuRegisters } from './cpu-view.js';
import { crashReport, registerLines } from './crash-report.js';
import type { GuestLifter } from './guest-lifter.js';
import { illegalInsn } from './illegal-insn.js';
import type { Log } from './log.js';
import { type MemoryViews, tbPc } from './memory-views.js';
import { MAX_TB_INSNS } from './translator.js';

/** Blocks that a crash report names. */
const RECENT_BLOCKS = 8;

export interface ReportParts {
  readonly views: MemoryViews;
  readonly cpu: CpuRegisters;
  readonly reader: GuestCodeReader;
  readonly lifter: GuestLifter;
  readonly logger: Log;
  readonly tid: number;
  readonly cpuModel: CpuModel;
  readonly symbol: (pc: number) => string;
}

export class ThreadReports {
  private readonly recent: number[] = [];

  constructor(private readonly parts: ReportParts) {}

  /** -d exec and -d cpu, before the TB at `header` runs. */
  entering(header: number): void {
    const { logger, cpu, views, tid, symbol } = this.parts;
    const pc = tbPc(views, header);
    this.recent.push(pc);
    if (this.recent.length > RECENT_BLOCKS) this.recent.shift();
    if (logger.hasAt('exec', pc)) {
      const name = symbol(pc);
      logger.write(
        `[${tid}] Trace 0x${hex(views.i32[(header + TB.ID) / 4] ?? 0)} [${hex(pc, 16)}]${name === '' ? '' : ` ${name}`}\n`,
      );
    }
    if (logger.hasAt('cpu', pc)) logger.write(registerLines(cpu, () => '').join('\n') + '\n');
  }

  /** The process dies of `signal`. */
  crash(signal: number): void {
    const { views, cpu, reader, cpuModel, logger, symbol } = this.parts;
    const last = cpu.i32(CPU.CUR_TB) >>> 0;
    const blocks = this.recent.length > 0 || last === 0 ? this.recent : [tbPc(views, last)];
    const cause = signal === SIGILL ? illegalInsn(reader, cpu.pc, cpuModel) : undefined;
    logger.write(crashReport(signal, signalText(signal), cpu, symbol, blocks, cause));
  }

  /** A failure of ours, with what leads to its cause: guest pc, TB, IR. */
  bug(e: unknown): Error {
    const { views, cpu, lifter, tid, symbol } = this.parts;
    const error = e instanceof Error ? e : new Error(String(e));
    if (error instanceof InternalError && error.details.length > 0) return error;
    const header = cpu.i32(CPU.CUR_TB) >>> 0;
    const frames = error instanceof InternalError ? [] : framesOf(error);
    const lines = [...frames, `rip 0x${hex(cpu.rip)}, thread ${tid}`];
    if (header !== 0) {
      const pc = tbPc(views, header);
      lines.push(`last TB 0x${hex(pc)} ${symbol(pc)}`, ...printTb(lifter.quietly(pc, MAX_TB_INSNS)));
    }
    return new InternalError(error.message, lines, { cause: error });
  }
}
