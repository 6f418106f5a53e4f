/**
 * "Named once": what a guest asks for and lift64 does not have is said in one line, the first time. In: the thread and words. Out: a line in the log.
 * Source: STYLE.md, habit 11.
 */
import type { Thread } from './thread.js';

const said = new Set<string>();

/** Logs `lift64: unsupported WHAT`, once a worker and wording; the kernel's header keeps other workers from saying it again. Under -d unimp: each time. */
export function unsupported(t: Thread, what: string): void {
  if (t.engine.logUnimplemented) {
    t.engine.log(`${t.task.tid} unsupported ${what}\n`);
    return;
  }
  if (said.has(what)) return;
  said.add(what);
  if (t.kernel.firstMention(what)) t.engine.log(`lift64: unsupported ${what}\n`);
}
