/**
 * When guests last changed a file: the main thread, which hears of every change of a file that the host watches, leaves out what guests have told of already. In: files, names, events. Out: whether a change is the guests' own.
 */
import { AREA, HEAD, OWN_CHANGES } from '../layout.js';
import type { VfsState } from '../state.js';
import { IN } from './instances.js';
import type { NodeId } from '../node-id.js';

/** The host tells within this time, in ms. */
const OWN_MS = 1000;
/** What the host tells apart: names, and what is in files and about them. */
const CONTENT = IN.MODIFY | IN.ATTRIB;
const NAMES = IN.CREATE | IN.DELETE | IN.MOVED_FROM | IN.MOVED_TO | IN.DELETE_SELF | IN.MOVE_SELF;

/** Milliseconds, never 0. */
const now = (): number => Number(process.hrtime.bigint() / 1_000_000n) | 1;

function place(id: NodeId, name: string, names: boolean): number {
  let hash = names ? 17 : 0;
  for (const word of id) hash = Math.imul(hash ^ word, 0x9e37_79b1);
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x0100_0193);
  return AREA.OWN_CHANGES + ((hash ^ (hash >>> 15)) & (OWN_CHANGES - 1));
}

/** `name`: the name in directory `id`; empty: the file `id` itself. */
export function noteOwn(s: VfsState, id: NodeId, name: string, mask: number): void {
  if (s.peek(AREA.HEAD + HEAD.HOST_MARKS) === 0) return;
  if ((mask & CONTENT) !== 0) s.set(place(id, name, false), now());
  if ((mask & NAMES) !== 0) s.set(place(id, name, true), now());
}

/** Whether a guest has just done it. */
export function isOwn(s: VfsState, id: NodeId, name: string, names: boolean): boolean {
  const at = s.get(place(id, name, names));
  return at !== 0 && ((now() - at) | 0) < OWN_MS;
}
