/**
 * Puts the bytecode of a TB together from templates. In: templates and the values for their places, an instruction after another. Out: a TB in the arena, as encode.ts writes it.
 */
import { type InsnValues, OFFSET_SHIFT, REGISTER_SLOTS, ROLE_MASK, ROLE_SHIFT } from './template.js';
import * as AT from './template.js';
import { type TbCode, writeTb } from './encode.js';
import { CODE_WORDS, HEAD, LINKS, PLACES } from './template-pool.js';

/** Bytes of bytecode and instructions of one TB: more of either are left to the lifter. */
const MOST_BYTES = 1 << 16;
const MOST_INSNS = 64;
const TWO32 = 2 ** 32;
/** Addresses below are short constants, which have another form. */
const LOWEST_ADDRESS = 0x8000;

/** Hot: a start of python3 -c 'print(1)' puts 38,000 TBs together, in typed arrays: lifting them took five times as long. */
export class TbAssembler implements TbCode {
  pc = 0;
  /** Guest bytes; the caller counts. */
  size = 0;
  readonly bytes: Uint8Array;
  codeSize = 0;
  readonly rows = new Float64Array(3 * MOST_INSNS);
  insns = 0;
  readonly links: number[] = [];
  private readonly words: Int32Array;
  private readonly fields: Uint16Array;

  constructor() {
    const buffer = new ArrayBuffer(MOST_BYTES);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.fields = new Uint16Array(buffer);
  }

  /** A TB at `pc` begins. */
  begin(pc: number): void {
    this.pc = pc;
    this.codeSize = 0;
    this.insns = 0;
    this.links.length = 0;
  }

  /** The instruction at `pc` begins; `ccOp` as in insn_start. */
  insn(pc: number, ccOp: number): void {
    const at = 3 * this.insns++;
    this.rows[at] = this.codeSize;
    this.rows[at + 1] = ccOp;
    this.rows[at + 2] = pc;
  }

  /** Appends the code of the template at `pool[record]`. False where a value has no place in it: the address of a jump or an access is out of reach. */
  append(pool: Int32Array, record: number, v: InsnValues): boolean {
    const { words, fields, codeSize } = this;
    const n = pool[record + CODE_WORDS] as number;
    if (codeSize + 4 * n > MOST_BYTES) return false;
    const firstLink = record + HEAD;
    const firstPlace = firstLink + (pool[record + LINKS] as number);
    const code = firstPlace + (pool[record + PLACES] as number);
    const base = codeSize >> 2;
    for (let k = 0; k < n; k++) words[base + k] = pool[code + k] as number;
    for (let k = firstPlace; k < code; k++) {
      const place = pool[k] as number;
      const at = codeSize + (place >> OFFSET_SHIFT);
      const word = at >> 2;
      switch (place & ROLE_MASK) {
        case AT.AT_REG: {
          const bankRole = (place >> ROLE_SHIFT) & ROLE_MASK;
          const bank = (bankRole >> 2) << 4;
          fields[at >> 1] = REGISTER_SLOTS[bank + (v.regs[bankRole & 3] as number)] as number;
          break;
        }
        case AT.AT_DISP:
          fields[at >> 1] = v.disp;
          break;
        case AT.AT_IMM:
          fields[at >> 1] = v.immLow;
          break;
        case AT.AT_IMM8:
          fields[at >> 1] = v.immLow & 0xff;
          break;
        case AT.WORD_DISP:
          words[word] = v.disp;
          words[word + 1] = v.disp >> 31;
          break;
        case AT.WORD_IMM:
          words[word] = v.immLow;
          words[word + 1] = v.immHigh;
          break;
        case AT.WORD_IMM8:
          words[word] = v.immLow & 0xff;
          words[word + 1] = 0;
          break;
        case AT.WORD_IMM16:
          words[word] = v.immLow & 0xffff;
          words[word + 1] = 0;
          break;
        case AT.WORD_IMM32:
          words[word] = v.immLow;
          words[word + 1] = 0;
          break;
        case AT.WORD_PC:
          this.address(word, v.pc);
          break;
        case AT.WORD_NEXT:
          this.address(word, v.next);
          break;
        default: {
          const to = v.next + ((place & ROLE_MASK) === AT.WORD_TARGET ? v.immLow : v.disp);
          if (to < LOWEST_ADDRESS) return false;
          this.address(word, to);
        }
      }
    }
    for (let k = firstLink; k < firstPlace; k++) this.links.push(codeSize + (pool[k] as number));
    this.codeSize = codeSize + 4 * n;
    return true;
  }

  private address(word: number, address: number): void {
    this.words[word] = address | 0;
    this.words[word + 1] = address >= TWO32 ? Math.floor(address / TWO32) : 0;
  }

  /** Writes the TB into the memory behind `i32`; gives the header's address. */
  write(i32: Int32Array, allocate: (bytes: number) => number, heat: number): number {
    return writeTb(this, i32, allocate, heat);
  }
}
