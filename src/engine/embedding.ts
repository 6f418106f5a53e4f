/** How a run and a program that embeds lift64 meet. In: nothing. Out: types. */
import type { StandardStreams } from '../../runtime/vfs/inherit.js';
import type { VfsState } from '../../runtime/vfs/state.js';

/** What a program that embeds lift64 gives and gets besides. */
export interface Embedding {
  /** The guest's only descriptors, 0, 1 and 2. Called once, before the guest runs. */
  stdio(state: VfsState): StandardStreams;
  /** What the main thread waits for in a queue of the file layer may have come. */
  woken(): void;
  /** The guest is about to run. */
  started(guest: GuestControls): void;
  /** All workers have ended. */
  ended(): void;
}

export interface GuestControls {
  /** Process id that the first process sees. */
  readonly pid: number;
  /** Sends a signal to the first process. */
  signal(signal: number): void;
  /** All guest processes and threads, and where each is. */
  describe(): Promise<string>;
}
