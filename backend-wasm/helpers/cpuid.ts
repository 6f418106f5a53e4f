/**
 * CPUID and RDTSC. In: EAX and ECX in CPU state. Out: EAX EBX ECX EDX in CPU state. The model offers what lift64 lifts: x86-64 up to SSE2, with CMPXCHG16B.
 * Source: SDM 2A, CPUID; AMD APM volume 3, appendix E (extended leaves).
 */
import { CPU_REGS } from '../interpreter/gen/constants';

@external('env', 'clock')
declare function clock(): i64;

/** FPU TSC MSR CX8 SEP-less CMOV MMX FXSR SSE SSE2 CLFSH and what comes with 64-bit mode. */
const EDX_1: u32 = (1 << 0) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 8) | (1 << 13) | (1 << 15) | (1 << 16) | (1 << 19) | (1 << 23) | (1 << 24) | (1 << 25) | (1 << 26);
/** CX16. */
const ECX_1: u32 = 1 << 13;
/** SYSCALL, NX, RDTSCP, long mode. */
const EDX_EXT: u32 = (1 << 11) | (1 << 20) | (1 << 27) | (1 << 29);
/** LAHF in 64-bit mode, 3DNow prefetches. */
const ECX_EXT: u32 = (1 << 0) | (1 << 8);

function put(cpu: i32, a: u32, b: u32, c: u32, d: u32): void {
  const base = <usize>cpu + CPU_REGS;
  store<u64>(base, a);
  store<u64>(base + 8, c);
  store<u64>(base + 16, d);
  store<u64>(base + 24, b);
}

export function cpuid(cpu: i32): void {
  const leaf = load<u32>(<usize>cpu + CPU_REGS);
  switch (leaf) {
    case 0:
      // "AuthenticAMD": glibc then takes cache sizes from the extended leaves.
      put(cpu, 1, 0x68747541, 0x444d4163, 0x69746e65);
      break;
    case 1:
      // Family 15, model 107, stepping 1, as QEMU's qemu64; CLFLUSH line of 64 bytes, one logical processor.
      put(cpu, 0x00060fb1, (8 << 8) | (1 << 16), ECX_1, EDX_1);
      break;
    case 0x80000000:
      put(cpu, 0x80000008, 0x68747541, 0x444d4163, 0x69746e65);
      break;
    case 0x80000001:
      put(cpu, 0x00060fb1, 0, ECX_EXT, EDX_EXT);
      break;
    case 0x80000002:
      // "lift64 virtual CPU"
      put(cpu, 0x7466696c, 0x76203436, 0x75747269, 0x43206c61);
      break;
    case 0x80000003:
      put(cpu, 0x00005550, 0, 0, 0);
      break;
    case 0x80000005:
      // First-level caches: 64 KiB, 2-way, 64-byte lines.
      put(cpu, 0x01ff01ff, 0x01ff01ff, 0x40020140, 0x40020140);
      break;
    case 0x80000006:
      // Second level: 512 KiB, 16-way.
      put(cpu, 0, 0x42004200, 0x02008140, 0);
      break;
    case 0x80000008:
      // 40 physical and 48 virtual address bits.
      put(cpu, 0x00003028, 0, 0, 0);
      break;
    default:
      put(cpu, 0, 0, 0, 0);
  }
}

export function rdtsc(cpu: i32): i64 {
  return clock();
}
