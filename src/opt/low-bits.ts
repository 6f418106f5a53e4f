/**
 * Which value the low bits of a temp or global come from: an op that looks at no more than those reads that value. Forward over an ebb. In: ops, one after another. Out: sources.
 *
 *     deposit_i64 rax, rax, t0, 0, 8        low 8 bits of rax are those of t0
 *     ext8u_i64 rcx, rax                    reads t0: the deposit may be dead now, and is not waited for
 *
 * Requirement of any rule here: the low bits are the source's, bit by bit, whatever the inputs hold, and the source still holds them.
 */
import type { TempId } from '../base/ids.js';
import type { Op } from '../ir/types.js';

export interface LowPart {
  readonly source: TempId;
  readonly bits: number;
}

/** The input of an op that counts with its low bits alone: its position, and how many. Undefined: none is known. */
function narrowInput({ name, imms }: Op): { readonly at: number; readonly bits: number } | undefined {
  const [, extended] = /^ext(8|16|32)[us]_i(?:32|64)$/.exec(name) ?? [];
  if (extended !== undefined) return { at: 1, bits: Number(extended) };
  const [, stored] = /^gst(8|16|32)_i(?:32|64)$/.exec(name) ?? [];
  if (stored !== undefined) return { at: 1, bits: Number(stored) };
  if (/^s?extract_/.test(name)) return { at: 1, bits: Number(imms[0]) + Number(imms[1]) };
  if (name.startsWith('deposit_')) return { at: 2, bits: Number(imms[1]) };
  return name === 'extrl_i64_i32' ? { at: 1, bits: 32 } : undefined;
}

/** The input whose low bits are those of the op's output. */
function passedOn(op: Op): LowPart | undefined {
  const [, a, b] = op.args;
  if (a === undefined) return undefined;
  const [pos, len] = op.imms.map(Number);
  if (op.name.startsWith('deposit_') && b !== undefined && pos !== undefined && len !== undefined)
    return pos === 0 ? { source: b, bits: len } : { source: a, bits: pos };
  const [, extended] = /^ext(8|16|32)[us]_i(?:32|64)$/.exec(op.name) ?? [];
  if (extended !== undefined) return { source: a, bits: Number(extended) };
  return /^s?extract_/.test(op.name) && pos === 0 && len !== undefined ? { source: a, bits: len } : undefined;
}

export class LowBits {
  private readonly parts = new Map<TempId, LowPart>();
  /** Reverse of `parts`. */
  private readonly readers = new Map<TempId, Set<TempId>>();

  clear(): void {
    this.parts.clear();
    this.readers.clear();
  }

  /** `id` is written. */
  forget(id: TempId): void {
    this.drop(id);
    for (const reader of this.readers.get(id) ?? []) this.parts.delete(reader);
    this.readers.delete(id);
  }

  /** `op` with the sources of what it reads the low bits of. */
  narrowed(op: Op): Op {
    const input = narrowInput(op);
    const id = input && op.args[input.at];
    if (input === undefined || id === undefined) return op;
    const source = this.source(id, input.bits);
    return source === id ? op : { ...op, args: op.args.map((arg, i) => (i === input.at ? source : arg)) };
  }

  /** Where the low bits of the output of `op`, which is about to be done, come from. */
  result(op: Op): LowPart | undefined {
    const part = passedOn(op);
    return part && { source: this.source(part.source, part.bits), bits: part.bits };
  }

  /** The output of an op has `part` from here on. */
  learn(id: TempId, part: LowPart | undefined): void {
    if (part === undefined || part.source === id) return;
    this.parts.set(id, part);
    const set = this.readers.get(part.source);
    if (set === undefined) this.readers.set(part.source, new Set([id]));
    else set.add(id);
  }

  private source(id: TempId, bits: number): TempId {
    const part = this.parts.get(id);
    return part !== undefined && part.bits >= bits ? this.source(part.source, bits) : id;
  }

  private drop(id: TempId): void {
    const part = this.parts.get(id);
    if (part === undefined) return;
    this.readers.get(part.source)?.delete(id);
    this.parts.delete(id);
  }
}
