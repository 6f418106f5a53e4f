/**
 * Classic BPF as seccomp runs it: on the 64 bytes of struct seccomp_data. In: instructions (struct sock_filter, 8 bytes each). Out: whether a program is valid; what it returns.
 * Source: man 2 seccomp; man 7 socket (SO_ATTACH_FILTER); Linux Documentation/networking/filter.rst.
 */

export const MAX_INSNS = 4096;
export const INSN_BYTES = 8;
export const DATA_BYTES = 64;
const SCRATCH = 16;

/** Classes; then modes of loads, sources, operations of the classes ALU and JMP. */
const CLASS = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, RET: 6, MISC: 7 } as const;
const LD_ABS_W = 0x20;
const LD_IMM = 0x00;
const LD_MEM = 0x60;
const LD_LEN = 0x80;
const SRC_X = 0x08;
const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  XOR: 0xa0,
} as const;
const JMP = { JA: 0x00, JEQ: 0x10, JGT: 0x20, JGE: 0x30, JSET: 0x40 } as const;
const RET_A = 0x10;
const TXA = 0x80;

const ALU_OPS: ReadonlySet<number> = new Set(Object.values(ALU));
const JMP_OPS: ReadonlySet<number> = new Set(Object.values(JMP));

interface Insn {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

function insnAt(program: DataView, i: number): Insn {
  const at = i * INSN_BYTES;
  return {
    code: program.getUint16(at, true),
    jt: program.getUint8(at + 2),
    jf: program.getUint8(at + 3),
    k: program.getUint32(at + 4, true),
  };
}

/** Whether the kernel would take it: known instructions, jumps within it, aligned loads within the data, a RET at its end. */
export function isValidFilter(program: DataView): boolean {
  const count = program.byteLength / INSN_BYTES;
  if (count === 0 || count > MAX_INSNS) return false;
  for (let i = 0; i < count; i++) if (!isValidInsn(insnAt(program, i), count - i - 1)) return false;
  return (insnAt(program, count - 1).code & 7) === CLASS.RET;
}

/** `after`: instructions that follow. */
function isValidInsn({ code, jt, jf, k }: Insn, after: number): boolean {
  const rest = code & ~7;
  switch (code & 7) {
    case CLASS.LD:
      if (rest === LD_ABS_W) return (k & 3) === 0 && k < DATA_BYTES;
      return rest === LD_IMM || rest === LD_LEN || (rest === LD_MEM && k < SCRATCH);
    case CLASS.LDX:
      return rest === LD_IMM || rest === LD_LEN || (rest === LD_MEM && k < SCRATCH);
    case CLASS.ST:
    case CLASS.STX:
      return rest === 0 && k < SCRATCH;
    case CLASS.ALU: {
      const op = rest & ~SRC_X;
      if (!ALU_OPS.has(op)) return false;
      const constant = (rest & SRC_X) === 0;
      if (constant && op === ALU.DIV) return k !== 0;
      return !constant || (op !== ALU.LSH && op !== ALU.RSH) || k < 32;
    }
    case CLASS.JMP: {
      const op = rest & ~SRC_X;
      if (!JMP_OPS.has(op)) return false;
      return op === JMP.JA ? rest === JMP.JA && k < after : jt < after && jf < after;
    }
    case CLASS.RET:
      return rest === 0 || rest === RET_A;
    default:
      return rest === 0 || rest === TXA;
  }
}

/** What a valid program returns for `data`, unsigned. */
export function runFilter(program: DataView, data: DataView): number {
  const scratch = new Uint32Array(SCRATCH);
  let a = 0;
  let x = 0;
  for (let i = 0; ; i++) {
    const { code, jt, jf, k } = insnAt(program, i);
    const rest = code & ~7;
    const operand = (rest & SRC_X) === 0 ? k : x;
    switch (code & 7) {
      case CLASS.LD:
        a = rest === LD_ABS_W ? data.getUint32(k, true) : loaded(rest, k, scratch);
        break;
      case CLASS.LDX:
        x = loaded(rest, k, scratch);
        break;
      case CLASS.ST:
        scratch[k] = a;
        break;
      case CLASS.STX:
        scratch[k] = x;
        break;
      case CLASS.ALU: {
        const result = compute(rest & ~SRC_X, a, operand);
        // Division by zero ends the program with 0.
        if (result === undefined) return 0;
        a = result;
        break;
      }
      case CLASS.JMP:
        i += (rest & ~SRC_X) === JMP.JA ? k : holds(rest & ~SRC_X, a, operand) ? jt : jf;
        break;
      case CLASS.RET:
        return rest === RET_A ? a : k;
      default:
        if (rest === TXA) a = x;
        else x = a;
    }
  }
}

function loaded(mode: number, k: number, scratch: Uint32Array): number {
  if (mode === LD_LEN) return DATA_BYTES;
  return mode === LD_MEM ? (scratch[k] ?? 0) : k;
}

function compute(op: number, a: number, b: number): number | undefined {
  switch (op) {
    case ALU.ADD:
      return (a + b) >>> 0;
    case ALU.SUB:
      return (a - b) >>> 0;
    case ALU.MUL:
      return Math.imul(a, b) >>> 0;
    case ALU.DIV:
      return b === 0 ? undefined : Math.floor(a / b);
    case ALU.OR:
      return (a | b) >>> 0;
    case ALU.AND:
      return (a & b) >>> 0;
    case ALU.XOR:
      return (a ^ b) >>> 0;
    case ALU.LSH:
      return (a << (b & 31)) >>> 0;
    case ALU.RSH:
      return a >>> (b & 31);
    default:
      return -a >>> 0;
  }
}

function holds(op: number, a: number, b: number): boolean {
  switch (op) {
    case JMP.JEQ:
      return a === b;
    case JMP.JGT:
      return a > b;
    case JMP.JGE:
      return a >= b;
    default:
      return (a & b) !== 0;
  }
}
