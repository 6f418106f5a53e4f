/**
 * inotify: events of files. What guests do is told as they do it (vfs/inotify/file-events.ts), what programs of the host do as far as Node tells (vfs/inotify/host-watches.ts).
 * In: descriptors, paths, masks. Out: rows. Source: man 7 inotify, man 2 inotify_init, inotify_add_watch, inotify_rm_watch.
 */
import { accessSync, constants } from 'node:fs';
import { bytePath, hostBytes } from '../../vfs/byte-path.js';
import { fdPath } from '../../vfs/descriptor-path.js';
import { withFd, withPath } from '../../vfs/guest-args.js';
import { hostCall } from '../../vfs/host-error.js';
import { placeToWatch } from '../../vfs/inotify/file-events.js';
import { IN, newInotify } from '../../vfs/inotify/instances.js';
import { addMark, freeInotifyLocked, HOST_WATCH, isMarkAlive, markField, removeMark } from '../../vfs/inotify/marks.js';
import { AREA, INOTIFY_MARK } from '../../vfs/layout.js';
import { newDescriptor } from '../../vfs/new-descriptor.js';
import { fileKind, fileMount, fileObject, hostFd, KIND, putFile } from '../../vfs/open-files.js';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY } from '../../vfs/open-flags.js';
import { openPath } from '../../vfs/open.js';
import { awaitAnswer } from '../../vfs/wait-queue.js';
import type { SyscallArgs, SyscallResult, SyscallRow } from '../context.js';
import { EINVAL } from '../errno.js';
import type { Thread } from '../thread.js';

function create(t: Thread, flags: number): SyscallResult {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const { state } = t.files;
  const object = newInotify(state);
  if (object < 0) return object;
  const path = bytePath('anon_inode:inotify');
  const file = { kind: KIND.INOTIFY, flags: O_RDONLY | (flags & O_NONBLOCK), object, path };
  return newDescriptor(t.files, file, (flags & O_CLOEXEC) !== 0, () => {
    state.locked(() => freeInotifyLocked(state, object));
  });
}

/** Calls `fn` with the instance behind `fd`. */
function withInstance(t: Thread, fd: number, fn: (instance: number) => number): number {
  const { state } = t.files;
  return withFd(t, fd, (file) => (fileKind(state, file) === KIND.INOTIFY ? fn(fileObject(state, file)) : -EINVAL));
}

const FLAGS = IN.ONLYDIR | IN.DONT_FOLLOW | IN.EXCL_UNLINK | IN.MASK_CREATE | IN.MASK_ADD | IN.ISDIR | IN.ONESHOT;
/** IN_UNMOUNT, IN_Q_OVERFLOW and IN_IGNORED are told whether asked for or not. */
const KNOWN = IN.ALL | 0x2000 | IN.Q_OVERFLOW | IN.IGNORED | FLAGS;

function addWatch(t: Thread, a: SyscallArgs): SyscallResult {
  const mask = a.i32(2);
  if (mask === 0 || (mask & ~KNOWN) !== 0) return -EINVAL;
  const both = IN.MASK_ADD | IN.MASK_CREATE;
  return withInstance(t, a.i32(0), (instance) => {
    if ((mask & both) === both) return -EINVAL;
    return withPath(t, a.ptr(1), (path) => {
      const how = ((mask & IN.DONT_FOLLOW) === 0 ? 0 : O_NOFOLLOW) | ((mask & IN.ONLYDIR) === 0 ? 0 : O_DIRECTORY);
      const file = openPath(t.files, AT_FDCWD, path, O_PATH | how, 0);
      if (file < 0) return file;
      try {
        return watch(t, instance, file, mask);
      } finally {
        putFile(t.files.state, file);
      }
    });
  });
}

/** Watches what `file`, opened with O_PATH, stands for. */
function watch(t: Thread, instance: number, file: number, mask: number): number {
  const { state } = t.files;
  const place = placeToWatch(state, file);
  if (typeof place === 'number') return place;
  const onHost = hostFd(state, file) >= 0 && fileMount(state, file)?.type !== 'tmpfs';
  if (hostFd(state, file) >= 0 && !place.isLink) {
    const refused = hostCall(() => {
      accessSync(hostBytes(fdPath(state, file)), constants.R_OK);
      return 0;
    });
    if (refused < 0) return refused;
  }
  const added = addMark(state, instance, place.id, mask, onHost && !place.isLink);
  if (typeof added === 'number') return added;
  const { mark, life, wd, asksHost } = added;
  const request = { mark, life, file: { path: place.path, id: place.id, isDirectory: place.isDirectory } };
  // What the host's programs do from here on is told: so the main thread watches by now.
  if (asksHost && state.port.requestWatch(request)) {
    awaitAnswer(state, AREA.MARK_QUEUE, () => {
      const waits = markField(state, mark, INOTIFY_MARK.HOST) === HOST_WATCH.ASKED && isMarkAlive(state, mark, life);
      return waits ? undefined : true;
    });
  }
  return wd;
}

const HOST_NOTE =
  'what guests do is told as on Linux; of what programs of the host do: names that come and go (one moved here or away may be told as made or deleted) and changes, but no opens, reads and closes. Nothing is told of files that lift64 serves itself';

export const inotifyRows = [
  { nr: 253, name: 'inotify_init', args: '', support: 'yes', handler: (t) => create(t, 0) },
  { nr: 254, name: 'inotify_add_watch', args: 'd,s,x', support: 'partly', note: HOST_NOTE, handler: addWatch },
  {
    nr: 255,
    name: 'inotify_rm_watch',
    args: 'd,d',
    support: 'yes',
    handler: (t, a) => withInstance(t, a.i32(0), (instance) => removeMark(t.files.state, instance, a.i32(1))),
  },
  { nr: 294, name: 'inotify_init1', args: 'x', support: 'yes', handler: (t, a) => create(t, a.i32(0)) },
] as const satisfies readonly SyscallRow[];
