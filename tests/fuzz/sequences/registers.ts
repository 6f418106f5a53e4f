/**
 * Who has which register while a sequence is made: pointers that stay, small indices, counters of loops, and those that instructions write. In: random numbers. Out: choices; the addresses
 * that pointers reach are known, so that memory operands lie where they are wanted.
 */
import { GPR } from '../../../src/guest/cpu-state.js';
import type { InsnItem, Reference } from './program.js';
import { DATA, WINDOWS } from '../../support/sequence-state.js';

/** ModRM and what goes with it (memory-operand.ts makes them). */
export interface MemoryOperand {
  readonly prefixes: readonly number[];
  /** Bits X and B of REX. */
  readonly rex: number;
  /** ModRM without its reg field, SIB, displacement. */
  readonly bytes: readonly number[];
  /** Relative to the ModRM byte. */
  readonly reference?: Omit<Reference, 'size' | 'absolute'>;
  /** Instructions that must stand before the one with the operand. */
  readonly before: readonly InsnItem[];
}

export type Random = (n: number) => number;

export const pick = <T>(random: Random, list: readonly T[]): T => {
  const chosen = list[random(list.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
};

/** A register whose value is `value` and a multiple of `unit`, up to value + range. */
export interface Known {
  readonly reg: number;
  readonly value: number;
  readonly range: number;
  readonly unit: number;
}

const [MAIN, , STACK] = WINDOWS;
/** Room for operands, from low to high. */
export const MEMORY_LOW = MAIN.at;
export const MEMORY_HIGH = MAIN.at + MAIN.size;
const BOUNDARY = DATA + 0x1000;
/** rsp at the start: room for what is pushed below it, and for reads above. */
export const STACK_START = STACK.at + 320;

const ALL = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const;
/** Those that instructions use without naming them become pointers less often. */
const COMMON: readonly number[] = [GPR.RAX, GPR.RCX, GPR.RDX, GPR.RSI, GPR.RDI];

/** An operand, its address with the base at its lowest, its base. */
export interface Recent {
  readonly operand: MemoryOperand;
  readonly address: number;
  readonly base?: Known;
}

export class Registers {
  /** Hold addresses of the main window, and stay. */
  readonly bases: readonly Known[];
  /** Holds an address just before the end of what may be written, or read; where operands may fault. */
  readonly edge: Known | undefined;
  /** What memory operands go through for now; undefined: through any. */
  only: Known | undefined;
  /** Hold small numbers, and stay. */
  readonly indices: readonly Known[];
  /** Pointers that loops move. */
  readonly walkers: Known[] = [];
  /** Memory operands that were made last. */
  readonly recent: Recent[] = [];
  private readonly free: Set<number>;
  /** Written more often than the other free ones, so that results are used. */
  private readonly busy: readonly number[];
  private readonly busyVectors: readonly number[];

  constructor(
    readonly random: Random,
    /** In percent: memory operands that shall fault. */
    readonly faults: number,
  ) {
    const left = new Set<number>(ALL);
    const take = (): number => {
      for (;;) {
        const reg = pick(random, ALL);
        if (!left.has(reg) || (COMMON.includes(reg) && random(3) > 0)) continue;
        left.delete(reg);
        return reg;
      }
    };
    this.bases = Array.from({ length: 1 + random(3) }, () => ({
      reg: take(),
      value: random(4) === 0 ? BOUNDARY : MEMORY_LOW + (random(MAIN.size - 64) & (random(2) === 0 ? ~31 : ~0)),
      range: 0,
      unit: 0,
    }));
    this.edge =
      faults === 0
        ? undefined
        : {
            reg: take(),
            value: DATA + 0x1000 * pick(random, [2, 3, 3, 5]) - pick(random, [0, 1, 2, 4, 8, 8, 16, 32]),
            range: 0,
            unit: 0,
          };
    this.indices = Array.from({ length: random(3) }, () => ({
      reg: take(),
      value: random(3) === 0 ? random(9) - 4 : random(64),
      range: 0,
      unit: 0,
    }));
    this.free = left;
    const list = [...left];
    this.busy = Array.from({ length: 3 + random(4) }, () => pick(random, list));
    this.busyVectors = Array.from({ length: 3 + random(4) }, () => random(16));
  }

  isFree(reg: number): boolean {
    return this.free.has(reg);
  }

  /** A register that may be written. */
  target(): number {
    const { random } = this;
    for (let tries = 0; tries < 8; tries++) {
      const reg = pick(random, random(5) === 0 ? [...this.free] : this.busy);
      if (this.free.has(reg)) return reg;
    }
    return pick(random, [...this.free]);
  }

  /** A register to read. */
  source(): number {
    const { random } = this;
    if (random(12) === 0) return random(16);
    return this.target();
  }

  vector(): number {
    const { random } = this;
    return random(8) === 0 ? random(16) : pick(random, this.busyVectors);
  }

  /** Takes `reg`, or any free one, for a while; undefined when too few are left. */
  reserve(reg?: number): number | undefined {
    const { random, free } = this;
    if (free.size < 4 || (reg !== undefined && !free.has(reg))) return undefined;
    const taken = reg ?? pick(random, [...free]);
    free.delete(taken);
    return taken;
  }

  release(reg: number): void {
    this.free.add(reg);
  }

  /** Where an operand of `size` bytes that may lie up to `range` bytes higher shall be: most around the boundary of two pages. */
  address(size: number, alignment: number, range = 0): number {
    const { random } = this;
    const most = MAIN.size - size - range;
    const near = random(2) === 0 ? Math.min(most, BOUNDARY - MEMORY_LOW + random(64) - 48) : random(most + 1);
    const offset = Math.max(0, near);
    return MEMORY_LOW + offset - (offset % alignment);
  }

  /** An address where an access of `size` bytes faults in whole or in part, at least when it writes. */
  faultAddress(size: number, alignment: number): number {
    const { random } = this;
    const page = pick(random, [2, 3, 4, 5]);
    // One in two ends where the page ends, and so does not fault by itself: what comes to the same address again may.
    const address = DATA + 0x1000 * page - (random(2) === 0 ? size : random(size + 1));
    return random(4) === 0 ? address : address - (address % alignment);
  }
}
