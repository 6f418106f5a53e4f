/**
 * What programs of the host do to files that guests watch, on the main thread: Node says that a name has come, gone or been changed, and nothing of opens, reads and closes.
 * In: requests of guest threads; Node's fs.watch. Out: events. Source: Node's fs.watch; man 7 inotify.
 */
import * as fs from 'node:fs';
import { baseName, fromBytes, hostBytes } from '../byte-path.js';
import { AREA, INOTIFY_MARK } from '../layout.js';
import type { WatchRequest } from '../kernel-port.js';
import { isSameNode, nodeId, type NodeId } from '../node-id.js';
import type { VfsState } from '../state.js';
import { wakeAll } from '../wait-queue.js';
import { IN } from './instances.js';
import { HOST_WATCH, isMarkAlive, type MarkEvent, setMarkField, tellMarks } from './marks.js';
import { isOwn } from './own-changes.js';

/** One file, for all marks on it. */
interface HostWatch {
  readonly watcher: fs.FSWatcher;
  /** Lives by mark. */
  readonly marks: Map<number, number>;
}

/** A file that is younger than this, in ms, has been made just now: one that is older has been moved here. */
const NEW_MS = 2000;

export class HostWatches {
  private readonly watches = new Map<string, HostWatch>();

  /** @param state has the main thread's port */
  constructor(private readonly state: VfsState) {}

  request({ mark, life, file }: WatchRequest): void {
    const { state } = this;
    if (file === undefined) {
      this.sweep();
      return;
    }
    try {
      this.watch(file).marks.set(mark, life);
    } catch {
      // Not there any more, or the host has no room: the guests' own changes are told all the same.
    }
    if (isMarkAlive(state, mark, life)) setMarkField(state, mark, INOTIFY_MARK.HOST, HOST_WATCH.WATCHED);
    else this.sweep();
    wakeAll(state, AREA.MARK_QUEUE);
  }

  close(): void {
    for (const { watcher } of this.watches.values()) watcher.close();
    this.watches.clear();
  }

  private watch(file: Watched): HostWatch {
    const key = file.id.join();
    const known = this.watches.get(key);
    if (known !== undefined) return known;
    const watcher = fs.watch(hostBytes(file.path), { persistent: false, encoding: 'buffer' });
    watcher.on('error', () => {
      watcher.close();
      this.watches.delete(key);
    });
    watcher.on('change', (type, name) => {
      const told = typeof name === 'string' ? name : fromBytes(name);
      tellMarks(this.state, eventsOf(this.state, file, type === 'rename', told));
      this.sweep();
    });
    const made = { watcher, marks: new Map<number, number>() };
    this.watches.set(key, made);
    return made;
  }

  /** Watches no longer what no guest watches. */
  private sweep(): void {
    for (const [key, { watcher, marks }] of this.watches) {
      for (const [mark, life] of marks) if (!isMarkAlive(this.state, mark, life)) marks.delete(mark);
      if (marks.size > 0) continue;
      watcher.close();
      this.watches.delete(key);
    }
  }
}

/** Names that lift64 itself gives for a moment. */
const OWN_NAMES = new RegExp(`^\\.(?:lift64|l64)-${String(process.pid)}-`);

interface Watched {
  readonly path: string;
  readonly id: NodeId;
  readonly isDirectory: boolean;
}

/** What Node's `name` means; nothing for what a guest has done. */
function eventsOf(s: VfsState, { path, id, isDirectory }: Watched, renamed: boolean, name: string): MarkEvent[] {
  if (OWN_NAMES.test(name)) return [];
  const child = isDirectory ? lstat(`${path}/${name}`) : undefined;
  if (isDirectory && (name !== baseName(path) || child !== undefined)) {
    if (isOwn(s, id, name, renamed)) return [];
    const directory = child?.isDirectory() === true ? IN.ISDIR : 0;
    if (!renamed) return child === undefined ? [] : [{ on: id, mask: contentEvent(child) | directory, name }];
    if (child === undefined) return [{ on: id, mask: IN.DELETE, name }];
    const made = Date.now() - Number(child.birthtimeMs) < NEW_MS;
    return [{ on: id, mask: (made ? IN.CREATE : IN.MOVED_TO) | directory, name }];
  }
  if (isOwn(s, id, '', renamed)) return [];
  const st = lstat(path);
  if (st !== undefined && isSameNode(nodeId(st), id))
    return renamed ? [] : [{ on: id, mask: contentEvent(st) | (isDirectory ? IN.ISDIR : 0) }];
  return [
    { on: id, mask: IN.ATTRIB },
    { on: id, mask: IN.DELETE_SELF, last: true },
  ];
}

const lstat = (path: string): fs.BigIntStats | undefined => {
  try {
    return fs.lstatSync(hostBytes(path), { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};

/** The time of the last change of the content is that of the last change at all. */
const contentEvent = (st: fs.BigIntStats): number => (st.mtimeNs === st.ctimeNs ? IN.MODIFY : IN.ATTRIB);
