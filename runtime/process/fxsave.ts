/**
 * FXSAVE image and CPU state. In: a CPU block. Out: the 512 bytes that FXSAVE64 would store, and back. Source: Intel SDM volume 1, 10.5.1, table 10-2 (64-bit operand size).
 * The engine's FXSAVE instruction does the same in its helper; this one is for signal frames.
 */
import { CPU, MXCSR_START } from '../../src/guest/cpu-state.js';
import type { CpuView } from '../linux/thread.js';
import { zeroFill } from '../memory/zero.js';

export const FXSAVE_BYTES = 512;
/** Bits of MXCSR that may be set. */
export const MXCSR_MASK = 0xffff;
/** Bits of the control word that can be set, and one that always is. */
const [FCW_BITS, FCW_ALWAYS] = [0x1f3f, 0x40];
/** Of the status word: exception flags; error summary and busy, which follow from them and the control word's masks; TOP. */
const [EXCEPTIONS, SUMMARY, TOP] = [0x3f, 0x8080, 0x3800];
/** Values after FNINIT and at reset. */
const INIT_FCW = 0x37f;

/** Writes the image of `cpu` into `out`, all 0, which begins with it. `view`: of the buffer of `out`. */
export function saveFx(cpu: CpuView, out: Uint8Array, view: DataView): void {
  const at = out.byteOffset;
  const top = cpu.i32(CPU.FPTOP) & 7;
  view.setUint16(at, cpu.i32(CPU.FPCW), true);
  view.setUint16(at + 2, (cpu.i32(CPU.FPSW) & ~TOP) | (top << 11), true);
  view.setUint8(at + 4, ~cpu.i32(CPU.FPTAG) & 0xff);
  view.setUint16(at + 6, cpu.i32(CPU.FPOP) & 0x7ff, true);
  // Instruction and data pointer.
  for (let i = 0; i < 16; i += 4) view.setInt32(at + 8 + i, cpu.i32(CPU.FPIP + i), true);
  view.setUint32(at + 24, cpu.i32(CPU.MXCSR) >>> 0, true);
  view.setUint32(at + 28, MXCSR_MASK, true);
  for (let i = 0; i < 8; i++) {
    const [from, to] = [CPU.ST + ((top + i) & 7) * 16, at + 32 + i * 16];
    view.setInt32(to, cpu.i32(from), true);
    view.setInt32(to + 4, cpu.i32(from + 4), true);
    view.setUint16(to + 8, cpu.i32(from + 8) & 0xffff, true);
  }
  out.set(cpu.bytes.subarray(CPU.XMM, CPU.XMM + 256), 160);
}

/** Loads the image that `image` begins with. False, and nothing done, when MXCSR has reserved bits set (FXRSTOR would raise #GP). `view`: of the buffer of `image`. */
export function restoreFx(cpu: CpuView, image: Uint8Array, view: DataView): boolean {
  const at = image.byteOffset;
  const mxcsr = view.getUint32(at + 24, true);
  if ((mxcsr & ~MXCSR_MASK) !== 0) return false;
  const fcw = (view.getUint16(at, true) & FCW_BITS) | FCW_ALWAYS;
  const fsw = view.getUint16(at + 2, true);
  const top = (fsw >> 11) & 7;
  // A handler may have masked the exception that it was called for: it waits no longer then.
  const waits = (fsw & ~fcw & EXCEPTIONS) !== 0;
  cpu.setI32(CPU.FPCW, fcw);
  cpu.setI32(CPU.FPSW, (fsw & ~(TOP | SUMMARY)) | (waits ? SUMMARY : 0));
  cpu.setI32(CPU.FPTOP, top);
  cpu.setI32(CPU.FPTAG, ~view.getUint8(at + 4) & 0xff);
  cpu.setI32(CPU.FPOP, view.getUint16(at + 6, true) & 0x7ff);
  for (let i = 0; i < 16; i += 4) cpu.setI32(CPU.FPIP + i, view.getInt32(at + 8 + i, true));
  cpu.setI32(CPU.MXCSR, mxcsr);
  for (let i = 0; i < 8; i++) {
    const [from, to] = [at + 32 + i * 16, CPU.ST + ((top + i) & 7) * 16];
    cpu.setI32(to, view.getInt32(from, true));
    cpu.setI32(to + 4, view.getInt32(from + 4, true));
    cpu.setI32(to + 8, view.getUint16(from + 8, true));
  }
  cpu.bytes.set(image.subarray(160, 416), CPU.XMM);
  return true;
}

/** The state in which a program or a signal handler begins. */
export function initFpu(cpu: CpuView): void {
  initX87(cpu);
  zeroFill(cpu.bytes, CPU.XMM, CPU.XMM + 256);
  zeroFill(cpu.bytes, CPU.YMMH, CPU.YMMH + 256);
  cpu.setI32(CPU.MXCSR, MXCSR_START);
}

/** x87 alone in that state. */
export function initX87(cpu: CpuView): void {
  cpu.setI32(CPU.FPCW, INIT_FCW);
  cpu.setI32(CPU.FPSW, 0);
  cpu.setI32(CPU.FPTOP, 0);
  cpu.setI32(CPU.FPTAG, 0xff);
  cpu.setI32(CPU.FPOP, 0);
  zeroFill(cpu.bytes, CPU.FPIP, CPU.FPOP);
  zeroFill(cpu.bytes, CPU.ST, CPU.ST + 128);
}
