/**
 * How a program's code is translated, without running it. In: an ELF file and a symbol or a range. Out: the text of the stages asked for.
 * The IR stages are valid filetests; out_asm is the text of the region that starts at the first address.
 */
import { readFileSync } from 'node:fs';
import { EXIT_NOT_FOUND, ProgramError, UsageError } from '../base/errors.js';
import { hex } from '../base/hex.js';
import { printTb } from '../ir/print.js';
import type { Tb } from '../ir/types.js';
import { verifyTb } from '../ir/verify.js';
import { optimise, PASSES } from '../opt/pipeline.js';
import { type Elf, parseElf } from '../../frontend/elf/elf.js';
import { translate } from '../../frontend/x86-64/translate.js';
import { loadDisassembler } from './disassemble.js';
import { formRegion } from './region.js';
import { symbolsOf } from './symbol-files.js';
import { MAX_TB_INSNS } from './translator.js';

export const STAGES = ['in_asm', 'op', 'op_opt', 'out_asm'] as const;
/** Guest instructions, IR as lifted, optimised IR, Wasm text. */
export type Stage = (typeof STAGES)[number];

export interface DumpWhat {
  /** A function's name. */
  readonly symbol?: string | undefined;
  /** Guest addresses as linked, end exclusive. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  readonly stages: readonly Stage[];
}

/** The code of a symbol, of a range, or at the entry point. Throws ProgramError (no such file, no program), UsageError (no such symbol, no such stage). */
export async function dumpProgram(path: string, what: DumpWhat): Promise<string> {
  for (const stage of what.stages)
    if (!STAGES.includes(stage)) throw new UsageError(`unknown stage '${stage}': ${STAGES.join(', ')}`);
  const file = readProgram(path);
  const elf = parseElf(file, path);
  const { start, end } = rangeOf(file, elf, what);
  return dump(imageReader(file, elf), start, end, what.stages);
}

function readProgram(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    throw new ProgramError(`${path}: ${code === 'ENOENT' ? 'no such file' : (code ?? String(e))}`, EXIT_NOT_FOUND);
  }
}

function rangeOf(file: Uint8Array, elf: Elf, { symbol, range }: DumpWhat): { start: number; end: number } {
  if (symbol !== undefined) {
    const symbols = symbolsOf(file);
    const s = symbols.named(symbol);
    if (s === undefined) throw new UsageError(`no function named '${symbol}' in the symbol table`);
    return { start: s.address, end: symbols.endOf(s) };
  }
  return range ?? { start: elf.entry, end: elf.entry + 1 };
}

interface Reader {
  bytes: Uint8Array;
  base: number;
  readable(addr: number): number;
}

/** Code as linked: the window is the segment that holds the address. */
function imageReader(file: Uint8Array, elf: Elf): Reader {
  return {
    bytes: new Uint8Array(0),
    base: 0,
    readable(addr) {
      const s = elf.segments.find((g) => (g.flags & 1) !== 0 && addr >= g.address && addr < g.address + g.fileSize);
      if (s === undefined) return 0;
      this.bytes = file.subarray(s.offset, s.offset + s.fileSize);
      this.base = s.address;
      return s.address + s.fileSize - addr;
    },
  };
}

async function dump(reader: Reader, start: number, end: number, stages: readonly Stage[]): Promise<string> {
  const disassemble = stages.includes('in_asm') ? await loadDisassembler() : undefined;
  const lift = (pc: number): Tb => translate(reader, pc, { maxInsns: MAX_TB_INSNS });
  const out: string[] = [];
  for (let pc = start; pc < end;) {
    const tb = lift(pc);
    verifyTb(tb);
    if (disassemble !== undefined && reader.readable(pc) > 0)
      out.push(
        `IN: 0x${hex(pc)}`,
        ...disassemble(reader.bytes.subarray(pc - reader.base, pc - reader.base + tb.size), pc),
        '',
      );
    if (stages.includes('op')) out.push('OP:', ...printTb(tb), '');
    if (stages.includes('op_opt')) out.push('OP after optimization:', ...printTb(optimise(tb, PASSES, verifyTb)), '');
    pc += Math.max(tb.size, 1);
  }
  if (stages.includes('out_asm')) {
    const { compileModule } = await import('../../backend-wasm/compiler/module.js');
    const region = formRegion(start, {
      lift: (pc) => (reader.readable(pc) > 0 ? optimise(lift(pc), PASSES) : undefined),
    });
    if (region !== undefined) {
      // Slots are handed out at run time; here each exit gets the next number.
      const slots = new Map<number, number>();
      const slotOf = (pc: number): number => {
        const slot = slots.get(pc) ?? slots.size + 1;
        slots.set(pc, slot);
        return slot;
      };
      out.push('OUT:', compileModule([region], slotOf, { text: true }).text ?? '', '');
    }
  }
  return out.join('\n') + '\n';
}
