/**
 * Memory operands of all forms: base, index, scale, displacements of 8 and 32 bits, absolute, relative to rip, 32-bit addresses, gs. In: where the operand shall lie. Out: ModRM and what follows,
 * prefixes, and the instruction that makes an index small. Source: SDM 2A, 2.1.5, 2.2.1.6.
 */
import { GPR } from '../../../src/guest/cpu-state.js';
import { GS_BASE } from '../../support/sequence-state.js';
import { ALL_FLAGS, type InsnItem } from './program.js';
import { type Known, type MemoryOperand, pick, type Registers } from './registers.js';

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

/** Operands that were made last, for sequences to come back to: with another size, to write what was read. */
const MOST_RECENT = 6;

export function memoryOperand(r: Registers, access: Access): MemoryOperand {
  const { random } = r;
  if (r.only !== undefined) return closeTo(r, r.only, access);
  const again = random(3) === 0 ? recentOperand(r, access) : undefined;
  if (again !== undefined) return again;
  const { operand, address, base } = newOperand(r, access);
  if (operand.before.length === 0 && address !== undefined) {
    r.recent.push({ operand, address, ...(base === undefined ? {} : { base }) });
    if (r.recent.length > MOST_RECENT) r.recent.shift();
  }
  return operand;
}

const PAGE = 0x1000;

/** An operand of a group at `base`: there, or close to it; at an edge, most end with the page or a byte further. */
function closeTo(r: Registers, base: Known, { size, alignment }: Access): MemoryOperand {
  const { random } = r;
  const end = Math.ceil(base.value / PAGE) * PAGE;
  const address =
    random(3) === 0
      ? base.value
      : base === r.edge
        ? end - size + pick(random, [0, 0, 0, -1, -size, -8, 1])
        : base.value + pick(random, [-16, -8, -1, 1, 4, 8, 8, 16]);
  const down = ((address % alignment) + alignment) % alignment;
  return { prefixes: [], before: [], ...addressBytes(base.reg, -1, 0, address - down - base.value) };
}

/** One of the last operands, or one close to it: the same base, a few bytes further. */
function recentOperand(r: Registers, { alignment, size, reach = 0 }: Access): MemoryOperand | undefined {
  const { random } = r;
  const isLive = (k: Known | undefined): boolean =>
    k === undefined || k === r.edge || r.bases.includes(k) || r.walkers.includes(k);
  const usable = r.recent.filter(
    (x) => x.address % alignment === 0 && reach === 0 && isLive(x.base) && (x.base?.unit ?? 0) % alignment === 0,
  );
  const found = usable[random(usable.length + 1)];
  if (found === undefined) return undefined;
  const { base, address, operand } = found;
  if (base === undefined || random(2) === 0) return operand;
  const near = address + alignment * (random(5) - 2) + (alignment === 1 ? random(2 * size) - size : 0);
  return { prefixes: [], before: [], ...addressBytes(base.reg, -1, 0, near - base.value) };
}

interface Made {
  readonly operand: MemoryOperand;
  /** Where it lies, with the base at its lowest; undefined: not known. */
  readonly address?: number;
  readonly base?: Known;
}

function newOperand(r: Registers, access: Access): Made {
  const { random } = r;
  const { size, writes, reach = 0 } = access;
  const alignment = access.alignment > 1 && random(100) < r.faults ? 1 : access.alignment;
  const shallFault = random(100) < r.faults;
  const plain = random(5) === 0 ? withoutDisplacement(r, alignment) : undefined;
  if (plain !== undefined) return plain;
  if (shallFault && random(3) === 0) return { operand: wild(r) };
  if (random(8) === 0 && !shallFault && !writes) return { operand: onStack(r, size, alignment) };
  const at = (range: number): number =>
    shallFault ? r.faultAddress(size, alignment) : r.address(size + reach, alignment, range);
  const prefixes: number[] = [];
  if (random(12) === 0) prefixes.push(ADDRESS_SIZE);
  const segment = random(12) === 0 ? GS_BASE : 0;
  if (segment !== 0) prefixes.unshift(GS);
  else if (random(40) === 0) prefixes.unshift(pick(random, [0x2e, 0x36, 0x3e, 0x26]));
  const wide = random(6) === 0;
  const form = random(10);
  const made = (address: number, bytes: Pick<MemoryOperand, 'bytes' | 'rex'>, base?: Known): Made => ({
    operand: { prefixes, before: [], ...bytes },
    address,
    ...(base === undefined ? {} : { base }),
  });
  if (form === 0) {
    const address = at(0);
    return made(address, addressBytes(-1, -1, 0, address - segment));
  }
  if (form === 1) {
    const reference = { at: 1, target: { address: at(0) - segment } };
    return { operand: { prefixes, before: [], rex: 0, bytes: [RIP_RELATIVE, 0, 0, 0, 0], reference } };
  }
  const walkers = r.walkers.filter((w) => w.unit % alignment === 0);
  const base = pick(random, [...r.bases, ...walkers, ...walkers]);
  if (form <= 3 && r.indices.length > 0) {
    const index = pick(random, r.indices);
    const scale = random(4);
    const hasBase = form === 3 || random(2) === 0;
    const address = at(hasBase ? base.range : 0);
    const disp = address - segment - (hasBase ? base.value : 0) - index.value * (1 << scale);
    return made(
      address,
      addressBytes(hasBase ? base.reg : -1, index.reg, scale, disp, wide),
      hasBase ? base : undefined,
    );
  }
  if (form === 5) {
    const index = r.target();
    const scale = random(4);
    const unit = (1 << scale) % alignment === 0 || alignment === 1 ? 1 : alignment >> scale;
    // A multiple of what keeps the operand aligned; or any byte.
    const isByte = unit === 1 && scale === 0 && random(2) === 0;
    const mask = isByte ? 0xff : (pick(random, [3, 7, 15, 31]) * unit) | 0;
    const disp = at(base.range + (mask << scale)) - segment - base.value;
    const before = [isByte ? zeroExtend(index) : maskRegister(index, mask)];
    return { operand: { prefixes, before, ...addressBytes(base.reg, index, scale, disp, wide) } };
  }
  const address = at(base.range);
  return made(address, addressBytes(base.reg, -1, 0, address - segment - base.value, wide), base);
}

/** [base]: what merges checks knows the address again. */
function withoutDisplacement(r: Registers, alignment: number): Made | undefined {
  const { random, edge } = r;
  const list = [...r.bases, ...r.walkers, ...(edge === undefined || random(2) === 0 ? [] : [edge, edge])];
  const usable = list.filter((k) => k.value % alignment === 0 && k.unit % alignment === 0);
  const base = usable[random(usable.length + 1)];
  if (base === undefined) return undefined;
  return { operand: { prefixes: [], before: [], ...addressBytes(base.reg, -1, 0, 0) }, address: base.value, base };
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
