/**
 * A mutex in shared memory (futex style: 0 free, 1 held, 2 held with waiters). In: an Int32Array and an index. Out: lock and unlock.
 * Lock order (ARCHITECTURE.md): stop the world, address space, translation. Sections are short and make no host call that can block.
 */

/** Runs `fn` with the mutex at `words[index]` held. */
export function withMutex<T>(words: Int32Array<SharedArrayBuffer>, index: number, fn: () => T): T {
  lockMutex(words, index);
  try {
    return fn();
  } finally {
    unlockMutex(words, index);
  }
}

export function lockMutex(words: Int32Array<SharedArrayBuffer>, index: number): void {
  if (Atomics.compareExchange(words, index, 0, 1) === 0) return;
  while (Atomics.exchange(words, index, 2) !== 0) Atomics.wait(words, index, 2);
}

export function unlockMutex(words: Int32Array<SharedArrayBuffer>, index: number): void {
  if (Atomics.exchange(words, index, 0) === 2) Atomics.notify(words, index, 1);
}
