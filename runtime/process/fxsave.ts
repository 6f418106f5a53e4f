/**
 * FXSAVE image and CPU state. In: a CPU block. Out: the 512 bytes that FXSAVE64 would store, and back. Source: Intel SDM volume 1, 10.5.1, table 10-2 (64-bit operand size).
 * The engine's FXSAVE instruction does the same in its helper; this one is for signal frames.
 */
import { CPU, MXCSR_START } from '../../src/guest/cpu-state.js';
import type { CpuView } from '../linux/thread.js';

export const FXSAVE_BYTES = 512;
/** Bits of MXCSR that may be set. */
export const MXCSR_MASK = 0xffff;
/** Bits of the control word that can be set, and one that always is. */
const [FCW_BITS, FCW_ALWAYS] = [0x1f3f, 0x40];
/** Of the status word: exception flags; error summary and busy, which follow from them and the control word's masks; TOP. */
const [EXCEPTIONS, SUMMARY, TOP] = [0x3f, 0x8080, 0x3800];
/** Values after FNINIT and at reset. */
const INIT_FCW = 0x37f;

/** Writes the image of `cpu` into `out` at byte `at`; bytes that FXSAVE leaves alone become 0. */
export function saveFx(cpu: CpuView, out: Uint8Array, at: number): void {
  const view = new DataView(out.buffer, out.byteOffset + at, FXSAVE_BYTES);
  out.fill(0, at, at + FXSAVE_BYTES);
  const top = cpu.i32(CPU.FPTOP) & 7;
  view.setUint16(0, cpu.i32(CPU.FPCW), true);
  view.setUint16(2, (cpu.i32(CPU.FPSW) & ~0x3800) | (top << 11), true);
  view.setUint8(4, ~cpu.i32(CPU.FPTAG) & 0xff);
  view.setUint16(6, cpu.i32(CPU.FPOP) & 0x7ff, true);
  out.set(cpu.bytes.subarray(CPU.FPIP, CPU.FPIP + 8), at + 8);
  out.set(cpu.bytes.subarray(CPU.FPDP, CPU.FPDP + 8), at + 16);
  view.setUint32(24, cpu.i32(CPU.MXCSR) >>> 0, true);
  view.setUint32(28, MXCSR_MASK, true);
  for (let i = 0; i < 8; i++) {
    const st = CPU.ST + ((top + i) & 7) * 16;
    out.set(cpu.bytes.subarray(st, st + 10), at + 32 + i * 16);
  }
  out.set(cpu.bytes.subarray(CPU.XMM, CPU.XMM + 256), at + 160);
}

/** Loads an image. False, and nothing done, when MXCSR has reserved bits set (FXRSTOR would raise #GP). */
export function restoreFx(cpu: CpuView, image: Uint8Array, at: number): boolean {
  const view = new DataView(image.buffer, image.byteOffset + at, FXSAVE_BYTES);
  const mxcsr = view.getUint32(24, true);
  if ((mxcsr & ~MXCSR_MASK) !== 0) return false;
  const fcw = (view.getUint16(0, true) & FCW_BITS) | FCW_ALWAYS;
  const fsw = view.getUint16(2, true);
  const top = (fsw >> 11) & 7;
  // A handler may have masked the exception that it was called for: it waits no longer then.
  const waits = (fsw & ~fcw & EXCEPTIONS) !== 0;
  cpu.setI32(CPU.FPCW, fcw);
  cpu.setI32(CPU.FPSW, (fsw & ~(TOP | SUMMARY)) | (waits ? SUMMARY : 0));
  cpu.setI32(CPU.FPTOP, top);
  cpu.setI32(CPU.FPTAG, ~view.getUint8(4) & 0xff);
  cpu.setI32(CPU.FPOP, view.getUint16(6, true) & 0x7ff);
  cpu.bytes.set(image.subarray(at + 8, at + 16), CPU.FPIP);
  cpu.bytes.set(image.subarray(at + 16, at + 24), CPU.FPDP);
  cpu.setI32(CPU.MXCSR, mxcsr);
  for (let i = 0; i < 8; i++) {
    cpu.bytes.set(image.subarray(at + 32 + i * 16, at + 42 + i * 16), CPU.ST + ((top + i) & 7) * 16);
  }
  cpu.bytes.set(image.subarray(at + 160, at + 416), CPU.XMM);
  return true;
}

/** The state in which a program or a signal handler begins. */
export function initFpu(cpu: CpuView): void {
  initX87(cpu);
  cpu.bytes.fill(0, CPU.XMM, CPU.XMM + 256);
  cpu.bytes.fill(0, CPU.YMMH, CPU.YMMH + 256);
  cpu.setI32(CPU.MXCSR, MXCSR_START);
}

/** x87 alone in that state. */
export function initX87(cpu: CpuView): void {
  cpu.setI32(CPU.FPCW, INIT_FCW);
  cpu.setI32(CPU.FPSW, 0);
  cpu.setI32(CPU.FPTOP, 0);
  cpu.setI32(CPU.FPTAG, 0xff);
  cpu.setI32(CPU.FPOP, 0);
  cpu.bytes.fill(0, CPU.FPIP, CPU.FPOP);
  cpu.bytes.fill(0, CPU.ST, CPU.ST + 128);
}
