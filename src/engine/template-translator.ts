/**
 * Translates cold code without the lifter: a TB is put together from templates of its instructions (template-cache.ts), in a fifth of the time. In: a guest pc. Out: bytecode that computes what the lifter's would.
 */
import { TbAssembler } from '../../backend-wasm/bytecode/assembler.js';
import { STATE } from '../../backend-wasm/bytecode/template-pool.js';
import type { CodeReader } from '../../frontend/x86-64/decoder.js';
import { MAX_LENGTH } from '../../frontend/x86-64/shape.js';
import type { TemplateCache } from './template-cache.js';
import { ccOpOf, LEAVES, START_STATE, stateBehind } from './template-maker.js';

export class TemplateTranslator {
  private readonly assembler = new TbAssembler();
  private cache: TemplateCache | undefined;
  private precise = false;
  /** TBs written. */
  count = 0;

  /** @param cacheOf gives the templates, by whether floating point is precise */
  constructor(
    private readonly reader: CodeReader,
    private readonly cacheOf: (precise: boolean) => TemplateCache,
  ) {}

  /** Guest bytes of the TB that was put together last. */
  get size(): number {
    return this.assembler.size;
  }

  /** Puts together the TB at `pc`, of at most `maxInsns` guest instructions. `precise`: of floating point. False: it is left to the lifter. */
  assemble(pc: number, maxInsns: number, precise: boolean): boolean {
    if (precise !== this.precise) this.cache = undefined;
    this.precise = precise;
    // Made when it is needed: a program of which all has been kept does without.
    const cache = (this.cache ??= this.cacheOf(precise));
    const { assembler, reader } = this;
    const end = pc + reader.readable(pc) - MAX_LENGTH;
    const { bytes, base } = reader;
    const { pool } = cache;
    let state = START_STATE;
    assembler.begin(pc);
    for (let at = pc, n = 0; at <= end; n++) {
      let record = 0;
      if (n === maxInsns) record = endOf(cache, at, state);
      else {
        record = cache.find(bytes, at - base, at, state);
        assembler.insn(at, ccOpOf(state));
        at = cache.shape.next;
      }
      if (record === 0 || !assembler.append(pool.ints, record, cache.shape)) return false;
      const behind = pool.ints[record + STATE] as number;
      if ((behind & LEAVES) !== 0) {
        assembler.size = at - pc;
        return true;
      }
      state = stateBehind(behind, state);
    }
    return false;
  }

  /** Writes the TB that was put together last, as encodeTb does. */
  write(i32: Int32Array, allocate: (bytes: number) => number, heat: number): number {
    this.count++;
    return this.assembler.write(i32, allocate, heat);
  }
}

/** Record of the jump that ends a TB at `pc`. */
function endOf(cache: TemplateCache, pc: number, state: number): number {
  cache.shape.pc = pc;
  return cache.end(state);
}
