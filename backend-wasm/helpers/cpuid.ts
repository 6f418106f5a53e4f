/**
 * CPUID, XGETBV's register and RDTSC. In: EAX and ECX in CPU state; the CPU model's leaves in the process control block (src/engine/cpuid-leaves.ts).
 * Out: EAX EBX ECX EDX in CPU state; a leaf that the model lacks is all zeros. Source: SDM 2A, CPUID.
 */
import { CPU_REGS, PCB_BASE, PCB_CPUID_COUNT, PCB_CPUID_TABLE } from '../interpreter/gen/constants';

@external('env', 'clock')
declare function clock(): i64;

/** Bytes of an entry (CPUID_ENTRY of src/guest/memory-map.ts). */
const ENTRY = 24;

function put(cpu: i32, a: u32, b: u32, c: u32, d: u32): void {
  const base = <usize>cpu + CPU_REGS;
  store<u64>(base, a);
  store<u64>(base + 8, c);
  store<u64>(base + 16, d);
  store<u64>(base + 24, b);
}

/** Address of the leaf's eax, ebx, ecx and edx; 0: all of them are 0. */
export function cpuidLeaf(leaf: u32, subleaf: i32): usize {
  let at = PCB_BASE + PCB_CPUID_TABLE;
  for (let n = load<i32>(PCB_BASE + PCB_CPUID_COUNT); n > 0; n--, at += ENTRY) {
    if (load<u32>(at) != leaf) continue;
    const which = load<i32>(at + 4);
    if (which == -1 || which == subleaf) return at + 8;
  }
  return 0;
}

export function cpuid(cpu: i32): void {
  const at = cpuidLeaf(load<u32>(<usize>cpu + CPU_REGS), load<i32>(<usize>cpu + CPU_REGS + 8));
  if (at == 0) put(cpu, 0, 0, 0, 0);
  else put(cpu, load<u32>(at), load<u32>(at + 4), load<u32>(at + 8), load<u32>(at + 12));
}

export function rdtsc(cpu: i32): i64 {
  return clock();
}
