/**
 * Memory operands of all forms: base, index, scale, displacements of 8 and 32 bits, absolute, relative to rip, 32-bit addresses, gs. In: where the operand shall lie. Out: ModRM and what follows,
 * prefixes, and the instruction that makes an index small. Source: SDM 2A, 2.1.5, 2.2.1.6.
 */
import { GPR } from '../../../src/guest/cpu-state.js';
import { GS_BASE } from '../../support/sequence-state.js';
import { ALL_FLAGS, type InsnItem, type Reference } from './program.js';
import { pick, type Registers } from './registers.js';

export interface MemoryOperand {
  readonly prefixes: readonly number[];
  /** Bits X and B of REX. */
  readonly rex: number;
  /** ModRM without its reg field, SIB, displacement. */
  readonly bytes: readonly number[];
  /** Relative to the ModRM byte. */
  readonly reference?: Omit<Reference, 'size' | 'absolute'>;
  readonly before: readonly InsnItem[];
}

const RIP_RELATIVE = 0x05;
const [ADDRESS_SIZE, GS] = [0x67, 0x65] as const;

export const int32 = (value: number): number[] => [
  value & 0xff,
  (value >> 8) & 0xff,
  (value >> 16) & 0xff,
  (value >> 24) & 0xff,
];

/** ModRM, SIB and displacement of base + index * 2**scale + disp; -1 for none. */
export function addressBytes(
  base: number,
  index: number,
  scale: number,
  disp: number,
  wide = false,
): { bytes: number[]; rex: number } {
  const rex = (base > 7 ? 1 : 0) | (index > 7 ? 2 : 0);
  const sib = (scale << 6) | ((index < 0 ? 4 : index & 7) << 3) | (base < 0 ? 5 : base & 7);
  if (base < 0) return { bytes: [0x04, sib, ...int32(disp)], rex };
  const short = !wide && disp >= -128 && disp <= 127;
  const mod = !wide && disp === 0 && (base & 7) !== 5 ? 0 : short ? 0x40 : 0x80;
  const tail = mod === 0 ? [] : short ? [disp & 0xff] : int32(disp);
  if (index < 0 && (base & 7) !== 4) return { bytes: [mod | (base & 7), ...tail], rex };
  return { bytes: [mod | 4, sib, ...tail], rex };
}

/** AND r32, imm: the register is small from here on. */
export function maskRegister(reg: number, mask: number): InsnItem {
  return {
    kind: 'insn',
    bytes: [...(reg > 7 ? [0x41] : []), 0x81, 0xe0 | (reg & 7), ...int32(mask)],
    flow: 'next',
    flags: { reads: 0, kills: ALL_FLAGS, undefines: 0 },
  };
}

/** MOVZX r32, r8: the same without a change of flags. */
function zeroExtend(reg: number): InsnItem {
  return {
    kind: 'insn',
    bytes: [0x40 | (reg > 7 ? 5 : 0), 0x0f, 0xb6, 0xc0 | ((reg & 7) << 3) | (reg & 7)],
    flow: 'next',
    flags: { reads: 0, kills: 0, undefines: 0 },
  };
}

export interface Access {
  readonly size: number;
  readonly alignment: number;
  readonly writes: boolean;
  /** Bytes past the operand that may be accessed too. */
  readonly reach?: number;
}

export function memoryOperand(r: Registers, access: Access): MemoryOperand {
  const { random } = r;
  const { size, writes, reach = 0 } = access;
  const alignment = access.alignment > 1 && random(100) < r.faults ? 1 : access.alignment;
  const shallFault = random(100) < r.faults;
  if (shallFault && random(3) === 0) return wild(r);
  if (random(8) === 0 && !shallFault && !writes) return onStack(r, size, alignment);
  const at = (range: number): number =>
    shallFault ? r.faultAddress(size, alignment) : r.address(size + reach, alignment, range);
  const prefixes: number[] = [];
  if (random(12) === 0) prefixes.push(ADDRESS_SIZE);
  const segment = random(12) === 0 ? GS_BASE : 0;
  if (segment !== 0) prefixes.unshift(GS);
  else if (random(40) === 0) prefixes.unshift(pick(random, [0x2e, 0x36, 0x3e, 0x26]));
  const wide = random(6) === 0;
  const form = random(10);
  if (form === 0) return { prefixes, before: [], ...addressBytes(-1, -1, 0, at(0) - segment) };
  if (form === 1)
    return {
      prefixes,
      before: [],
      rex: 0,
      bytes: [RIP_RELATIVE, 0, 0, 0, 0],
      reference: { at: 1, target: { address: at(0) - segment } },
    };
  const walkers = r.walkers.filter((w) => w.unit % alignment === 0);
  const base = pick(random, [...r.bases, ...walkers, ...walkers]);
  if (form === 2 && r.indices.length > 0) {
    const index = pick(random, r.indices);
    const scale = random(4);
    return {
      prefixes,
      before: [],
      ...addressBytes(-1, index.reg, scale, at(0) - segment - index.value * (1 << scale)),
    };
  }
  if (form <= 4 && r.indices.length > 0) {
    const index = pick(random, r.indices);
    const scale = random(4);
    const disp = at(base.range) - segment - base.value - index.value * (1 << scale);
    return { prefixes, before: [], ...addressBytes(base.reg, index.reg, scale, disp, wide) };
  }
  if (form === 5) {
    const index = r.target();
    const scale = random(4);
    const unit = (1 << scale) % alignment === 0 || alignment === 1 ? 1 : alignment >> scale;
    // A multiple of what keeps the operand aligned; or any byte.
    const isByte = unit === 1 && scale === 0 && random(2) === 0;
    const mask = isByte ? 0xff : (pick(random, [3, 7, 15, 31]) * unit) | 0;
    const disp = at(base.range + (mask << scale)) - segment - base.value;
    return {
      prefixes,
      before: [isByte ? zeroExtend(index) : maskRegister(index, mask)],
      ...addressBytes(base.reg, index, scale, disp, wide),
    };
  }
  return { prefixes, before: [], ...addressBytes(base.reg, -1, 0, at(base.range) - segment - base.value, wide) };
}

/** [rsp + disp], at or above the top of the stack. */
function onStack(r: Registers, size: number, alignment: number): MemoryOperand {
  const disp = r.random(Math.max(1, 96 - size)) & ~(alignment - 1);
  return { prefixes: [], before: [], ...addressBytes(GPR.RSP, -1, 0, disp) };
}

/** Through a register that holds anything. */
function wild(r: Registers): MemoryOperand {
  const index = r.random(2) === 0 ? -1 : r.source();
  return {
    prefixes: [],
    before: [],
    ...addressBytes(r.target(), index === 4 ? -1 : index, r.random(4), r.random(256) - 128),
  };
}
