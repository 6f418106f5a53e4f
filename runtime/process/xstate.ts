/**
 * The extended state in a signal frame, as Linux lays it out: an FXSAVE image, behind it the XSAVE header and the upper halves of ymm, and a closing magic number. In: a CPU block, guest memory.
 * Out: bytes, and back. Without XSAVE it is the FXSAVE image alone. Source: uapi/asm/sigcontext.h (struct _fpx_sw_bytes, _xstate), Intel SDM volume 1, 13.4 (area).
 */
import { CPU } from '../../src/guest/cpu-state.js';
import { PCB, PCB_BASE } from '../../src/guest/memory-map.js';
import type { GuestMemory } from '../linux/context.js';
import type { CpuView } from '../linux/thread.js';
import { zeroFill } from '../memory/zero.js';
import { FXSAVE_BYTES, initX87, MXCSR_MASK, restoreFx, saveFx } from './fxsave.js';

const HEADER = 512;
const EXTENDED = 576;
const YMMH_BYTES = 256;
const MAGIC1 = 0x4650_5853;
const MAGIC2 = 0x4650_5845;
const MAGIC2_BYTES = 4;
/** Software's bytes of the FXSAVE image. */
const SW = { MAGIC1: 464, EXTENDED_SIZE: 468, XFEATURES: 472, XSTATE_SIZE: 480 } as const;
const FPSSE = 3;
const AVX = 4;

/** XCR0 of the process; 0 without XSAVE. */
function xcr0(mem: GuestMemory): number {
  return mem.view.getInt32(PCB_BASE + PCB.XCR0, true);
}

/** Bytes of the XSAVE area. */
const areaBytes = (features: number): number => EXTENDED + ((features & AVX) === 0 ? 0 : YMMH_BYTES);

/** True when frames hold more than an FXSAVE image (UC_FP_XSTATE). */
export function hasXstate(mem: GuestMemory): boolean {
  return xcr0(mem) !== 0;
}

/** Bytes in a frame. */
export function stateBytes(mem: GuestMemory): number {
  const features = xcr0(mem);
  return features === 0 ? FXSAVE_BYTES : areaBytes(features) + MAGIC2_BYTES;
}

/** True when the upper half of some ymm is not 0. */
function usesAvx(cpu: CpuView): boolean {
  for (let at = 0; at < YMMH_BYTES; at += 4) if (cpu.i32(CPU.YMMH + at) !== 0) return true;
  return false;
}

/** Stores the state in a frame at guest address `at`. False when it can't be written. */
export function saveState(cpu: CpuView, mem: GuestMemory, at: number): boolean {
  const features = xcr0(mem);
  const out = mem.slice(at, stateBytes(mem), true);
  if (out === undefined) return false;
  const start = out.byteOffset;
  const { view } = mem;
  zeroFill(out, 0, out.length);
  saveFx(cpu, out, view);
  if (features === 0) return true;
  const size = areaBytes(features);
  const hasAvx = (features & AVX) !== 0 && usesAvx(cpu);
  view.setUint32(start + SW.MAGIC1, MAGIC1, true);
  view.setUint32(start + SW.EXTENDED_SIZE, size + MAGIC2_BYTES, true);
  view.setUint32(start + SW.XFEATURES, features, true);
  view.setUint32(start + SW.XSTATE_SIZE, size, true);
  view.setUint32(start + HEADER, hasAvx ? FPSSE | AVX : FPSSE, true);
  if (hasAvx) out.set(cpu.bytes.subarray(CPU.YMMH, CPU.YMMH + YMMH_BYTES), EXTENDED);
  view.setUint32(start + size, MAGIC2, true);
  return true;
}

/** Restores from a frame. False, and nothing done, when it can't be read or MXCSR or the header is bad. */
export function restoreState(cpu: CpuView, mem: GuestMemory, at: number): boolean {
  const image = mem.slice(at, FXSAVE_BYTES, false);
  if (image === undefined) return false;
  const { view } = mem;
  const start = image.byteOffset;
  const features = xcr0(mem);
  const size = features === 0 ? 0 : xstateSize(mem, at, start, areaBytes(features));
  // Without the magic numbers, a frame of FXSAVE: what it does not hold is initial.
  let held = FPSSE;
  if (size !== 0) {
    const header = mem.slice(at + HEADER, 64, false);
    if (header === undefined) return false;
    const from = header.byteOffset;
    held = view.getUint32(from, true);
    // Nothing else is held, nor are the bytes that must be 0 anything else.
    for (let i = 4; i < 24; i += 4) if (view.getUint32(from + i, true) !== 0) return false;
  }
  if ((held & ~(features === 0 ? FPSSE : features)) !== 0) return false;
  const wanted = size === 0 ? FPSSE : view.getUint32(start + SW.XFEATURES, true);
  const taken = held & wanted;
  const ymmh = (taken & AVX) === 0 ? undefined : mem.slice(at + EXTENDED, YMMH_BYTES, false);
  if ((taken & AVX) !== 0 && ymmh === undefined) return false;
  return loadParts(cpu, image, view, taken, ymmh);
}

/** Loads an FXSAVE image and upper halves of ymm; parts that are not in `taken` become initial. False, and nothing done, when MXCSR is bad. */
function loadParts(
  cpu: CpuView,
  image: Uint8Array,
  view: DataView,
  taken: number,
  ymmh: Uint8Array | undefined,
): boolean {
  if (!restoreFx(cpu, image, view)) return false;
  if ((taken & 1) === 0) initX87(cpu);
  if ((taken & 2) === 0) zeroFill(cpu.bytes, CPU.XMM, CPU.XMM + 256);
  if (ymmh === undefined) zeroFill(cpu.bytes, CPU.YMMH, CPU.YMMH + YMMH_BYTES);
  else cpu.bytes.set(ymmh, CPU.YMMH);
  return true;
}

/** Software's first bytes: in the area that a tracer sees, XCR0. */
const TRACER_XCR0 = SW.MAGIC1;

/** Bytes of the area that a tracer sees. */
export function tracedStateBytes(mem: GuestMemory): number {
  return areaBytes(xcr0(mem));
}

/** Stores the state as a tracer sees it in `out`, the whole area. `view`: of the buffer of `out`. */
export function saveTracedState(cpu: CpuView, mem: GuestMemory, out: Uint8Array, view: DataView): void {
  const start = out.byteOffset;
  const features = xcr0(mem);
  zeroFill(out, 0, out.length);
  saveFx(cpu, out, view);
  view.setUint32(start + TRACER_XCR0, features, true);
  const hasAvx = (features & AVX) !== 0 && usesAvx(cpu);
  view.setUint32(start + HEADER, hasAvx ? FPSSE | AVX : FPSSE, true);
  if (hasAvx) out.set(cpu.bytes.subarray(CPU.YMMH, CPU.YMMH + YMMH_BYTES), EXTENDED);
}

/** Loads what a tracer has stored. */
export function loadTracedState(cpu: CpuView, image: Uint8Array, view: DataView): void {
  const held = view.getUint32(image.byteOffset + HEADER, true);
  loadParts(cpu, image, view, held, (held & AVX) === 0 ? undefined : image.subarray(EXTENDED, EXTENDED + YMMH_BYTES));
}

/**
 * A tracer's `bytes` (the FXSAVE image, or the whole area) go into `image`, a tracee's state. False where they can't be loaded: reserved bits of MXCSR, or of the header.
 */
export function storeTracedState(image: Uint8Array, view: DataView, bytes: Uint8Array): boolean {
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = image.byteOffset;
  const features = view.getUint32(at + TRACER_XCR0, true) | FPSSE;
  if ((v.getUint32(24, true) & ~MXCSR_MASK) !== 0) return false;
  if (bytes.length === FXSAVE_BYTES) {
    image.set(bytes.subarray(0, SW.MAGIC1));
    view.setUint32(at + HEADER, view.getUint32(at + HEADER, true) | FPSSE, true);
    return true;
  }
  if ((v.getUint32(HEADER, true) & ~features) !== 0) return false;
  for (let i = 4; i < 64; i += 4) if (v.getUint32(HEADER + i, true) !== 0) return false;
  image.set(bytes.subarray(0, SW.MAGIC1));
  image.set(bytes.subarray(HEADER), HEADER);
  return true;
}

/** Size of the area by the frame's own account; 0 when it has none that is sound. `start`: where the image of `at` lies in the memory. */
function xstateSize(mem: GuestMemory, at: number, start: number, most: number): number {
  const { view } = mem;
  const size = view.getUint32(start + SW.XSTATE_SIZE, true);
  if (view.getUint32(start + SW.MAGIC1, true) !== MAGIC1 || size < EXTENDED || size > most) return 0;
  if (size > view.getUint32(start + SW.EXTENDED_SIZE, true)) return 0;
  return mem.readU32(at + size) === MAGIC2 ? size : 0;
}
