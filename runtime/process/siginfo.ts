/**
 * siginfo_t of x86-64, and the queues of pending signals of a task or a group. In: SigInfo. Out: its 128 bytes; enqueue, dequeue, flush.
 * All of the queue functions want the kernel mutex. Source: man 2 sigaction (siginfo_t), man 7 signal (real-time signals queue).
 */
import { SIGRTMIN, SI_QUEUE, SI_USER, sigBit, SYNCHRONOUS } from '../linux/signals.js';
import { AREA, SIGINFO, SIGINFO_BYTES } from './layout.js';
import { Timer } from './timer-record.js';
import type { Kernel } from './kernel.js';

/** A signal's information, by the member of the union that it fills. */
export type SigInfo =
  | { readonly kind: 'plain'; readonly signal: number; readonly code: number }
  | {
      readonly kind: 'kill';
      readonly signal: number;
      readonly code: number;
      readonly pid: number;
      readonly uid: number;
    }
  | {
      readonly kind: 'child';
      readonly signal: number;
      /** CLD_*. */
      readonly code: number;
      readonly pid: number;
      readonly uid: number;
      readonly status: number;
      /** Clock ticks (1/100 s). */
      readonly utime: number;
      readonly stime: number;
    }
  | { readonly kind: 'fault'; readonly signal: number; readonly code: number; readonly addr: bigint }
  /** `timer`: index of the timer in the kernel's table; `id` and `value` are the guest's. */
  | {
      readonly kind: 'timer';
      readonly signal: number;
      readonly code: number;
      readonly timer: number;
      readonly id: number;
      readonly value: bigint;
    }
  /** As rt_sigqueueinfo's caller gave it; si_signo is set to `signal`. */
  | { readonly kind: 'raw'; readonly signal: number; readonly code: number; readonly bytes: Uint8Array };

/** A task or a group: its pending mask and the first of the two words (head, tail) of its queue. */
export interface SignalHolder {
  pending: bigint;
  readonly queueWord: number;
}

/** Writes the 128 bytes of `info` at byte `at`. */
export function encodeSiginfo(view: DataView, at: number, info: SigInfo): void {
  for (let i = 0; i < SIGINFO_BYTES; i += 8) view.setBigInt64(at + i, 0n, true);
  switch (info.kind) {
    case 'plain':
      break;
    case 'kill':
      view.setInt32(at + 16, info.pid, true);
      view.setUint32(at + 20, info.uid, true);
      break;
    case 'child':
      view.setInt32(at + 16, info.pid, true);
      view.setUint32(at + 20, info.uid, true);
      view.setInt32(at + 24, info.status, true);
      view.setBigInt64(at + 32, BigInt(info.utime), true);
      view.setBigInt64(at + 40, BigInt(info.stime), true);
      break;
    case 'fault':
      view.setBigInt64(at + 16, BigInt.asIntN(64, info.addr), true);
      break;
    case 'timer':
      view.setInt32(at + 16, info.id, true);
      view.setBigInt64(at + 24, info.value, true);
      break;
    case 'raw':
      for (let i = 0; i < Math.min(SIGINFO_BYTES, info.bytes.length); i++) view.setUint8(at + i, info.bytes[i] ?? 0);
      break;
  }
  view.setInt32(at, info.signal, true);
  if (info.kind !== 'raw') view.setInt32(at + 4, 0, true);
  view.setInt32(at + 8, info.code, true);
}

/**
 * Puts the signal into the holder's pending set. Standard signals are pending once; real-time ones queue. False when there is no room for
 * a real-time signal with a value of the sender's (EAGAIN for sigqueue).
 */
export function enqueueSignal(kernel: Kernel, holder: SignalHolder, info: SigInfo): boolean {
  kernel.assertLocked();
  const bit = sigBit(info.signal);
  // Each timer's signal has its own place.
  if (info.kind !== 'timer' && info.signal < SIGRTMIN && (holder.pending & bit) !== 0n) return true;
  const node = kernel.allocSiginfo();
  if (node === 0) {
    if (info.signal >= SIGRTMIN && info.code === SI_QUEUE) return false;
    holder.pending |= bit;
    return true;
  }
  const { i32 } = kernel;
  const word = nodeWord(node);
  i32[word + SIGINFO.NEXT] = 0;
  i32[word + SIGINFO.SIGNAL] = info.signal;
  i32[word + SIGINFO.TIMER] = info.kind === 'timer' ? info.timer : 0;
  if (info.kind === 'timer') new Timer(kernel, info.timer).queued = true;
  encodeSiginfo(kernel.view, (word + SIGINFO.INFO) * 4, info);
  const tail = i32[holder.queueWord + 1] ?? 0;
  if (tail === 0) i32[holder.queueWord] = node;
  else i32[nodeWord(tail) + SIGINFO.NEXT] = node;
  i32[holder.queueWord + 1] = node;
  holder.pending |= bit;
  return true;
}

/** Takes one signal `signal` out of the holder's pending set and copies its siginfo into `out` (SIGINFO_BYTES). */
export function dequeueSignal(kernel: Kernel, holder: SignalHolder, signal: number, out: Uint8Array): void {
  kernel.assertLocked();
  const { i32 } = kernel;
  let taken = 0;
  let more = false;
  for (let prev = 0, node = i32[holder.queueWord] ?? 0; node !== 0;) {
    const next = i32[nodeWord(node) + SIGINFO.NEXT] ?? 0;
    if (i32[nodeWord(node) + SIGINFO.SIGNAL] === signal) {
      if (taken !== 0) {
        more = true;
        break;
      }
      taken = node;
      unlink(kernel, holder, prev, node, next);
    } else {
      prev = node;
    }
    node = next;
  }
  if (!more) holder.pending &= ~sigBit(signal);
  if (taken === 0) {
    // Its node did not fit in the table when it was sent: a signal without information, as Linux does.
    encodeSiginfo(new DataView(out.buffer, out.byteOffset, SIGINFO_BYTES), 0, {
      kind: 'kill',
      signal,
      code: SI_USER,
      pid: 0,
      uid: 0,
    });
    return;
  }
  out.set(kernel.siginfoBytes(taken));
  const timer = i32[nodeWord(taken) + SIGINFO.TIMER] ?? 0;
  if (timer !== 0) {
    const overrun = new Timer(kernel, timer).signalTaken();
    new DataView(out.buffer, out.byteOffset, SIGINFO_BYTES).setInt32(20, overrun, true);
  }
  kernel.freeSiginfo(taken);
}

/** Copies of the siginfo of queued signals, in the order of sending: at most `most`, from number `first` (0: the oldest) on. */
export function queuedSignals(kernel: Kernel, holder: SignalHolder, first: number, most: number): Uint8Array[] {
  kernel.assertLocked();
  const { i32 } = kernel;
  const found: Uint8Array[] = [];
  let n = 0;
  for (let node = i32[holder.queueWord] ?? 0; node !== 0 && found.length < most; n++) {
    if (n >= first) found.push(kernel.siginfoBytes(node).slice());
    node = i32[nodeWord(node) + SIGINFO.NEXT] ?? 0;
  }
  return found;
}

/** Takes the first pending signal of `mask`, of the thread or its process: its number, 0 none; its siginfo goes into `out`. */
export function takePending(
  kernel: Kernel,
  task: SignalHolder & { readonly group: SignalHolder },
  mask: bigint,
  out: Uint8Array,
): number {
  const own = task.pending & mask;
  const signal = firstSignal(own) || firstSignal(task.group.pending & mask);
  if (signal !== 0) dequeueSignal(kernel, (own & sigBit(signal)) !== 0n ? task : task.group, signal, out);
  return signal;
}

/** Drops the pending signals of `mask`. */
export function flushSignals(kernel: Kernel, holder: SignalHolder, mask: bigint): void {
  kernel.assertLocked();
  holder.pending &= ~mask;
  const { i32 } = kernel;
  for (let prev = 0, node = i32[holder.queueWord] ?? 0; node !== 0;) {
    const next = i32[nodeWord(node) + SIGINFO.NEXT] ?? 0;
    if ((sigBit(i32[nodeWord(node) + SIGINFO.SIGNAL] ?? 1) & mask) !== 0n) {
      unlink(kernel, holder, prev, node, next);
      const timer = i32[nodeWord(node) + SIGINFO.TIMER] ?? 0;
      if (timer !== 0) new Timer(kernel, timer).signalTaken();
      kernel.freeSiginfo(node);
    } else {
      prev = node;
    }
    node = next;
  }
}

/** Drops the queued signal of a timer that is set anew or deleted. */
export function dropTimerSignal(holder: SignalHolder, timer: Timer): void {
  const { kernel } = timer;
  kernel.assertLocked();
  const { i32 } = kernel;
  let dropped = 0;
  const left = new Set<number>();
  for (let prev = 0, node = i32[holder.queueWord] ?? 0; node !== 0;) {
    const word = nodeWord(node);
    const next = i32[word + SIGINFO.NEXT] ?? 0;
    const signal = i32[word + SIGINFO.SIGNAL] ?? 0;
    if (i32[word + SIGINFO.TIMER] === timer.index) {
      unlink(kernel, holder, prev, node, next);
      kernel.freeSiginfo(node);
      dropped = signal;
    } else {
      left.add(signal);
      prev = node;
    }
    node = next;
  }
  if (dropped !== 0 && !left.has(dropped)) holder.pending &= ~sigBit(dropped);
  timer.queued = false;
}

/** Signal to take first out of `mask`: synchronous ones, then the lowest number; 0 none. */
export function firstSignal(mask: bigint): number {
  const urgent = mask & SYNCHRONOUS;
  const from = urgent !== 0n ? urgent : mask;
  const lo = Number(from & 0xffff_ffffn);
  if (lo !== 0) return 32 - Math.clz32(lo & -lo);
  const hi = Number(from >> 32n);
  return hi === 0 ? 0 : 64 - Math.clz32(hi & -hi);
}

function nodeWord(node: number): number {
  return (AREA.SIGINFOS + node * SIGINFO.BYTES) / 4;
}

function unlink(kernel: Kernel, holder: SignalHolder, prev: number, node: number, next: number): void {
  const { i32 } = kernel;
  if (prev === 0) i32[holder.queueWord] = next;
  else i32[nodeWord(prev) + SIGINFO.NEXT] = next;
  if (i32[holder.queueWord + 1] === node) i32[holder.queueWord + 1] = prev;
}
