/** Signal frames: layout, registers, masks, alternate stacks, restarts. Source: the layout in runtime/process/signal-frame.ts, man 7 signal. */
import { describe, expect, test } from '@jest/globals';
import { CPU, GPR } from '../../src/guest/cpu-state.js';
import { deliverFault, deliverPending, pendingSignals } from '../../runtime/process/signal-deliver.js';
import { sendToGroup, sendToTask } from '../../runtime/process/signal-send.js';
import { SA } from '../../runtime/process/sighand.js';
import type { Thread } from '../../runtime/linux/thread.js';
import { firstThread, MAPPED_END, STACK_TOP, sys } from '../support/fake-thread.js';

const HANDLER = 0x40_5000n;
const RESTORER = 0x40_6000n;
const SIGUSR1 = 10;
const SIGSEGV = 11;
const SCRATCH = 0x2_0000;

function handle(t: Thread, signal: number, flags = 0, mask = 0n): void {
  t.kernel.lock(() => {
    t.task.sighand.setAction(signal, {
      handler: HANDLER,
      flags: BigInt(flags | SA.RESTORER) & 0xffff_ffffn,
      restorer: RESTORER,
      mask,
    });
  });
}

function send(t: Thread, signal: number): void {
  sendToTask(t.kernel, t.task, { kind: 'kill', signal, code: -6, pid: 4459, uid: 1000 });
}

function u64(t: Thread, addr: number | bigint): bigint {
  return t.mem.readU64(Number(addr)) ?? -1n;
}

describe('frame', () => {
  test('layout, handler registers, and back', () => {
    const { t } = firstThread();
    handle(t, SIGUSR1, SA.SIGINFO, 1n << 1n);
    for (let r = 0; r < 16; r++) if (r !== GPR.RSP) t.cpu.setReg(r, 0x1111n * BigInt(r + 1));
    t.cpu.eflags = 0xcd5;
    t.cpu.bytes.fill(0x5a, CPU.XMM + 6 * 16, CPU.XMM + 7 * 16);
    t.cpu.setI32(CPU.FPCW, 0x27f);
    t.cpu.setI32(CPU.FPTOP, 5);
    t.cpu.setI32(CPU.FPTAG, 0x1f);
    t.cpu.bytes.fill(0x77, CPU.ST + 5 * 16, CPU.ST + 5 * 16 + 10);
    t.cpu.setI32(CPU.MXCSR, 0x9f80);
    t.task.blocked = 1n << 20n;
    const before = Uint8Array.from(t.cpu.bytes.subarray(0, CPU.CONTROL));
    send(t, SIGUSR1);
    expect(pendingSignals(t)).toBe(true);
    deliverPending(t);

    const frame = Number(t.cpu.reg(GPR.RSP));
    expect(frame % 16).toBe(8);
    expect(t.cpu.rip).toBe(HANDLER);
    expect(u64(t, frame)).toBe(RESTORER);
    expect(t.cpu.reg(GPR.RDI)).toBe(10n);
    expect(t.cpu.reg(GPR.RSI)).toBe(BigInt(frame + 312));
    expect(t.cpu.reg(GPR.RDX)).toBe(BigInt(frame + 8));
    expect(t.cpu.eflags & 0x400).toBe(0);
    expect(t.cpu.i32(CPU.MXCSR)).toBe(0x1f80);
    expect(t.cpu.i32(CPU.FPTAG)).toBe(0xff);
    // ucontext: flags, stack, registers, rip, mask.
    expect(u64(t, frame + 8)).toBe(6n);
    expect(t.mem.readI32(frame + 24 + 8)).toBe(2);
    const sc = frame + 48;
    expect(u64(t, sc)).toBe(0x1111n * 9n);
    expect(u64(t, sc + 8 * 8)).toBe(0x1111n * 8n);
    expect(u64(t, sc + 15 * 8)).toBe(BigInt(STACK_TOP));
    expect(u64(t, sc + 128)).toBe(0x40_1002n);
    expect(u64(t, sc + 136)).toBe(0xed7n);
    expect(u64(t, frame + 304)).toBe(1n << 20n);
    // siginfo.
    expect(t.mem.readI32(frame + 312)).toBe(10);
    expect(t.mem.readI32(frame + 312 + 8)).toBe(-6);
    expect(t.mem.readI32(frame + 312 + 16)).toBe(4459);
    // FXSAVE image above the frame, 64-byte aligned, below the red zone.
    const fx = Number(u64(t, sc + 184));
    expect(fx % 64).toBe(0);
    expect(fx).toBeGreaterThanOrEqual(frame + 440);
    expect(fx + 512).toBeLessThanOrEqual(STACK_TOP - 128);
    expect(t.mem.view.getUint16(fx, true)).toBe(0x27f);
    expect(t.mem.view.getUint16(fx + 2, true) >> 11).toBe(5);
    expect(t.mem.view.getUint8(fx + 4)).toBe(0xe0);
    expect(t.mem.view.getUint8(fx + 32)).toBe(0x77);
    expect(t.mem.view.getUint8(fx + 160 + 6 * 16)).toBe(0x5a);
    expect(t.mem.view.getUint32(fx + 28, true)).toBe(0xffff);
    // Mask of the handler: the old one, sa_mask, the signal itself.
    expect(t.task.blocked).toBe((1n << 20n) | (1n << 1n) | (1n << 9n));

    // The handler returns: ret takes the restorer off, which calls rt_sigreturn.
    t.cpu.setReg(GPR.RSP, BigInt(frame + 8));
    t.cpu.bytes.fill(0xee, CPU.XMM, CPU.XMM + 256);
    for (let r = 0; r < 16; r++) if (r !== GPR.RSP) t.cpu.setReg(r, -1n);
    sys(t, 15);
    expect(Uint8Array.from(t.cpu.bytes.subarray(0, CPU.CONTROL))).toEqual(before);
    expect(t.cpu.eflags).toBe(0xed7);
    expect(t.task.blocked).toBe(1n << 20n);
  });

  test('a handler may change what is restored', () => {
    const { t } = firstThread();
    handle(t, SIGUSR1);
    send(t, SIGUSR1);
    deliverPending(t);
    const frame = Number(t.cpu.reg(GPR.RSP));
    t.mem.writeU64(frame + 48 + 11 * 8, 4242n);
    t.mem.writeU64(frame + 48 + 128, 0x40_9999n);
    t.cpu.setReg(GPR.RSP, BigInt(frame + 8));
    sys(t, 15);
    expect(t.cpu.reg(GPR.RBX)).toBe(4242n);
    expect(t.cpu.rip).toBe(0x40_9999n);
  });

  test('SA_NODEFER, SA_RESETHAND', () => {
    const { t } = firstThread();
    handle(t, SIGUSR1, SA.NODEFER | SA.RESETHAND);
    send(t, SIGUSR1);
    deliverPending(t);
    expect(t.task.blocked).toBe(0n);
    expect(t.task.sighand.handler(SIGUSR1)).toBe(0n);
    send(t, SIGUSR1);
    deliverPending(t);
    expect(t.exiting).toEqual({ code: 0, signal: SIGUSR1 });
    expect(t.uncaught).toEqual([SIGUSR1]);
  });

  test('alternate stack', () => {
    const { t } = firstThread();
    const stack = 0x50_0000;
    t.mem.writeU64(SCRATCH, BigInt(stack));
    t.mem.writeU64(SCRATCH + 8, 0n);
    t.mem.writeU64(SCRATCH + 16, 1024n);
    expect(sys(t, 131, SCRATCH, 0)).toBe(-12);
    t.mem.writeU64(SCRATCH + 16, 8192n);
    expect(sys(t, 131, SCRATCH, 0)).toBe(0);
    handle(t, SIGUSR1, SA.ONSTACK);
    send(t, SIGUSR1);
    deliverPending(t);
    const frame = Number(t.cpu.reg(GPR.RSP));
    expect(frame).toBeGreaterThan(stack);
    expect(frame).toBeLessThan(stack + 8192);
    // On it now: SS_ONSTACK, and it can't be changed.
    expect(sys(t, 131, 0, SCRATCH + 64)).toBe(0);
    expect(t.mem.readI32(SCRATCH + 64 + 8)).toBe(1);
    expect(sys(t, 131, SCRATCH, 0)).toBe(-1);
    t.cpu.setReg(GPR.RSP, BigInt(frame + 8));
    sys(t, 15);
    expect(sys(t, 131, 0, SCRATCH + 64)).toBe(0);
    expect(t.mem.readI32(SCRATCH + 64 + 8)).toBe(0);
  });

  test('overflow of the alternate stack and an unwritable stack end in SIGSEGV', () => {
    const { t } = firstThread();
    t.cpu.setReg(GPR.RSP, BigInt(MAPPED_END + 0x10_0000));
    handle(t, SIGUSR1);
    send(t, SIGUSR1);
    deliverPending(t);
    expect(t.exiting).toEqual({ code: 0, signal: SIGSEGV });
  });

  test('no SA_RESTORER: SIGSEGV', () => {
    const { t } = firstThread();
    t.kernel.lock(() => {
      t.task.sighand.setAction(SIGUSR1, { handler: HANDLER, flags: 0n, restorer: 0n, mask: 0n });
    });
    send(t, SIGUSR1);
    deliverPending(t);
    expect(t.exiting).toEqual({ code: 0, signal: SIGSEGV });
  });
});

describe('faults', () => {
  test('SIGSEGV with si_addr, trapno, err and cr2', () => {
    const { t } = firstThread();
    handle(t, SIGSEGV, SA.SIGINFO);
    deliverFault(t, SIGSEGV, 1, 0xdead_b000, 14, 6);
    const frame = Number(t.cpu.reg(GPR.RSP));
    expect(t.cpu.rip).toBe(HANDLER);
    expect(t.mem.readI32(frame + 312 + 8)).toBe(1);
    expect(u64(t, frame + 312 + 16)).toBe(0xdead_b000n);
    const sc = frame + 48;
    expect(u64(t, sc + 152)).toBe(6n);
    expect(u64(t, sc + 160)).toBe(14n);
    expect(u64(t, sc + 176)).toBe(0xdead_b000n);
  });

  test('blocked or ignored: the process dies', () => {
    for (const ignore of [false, true]) {
      const { t } = firstThread();
      if (ignore)
        t.kernel.lock(() => {
          t.task.sighand.setAction(SIGSEGV, { handler: 1n, flags: 0n, restorer: 0n, mask: 0n });
        });
      else {
        handle(t, SIGSEGV);
        t.task.blocked = 1n << 10n;
      }
      deliverFault(t, SIGSEGV, 1, 0, 14, 4);
      expect(t.exiting).toEqual({ code: 0, signal: SIGSEGV });
      expect(t.uncaught).toEqual([SIGSEGV]);
    }
  });
});

describe('pending sets', () => {
  test('standard signals are pending once, real-time ones queue in order with their values', () => {
    const { kernel, t } = firstThread();
    const rt = 40;
    t.task.blocked = (1n << 9n) | (1n << 39n);
    send(t, SIGUSR1);
    send(t, SIGUSR1);
    for (const value of [7n, 8n, 9n]) {
      const info = new Uint8Array(128);
      new DataView(info.buffer).setInt32(8, -1, true);
      new DataView(info.buffer).setBigInt64(24, value, true);
      t.mem.write(SCRATCH, info);
      expect(sys(t, 129, 4459, rt, SCRATCH)).toBe(0);
    }
    expect(sys(t, 127, SCRATCH, 8)).toBe(0);
    expect(u64(t, SCRATCH)).toBe((1n << 9n) | (1n << 39n));
    const got: [number, bigint][] = [];
    t.mem.writeU64(SCRATCH + 256, (1n << 9n) | (1n << 39n));
    t.mem.write(SCRATCH + 512, new Uint8Array(16));
    for (;;) {
      const signal = sys(t, 128, SCRATCH + 256, SCRATCH, SCRATCH + 512, 8);
      if (signal < 0) break;
      got.push([signal, u64(t, SCRATCH + 24)]);
    }
    expect(got.map(([s]) => s)).toEqual([10, 40, 40, 40]);
    expect(got.slice(1).map(([, v]) => v)).toEqual([7n, 8n, 9n]);
    expect(kernel.task(1).pending | t.task.group.pending).toBe(0n);
  });

  test('ignored signals vanish, also those pending when the action becomes "ignore"', () => {
    const { t } = firstThread();
    send(t, 17);
    expect(t.task.pending).toBe(0n);
    t.task.blocked = 1n << 9n;
    send(t, SIGUSR1);
    t.mem.write(SCRATCH, new Uint8Array(32));
    t.mem.writeU64(SCRATCH, 1n);
    expect(sys(t, 13, SIGUSR1, SCRATCH, 0, 8)).toBe(0);
    expect(t.task.pending).toBe(0n);
  });

  test('several deliverable signals nest, the lowest first', () => {
    const { t } = firstThread();
    handle(t, SIGUSR1);
    handle(t, 12);
    t.task.blocked = ~0n & 0xfff_ffffn;
    sendToGroup(t.kernel, t.task.group, { kind: 'kill', signal: 12, code: 0, pid: 1, uid: 0 });
    sendToGroup(t.kernel, t.task.group, { kind: 'kill', signal: 10, code: 0, pid: 1, uid: 0 });
    t.mem.writeU64(SCRATCH, 0n);
    sys(t, 14, 2, SCRATCH, 0, 8);
    expect(t.cpu.reg(GPR.RDI)).toBe(12n);
    const frame = Number(t.cpu.reg(GPR.RSP));
    // Below it: the frame of 10, which was set up first and whose handler has not run an instruction.
    expect(u64(t, frame + 48 + 128)).toBe(HANDLER);
    expect(u64(t, frame + 48 + 8 * 8)).toBe(10n);
  });
});

describe('interrupted calls', () => {
  const PAUSE = 34;
  const NANOSLEEP = 35;

  function interrupt(t: Thread, flags: number, signal = SIGUSR1): void {
    handle(t, signal, flags);
    send(t, signal);
  }

  test('pause gives EINTR even with SA_RESTART', () => {
    const { t } = firstThread();
    interrupt(t, SA.RESTART);
    expect(sys(t, PAUSE)).toBe(0);
    const frame = Number(t.cpu.reg(GPR.RSP));
    expect(BigInt.asIntN(64, u64(t, frame + 48 + 13 * 8))).toBe(-4n);
    expect(u64(t, frame + 48 + 128)).toBe(0x40_1002n);
  });

  test('nanosleep gives EINTR and the rest; ended by a signal without handler it goes on through restart_syscall', () => {
    const { t } = firstThread();
    t.mem.writeU64(SCRATCH, 20n);
    t.mem.writeU64(SCRATCH + 8, 0n);
    interrupt(t, SA.RESTART);
    sys(t, NANOSLEEP, SCRATCH, SCRATCH + 16);
    const frame = Number(t.cpu.reg(GPR.RSP));
    expect(BigInt.asIntN(64, u64(t, frame + 48 + 13 * 8))).toBe(-4n);
    expect(Number(u64(t, SCRATCH + 16))).toBe(19);
    t.cpu.setReg(GPR.RSP, BigInt(frame + 8));
    sys(t, 15);
    // SIGCONT by default does nothing but wake.
    t.mem.writeU64(SCRATCH, 0n);
    t.mem.writeU64(SCRATCH + 8, 30_000_000n);
    sendToTask(t.kernel, t.task, { kind: 'kill', signal: 18, code: 0, pid: 1, uid: 0 });
    expect(sys(t, NANOSLEEP, SCRATCH, 0)).toBe(219);
    expect(t.cpu.rip).toBe(0x40_1000n);
    const start = performance.now();
    expect(sys(t, 219)).toBe(0);
    expect(performance.now() - start).toBeGreaterThan(20);
  });

  test('wait4 restarts with SA_RESTART, and gives EINTR without', () => {
    for (const flags of [SA.RESTART, 0]) {
      const { kernel, t } = firstThread();
      kernel.supervision = {
        startTask: () => undefined,
        kick: () => undefined,
        timerChanged: () => undefined,
        groupChanged: () => undefined,
      };
      expect(sys(t, 56, 0x100 | 17, 0x70_0000)).toBe(4460);
      interrupt(t, flags);
      sys(t, 61, -1, 0, 0, 0);
      const frame = Number(t.cpu.reg(GPR.RSP));
      expect(BigInt.asIntN(64, u64(t, frame + 48 + 13 * 8))).toBe(flags === 0 ? -4n : 61n);
      expect(u64(t, frame + 48 + 128)).toBe(flags === 0 ? 0x40_1002n : 0x40_1000n);
    }
  });

  test('sigsuspend: the handler runs with the old mask in its frame', () => {
    const { t } = firstThread();
    t.task.blocked = 1n << 9n;
    interrupt(t, 0);
    t.mem.writeU64(SCRATCH, 0n);
    sys(t, 130, SCRATCH, 8);
    const frame = Number(t.cpu.reg(GPR.RSP));
    expect(t.cpu.reg(GPR.RDI)).toBe(10n);
    expect(u64(t, frame + 304)).toBe(1n << 9n);
    t.cpu.setReg(GPR.RSP, BigInt(frame + 8));
    expect(sys(t, 15)).toBe(-4);
    expect(t.task.blocked).toBe(1n << 9n);
  });
});
