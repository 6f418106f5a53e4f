/**
 * System V semaphores, in the kernel's buffer: sets, their values, who waits, what is undone when a process ends. In: operations. Out: values changed, tasks woken.
 * The caller holds the kernel mutex. Source: man 2 semget, semop, semctl; man 7 sysvipc.
 */
import { AREA, MAX_SEM_SETS, MAX_SEM_UNDOS, SEM_SET, SEM_UNDO } from './layout.js';
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

export class SemSet {
  private readonly word: number;

  constructor(
    private readonly kernel: Kernel,
    readonly index: number,
  ) {
    this.word = (AREA.SEM_SETS + index * SEM_SET.BYTES) / 4;
  }

  get(field: number): number {
    return this.kernel.i32[this.word + field] ?? 0;
  }
  set(field: number, value: number): void {
    this.kernel.i32[this.word + field] = value;
  }
  get used(): boolean {
    return this.get(SEM_SET.USED) !== 0;
  }
  get id(): number {
    return ((this.get(SEM_SET.LIVES) * MAX_SEM_SETS) & 0x7fff_ffff) + this.index;
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
  begin(key: number, count: number): void {
    const lives = this.get(SEM_SET.LIVES) + 1;
    this.kernel.i32.fill(0, this.word, this.word + SEM_SET.SEMS + 2 * count);
    this.set(SEM_SET.LIVES, lives);
    this.set(SEM_SET.KEY, key);
    this.set(SEM_SET.COUNT, count);
    this.set(SEM_SET.USED, 1);
  }

  /** The set goes; who waits for it finds that out. */
  end(): void {
    this.set(SEM_SET.USED, 0);
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

  /** The values are set anew: nothing of what processes would undo counts any more. `num` undefined: all. */
  dropUndos(num: number | undefined): void {
    dropUndos(this.kernel, this.index, num);
  }
}

export function* allSemSets(kernel: Kernel): Generator<SemSet> {
  for (let i = 0; i < MAX_SEM_SETS; i++) {
    const s = new SemSet(kernel, i);
    if (s.used) yield s;
  }
}

export function semSetOf(kernel: Kernel, id: number): SemSet | undefined {
  if (id < 0) return undefined;
  const s = new SemSet(kernel, id % MAX_SEM_SETS);
  return s.used && s.id === id ? s : undefined;
}

export function freeSemSet(kernel: Kernel): SemSet | undefined {
  for (let i = 0; i < MAX_SEM_SETS; i++) {
    const s = new SemSet(kernel, i);
    if (!s.used) return s;
  }
  return undefined;
}

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
