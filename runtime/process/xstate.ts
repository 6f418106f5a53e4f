/**
 * The extended state in a signal frame, as Linux lays it out: an FXSAVE image, behind it the XSAVE header and the upper halves of ymm, and a closing magic number. In: a CPU block, guest memory.
 * Out: bytes, and back. Without XSAVE it is the FXSAVE image alone. Source: uapi/asm/sigcontext.h (struct _fpx_sw_bytes, _xstate), Intel SDM volume 1, 13.4 (area).
 */
import { CPU } from '../../src/guest/cpu-state.js';
import { PCB, PCB_BASE } from '../../src/guest/memory-map.js';
import type { GuestMemory } from '../linux/context.js';
import type { CpuView } from '../linux/thread.js';
import { FXSAVE_BYTES, initX87, restoreFx, saveFx } from './fxsave.js';

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
function xcr0(cpu: CpuView): number {
  return new DataView(cpu.bytes.buffer).getInt32(PCB_BASE + PCB.XCR0, true);
}

/** Bytes of the XSAVE area. */
const areaBytes = (features: number): number => EXTENDED + ((features & AVX) === 0 ? 0 : YMMH_BYTES);

/** True when frames hold more than an FXSAVE image (UC_FP_XSTATE). */
export function hasXstate(cpu: CpuView): boolean {
  return xcr0(cpu) !== 0;
}

/** Bytes in a frame. */
export function stateBytes(cpu: CpuView): number {
  const features = xcr0(cpu);
  return features === 0 ? FXSAVE_BYTES : areaBytes(features) + MAGIC2_BYTES;
}

/** The state as a frame holds it. */
export function saveState(cpu: CpuView): Uint8Array {
  const features = xcr0(cpu);
  const out = new Uint8Array(stateBytes(cpu));
  saveFx(cpu, out, 0);
  if (features === 0) return out;
  const view = new DataView(out.buffer);
  const size = areaBytes(features);
  const ymmh = cpu.bytes.subarray(CPU.YMMH, CPU.YMMH + YMMH_BYTES);
  const hasAvx = (features & AVX) !== 0 && ymmh.some((byte) => byte !== 0);
  view.setUint32(SW.MAGIC1, MAGIC1, true);
  view.setUint32(SW.EXTENDED_SIZE, size + MAGIC2_BYTES, true);
  view.setBigUint64(SW.XFEATURES, BigInt(features), true);
  view.setUint32(SW.XSTATE_SIZE, size, true);
  view.setBigUint64(HEADER, BigInt(hasAvx ? FPSSE | AVX : FPSSE), true);
  if (hasAvx) out.set(ymmh, EXTENDED);
  view.setUint32(size, MAGIC2, true);
  return out;
}

/** Restores from a frame. False, and nothing done, when it can't be read or MXCSR or the header is bad. */
export function restoreState(cpu: CpuView, mem: GuestMemory, at: number): boolean {
  const image = mem.read(at, FXSAVE_BYTES);
  if (image === undefined) return false;
  const features = xcr0(cpu);
  const size = features === 0 ? 0 : xstateSize(mem, at, image, areaBytes(features));
  // Without the magic numbers, a frame of FXSAVE: what it does not hold is initial.
  const header = size === 0 ? undefined : mem.read(at + HEADER, 64);
  if (size !== 0 && header === undefined) return false;
  const held = header === undefined ? BigInt(FPSSE) : new DataView(header.buffer).getBigUint64(0, true);
  if ((held & ~BigInt(features === 0 ? FPSSE : features)) !== 0n) return false;
  if (header?.subarray(8, 24).some((byte) => byte !== 0) === true) return false;
  const wanted = size === 0 ? FPSSE : new DataView(image.buffer).getUint32(SW.XFEATURES, true);
  const taken = Number(held) & wanted;
  const ymmh = (taken & AVX) === 0 ? undefined : mem.read(at + EXTENDED, YMMH_BYTES);
  if ((taken & AVX) !== 0 && ymmh === undefined) return false;
  if (!restoreFx(cpu, image, 0)) return false;
  if ((taken & 1) === 0) initX87(cpu);
  if ((taken & 2) === 0) cpu.bytes.fill(0, CPU.XMM, CPU.XMM + 256);
  if (ymmh === undefined) cpu.bytes.fill(0, CPU.YMMH, CPU.YMMH + YMMH_BYTES);
  else cpu.bytes.set(ymmh, CPU.YMMH);
  return true;
}

/** Size of the area by the frame's own account; 0 when it has none that is sound. */
function xstateSize(mem: GuestMemory, at: number, image: Uint8Array, most: number): number {
  const view = new DataView(image.buffer, image.byteOffset);
  const size = view.getUint32(SW.XSTATE_SIZE, true);
  if (view.getUint32(SW.MAGIC1, true) !== MAGIC1 || size < EXTENDED || size > most) return 0;
  if (size > view.getUint32(SW.EXTENDED_SIZE, true)) return 0;
  return mem.readU32(at + size) === MAGIC2 ? size : 0;
}
