/**
 * Reads the IR's text form (print.ts). In: text. Out: a Tb, not verified; or statements to replay through the builder, for tests of its checks.
 * Errors: IrSyntaxError with the line number.
 */
import { Lift64Error } from '../base/errors.js';
import type { TempId } from '../base/ids.js';
import { signature } from './check-op.js';
import { GLOBALS } from './globals.js';
import { OPS } from './ops.js';
import type { Imm, Op, Tb, Temp, TempKind, Type } from './types.js';

export class IrSyntaxError extends Lift64Error {
  constructor(message: string, line: number) {
    super(`IR text, line ${line}: ${message}`, 125);
  }
}

const TYPES: readonly string[] = ['i32', 'i64', 'f32', 'f64', 'v128'];
const WIDTHS: Readonly<Record<Type, number>> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };

/** The TBs of `text`: everything between `tb` and `end` lines; `;` starts a comment. */
export function parseTbs(text: string): Tb[] {
  const tbs: Tb[] = [];
  let current: TbReader | undefined;
  text.split('\n').forEach((raw, i) => {
    const line = raw.replace(/;.*/, '').trim();
    if (line === '') return;
    const header = /^tb (0x[0-9a-f]+) size (\d+) insns (\d+)$/.exec(line);
    if (header !== null) {
      current = new TbReader(Number(header[1]), Number(header[2]), Number(header[3]));
    } else if (current === undefined) {
      throw new IrSyntaxError(`'${line}' outside of a tb`, i + 1);
    } else if (line === 'end') {
      tbs.push(current.finish());
      current = undefined;
    } else {
      current.line(line, i + 1);
    }
  });
  if (current !== undefined) throw new IrSyntaxError("no 'end'", text.split('\n').length);
  return tbs;
}

/** Reads the lines of one TB. Also the script reader of the builder's tests: see `op`. */
export class TbReader {
  private readonly temps: Temp[] = [...GLOBALS];
  private readonly names = new Map<string, TempId>(GLOBALS.map((g) => [g.name, g.id]));
  private readonly consts = new Map<string, TempId>();
  private readonly ops: Op[] = [];
  private labels = 0;

  constructor(
    private readonly pc: number,
    private readonly size: number,
    private readonly insns: number,
  ) {}

  line(line: string, number: number): void {
    if (line.startsWith('temps ')) {
      for (const d of line.slice(6).split(/\s+/)) this.declare(d, number);
    } else {
      this.ops.push(this.op(line, number));
    }
  }

  finish(): Tb {
    return { pc: this.pc, size: this.size, insns: this.insns, temps: this.temps, ops: this.ops, labels: this.labels };
  }

  /** Declares `name:type` or `name:type.tb`. */
  declare(declaration: string, number: number): TempId {
    const m = /^([a-z_]\w*):(\w+)(\.tb)?$/.exec(declaration);
    if (m?.[1] === undefined || !TYPES.includes(m[2] ?? ''))
      throw new IrSyntaxError(`bad temp '${declaration}'`, number);
    if (this.names.has(m[1])) throw new IrSyntaxError(`'${m[1]}' is declared twice`, number);
    return this.add(m[1], m[2] as Type, m[3] === undefined ? 'ebb' : 'tb');
  }

  /** One op line. */
  op(line: string, number: number): Op {
    const start = /^---- (0x[0-9a-f]+) cc_op (dynamic|\d+)$/.exec(line);
    if (start !== null)
      return { name: 'insn_start', args: [], imms: [Number(start[1]), start[2] === 'dynamic' ? -1 : Number(start[2])] };
    const label = /^L(\d+):$/.exec(line);
    if (label !== null) return { name: 'set_label', args: [], imms: [this.label(Number(label[1]))] };
    const m = /^(\w+)\s*(.*)$/.exec(line);
    const name = m?.[1] ?? '';
    let rest = m?.[2] ?? '';
    const def = OPS.get(name);
    if (def === undefined) throw new IrSyntaxError(`no op named '${name}'`, number);
    const imms: Imm[] = [];
    if (name === 'call') {
      const call = /^(\w+)\s*(.*)$/.exec(rest);
      imms.push(call?.[1] ?? '');
      rest = call?.[2] ?? '';
    }
    const words = rest === '' ? [] : rest.split(/\s*,\s*/);
    const immCount = name === 'call' ? 0 : def.imms.length;
    const sig = signature({ name, args: [], imms });
    if (sig === undefined) throw new IrSyntaxError(`no helper named '${String(imms[0])}'`, number);
    const types = [...sig.outs, ...sig.ins];
    const argWords = words.slice(0, words.length - immCount);
    const args = argWords.map((w, i) => this.temp(w, types[i] ?? 'i64', number));
    words.slice(words.length - immCount).forEach((w, i) => imms.push(this.immediate(w, def.imms[i] ?? 'num', number)));
    return { name, args, imms };
  }

  private temp(word: string, type: Type, number: number): TempId {
    if (word.startsWith('$')) return this.constant(word, type, number);
    if (/^#\d+$/.test(word)) return Number(word.slice(1)) as TempId;
    const id = this.names.get(word);
    if (id === undefined) throw new IrSyntaxError(`'${word}' is neither a global nor a declared temp`, number);
    return id;
  }

  private constant(word: string, type: Type, number: number): TempId {
    if (!/^\$(0x[0-9a-f]+|\d+)$/.test(word)) throw new IrSyntaxError(`bad constant '${word}'`, number);
    const value = BigInt.asUintN(WIDTHS[type], BigInt(word.slice(1)));
    const key = type + String(value);
    const known = this.consts.get(key);
    if (known !== undefined) return known;
    const id = this.add(`$0x${value.toString(16)}`, type, 'const', value);
    this.consts.set(key, id);
    return id;
  }

  private immediate(word: string, kind: string, number: number): Imm {
    if (kind === 'cond' || kind === 'helper') return word;
    if (kind === 'label' && /^L\d+$/.test(word)) return this.label(Number(word.slice(1)));
    if (kind === 'lanes' && /^\[[\d ]*\]$/.test(word)) return word.slice(1, -1).split(/\s+/).map(Number);
    if (/^-?\d+$|^0x[0-9a-f]+$/.test(word)) return Number(word);
    throw new IrSyntaxError(`bad ${kind} '${word}'`, number);
  }

  private label(n: number): number {
    this.labels = Math.max(this.labels, n + 1);
    return n;
  }

  private add(name: string, type: Type, kind: TempKind, value?: bigint): TempId {
    const id = this.temps.length as TempId;
    this.temps.push(value === undefined ? { id, name, type, kind } : { id, name, type, kind, value });
    if (kind !== 'const') this.names.set(name, id);
    return id;
  }
}
