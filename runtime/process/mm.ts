/**
 * What the kernel knows of an address space: its users, and what /proc shows of the program in it. In: the index. Out: Mm.
 * The mappings themselves are runtime/memory's, in the memory.
 */
import { AREA, EXE_BYTES, MAX_MMS, MM } from './layout.js';
import type { Kernel } from './kernel.js';
import { KernelRecord } from './record.js';

/** Index of the address space that `space` is a life of. */
export const mmOfSpace = (space: number): number => space % MAX_MMS;

export class Mm extends KernelRecord {
  constructor(kernel: Kernel, index: number) {
    super(kernel, index, AREA.MMS + index * MM.BYTES);
  }

  /** Tasks that use it. */
  get refs(): number {
    return this.get(MM.REFS);
  }
  set refs(v: number) {
    this.set(MM.REFS, v);
  }

  /** Lives of this record so far. */
  get generation(): number {
    return this.get(MM.GENERATION);
  }

  /** Microseconds of CLOCK_MONOTONIC, modulo 2**32, when it last got a page that another address space had. */
  get granted(): number {
    return this.get(MM.GRANTED) >>> 0;
  }
  set granted(us: number) {
    this.set(MM.GRANTED, us | 0);
  }

  /** Names this life of the address space among all: what belongs to another one is out of date. */
  get space(): number {
    return this.generation * MAX_MMS + this.index;
  }

  /** True once it has had two users at a time. */
  get wasShared(): boolean {
    return this.get(MM.WAS_SHARED) !== 0;
  }
  set wasShared(v: boolean) {
    this.set(MM.WAS_SHARED, v ? 1 : 0);
  }

  /** Guest addresses [start, end) of the strings of argv and environ, and auxv with its size in bytes; set at exec. */
  get layout(): ExecLayout {
    return {
      argStart: this.getNumber(MM.ARG_START),
      argEnd: this.getNumber(MM.ARG_END),
      envStart: this.getNumber(MM.ENV_START),
      envEnd: this.getNumber(MM.ENV_END),
      auxv: this.getNumber(MM.AUXV),
      auxvBytes: this.get(MM.AUXV_BYTES),
    };
  }
  set layout(v: ExecLayout) {
    this.setNumber(MM.ARG_START, v.argStart);
    this.setNumber(MM.ARG_END, v.argEnd);
    this.setNumber(MM.ENV_START, v.envStart);
    this.setNumber(MM.ENV_END, v.envEnd);
    this.setNumber(MM.AUXV, v.auxv);
    this.set(MM.AUXV_BYTES, v.auxvBytes);
  }

  /** Absolute path of the program in the guest's file system, one character a byte. */
  get exe(): string {
    const start = (this.word + MM.EXE) * 4;
    const bytes = this.kernel.bytes.subarray(start, start + this.get(MM.EXE_LENGTH));
    let s = '';
    for (const c of bytes) s += String.fromCharCode(c);
    return s;
  }
  set exe(path: string) {
    const start = (this.word + MM.EXE) * 4;
    const length = Math.min(path.length, EXE_BYTES - 1);
    for (let i = 0; i < length; i++) this.kernel.bytes[start + i] = path.charCodeAt(i);
    this.set(MM.EXE_LENGTH, length);
  }
}

export interface ExecLayout {
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  readonly auxv: number;
  readonly auxvBytes: number;
}
