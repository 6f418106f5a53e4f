/**
 * Mutexes in shared memory that name their holder. A thread that dies within a section is a bug of ours and ends lift64 whole: none is taken over. In: an Int32Array, an index, the
 * caller's thread slot. Out: lock and unlock. Sections are short. Order: a description's offset lock, then the region's.
 */

const WAITED = 0x4000_0000;
/** Tries before the caller sleeps. */
const SPINS = 100;

/** Takes the mutex. Not recursive. */
export function lock(words: Int32Array, index: number, slot: number): void {
  const me = slot + 1;
  if (Atomics.compareExchange(words, index, 0, me) === 0) return;
  for (let i = 0; i < SPINS; i++) {
    if (Atomics.load(words, index) === 0 && Atomics.compareExchange(words, index, 0, me) === 0) return;
  }
  for (;;) {
    const seen = Atomics.load(words, index);
    if (seen === 0) {
      // Others may be asleep: whoever comes this way says so, at the price of one needless notify.
      if (Atomics.compareExchange(words, index, 0, me | WAITED) === 0) return;
      continue;
    }
    if ((seen & WAITED) !== 0 || Atomics.compareExchange(words, index, seen, seen | WAITED) === seen) {
      Atomics.wait(words, index, seen | WAITED);
    }
  }
}

export function unlock(words: Int32Array, index: number): void {
  if ((Atomics.exchange(words, index, 0) & WAITED) !== 0) Atomics.notify(words, index, 1);
}
