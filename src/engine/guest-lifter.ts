/** Lifts and optimises TBs of a guest thread, with the dumps that the log asks for. In: a guest pc. Out: IR. */
import { GUEST_END, PERM, PERM_TABLE } from '../guest/memory-map.js';
import { printTb } from '../ir/print.js';
import type { Tb } from '../ir/types.js';
import { verifyTb } from '../ir/verify.js';
import { optimise, type Pass } from '../opt/pipeline.js';
import type { Decode } from '../../frontend/x86-64/decoder.js';
import { translate } from '../../frontend/x86-64/translate.js';
import type { GuestCodeReader } from './code-reader.js';
import type { Disassemble } from './disassemble.js';
import type { Log } from './log.js';
import type { MemoryViews } from './memory-views.js';
import { isFloatPrecise, type Watch } from './translator.js';

export interface LifterParts {
  readonly views: MemoryViews;
  readonly reader: GuestCodeReader;
  readonly decode: Decode;
  readonly passes: readonly Pass[];
  readonly checkIr: boolean;
  /** The pc advances only after a system call: a test's broken rule. */
  readonly latePc: boolean;
  readonly logger: Log;
  readonly symbol: (pc: number) => string;
  readonly disassemble: Disassemble | undefined;
}

export class GuestLifter {
  constructor(private readonly parts: LifterParts) {}

  lift(pc: number, maxInsns: number, endAfterStore = false, watch?: Watch): Tb {
    const { reader, decode, views, latePc, logger } = this.parts;
    return translate(reader, pc, {
      ...watch,
      decode,
      maxInsns,
      endAfterStore,
      preciseFloat: isFloatPrecise(views),
      latePc,
      unimplemented: (at, mnemonic) => {
        if (logger.hasAt('unimp', at)) logger.write(`0x${at.toString(16)}: ${mnemonic} is not implemented: SIGILL\n`);
      },
    });
  }

  optimised(tb: Tb): Tb {
    const { checkIr, logger, passes } = this.parts;
    if (checkIr) verifyTb(tb);
    if (logger.hasAt('in_asm', tb.pc)) this.logInput(tb);
    if (logger.hasAt('op', tb.pc)) logger.write(['OP:', ...printTb(tb), ''].join('\n') + '\n');
    const result = optimise(tb, passes, checkIr ? verifyTb : undefined);
    if (logger.hasAt('op_opt', tb.pc))
      logger.write(['OP after optimization:', ...printTb(result), ''].join('\n') + '\n');
    return result;
  }

  /** The optimised TB at `pc`, without dumps. */
  quietly(pc: number, maxInsns: number): Tb {
    return optimise(this.lift(pc, maxInsns), this.parts.passes);
  }

  private logInput(tb: Tb): void {
    const { views, disassemble, symbol, logger } = this.parts;
    const readable = tb.pc < GUEST_END && ((views.u8[PERM_TABLE + (tb.pc >>> 12)] ?? 0) & PERM.X) !== 0;
    const lines = readable ? (disassemble?.(views.u8.slice(tb.pc, tb.pc + tb.size), tb.pc) ?? []) : [];
    logger.write(['----------------', `IN: ${symbol(tb.pc)}`, ...lines, ''].join('\n') + '\n');
  }
}
