/**
 * Futex queues, in the kernel's buffer: FIFO lists of waiting tasks by bucket. In: keys (address space and guest address, or shared file and offset) and the guest's word. Out: waits and wakes.
 * A task waits on one futex at a time, so it is its own list node. Source: man 2 futex.
 * The guest's word is read under the kernel mutex where its page is present (a load takes no lock), and changed outside of it. A page that is got from another process is read after all that
 * the other has stored to it: so a waiter that is queued, and then finds the word unchanged, is seen by whoever changes it.
 */
import { EAGAIN, EFAULT, EINVAL, ENOSYS, ERESTART_RESTARTBLOCK, ERESTARTSYS, ETIMEDOUT } from '../linux/errno.js';
import type { Thread } from '../linux/thread.js';
import { AREA, FUTEX_BUCKETS } from '../process/layout.js';
import type { Kernel } from '../process/kernel.js';
import type { Task } from '../process/task.js';
import { GUEST_END } from '../../src/guest/memory-map.js';
import { anyMultiWait, wakeMultiWaits } from './futex-queues.js';
import { park } from './park.js';

/** What makes two futex words the same one. */
export interface FutexKey {
  /** Address space index; of a word in a shared mapping: minus the index of its file (runtime/memory/shared-objects.ts). */
  readonly mm: number;
  /** Guest address, or offset in the file. */
  readonly addr: number;
}

export const FUTEX_BITSET_MATCH_ANY = -1;
/** What the word of a robust lock, or of one that inherits priorities, holds. */
export const FUTEX_WAITERS = 0x8000_0000 | 0;
export const FUTEX_OWNER_DIED = 0x4000_0000;
export const FUTEX_TID_MASK = 0x3fff_ffff;

/** Key of the futex at `addr`. `own`: the guest says that no other process uses the word (FUTEX_PRIVATE_FLAG). Takes PCB.MM_LOCK where the process has shared mappings. */
export function futexKey(t: Thread, addr: number, own: boolean): FutexKey {
  const place = own ? undefined : t.mm.sharedPlace(addr);
  return place === undefined ? { mm: t.task.mm, addr } : { mm: -place.object, addr: place.offset };
}

/** The word at `addr` as an int, atomically where it lies in the memory itself; undefined: EFAULT. `addr` is aligned to 4. */
export function loadWord(t: Thread, addr: number): number | undefined {
  if (addr >= GUEST_END) return t.mem.readI32(addr);
  if (!t.mem.canRead(addr, 4)) return undefined;
  return Atomics.load(memoryWords(t), addr / 4);
}

/** Replaces the word if it is `expected`. Gives what it was; undefined: EFAULT. */
export function compareExchangeWord(t: Thread, addr: number, expected: number, value: number): number | undefined {
  if (!t.mem.canWrite(addr, 4)) return undefined;
  if (addr < GUEST_END) return Atomics.compareExchange(memoryWords(t), addr / 4, expected, value);
  const seen = t.mem.readI32(addr);
  if (seen === expected && !t.mem.writeU32(addr, value >>> 0)) return undefined;
  return seen;
}

function memoryWords(t: Thread): Int32Array<SharedArrayBuffer> {
  const words = t.kernel.memory(t.task.mm);
  if (words === undefined) throw new RangeError(`address space ${t.task.mm} is not known to this worker`);
  return words;
}

/** Result of `queued` when the word's page is not at hand. */
const ABSENT = 1;

/** Enters the thread in the queue of the word if that is `expected`: 0, or a negative errno. */
export function enterQueue(t: Thread, addr: number, own: boolean, expected: number, bitset: number): number {
  for (;;) {
    // Often it has changed already, which needs no mutex.
    const now = loadWord(t, addr);
    if (now !== expected) return now === undefined ? -EFAULT : -EAGAIN;
    const state = queued(t, addr, futexKey(t, addr, own), expected, bitset);
    if (state !== ABSENT) return state;
  }
}

/** Enters the thread in the queue if the word is `expected`: 0; else a negative errno. ABSENT: the word can't be read under the mutex, since its page is another process's now. */
function queued(t: Thread, addr: number, key: FutexKey, expected: number, bitset: number): number {
  const { kernel, task } = t;
  return kernel.lock(() => {
    // Queued first: who changes the word sees the waiter from then on, and takes the mutex (mayHaveWaiters).
    enqueue(kernel, task, key, bitset);
    const absent = !t.mem.atHand(addr, 4, false);
    const value = absent ? undefined : loadWord(t, addr);
    if (value === expected) return 0;
    dequeue(kernel, task);
    if (absent) return ABSENT;
    return value === undefined ? -EFAULT : -EAGAIN;
  });
}

/**
 * Sleeps while the word at `addr` is `expected`, until a wake whose bitset has a bit in common. 0, or a negative errno.
 * @param deadlineNs CLOCK_MONOTONIC; Infinity none
 * @param relative the deadline came from a relative timeout: an interrupted wait goes on through restart_syscall
 */
export function futexWait(
  t: Thread,
  addr: number,
  own: boolean,
  expected: number,
  bitset: number,
  deadlineNs: number,
  relative: boolean,
): number {
  const { kernel, task } = t;
  if (bitset === 0) return -EINVAL;
  const failure = enterQueue(t, addr, own, expected, bitset);
  if (failure < 0) return failure;
  const result = park(t, () => (task.futexBucket === 0 ? 0 : undefined), { deadlineNs });
  if (result === 0) return 0;
  const woken = kernel.lock(() => {
    if (task.futexBucket === 0) return true;
    dequeue(kernel, task);
    return false;
  });
  if (woken) return 0;
  if (result === 'timeout') return -ETIMEDOUT;
  if (deadlineNs === Infinity) return -ERESTARTSYS;
  if (!relative) return -ERESTARTSYS;
  task.restart = () => futexWait(t, addr, own, expected, bitset, deadlineNs, true);
  return -ERESTART_RESTARTBLOCK;
}

/** Wakes up to `count` waiters of the key (at least one, as Linux), first come first served. Gives how many; -EINVAL where one waits for a lock that inherits priorities. */
export function futexWake(kernel: Kernel, key: FutexKey, count: number, bitset = FUTEX_BITSET_MATCH_ANY): number {
  if (!mayHaveWaiters(kernel, key)) return 0;
  return kernel.lock(() => wakeLocked(kernel, key, Math.max(1, count), bitset));
}

/**
 * False: nobody waits in the key's bucket, who has not seen the word as it is now. Without the mutex, which costs more than all the rest of a wake for nobody: a waiter queues itself and reads the word
 * after that, the caller has changed the word and reads the queue; both by sequentially consistent accesses (the read is a read-modify-write, so that the guest's store comes before it).
 */
function mayHaveWaiters(kernel: Kernel, key: FutexKey): boolean {
  return Atomics.or(kernel.i32, bucketWord(bucketOf(key)), 0) !== 0 || anyMultiWait(kernel);
}

/** Waits for a lock that inherits priorities, or is to be moved to one. */
export const isForLock = (waiter: Task): boolean => waiter.futexOwner !== 0 || waiter.futexTargetMm !== 0;

export function wakeLocked(kernel: Kernel, key: FutexKey, count: number, bitset: number): number {
  let woken = 0;
  for (let i = kernel.i32[bucketWord(bucketOf(key))] ?? 0; i !== 0 && woken < count;) {
    const waiter = kernel.task(i);
    i = waiter.futexNext;
    if (!matches(waiter, key)) continue;
    if (isForLock(waiter)) return -EINVAL;
    if ((waiter.futexBitset & bitset) === 0) continue;
    dequeue(kernel, waiter);
    kernel.wake(waiter.index);
    woken++;
  }
  return woken + wakeMultiWaits(kernel, key, count - woken);
}

/** Result of `op` on the old value: FUTEX_OP_SET, ADD, OR, ANDN, XOR. Undefined: no such operation. */
function applyOp(op: number, old: number, arg: number): number | undefined {
  switch (op) {
    case 0:
      return arg;
    case 1:
      return (old + arg) | 0;
    case 2:
      return old | arg;
    case 3:
      return old & ~arg;
    case 4:
      return old ^ arg;
    default:
      return undefined;
  }
}

/** FUTEX_OP_CMP_EQ, NE, LT, LE, GT, GE. */
function compareOp(op: number, old: number, arg: number): boolean | undefined {
  switch (op) {
    case 0:
      return old === arg;
    case 1:
      return old !== arg;
    case 2:
      return old < arg;
    case 3:
      return old <= arg;
    case 4:
      return old > arg;
    case 5:
      return old >= arg;
    default:
      return undefined;
  }
}

/** FUTEX_WAKE_OP: changes the second word as `encoded` says, wakes waiters of the first, and those of the second if its old value compares. */
export function futexWakeOp(
  t: Thread,
  addr: number,
  addr2: number,
  own: boolean,
  wakeCount: number,
  wakeCount2: number,
  encoded: number,
): number {
  const { kernel } = t;
  const op = (encoded >>> 28) & 7;
  const cmp = (encoded >>> 24) & 15;
  let arg = (encoded << 8) >> 20;
  const cmpArg = (encoded << 20) >> 20;
  if ((encoded & 0x8000_0000) !== 0) arg = 1 << (arg & 31);
  if (applyOp(op, 0, arg) === undefined || compareOp(cmp, 0, 0) === undefined) return -ENOSYS;
  // The word is changed before the mutex is taken: a write may have to invalidate translated code, which stops the world.
  let old = loadWord(t, addr2);
  for (;;) {
    if (old === undefined) return -EFAULT;
    const seen = compareExchangeWord(t, addr2, old, applyOp(op, old, arg) ?? 0);
    if (seen === old) break;
    old = seen;
  }
  const holds = compareOp(cmp, old, cmpArg) === true;
  const [key, key2] = [futexKey(t, addr, own), futexKey(t, addr2, own)];
  return kernel.lock(() => {
    const woken = wakeLocked(kernel, key, Math.max(1, wakeCount), FUTEX_BITSET_MATCH_ANY);
    if (!holds || woken < 0) return woken;
    const more = wakeLocked(kernel, key2, Math.max(1, wakeCount2), FUTEX_BITSET_MATCH_ANY);
    return more < 0 ? more : woken + more;
  });
}

export function bucketOf(key: FutexKey): number {
  const lo = key.addr >>> 2;
  return (lo ^ (lo >>> 10) ^ Math.imul(key.mm, 0x9e37) ^ Math.floor(key.addr / 2 ** 32)) & (FUTEX_BUCKETS - 1);
}

export function bucketWord(bucket: number): number {
  return AREA.FUTEXES / 4 + bucket * 2;
}

export function matches(waiter: Task, key: FutexKey): boolean {
  return waiter.futexMm === key.mm && waiter.futexAddr === key.addr;
}

export function enqueue(kernel: Kernel, task: Task, key: FutexKey, bitset: number): void {
  const { i32 } = kernel;
  const bucket = bucketOf(key);
  const word = bucketWord(bucket);
  const last = i32[word + 1] ?? 0;
  task.futexMm = key.mm;
  task.futexAddr = key.addr;
  task.futexBitset = bitset;
  task.futexNext = 0;
  task.futexPrev = last;
  if (last === 0) Atomics.store(i32, word, task.index);
  else kernel.task(last).futexNext = task.index;
  i32[word + 1] = task.index;
  task.futexBucket = bucket + 1;
}

/** To the end of another queue. The thread, which may look meanwhile, is in a queue all the time. */
export function move(kernel: Kernel, task: Task, to: FutexKey): void {
  unlink(kernel, task);
  enqueue(kernel, task, to, task.futexBitset);
}

export function dequeue(kernel: Kernel, task: Task): void {
  unlink(kernel, task);
  task.futexBucket = 0;
}

function unlink(kernel: Kernel, task: Task): void {
  const { i32 } = kernel;
  const word = bucketWord(task.futexBucket - 1);
  const { futexNext, futexPrev } = task;
  if (futexPrev === 0) i32[word] = futexNext;
  else kernel.task(futexPrev).futexNext = futexNext;
  if (futexNext === 0) i32[word + 1] = futexPrev;
  else kernel.task(futexNext).futexPrev = futexPrev;
}
