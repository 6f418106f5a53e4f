/**
 * The vsyscall page: a call of one of its three addresses is a system call of the caller's. In: the address of an instruction fetch that faulted. Out: the call done and returned from, or SIGSEGV.
 * The page is executed only: reading it faults, as with vsyscall=xonly. Source: Linux, Documentation/admin-guide/kernel-parameters.txt (vsyscall=); man 7 vdso.
 */
import { GPR } from '../guest/cpu-state.js';
import type { Thread } from '../../runtime/linux/thread.js';
import { SI_KERNEL, SIGSEGV } from '../../runtime/linux/signals.js';
import { forceSignal } from '../../runtime/process/signal-deliver.js';
import type { CpuRegisters } from './cpu-view.js';

/** Number of the system call, and the bytes that it stores where its arguments point. */
interface Entry {
  readonly nr: bigint;
  readonly stores: readonly (readonly [register: number, bytes: number])[];
}

const ENTRIES: ReadonlyMap<bigint, Entry> = new Map<bigint, Entry>([
  [
    0xffff_ffff_ff60_0000n,
    {
      nr: 96n,
      stores: [
        [GPR.RDI, 16],
        [GPR.RSI, 8],
      ],
    },
  ],
  [0xffff_ffff_ff60_0400n, { nr: 201n, stores: [[GPR.RDI, 8]] }],
  [
    0xffff_ffff_ff60_0800n,
    {
      nr: 309n,
      stores: [
        [GPR.RDI, 4],
        [GPR.RSI, 4],
      ],
    },
  ],
]);

/**
 * False where `address` is no entry of the page.
 * @param syscall does the system call that the registers name
 */
export function callVsyscall(thread: Thread, cpu: CpuRegisters, address: bigint, syscall: () => void): boolean {
  const entry = ENTRIES.get(address);
  if (entry === undefined) return false;
  const { mem } = thread;
  const sp = BigInt.asUintN(64, cpu.reg(GPR.RSP));
  const back = mem.readU64(Number(sp));
  const bad = entry.stores.some(([reg, size]) => {
    const to = Number(BigInt.asUintN(64, cpu.reg(reg)));
    return to !== 0 && !mem.canWrite(to, size);
  });
  if (back === undefined || bad) {
    forceSignal(thread, { kind: 'plain', signal: SIGSEGV, code: SI_KERNEL });
    return true;
  }
  cpu.setReg(GPR.RSP, BigInt.asIntN(64, sp + 8n));
  cpu.setReg(GPR.RAX, entry.nr);
  cpu.rip = back;
  syscall();
  return true;
}
