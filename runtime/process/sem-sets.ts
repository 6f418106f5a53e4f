/**
 * System V semaphores, in the kernel's buffer: sets, their values, who waits, what is undone when a process ends. In: operations. Out: values changed, tasks woken.
 * The caller holds the kernel mutex. Source: man 2 semget, semop, semctl; man 7 sysvipc.
 */
import { IpcRecord, IpcTable, type NewIpc } from './ipc-record.js';
import { AREA, IPC_OBJECT, MAX_SEM_SETS, MAX_SEM_UNDOS, SEM_SET, SEM_UNDO } from './layout.js';
import type { Kernel } from './kernel.js';

export const SEMVMX = 32767;

/** One operation of semop: semaphore, what is added (0: wait for zero), whether it is undone at the end. */
export interface SemOp {
  readonly num: number;
  readonly add: number;
  readonly undo: boolean;
  readonly noWait: boolean;
}

/** What keeps an array of operations from being done: the values (the index of the operation), or a limit. */
export type Attempt = 'done' | 'range' | 'full' | { readonly blockedAt: number };

export class SemSet extends IpcRecord {
  constructor(kernel: Kernel, index: number) {
    super(kernel, index, { start: AREA.SEM_SETS, bytes: SEM_SET.BYTES, most: MAX_SEM_SETS });
  }

  get count(): number {
    return this.get(SEM_SET.COUNT);
  }
  value(num: number): number {
    return this.get(SEM_SET.SEMS + 2 * num);
  }
  setValue(num: number, value: number, pid: number): void {
    this.set(SEM_SET.SEMS + 2 * num, value);
    this.set(SEM_SET.SEMS + 2 * num + 1, pid);
  }
  /** Process that changed it last. */
  pid(num: number): number {
    return this.get(SEM_SET.SEMS + 2 * num + 1);
  }

  /** Makes the record a new set of zeros. */
  begin(n: NewIpc, count: number): void {
    this.start(n);
    this.kernel.i32.fill(0, this.word + SEM_SET.SEMS, this.word + SEM_SET.SEMS + 2 * count);
    this.set(SEM_SET.COUNT, count);
    this.publish();
  }

  /** The set goes; who waits for it finds that out. */
  override end(): void {
    super.end();
    dropUndos(this.kernel, this.index, undefined);
    this.wake();
  }

  /** All operations or none. */
  attempt(ops: readonly SemOp[], group: number, pid: number): Attempt {
    const values = new Map<number, number>();
    for (const [i, { num, add }] of ops.entries()) {
      const now = values.get(num) ?? this.value(num);
      if (add === 0 ? now !== 0 : now + add < 0) return { blockedAt: i };
      if (now + add > SEMVMX) return 'range';
      values.set(num, now + add);
    }
    for (const { num, add, undo } of ops)
      if (undo && add !== 0 && !addUndo(this.kernel, group, this.index, num, -add)) return 'full';
    for (const [num, value] of values) this.setValue(num, value, pid);
    this.wake();
    return 'done';
  }

  /** Whoever waits for the set looks again. */
  wake(): void {
    for (const task of this.kernel.allTasks()) if (task.semSet === this.index + 1) this.kernel.wake(task.index);
  }

  /** Tasks that wait for semaphore `num` to become zero, or to grow. */
  waiting(num: number, zero: boolean): number {
    let count = 0;
    for (const task of this.kernel.allTasks())
      if (task.semSet === this.index + 1 && task.semWait === (zero ? -num - 1 : num + 1)) count++;
    return count;
  }

  /** Values have been set anew: nothing of what processes would undo counts any more. `num` undefined: all. */
  changed(num: number | undefined): void {
    dropUndos(this.kernel, this.index, num);
    this.stamp(IPC_OBJECT.CTIME);
    this.wake();
  }
}

export const semSets = new IpcTable(MAX_SEM_SETS, (kernel, index) => new SemSet(kernel, index));

const undoWord = (i: number): number => (AREA.SEM_UNDOS + i * SEM_UNDO.BYTES) / 4;

function addUndo(kernel: Kernel, group: number, set: number, num: number, add: number): boolean {
  const { i32 } = kernel;
  let free = -1;
  for (let i = 0; i < MAX_SEM_UNDOS; i++) {
    const w = undoWord(i);
    if (i32[w + SEM_UNDO.GROUP] === 0) {
      if (free < 0) free = w;
    } else if (i32[w + SEM_UNDO.GROUP] === group && i32[w + SEM_UNDO.SET] === set && i32[w + SEM_UNDO.NUM] === num) {
      i32[w + SEM_UNDO.ADD] = (i32[w + SEM_UNDO.ADD] ?? 0) + add;
      return true;
    }
  }
  if (free < 0) return false;
  i32.set([group, set, num, add], free);
  return true;
}

function dropUndos(kernel: Kernel, set: number, num: number | undefined): void {
  const { i32 } = kernel;
  for (let i = 0; i < MAX_SEM_UNDOS; i++) {
    const w = undoWord(i);
    if (i32[w + SEM_UNDO.SET] === set && (num === undefined || i32[w + SEM_UNDO.NUM] === num)) i32[w] = 0;
  }
}

/** A process has ended: what its operations with SEM_UNDO added up to is taken back, as far as values go. */
export function undoSems(kernel: Kernel, group: number, pid: number): void {
  const { i32 } = kernel;
  for (let i = 0; i < MAX_SEM_UNDOS; i++) {
    const w = undoWord(i);
    if (i32[w + SEM_UNDO.GROUP] !== group) continue;
    i32[w + SEM_UNDO.GROUP] = 0;
    const set = new SemSet(kernel, i32[w + SEM_UNDO.SET] ?? 0);
    const num = i32[w + SEM_UNDO.NUM] ?? 0;
    if (!set.used) continue;
    set.setValue(num, Math.min(SEMVMX, Math.max(0, set.value(num) + (i32[w + SEM_UNDO.ADD] ?? 0))), pid);
    set.wake();
  }
}
