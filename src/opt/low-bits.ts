/**
 * Which value the low bits of a temp or global come from: an op that looks at no more than those reads that value. Forward over an ebb. In: ops, one after another. Out: sources.
 *
 *     deposit_i64 rax, rax, t0, 0, 8        low 8 bits of rax are those of t0
 *     ext8u_i64 rcx, rax                    reads t0: the deposit may be dead now, and is not waited for
 *
 * Requirement of any rule here: the low bits are the source's, bit by bit, whatever the inputs hold, and the source still holds them.
 */
import type { TempId } from '../base/ids.js';
import type { OpInfo } from '../ir/op-info.js';
import type { Op } from '../ir/types.js';
import { Copies } from './copies.js';

export interface LowPart {
  readonly source: TempId;
  readonly bits: number;
}

/** Bits that extensions and stores look at, by op without its type. */
const EXTENSIONS: Readonly<Record<string, number>> = {
  ext8u: 8,
  ext8s: 8,
  ext16u: 16,
  ext16s: 16,
  ext32u: 32,
  ext32s: 32,
};
const NARROW: Readonly<Record<string, number>> = { ...EXTENSIONS, gst8: 8, gst16: 16, gst32: 32, extrl_i64: 32 };

/** The input of an op that counts with its low bits alone: its position, and how many. Undefined: none is known. */
function narrowInput({ imms }: Op, { stem }: OpInfo): { readonly at: number; readonly bits: number } | undefined {
  const bits = NARROW[stem];
  if (bits !== undefined) return { at: 1, bits };
  if (stem === 'extract' || stem === 'sextract') return { at: 1, bits: Number(imms[0]) + Number(imms[1]) };
  return stem === 'deposit' ? { at: 2, bits: Number(imms[1]) } : undefined;
}

/** The input whose low bits are those of the op's output. */
function passedOn({ args, imms }: Op, { stem }: OpInfo): LowPart | undefined {
  const [, a, b] = args;
  if (a === undefined) return undefined;
  const bits = EXTENSIONS[stem];
  if (bits !== undefined) return { source: a, bits };
  const isField = stem === 'extract' || stem === 'sextract';
  if (!isField && stem !== 'deposit') return undefined;
  const [pos, len] = [Number(imms[0]), Number(imms[1])];
  if (isField) return pos === 0 ? { source: a, bits: len } : undefined;
  if (b === undefined) return undefined;
  return pos === 0 ? { source: b, bits: len } : { source: a, bits: pos };
}

export class LowBits {
  private readonly sources: Copies;
  /** By temp: how many bits are its source's. */
  private readonly bits: Uint8Array;

  /** @param temps number of temps, with those that are still to come */
  constructor(temps: number) {
    this.sources = new Copies(temps);
    this.bits = new Uint8Array(temps);
  }

  clear(): void {
    this.sources.clear();
  }

  /** `id` is written. */
  forget(id: TempId): void {
    this.sources.forget(id);
  }

  /** `op` with the sources of what it reads the low bits of. */
  narrowed(op: Op, info: OpInfo): Op {
    const input = narrowInput(op, info);
    const id = input && op.args[input.at];
    if (input === undefined || id === undefined) return op;
    const source = this.source(id, input.bits);
    if (source === id) return op;
    const args = op.args.slice();
    args[input.at] = source;
    return { name: op.name, args, imms: op.imms };
  }

  /** Where the low bits of the output of `op`, which is about to be done, come from. */
  result(op: Op, info: OpInfo): LowPart | undefined {
    const part = passedOn(op, info);
    return part && { source: this.source(part.source, part.bits), bits: part.bits };
  }

  /** The output of an op has `part` from here on. */
  learn(id: TempId, part: LowPart | undefined): void {
    if (part === undefined) return;
    this.sources.learn(id, part.source);
    this.bits[id] = part.bits;
  }

  private source(id: TempId, bits: number): TempId {
    const source = this.sources.sourceOf(id);
    return source !== id && (this.bits[id] as number) >= bits ? this.source(source, bits) : id;
  }
}
