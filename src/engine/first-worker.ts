/**
 * The worker of a run's first guest thread, begun before lift64's other modules have been evaluated: it takes longer to load its code than the main thread does until it is wanted (hello: 0.03 s of its start).
 * In: nothing. Out: the worker, for launch.ts.
 */
// Before the first worker: it gets the counts of these flags, and opens descriptors.
import './v8-flags.js';
import '../../runtime/vfs/start-descriptors.js';
import { newWorker, type NewWorker } from '../../runtime/threads/new-worker.js';
import { BUILT } from './built-files.js';

let first: NewWorker | undefined;

/** For the process of one run, which is most likely one of the tiers auto and interp. */
export function startFirstWorker(): void {
  first = newWorker(BUILT.guestWorker);
  // Where nothing is run after all (--cpu help), it holds up no end.
  first.worker.unref();
}

/** The worker that startFirstWorker() has begun, once; undefined where it is none of `entry`. */
export function takeFirstWorker(entry: URL): NewWorker | undefined {
  const worker = first;
  first = undefined;
  worker?.worker.ref();
  if (entry.href === BUILT.guestWorker.href) return worker;
  void worker?.worker.terminate();
  return undefined;
}
