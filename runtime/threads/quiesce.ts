/**
 * Quiescence of the threads of one memory: the gate that a thread passes before it touches guest memory, and stop the world. In: the memory and the thread's
 * CPU block. Out: Quiesce. Source: DESIGN.md section 6.
 *
 * CPU.STATE is RUNNING or PARKED. PCB.STOP_COUNT is the gate's word: 0 open, 1 closed by one stopper.
 * A thread that goes back to RUNNING stores RUNNING, then reads the gate, and parks again if it is closed; a stopper closes the gate, then
 * reads each STATE. All accesses are sequentially consistent, so one of the two sees the other. A parked thread reports to a stopper by notify on its STATE.
 * Two stoppers: the second is PARKED while it waits for the gate, so the first does not wait for it.
 * A thread of another memory may stop the world too, for pages that processes share (share-lock.ts).
 * Stop the world is the outermost lock but for that of sharing: no mutex is held when it is asked for, and its `fn` may take any of them, since no thread parks with one held.
 */
import { InternalError } from '../../src/base/errors.js';
import { CONTROL, CPU, THREAD_STATE } from '../../src/guest/cpu-state.js';
import { CPU_BASE, CPU_BLOCK_SIZE, PCB, PCB_BASE } from '../../src/guest/memory-map.js';

const GATE = (PCB_BASE + PCB.STOP_COUNT) / 4;
const HIGH = (PCB_BASE + PCB.CPU_HIGH) / 4;
const STATE_OFFSET = CPU.STATE / 4;
const CONTROL_OFFSET = CPU.CONTROL / 4;
/** Looks at another thread's STATE before the stopper sleeps: a thread in translated code polls within microseconds. */
const SPINS = 2000;
/** Bound of each sleep of a stopper; it is woken before, by the parking thread. */
const STOPPER_SLEEP_MS = 50;

const block = (slot: number): number => (CPU_BASE + slot * CPU_BLOCK_SIZE) / 4;

export class Quiesce {
  private readonly state: number;
  private readonly control: number;
  private depth = 0;
  private passed = 0;

  /**
   * @param words the whole memory
   * @param cpu address of the CPU block of the thread; undefined for a thread of another memory, which can stop this world and nothing else
   */
  constructor(
    private readonly words: Int32Array<SharedArrayBuffer>,
    private readonly cpu: number | undefined,
  ) {
    this.state = (cpu ?? 0) / 4 + STATE_OFFSET;
    this.control = (cpu ?? 0) / 4 + CONTROL_OFFSET;
  }

  /** How often this thread has parked or has stopped the world: where that has not changed, no permission was taken away and no code has become invalid. */
  get passages(): number {
    return this.passed;
  }

  /** Threads of the memory that are RUNNING. */
  get running(): number {
    const { words } = this;
    let count = 0;
    for (let slot = 0, high = Atomics.load(words, HIGH); slot < high; slot++)
      if (Atomics.load(words, block(slot) + STATE_OFFSET) === THREAD_STATE.RUNNING) count++;
    return count;
  }

  /** From here on the thread touches neither guest memory nor code; it may sleep. */
  enterParked(): void {
    if (this.depth > 0) throw new InternalError('a thread that has stopped the world must not wait');
    this.passed++;
    Atomics.store(this.words, this.state, THREAD_STATE.PARKED);
    if (Atomics.load(this.words, GATE) !== 0) Atomics.notify(this.words, this.state);
  }

  /** Back to RUNNING, once no one has the world stopped. */
  leaveParked(): void {
    for (;;) {
      while (Atomics.load(this.words, GATE) !== 0) Atomics.wait(this.words, GATE, 1);
      Atomics.store(this.words, this.state, THREAD_STATE.RUNNING);
      if (Atomics.load(this.words, GATE) === 0) return;
      Atomics.store(this.words, this.state, THREAD_STATE.PARKED);
      Atomics.notify(this.words, this.state);
    }
  }

  /** Called by the engine when a poll has seen CONTROL.STOP: waits while the world is stopped. Cheap when it is not. */
  safepoint(): void {
    if ((Atomics.load(this.words, this.control) & CONTROL.STOP) === 0 && Atomics.load(this.words, GATE) === 0) return;
    this.enterParked();
    this.leaveParked();
  }

  /** Runs `fn` while every other thread of the memory is parked. May be nested. `fn` must not wait. */
  stopWorld<T>(fn: () => T): T {
    this.passed++;
    if (this.depth === 0) this.close();
    this.depth++;
    try {
      return fn();
    } finally {
      this.depth--;
      if (this.depth === 0) this.open();
    }
  }

  /** True while this thread has the world stopped. */
  get stopping(): boolean {
    return this.depth > 0;
  }

  private close(): void {
    const { words } = this;
    while (Atomics.compareExchange(words, GATE, 0, 1) !== 0) {
      if (this.cpu === undefined) {
        Atomics.wait(words, GATE, 1);
        continue;
      }
      this.enterParked();
      this.leaveParked();
    }
    const high = Atomics.load(words, HIGH);
    for (let slot = 0; slot < high; slot++) {
      const base = block(slot);
      if (base + STATE_OFFSET === this.state || Atomics.load(words, base + STATE_OFFSET) === THREAD_STATE.FREE)
        continue;
      Atomics.or(words, base + CONTROL_OFFSET, CONTROL.STOP);
    }
    for (let slot = 0; slot < high; slot++) {
      const at = block(slot) + STATE_OFFSET;
      if (at === this.state) continue;
      let spins = 0;
      while (Atomics.load(words, at) === THREAD_STATE.RUNNING) {
        if (++spins > SPINS) Atomics.wait(words, at, THREAD_STATE.RUNNING, STOPPER_SLEEP_MS);
      }
    }
  }

  private open(): void {
    const { words } = this;
    const high = Atomics.load(words, HIGH);
    for (let slot = 0; slot < high; slot++) {
      const base = block(slot);
      if (base + STATE_OFFSET !== this.state) Atomics.and(words, base + CONTROL_OFFSET, ~CONTROL.STOP);
    }
    Atomics.store(words, GATE, 0);
    Atomics.notify(words, GATE);
  }
}
