/**
 * Makes the templates of the shapes that programs have, at build time: a start finds them made. In: ELF files, single instructions. Out: a snapshot for TemplateCache, for the instruction tables with all rows. scripts/bundle.js writes it.
 */
import { allRows, createDecoder, type Decode } from '../../frontend/x86-64/decoder.js';
import { parseElf } from '../../frontend/elf/elf.js';
import { immediate } from '../../backend-wasm/bytecode/template.js';
import { STATE } from '../../backend-wasm/bytecode/template-pool.js';
import { MAX_LENGTH } from '../../frontend/x86-64/shape.js';
import { encodeSample } from '../../frontend/x86-64/shape-sample.js';
import { DispatchTables } from '../../frontend/x86-64/table-build.js';
import { TemplateCache } from './template-cache.js';
import { decodeAt, LEAVES, START_STATE, stateBehind } from './template-maker.js';

const PF_X = 1;
/** Shifts by an immediate count have a template a count. */
const SHIFT_OPCODE = 0xc1;
const DISPLACEMENTS = [0, 0x40, 0x1_2345];
/** Guest address of variations: any will do. */
const PC = 0x40_0000;

/** Templates of all that looks like an instruction in the code of `files`, of each of `insns` (its bytes), and of the same with other flags before it, counts and addresses. */
export function recordTemplates(files: readonly Uint8Array[], insns: readonly Uint8Array[] = []): Int32Array {
  const recorder = new Recorder();
  for (const file of files)
    for (const { address, offset, fileSize, flags } of parseElf(file, 'a recorded program').segments)
      if ((flags & PF_X) !== 0) recorder.sweep(file.subarray(offset, offset + fileSize), address);
  for (const insn of insns) recorder.add(insn);
  recorder.vary();
  return recorder.snapshot();
}

class Recorder {
  private readonly decode: Decode;
  private readonly cache: TemplateCache;
  /** What was known of the flags anywhere. */
  private readonly states = new Set([START_STATE]);
  /** One instruction of each shape. */
  private readonly samples = new Map<string, Uint8Array>();
  /** Those that were given by themselves, whose registers or immediate may have a template of their own. */
  private readonly singles: Uint8Array[] = [];

  constructor() {
    const tables = new DispatchTables(allRows());
    this.decode = createDecoder(tables);
    this.cache = new TemplateCache(this.decode, tables, { preciseFloat: false });
  }

  snapshot(): Int32Array {
    return this.cache.snapshot();
  }

  /** One instruction after another: what is known of the flags is that of a TB that runs on until something leaves. */
  sweep(code: Uint8Array, address: number): void {
    const { cache, states } = this;
    let state = START_STATE;
    for (let at = 0; at + MAX_LENGTH <= code.length;) {
      const pc = address + at;
      const record = cache.find(code, at, pc, state);
      if (record === 0) {
        at += this.lengthOf(code, at, pc);
        state = START_STATE;
        continue;
      }
      const { next } = cache.shape;
      this.sample(code.slice(at, at + MAX_LENGTH));
      const behind = cache.pool.ints[record + STATE] ?? 0;
      state = (behind & LEAVES) !== 0 ? START_STATE : stateBehind(behind, state);
      states.add(state);
      at = next - address;
    }
  }

  /** A single instruction. */
  add(insn: Uint8Array): void {
    const bytes = new Uint8Array(MAX_LENGTH);
    bytes.set(insn);
    if (this.cache.find(bytes, 0, PC, START_STATE) === 0) return;
    this.sample(bytes);
    this.singles.push(bytes);
  }

  /** `bytes` are of the instruction that was looked up last. */
  private sample(bytes: Uint8Array): void {
    const { key0, key1 } = this.cache.shape;
    const key = `${key0} ${key1}`;
    if (!this.samples.has(key)) this.samples.set(key, bytes);
  }

  vary(): void {
    const { cache } = this;
    for (const state of this.states) {
      cache.end(state);
      for (const bytes of this.singles) cache.find(bytes, 0, PC, state);
    }
    for (const bytes of this.samples.values()) {
      const records = new Set(Array.from(this.states, (state) => cache.find(bytes, 0, PC, state)));
      const { shape } = cache;
      if (shape.map === 0 && shape.opcode === SHIFT_OPCODE && !shape.hasMemory) this.varyCount(bytes);
      // Where the flags matter too, addresses are of one kind mostly.
      if (shape.hasMemory && records.size === 1) this.varyAddress(bytes);
    }
  }

  private varyCount(bytes: Uint8Array): void {
    const { length, rexW } = this.cache.shape;
    for (let count = 1; count < (rexW === 0 ? 32 : 64); count++) {
      const other = bytes.slice();
      other[length] = count;
      this.cache.find(other, 0, PC, START_STATE);
    }
  }

  /** The same instruction with each form of address, also where the register is the base. */
  private varyAddress(bytes: Uint8Array): void {
    const { cache } = this;
    const { shape } = cache;
    const immBytes = shape.next - shape.pc - shape.length;
    const imm = immediate(shape);
    const { hasRex } = shape;
    const [reg = -1, , , vvvv = -1] = shape.regs;
    const put = (base: number, index: number, scale: number, disp: number, ripRelative = false): void => {
      cache.find(bytes, 0, PC, START_STATE);
      Object.assign(shape, { scale, disp, ripRelative });
      const values = { regs: [reg < 0 ? -1 : 8, base, index, vvvv < 0 ? -1 : 11], disp, imm, immBytes, rex: hasRex };
      const other = new Uint8Array(2 * MAX_LENGTH);
      const sample = encodeSample(shape, values);
      if (sample.length > MAX_LENGTH) return;
      other.set(sample);
      cache.find(other, 0, PC, START_STATE);
    };
    put(-1, -1, 0, 0x1234, true);
    for (const disp of DISPLACEMENTS) {
      put(9, -1, 0, disp);
      if (reg >= 0) put(8, -1, 0, disp);
      for (let scale = 0; scale < 4; scale++) put(9, 10, scale, disp);
    }
    for (const scale of [2, 3]) put(-1, 10, scale, 0x1_2345);
  }

  /** Bytes of an instruction that is left to the lifter; 1 where there is none. */
  private lengthOf(bytes: Uint8Array, at: number, pc: number): number {
    return decodeAt(this.decode, bytes, at, pc)?.length ?? 1;
  }
}
