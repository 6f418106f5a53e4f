/**
 * XSAVE, XSAVEOPT, XSAVEC, XRSTOR, XGETBV. In: guest addresses, edx:eax (the requested components) and ecx in CPU state, XCR0 in the process control block. Out: the area, or the state; #GP and page faults.
 * Components: x87, SSE, AVX. AVX is the only one in the extended region, so that its place is the same in the standard and the compacted form.
 * Source: SDM volume 1, 13.4 (area), 13.6 (initial state), 13.7 to 13.10 (XSAVE, XRSTOR, XSAVEOPT, XSAVEC); 2D, XSAVE, XRSTOR, XGETBV.
 */
import {
  CPU_FPCW, CPU_FPDP, CPU_FPIP, CPU_FPOP, CPU_FPSW, CPU_FPTAG, CPU_FPTOP, CPU_MXCSR, CPU_REGS, CPU_ST, CPU_XMM, CPU_YMMH, EXC_GP, PCB_BASE, PCB_XCR0,
} from '../interpreter/gen/constants';
import { cpuidLeaf } from './cpuid';
import { exception, guardRead, guardWrite } from './guard';
import { loadX87, mxcsrIsBad, storeMxcsr, storeX87, x87_fninit } from './x87-control';

const RAX: usize = CPU_REGS;
const RCX: usize = CPU_REGS + 8;
const RDX: usize = CPU_REGS + 16;

/** Components, as bits of XCR0. */
const X87: u64 = 1;
const SSE: u64 = 2;
const AVX: u64 = 4;

const HEADER: usize = 512;
const XCOMP_BV: usize = 520;
const EXTENDED: usize = 576;
const AREA: u32 = 576;
const AVX_BYTES: u32 = 256;
const XMM_AREA: usize = 160;
const COMPACTED: u64 = 1 << 63;
const MXCSR_INITIAL: u32 = 0x1f80;
const FPCW_INITIAL: i32 = 0x37f;

/** Extensions, as bits of CPUID. */
const XSAVEC: u32 = 2;
const XGETBV1: u32 = 4;

// XSAVE's variants.
const OPTIMISED: i32 = 1;
const COMPACT: i32 = 2;

function isZero(at: usize, bytes: usize): bool {
  for (let i: usize = 0; i < bytes; i += 8) if (load<u64>(at + i) != 0) return false;
  return true;
}

/** Components that are not in their initial state. */
function inUse(c: usize): u64 {
  let used: u64 = 0;
  const x87 =
    load<i32>(c + CPU_FPCW) != FPCW_INITIAL || load<i32>(c + CPU_FPSW) != 0 || load<i32>(c + CPU_FPTOP) != 0 || load<i32>(c + CPU_FPTAG) != 0xff ||
    load<u64>(c + CPU_FPIP) != 0 || load<u64>(c + CPU_FPDP) != 0 || load<i32>(c + CPU_FPOP) != 0;
  if (x87 || !isZero(c + CPU_ST, 128)) used |= X87;
  if (!isZero(c + CPU_XMM, 256)) used |= SSE;
  if (!isZero(c + CPU_YMMH, 256)) used |= AVX;
  return used;
}

/** Whether CPUID offers an extension of XSAVE: a bit of leaf 0DH, subleaf 1, eax. */
function offers(bit: u32): bool {
  const at = cpuidLeaf(0xd, 1);
  return at != 0 && (load<u32>(at) & bit) != 0;
}

// @ts-ignore: decorator
@inline
function requested(c: usize): u64 {
  return (<u64>load<u32>(c + RDX) << 32 | <u64>load<u32>(c + RAX)) & <u64>load<u32>(PCB_BASE + PCB_XCR0);
}

export function xgetbv(cpu: i32): void {
  const c = <usize>cpu;
  const which = load<u32>(c + RCX);
  if (which > 1 || (which == 1 && !offers(XGETBV1))) {
    exception(c, EXC_GP);
    return;
  }
  const xcr0 = <u64>load<u32>(PCB_BASE + PCB_XCR0);
  store<u64>(c + RAX, which == 0 ? xcr0 : xcr0 & inUse(c));
  store<u64>(c + RDX, 0);
}

export function xsave(cpu: i32, address: i64, variant: i32, wide: i32): void {
  const c = <usize>cpu;
  const asked = requested(c);
  let used = asked & inUse(c);
  // XSAVEC takes an MXCSR that is not the initial one for a use of SSE.
  if (variant == COMPACT && (asked & SSE) != 0 && load<u32>(c + CPU_MXCSR) != MXCSR_INITIAL) used |= SSE;
  const saved = variant == 0 ? asked : used;
  const p = guardWrite(c, <u64>address, AREA + ((asked & AVX) != 0 ? AVX_BYTES : 0));
  if (p == 0) return;
  if ((saved & X87) != 0) storeX87(c, p, wide);
  if ((saved & SSE) != 0) memory.copy(p + XMM_AREA, c + CPU_XMM, 256);
  if (variant == COMPACT ? (saved & SSE) != 0 : (asked & (SSE | AVX)) != 0) storeMxcsr(c, p);
  if ((saved & AVX) != 0) memory.copy(p + EXTENDED, c + CPU_YMMH, AVX_BYTES);
  if (variant == COMPACT) {
    store<u64>(p + HEADER, used);
    store<u64>(p + XCOMP_BV, asked | COMPACTED);
  } else store<u64>(p + HEADER, (load<u64>(p + HEADER) & ~asked) | used);
}

/** True when the header is none that XRSTOR takes. */
function headerIsBad(p: usize): bool {
  const xcr0 = <u64>load<u32>(PCB_BASE + PCB_XCR0);
  const held = load<u64>(p + HEADER);
  const layout = load<u64>(p + XCOMP_BV);
  if (layout >> 63 == 0) return (held & ~xcr0) != 0 || layout != 0 || load<u64>(p + HEADER + 16) != 0;
  return !offers(XSAVEC) || (layout & ~COMPACTED & ~xcr0) != 0 || (held & ~layout) != 0 || !isZero(p + HEADER + 16, 48);
}

export function xrstor(cpu: i32, address: i64, wide: i32): void {
  const c = <usize>cpu;
  const asked = requested(c);
  let p = guardRead(c, <u64>address, AREA);
  if (p == 0) return;
  const held = load<u64>(p + HEADER);
  const isCompacted = load<u64>(p + XCOMP_BV) >> 63 != 0;
  const takesMxcsr = isCompacted ? (asked & held & SSE) != 0 : (asked & (SSE | AVX)) != 0;
  if (headerIsBad(p) || (takesMxcsr && mxcsrIsBad(p))) {
    exception(c, EXC_GP);
    return;
  }
  if ((asked & held & AVX) != 0) {
    p = guardRead(c, <u64>address, AREA + AVX_BYTES);
    if (p == 0) return;
  }
  if ((asked & X87) != 0) {
    if ((held & X87) != 0) loadX87(c, p, wide);
    else initialX87(cpu);
  }
  if ((asked & SSE) != 0) {
    if ((held & SSE) != 0) memory.copy(c + CPU_XMM, p + XMM_AREA, 256);
    else memory.fill(c + CPU_XMM, 0, 256);
  }
  if (takesMxcsr) store<u32>(c + CPU_MXCSR, load<u32>(p + 24));
  else if (isCompacted && (asked & SSE) != 0) store<u32>(c + CPU_MXCSR, MXCSR_INITIAL);
  if ((asked & AVX) != 0) {
    if ((held & AVX) != 0) memory.copy(c + CPU_YMMH, p + EXTENDED, AVX_BYTES);
    else memory.fill(c + CPU_YMMH, 0, AVX_BYTES);
  }
}

/** As after FNINIT, and the registers zero. */
function initialX87(cpu: i32): void {
  x87_fninit(cpu);
  memory.fill(<usize>cpu + CPU_ST, 0, 128);
}
