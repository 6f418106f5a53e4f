/**
 * Signal actions, shared by the tasks of a CLONE_SIGHAND family. In: the index. Out: SigHand. Actions are read and written under the kernel mutex.
 * Source: man 2 rt_sigaction.
 */
import { AREA, NSIG, SIGHAND } from './layout.js';
import type { Kernel } from './kernel.js';
import { KernelRecord } from './record.js';

export const SIG_DFL = 0n;
export const SIG_IGN = 1n;

export const SA = {
  NOCLDSTOP: 1,
  NOCLDWAIT: 2,
  SIGINFO: 4,
  RESTORER: 0x0400_0000,
  ONSTACK: 0x0800_0000,
  RESTART: 0x1000_0000,
  NODEFER: 0x4000_0000,
  RESETHAND: 0x8000_0000,
} as const;

/** A struct kernel_sigaction; all 64 bits, unsigned. */
export interface SigAction {
  readonly handler: bigint;
  readonly flags: bigint;
  readonly restorer: bigint;
  readonly mask: bigint;
}

export class SigHand extends KernelRecord {
  constructor(kernel: Kernel, index: number) {
    super(kernel, index, AREA.SIGHANDS + index * SIGHAND.BYTES);
  }

  get refs(): number {
    return this.get(SIGHAND.REFS);
  }
  set refs(v: number) {
    this.set(SIGHAND.REFS, v);
  }

  /** `signal` is 1..64. */
  action(signal: number): SigAction {
    const at = (signal - 1) * SIGHAND.ACTION_WORDS;
    return {
      handler: this.getU64(at + SIGHAND.HANDLER),
      flags: this.getU64(at + SIGHAND.FLAGS),
      restorer: this.getU64(at + SIGHAND.RESTORER),
      mask: this.getU64(at + SIGHAND.MASK),
    };
  }

  handler(signal: number): bigint {
    return this.getU64((signal - 1) * SIGHAND.ACTION_WORDS + SIGHAND.HANDLER);
  }

  setAction(signal: number, action: SigAction): void {
    const at = (signal - 1) * SIGHAND.ACTION_WORDS;
    this.setI64(at + SIGHAND.HANDLER, BigInt.asIntN(64, action.handler));
    this.setI64(at + SIGHAND.FLAGS, BigInt.asIntN(64, action.flags));
    this.setI64(at + SIGHAND.RESTORER, BigInt.asIntN(64, action.restorer));
    this.setI64(at + SIGHAND.MASK, BigInt.asIntN(64, action.mask));
  }

  /** Copies all actions of `from` (clone without CLONE_SIGHAND). */
  copyFrom(from: SigHand): void {
    for (let s = 1; s <= NSIG; s++) this.setAction(s, from.action(s));
  }

  /** After execve: handlers become SIG_DFL, SIG_IGN stays. */
  flushHandlers(): void {
    for (let s = 1; s <= NSIG; s++) {
      if (this.handler(s) !== SIG_IGN) this.setAction(s, { handler: SIG_DFL, flags: 0n, restorer: 0n, mask: 0n });
    }
  }
}
