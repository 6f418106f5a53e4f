/**
 * CMPXCHG8B and CMPXCHG16B on guarded memory. In: the host address; registers in CPU state. Out: ZF (0 or 1); rDX:rAX are loaded when it is 0. Source: SDM 2A, CMPXCHG8B/CMPXCHG16B.
 */
import { CPU_REGS } from '../interpreter/gen/constants';
import { atomicCmpxchg8, lockSplit, unlockSplit } from './atomics';

const RAX: usize = CPU_REGS;
const RCX: usize = CPU_REGS + 8;
const RDX: usize = CPU_REGS + 16;
const RBX: usize = CPU_REGS + 24;

export function cmpxchg8b(cpu: i32, host: i32): i64 {
  const c = <usize>cpu;
  const expected: u64 = ((<u64>load<u32>(c + RDX)) << 32) | load<u32>(c + RAX);
  const value: u64 = ((<u64>load<u32>(c + RCX)) << 32) | load<u32>(c + RBX);
  const old = <u64>atomicCmpxchg8(host, <i64>expected, <i64>value);
  if (old == expected) return 1;
  store<u64>(c + RAX, old & 0xffffffff);
  store<u64>(c + RDX, old >> 32);
  return 0;
}

/** 16 bytes have no Wasm atomic: under the lock of split accesses. */
export function cmpxchg16b(cpu: i32, host: i32): i64 {
  const c = <usize>cpu;
  const p = <usize>host;
  lockSplit();
  const lo = load<u64>(p);
  const hi = load<u64>(p + 8);
  const equal = lo == load<u64>(c + RAX) && hi == load<u64>(c + RDX);
  if (equal) {
    store<u64>(p, load<u64>(c + RBX));
    store<u64>(p + 8, load<u64>(c + RCX));
  }
  unlockSplit();
  if (equal) return 1;
  store<u64>(c + RAX, lo);
  store<u64>(c + RDX, hi);
  return 0;
}
