/**
 * Compares the decoder with iced-x86. In: bytes. Out: agreement, or in words what differs. Compared: validity, length, mnemonic, prefixes, operand size,
 * and each operand: registers, memory (base, index, scale, displacement, segment, sizes), immediates, branch targets.
 * iced runs with its default options, those of an Intel CPU of today.
 */
import { CpuidFeature, Decoder, DecoderError, Instruction, MemorySizeExt, Mnemonic, OpKind, Register } from 'iced-x86';
import { decode, isInsn, mnemonicOf } from '../../frontend/x86-64/decoder.js';
import type { Insn, Operand } from '../../frontend/x86-64/insn.js';
import { cpuSides, missingFeatures, olderMeaning, otherNames } from './decoder-exceptions.js';

/** 'valid', 'invalid', 'truncated': both say so. 'no-row': an extension of iced's that has no row. 'different': `what` says in which way. */
export type Verdict =
  | { readonly kind: 'valid'; readonly insn: Insn }
  | { readonly kind: 'invalid' | 'truncated' }
  | { readonly kind: 'no-row'; readonly feature: string }
  | { readonly kind: 'different'; readonly what: string };

interface RegisterName {
  readonly kind: Operand['kind'];
  readonly reg: number;
  readonly size: number;
  readonly high8: boolean;
}

const GPR_NAMES: Readonly<Record<1 | 2 | 4 | 8, readonly string[]>> = {
  1: 'AL CL DL BL SPL BPL SIL DIL R8L R9L R10L R11L R12L R13L R14L R15L'.split(' '),
  2: 'AX CX DX BX SP BP SI DI R8W R9W R10W R11W R12W R13W R14W R15W'.split(' '),
  4: 'EAX ECX EDX EBX ESP EBP ESI EDI R8D R9D R10D R11D R12D R13D R14D R15D'.split(' '),
  8: 'RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15'.split(' '),
};
const HIGH8 = ['AH', 'CH', 'DH', 'BH'];
const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];

function registerNames(): ReadonlyMap<number, RegisterName> {
  const names = new Map<string, RegisterName>();
  for (const size of [1, 2, 4, 8] as const)
    GPR_NAMES[size].forEach((name, reg) => names.set(name, { kind: 'gpr', reg, size, high8: false }));
  HIGH8.forEach((name, reg) => names.set(name, { kind: 'gpr', reg, size: 1, high8: true }));
  SEGMENTS.forEach((name, reg) => names.set(name, { kind: 'seg', reg, size: 0, high8: false }));
  for (let reg = 0; reg < 16; reg++) {
    for (const [prefix, kind] of [
      ['XMM', 'xmm'],
      ['YMM', 'xmm'],
      ['MM', 'mmx'],
      ['ST', 'st'],
      ['CR', 'cr'],
      ['DR', 'dr'],
    ] as const)
      names.set(`${prefix}${reg}`, { kind, reg, size: prefix === 'YMM' ? 32 : 0, high8: false });
  }
  const byNumber = new Map<number, RegisterName>();
  for (const [name, value] of Object.entries(Register)) {
    const known = names.get(name);
    if (known !== undefined && typeof value === 'number') byNumber.set(value, known);
  }
  return byNumber;
}

const registers = registerNames();
const FLAT: ReadonlySet<Register> = new Set([Register.ES, Register.CS, Register.SS, Register.DS]);
const theirs = new Instruction();
const mnemonics = Mnemonic as unknown as Readonly<Record<number, string>>;
const features = CpuidFeature as unknown as Readonly<Record<number, string>>;
const registerEnum = Register as unknown as Readonly<Record<number, string>>;

/** Many strings of bytes in one buffer, so that iced's decoder is made once for all of them. */
export class OracleBatch {
  readonly #decoder: Decoder;
  readonly #reader: { bytes: Uint8Array; base: number; readable: (addr: number) => number };

  readonly #decode: typeof decode;

  /** `bytes` holds all strings; instruction `offset` is taken to stand at address `base + offset`. `decoder`: another than the one over all rows. */
  constructor(bytes: Uint8Array, base: number, decoder = decode) {
    this.#decode = decoder;
    this.#decoder = new Decoder(64, bytes, 0);
    this.#reader = { bytes, base, readable: (addr) => Math.max(0, bytes.length - (addr - base)) };
  }

  /** Decodes at `offset` with both and compares. */
  check(offset: number): Verdict {
    const addr = this.#reader.base + offset;
    this.#decoder.position = offset;
    this.#decoder.ip = BigInt(addr);
    this.#decoder.decodeOut(theirs);
    const ours = this.#decode(this.#reader, addr);
    if (theirs.isInvalid) {
      const wanted = this.#decoder.lastError === DecoderError.NoMoreBytes ? 'truncated' : 'invalid';
      if (isInsn(ours)) return { kind: 'different', what: `valid as ${describe(ours)}, iced says ${wanted}` };
      // Which of #UD, #GP and a fetch fault comes first is not iced's to say: its errors are compared loosely.
      return { kind: ours.kind === 'truncated' && wanted === 'truncated' ? 'truncated' : 'invalid' };
    }
    return compare(ours);
  }

  /** iced's instruction of the last check. */
  get theirs(): Instruction {
    return theirs;
  }

  free(): void {
    this.#decoder.free();
  }
}

function theirFeatures(): string[] {
  return Array.from(theirs.cpuidFeatures(), (feature) => features[feature] ?? String(feature));
}

function compare(ours: ReturnType<typeof decode>): Verdict {
  const theirName = (mnemonics[theirs.mnemonic] ?? '').toLowerCase();
  if (!isInsn(ours)) {
    const missing = theirFeatures().find((feature) => missingFeatures.has(feature));
    if (missing !== undefined) return { kind: 'no-row', feature: missing };
    return { kind: 'different', what: `${ours.kind}, iced says ${theirName} (${theirFeatures().join(' ')})` };
  }
  if (ours.length !== theirs.length)
    return {
      kind: 'different',
      what: `length ${ours.length} as ${describe(ours)}, iced says ${theirs.length} as ${theirName}`,
    };
  if ((olderMeaning.get(theirName) ?? cpuSides.get(theirName)) === mnemonicOf(ours))
    return { kind: 'valid', insn: ours };
  const problems = [...compareWhole(ours, theirName), ...compareOperands(ours)];
  if (problems.length > 0) return { kind: 'different', what: `${describe(ours)}: ${problems.join('; ')}` };
  return { kind: 'valid', insn: ours };
}

function compareWhole(ours: Insn, theirName: string): string[] {
  const problems: string[] = [];
  const name = mnemonicOf(ours);
  if (name !== theirName && otherNames.get(theirName) !== name) problems.push(`iced says ${theirName}`);
  if (ours.lock !== theirs.hasLockPrefix) problems.push(`lock ${ours.lock}, iced says ${theirs.hasLockPrefix}`);
  const opSize = theirs.opCode.operandSize;
  // Port input and output and the x87 environment have no 64-bit size: iced says 32 then, where ours is the size that the prefixes give.
  const own = /eAX|Xz|Yz|Me|Mf/.test(ours.row.operands) ? Math.min(ours.opSize, 4) : ours.opSize;
  if (opSize !== 0 && opSize !== own * 8) problems.push(`operand size ${ours.opSize}, iced says ${opSize} bits`);
  if (ours.row.attrs?.includes('rep')) {
    const rep = theirs.hasRepnePrefix ? 0xf2 : theirs.hasRepePrefix ? 0xf3 : 0;
    if (rep !== ours.rep) problems.push(`rep ${ours.rep}, iced says ${rep}`);
  }
  return problems;
}

function compareOperands(ours: Insn): string[] {
  const count = theirs.opCount;
  if (count !== ours.operands.length) return [`${ours.operands.length} operands, iced says ${count}`];
  const problems: string[] = [];
  ours.operands.forEach((operand, index) => {
    const problem = compareOperand(operand, index);
    if (problem !== undefined) problems.push(`operand ${index}: ${problem}`);
  });
  return problems;
}

function compareOperand(ours: Operand, index: number): string | undefined {
  switch (theirs.opKind(index)) {
    case OpKind.Register:
      return compareRegister(ours, theirs.opRegister(index));
    case OpKind.NearBranch64:
      if (ours.kind === 'rel' && ours.target === theirs.nearBranchTarget) return undefined;
      return `iced says target 0x${theirs.nearBranchTarget.toString(16)}`;
    case OpKind.Immediate8:
    case OpKind.Immediate8_2nd:
      return compareImmediate(ours, theirs.immediate(index), 1);
    case OpKind.Immediate16:
    case OpKind.Immediate8to16:
      return compareImmediate(ours, theirs.immediate(index), 2);
    case OpKind.Immediate32:
    case OpKind.Immediate8to32:
      return compareImmediate(ours, theirs.immediate(index), 4);
    case OpKind.Immediate64:
    case OpKind.Immediate8to64:
    case OpKind.Immediate32to64:
      return compareImmediate(ours, theirs.immediate(index), 8);
    case OpKind.Memory:
      return compareMemory(ours, {
        base: theirs.memoryBase,
        index: theirs.memoryIndex,
        scale: theirs.memoryIndexScale,
        disp: theirs.memoryDisplacement,
        seg: theirs.memorySegment,
      });
    case OpKind.MemorySegRSI:
      return compareImplied(ours, Register.RSI, theirs.memorySegment);
    case OpKind.MemorySegESI:
      return compareImplied(ours, Register.ESI, theirs.memorySegment);
    case OpKind.MemorySegRDI:
      return compareImplied(ours, Register.RDI, theirs.memorySegment);
    case OpKind.MemorySegEDI:
      return compareImplied(ours, Register.EDI, theirs.memorySegment);
    case OpKind.MemoryESRDI:
      return compareImplied(ours, Register.RDI, Register.ES);
    case OpKind.MemoryESEDI:
      return compareImplied(ours, Register.EDI, Register.ES);
    default:
      return `iced's operand kind ${theirs.opKind(index)} is not known`;
  }
}

function compareRegister(ours: Operand, register: Register): string | undefined {
  const wanted = registers.get(register);
  if (
    wanted !== undefined &&
    ours.kind === wanted.kind &&
    'reg' in ours &&
    ours.reg === wanted.reg &&
    (ours.kind !== 'xmm' || (ours.size === 32) === (wanted.size === 32)) &&
    (ours.kind !== 'gpr' || (ours.size === wanted.size && ours.high8 === wanted.high8))
  )
    return undefined;
  return `iced says ${registerEnum[register]}`;
}

function compareImmediate(ours: Operand, value: bigint, size: 1 | 2 | 4 | 8): string | undefined {
  const bits = size * 8;
  if (ours.kind === 'imm' && ours.size === size && BigInt.asUintN(bits, ours.value) === BigInt.asUintN(bits, value))
    return undefined;
  return `iced says immediate ${value} of ${size} bytes`;
}

interface TheirMemory {
  readonly base: Register;
  readonly index: Register;
  readonly scale: number;
  readonly disp: bigint;
  readonly seg: Register;
}

function compareImplied(ours: Operand, base: Register, seg: Register): string | undefined {
  return compareMemory(ours, { base, index: Register.None, scale: 1, disp: 0n, seg });
}

function compareMemory(ours: Operand, wanted: TheirMemory): string | undefined {
  if (ours.kind !== 'mem' && ours.kind !== 'vsib') return 'iced says memory';
  const problems: string[] = [];
  const part = (what: string, have: number, register: Register): void => {
    const known = registers.get(register);
    const absent = register === Register.None || register === Register.RIP || register === Register.EIP;
    const expected = absent ? -1 : (known?.reg ?? NaN);
    if (have !== expected) problems.push(`iced says ${what} ${registerEnum[register]}`);
  };
  part('base', ours.base, wanted.base);
  // xlat's al is the whole index; the size of the register does not tell the address size there.
  part('index', ours.index, wanted.index);
  if (ours.kind === 'vsib' && registers.get(wanted.index)?.size !== (ours.indexSize === 32 ? 32 : 0))
    problems.push(`iced says index ${registerEnum[wanted.index]}`);
  if (ours.index >= 0 && ours.scale !== wanted.scale) problems.push(`iced says scale ${wanted.scale}`);
  const bits = ours.addrSize * 8;
  if (BigInt.asUintN(bits, ours.disp) !== BigInt.asUintN(bits, wanted.disp))
    problems.push(`iced says displacement 0x${wanted.disp.toString(16)}`);
  const seg = (registerEnum[wanted.seg] ?? '').toLowerCase();
  // iced shows an explicit es, cs, ss or ds; it changes nothing in 64-bit mode, and ours is the default then.
  const ignored = FLAT.has(theirs.segmentPrefix) && ours.seg !== 'fs' && ours.seg !== 'gs';
  if (ours.seg !== seg && !ignored) problems.push(`iced says segment ${seg}`);
  const sized = registers.get(wanted.base) ?? (ours.kind === 'mem' ? registers.get(wanted.index) : undefined);
  const addrSize = wanted.base === Register.EIP ? 4 : wanted.base === Register.RIP ? 8 : (sized?.size ?? ours.addrSize);
  if (ours.addrSize !== addrSize) problems.push(`iced says address size ${addrSize}`);
  const size = MemorySizeExt.size(theirs.memorySize);
  if (ours.size !== size) problems.push(`size ${ours.size}, iced says ${size}`);
  return problems.length === 0 ? undefined : problems.join(', ');
}

const GPR_TEXT = GPR_NAMES[8].map((name) => name.toLowerCase());

/** An instruction for a report. */
export function describe(insn: Insn): string {
  const operands = insn.operands.map((operand) => {
    switch (operand.kind) {
      case 'gpr':
        return operand.high8
          ? (HIGH8[operand.reg] ?? '?').toLowerCase()
          : (GPR_NAMES[operand.size][operand.reg] ?? '?').toLowerCase();
      case 'vsib':
        return `${operand.seg}:[${GPR_TEXT[operand.base] ?? '-'}+v${operand.index}*${operand.scale}+0x${operand.disp.toString(16)}]:${operand.size}`;
      case 'mem':
        return `${operand.seg}:[${GPR_TEXT[operand.base] ?? '-'}+${GPR_TEXT[operand.index] ?? '-'}*${operand.scale}+0x${operand.disp.toString(16)}]:${operand.size}`;
      case 'imm':
        return `${operand.value}:${operand.size}`;
      case 'rel':
        return `0x${operand.target.toString(16)}`;
      default:
        return `${operand.kind}${operand.reg}`;
    }
  });
  return `${insn.lock ? 'lock ' : ''}${mnemonicOf(insn)} ${operands.join(', ')} [${insn.row.enc}]`;
}
