/**
 * Ends the process when a sequence does not end in lift64, although it did on the host: translated code that loops can't be left from its own thread. In: a note before each run. Out: nothing, or a message and SIGKILL.
 */
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Milliseconds that a sequence, or the compilation of a block of them, may take. */
const PATIENCE = 120_000;
const [COUNT, NUMBER] = [0, 1];

export class Watchdog {
  private readonly words = new Int32Array(new SharedArrayBuffer(8));

  /** @param command what names the run */
  constructor(command: string) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { words: this.words, command } });
    worker.unref();
  }

  /** Sequence `number` is next; -1: none. */
  note(number: number): void {
    Atomics.store(this.words, NUMBER, number);
    Atomics.add(this.words, COUNT, 1);
  }
}

interface Watched {
  readonly words: Int32Array;
  readonly command: string;
}

function watch({ words, command }: Watched): void {
  let last = -1;
  setInterval(() => {
    const now = Atomics.load(words, COUNT);
    if (now === last) {
      writeSync(2, `\nsequence ${Atomics.load(words, NUMBER)} does not end: ${command}\n`);
      process.kill(process.pid, 'SIGKILL');
    }
    last = now;
  }, PATIENCE);
}

if (!isMainThread && parentPort !== null) watch(workerData as Watched);
