/**
 * Makes the templates of the shapes that programs have, at build time: a start finds them made. In: ELF files. Out: a snapshot for TemplateCache, for the instruction tables with all rows. scripts/bundle.js writes it.
 */
import { allRows, createDecoder, type Decode, isInsn } from '../../frontend/x86-64/decoder.js';
import { parseElf } from '../../frontend/elf/elf.js';
import { STATE } from '../../backend-wasm/bytecode/template-pool.js';
import { MAX_LENGTH } from '../../frontend/x86-64/shape.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { TemplateCache } from './template-cache.js';
import { LEAVES, START_STATE, stateBehind } from './template-maker.js';

const PF_X = 1;

/** Templates of all that looks like an instruction in the code of `files`. */
export function recordTemplates(files: readonly Uint8Array[]): Int32Array {
  const tables = new DispatchTables(allRows());
  const decode = createDecoder(tables);
  const cache = new TemplateCache(decode, tables, { preciseFloat: false });
  for (const file of files)
    for (const { address, offset, fileSize, flags } of parseElf(file, 'a recorded program').segments)
      if ((flags & PF_X) !== 0) sweep(cache, decode, file.subarray(offset, offset + fileSize), address);
  return cache.snapshot();
}

/** One instruction after another: what is known of the flags is that of a TB that runs on until something leaves. */
function sweep(cache: TemplateCache, decode: Decode, code: Uint8Array, address: number): void {
  let state = START_STATE;
  for (let at = 0; at + MAX_LENGTH <= code.length;) {
    const pc = address + at;
    // A TB may begin here, and one may end here.
    cache.find(code, at, pc, START_STATE);
    cache.end(state);
    const record = cache.find(code, at, pc, state);
    const behind = cache.pool.ints[record + STATE] ?? 0;
    state = record === 0 || (behind & LEAVES) !== 0 ? START_STATE : stateBehind(behind, state);
    at += record === 0 ? lengthOf(decode, code, at, pc) : cache.shape.next - pc;
  }
}

/** Bytes of an instruction that is left to the lifter; 1 where there is none. */
function lengthOf(decode: Decode, bytes: Uint8Array, at: number, pc: number): number {
  const insn = decode({ bytes, base: pc - at, readable: () => MAX_LENGTH }, pc);
  return isInsn(insn) ? insn.length : 1;
}
