/**
 * One random instruction of a row. In: a row, registers. Out: its bytes as an item, with what must stand before it; undefined where the row does not go with the registers.
 * Source: SDM 2A, chapter 2 (formats); insn.ts (operand letters).
 */
import { OPCODE_MAPS, VEX_MAP } from '../../../frontend/x86-64/encoding.js';
import { GPR } from '../../../src/guest/cpu-state.js';
import { vexPrefix } from '../decoder-generate.js';
import { addressBytes, maskRegister, memoryOperand, int32 } from './memory-operand.js';
import type { InsnItem, Reference } from './program.js';
import { type MemoryOperand, pick, type Registers } from './registers.js';
import type { GenRow, OperandCode } from './rows.js';

const [REX, REX_W, REX_R, REX_B] = [0x40, 8, 4, 1] as const;
const [OPERAND_SIZE, ADDRESS_SIZE, LOCK] = [0x66, 0x67, 0xf0] as const;
const MANDATORY = [[], [0x66], [0xf3], [0xf2]] as const;
const REGISTER = 0xc0;
const EDGE_BYTES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 63, 64, 0x7f, 0x80, 0xfe, 0xff] as const;

const MAP_BYTES = OPCODE_MAPS.map((text) =>
  text.startsWith('VEX')
    ? []
    : text
        .split(' ')
        .filter((t) => t !== '')
        .map((t) => parseInt(t, 16)),
);

const SIZES: Readonly<Record<string, number>> = { '': 1, b: 1, w: 2, d: 4, q: 8, t: 10, dq: 16, qq: 32, ss: 4, sd: 8 };
const SHARES: Readonly<Record<string, number>> = { x: 1, ps: 1, pd: 1, xh: 2, xq: 4, xe: 8 };

interface Form {
  readonly opSize: 2 | 4 | 8;
  readonly vexL: number;
}

function memorySize(o: OperandCode, f: Form): number {
  const share = SHARES[o.memory];
  if (share !== undefined) return (f.vexL === 1 ? 32 : 16) / share;
  if (o.memory === 'v') return f.opSize;
  if (o.memory === 'z') return Math.min(4, f.opSize);
  if (o.memory === 'y') return f.opSize === 8 ? 8 : 4;
  const size = SIZES[o.memory];
  if (size === undefined) throw new Error(`no size of memory '${o.memory}'`);
  return size;
}

/** A general register as bytes of an instruction have it: `high` is one of AH to BH. */
interface Gpr {
  readonly reg: number;
  readonly high: boolean;
}

const isGpr = (o: OperandCode): boolean => 'EGRZB'.includes(o.letter) && o.letter.length === 1;

/** A choice of registers and a memory operand for the row's operands, encoded. */
class Encoder {
  private readonly byRole = new Map<string, Gpr>();
  private rex = 0;
  private needsRex = false;
  private memory: MemoryOperand | undefined;

  constructor(
    private readonly g: GenRow,
    private readonly r: Registers,
    private readonly form: Form,
  ) {}

  get random(): (n: number) => number {
    return this.r.random;
  }

  /** A general register for operand `index`; one of those that may be written when the row writes it. */
  private gpr(o: OperandCode, index: number): Gpr {
    const writes = index === 0 || (index === 1 && this.g.writesSecond);
    const reg = writes ? this.r.target() : this.r.source();
    const high = o.size === 'b' && reg < 4 && this.random(4) === 0;
    return { reg, high };
  }

  /** False where the row can't be had. */
  choose(mod: number): boolean {
    for (const [index, o] of this.g.operands.entries()) {
      if (isGpr(o) && !(o.letter === 'E' && mod === 0)) this.byRole.set(o.letter, this.gpr(o, index));
      if (/^(AL|AX|rAX|eAX)$/.test(o.letter) && (index === 0 || this.g.writesSecond) && !this.r.isFree(GPR.RAX))
        return false;
    }
    return this.g.clobbers.every((reg) => this.r.isFree(reg));
  }

  /** Number of a general register in the encoding; notes the REX bit `bit` and what forbids REX. */
  private number(role: string, bit: number): number {
    const chosen = this.byRole.get(role) ?? { reg: 0, high: false };
    const isByte = this.g.operands.some((o) => o.letter === role && o.size === 'b');
    if (chosen.high && this.rex === 0 && !this.needsRex) return chosen.reg + 4;
    if (chosen.reg > 7) this.rex |= bit;
    if (isByte && chosen.reg > 3) this.needsRex = true;
    return chosen.reg & 7;
  }

  /** After all: a high byte register can't go with REX. */
  private mixesHigh(bytes: readonly Gpr[]): boolean {
    return bytes.some((b) => b.high) && (this.rex !== 0 || this.needsRex);
  }

  private vector(bit: number): number {
    const n = this.r.vector();
    if (n > 7) this.rex |= bit;
    return n & 7;
  }

  private field(letters: string, bit: number): number | undefined {
    const o = this.g.operands.find((x) => x.letter.length === 1 && letters.includes(x.letter));
    if (o === undefined) return undefined;
    if ('EGR'.includes(o.letter)) return this.number(o.letter, bit);
    if ('PQN'.includes(o.letter)) return this.random(4) === 0 ? this.random(8) : this.random(3);
    return this.vector(bit);
  }

  encode(mod: number): InsnItem[] | undefined {
    const { g, random, form } = this;
    const { encoding } = g;
    const isVex = encoding.map > VEX_MAP;
    if (!this.choose(mod)) return undefined;
    if (form.opSize === 8 || encoding.rexW === 1) this.rex |= REX_W;
    const before: InsnItem[] = [];
    const tail: number[] = [];
    let opcode = encoding.opcode;
    let reference: (Omit<Reference, 'at'> & { at: number }) | undefined;
    if (encoding.plusReg) opcode += this.number('Z', REX_B);
    const vvvv = this.g.operands.some((o) => o.letter === 'H') ? this.r.vector() : (this.byRole.get('B')?.reg ?? 0);
    if (encoding.hasModrm) {
      const reg = encoding.reg >= 0 ? encoding.reg : (this.field('GVP', REX_R) ?? random(8));
      if (mod === 1) {
        const rm =
          encoding.rm >= 0 ? encoding.rm : (this.field('ERWUQN', REX_B) ?? (random(3) === 0 ? random(8) : random(3)));
        tail.push(REGISTER | (reg << 3) | rm);
      } else {
        const m = this.operand(before);
        if (m === undefined) return undefined;
        this.memory = m;
        this.rex |= m.rex;
        tail.push((m.bytes[0] ?? 0) | (reg << 3), ...m.bytes.slice(1));
        if (m.reference !== undefined) reference = { ...m.reference, size: 4, absolute: false };
      }
    }
    if (this.mixesHigh([...this.byRole.values()])) return undefined;
    tail.push(...g.operands.flatMap((o) => this.immediate(o)));
    const prefixes = [...(this.memory?.prefixes ?? [])];
    if (this.memory !== undefined && g.row.attrs?.includes('lock') === true && random(4) === 0) prefixes.push(LOCK);
    if (form.opSize === 2) prefixes.push(OPERAND_SIZE);
    let head: number[];
    if (isVex) head = [...prefixes, ...vexPrefix(encoding, this.rex, form.vexL, vvvv, random(2) === 0), opcode];
    else {
      const rex = this.rex !== 0 || this.needsRex ? [REX | this.rex] : [];
      const own = encoding.prefix > 0 ? (MANDATORY[encoding.prefix] ?? []) : [];
      head = [...prefixes, ...own, ...rex, ...(MAP_BYTES[encoding.map] ?? []), opcode];
    }
    const item: InsnItem = {
      kind: 'insn',
      bytes: [...head, ...tail],
      flow: 'next',
      flags: g.flags,
      ...(reference === undefined
        ? this.absolute(head.length, prefixes)
        : { reference: { ...reference, at: reference.at + head.length } }),
    };
    return item.bytes.length > 15 ? undefined : [...before, ...(this.memory?.before ?? []), item];
  }

  /** MOV with an absolute address in the code. */
  private absolute(at: number, prefixes: number[]): { reference?: Reference } {
    const o = this.g.operands.find((x) => x.letter === 'O');
    if (o === undefined) return {};
    const address = this.r.address(8, 1);
    return { reference: { at, size: prefixes.includes(ADDRESS_SIZE) ? 4 : 8, absolute: true, target: { address } } };
  }

  private operand(before: InsnItem[]): MemoryOperand | undefined {
    const { g, random, r } = this;
    const { mnemonic } = g.row;
    if (mnemonic === 'lea') {
      const index = random(3) === 0 ? -1 : r.source();
      const form = addressBytes(
        random(4) === 0 ? -1 : r.source(),
        index === 4 ? -1 : index,
        random(4),
        random(3) === 0 ? random(2 ** 32) | 0 : random(256) - 128,
      );
      return { prefixes: random(6) === 0 ? [ADDRESS_SIZE] : [], before: [], ...form };
    }
    const o = g.operands.find((x) => 'EWMQ'.includes(x.letter) && x.letter.length === 1);
    if (o === undefined) return undefined;
    const size = memorySize(o, this.form);
    const offset = /^bt[src]?$/.test(mnemonic) ? this.byRole.get('G') : undefined;
    if (offset !== undefined) {
      // A bit offset reaches as far as it is large.
      if (!r.isFree(offset.reg)) return undefined;
      before.push(maskRegister(offset.reg, 0x7f));
    }
    const writes = g.operands.indexOf(o) === 0 || g.writesSecond;
    const m = memoryOperand(r, { size, alignment: g.aligned ? size : 1, writes, reach: offset === undefined ? 0 : 16 });
    // What makes an index small must not be what holds the offset.
    return offset !== undefined && m.before.length > 0 ? undefined : m;
  }

  private immediate(o: OperandCode): number[] {
    const { random, form, g } = this;
    if (o.letter === 'L') return [this.r.vector() << 4];
    if (o.letter === 'O') return [0, 0, 0, 0, 0, 0, 0, 0];
    if (o.letter !== 'I') return [];
    if (o.size === 'w') return [random(256), random(256)];
    if (o.size === 'b' || o.size === 'bs') {
      const value = random(2) === 0 ? pick(random, EDGE_BYTES) : random(256);
      // A comparison's predicate: the first 32.
      return [/^v?cmp/.test(g.row.mnemonic) && random(3) > 0 ? value & 31 : value];
    }
    const size = o.size === 'v' ? form.opSize : Math.min(4, form.opSize);
    const kind = random(3);
    const value = kind === 0 ? pick(random, EDGE_BYTES) : kind === 1 ? -pick(random, EDGE_BYTES) : random(2 ** 32) | 0;
    const low = int32(value);
    if (size === 8)
      return [
        ...low,
        ...(kind === 2 ? int32(random(2 ** 32) | 0) : value < 0 ? [0xff, 0xff, 0xff, 0xff] : [0, 0, 0, 0]),
      ];
    return low.slice(0, size);
  }
}

/** Instructions for `g`; the last is the row's. @param withoutMemory none of them has a memory operand */
export function encodeRandom(g: GenRow, r: Registers, withoutMemory = false): InsnItem[] | undefined {
  const { random } = r;
  const { encoding, row } = g;
  const isVex = encoding.map > VEX_MAP;
  const takes66 =
    g.sized &&
    !isVex &&
    encoding.prefix !== 0 &&
    encoding.prefix !== 1 &&
    row.mnemonic !== 'movsxd' &&
    (/[vz]/.test(row.operands) || row.mnemonic.includes('/') || /[re]AX/.test(row.operands));
  const width = g.sized ? random(4) : 1;
  const isWide = width >= 2 && encoding.rexW !== 0;
  const opSize = encoding.rexW === 1 || isWide ? 8 : width === 0 && takes66 ? 2 : 4;
  const form: Form = { opSize, vexL: encoding.vexL >= 0 ? encoding.vexL : isVex ? random(2) : 0 };
  const mod =
    !encoding.hasModrm || encoding.mod === 1
      ? 1
      : encoding.mod === 0 || r.only !== undefined || random(3) === 0
        ? 0
        : 1;
  if (withoutMemory && (mod === 0 || /[OXY]|B[AD]/.test(row.operands))) return undefined;
  return new Encoder(g, r, form).encode(mod);
}
