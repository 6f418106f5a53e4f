/** timerfd. In: descriptions. Out: their row of operations. Source: man 2 timerfd_create, man 5 proc (/proc/PID/fdinfo). */
import { EINVAL } from '../../linux/errno.js';
import { blocking, once } from '../file-io.js';
import type { Buffers, FileOps } from '../file-ops.js';
import { fileObject, filePath } from '../open-files.js';
import { READABLE } from '../poll-events.js';
import type { VfsState } from '../state.js';
import {
  freeTimerfd,
  takeTicks,
  timerfdClock,
  timerfdFlags,
  timerfdQueue,
  timerfdRecheck,
  timerfdState,
  timerfdTicks,
} from '../timerfds.js';
import { ANON_INODE_FS_MAGIC, statAnonymous } from './anonymous.js';

function read(s: VfsState, file: number, buffers: Buffers): number {
  const timer = fileObject(s, file);
  const attempt = (): number | undefined =>
    once(buffers, ([b]) => {
      if (b === undefined || b.length < 8) return -EINVAL;
      const ticks = takeTicks(s, timer);
      if (ticks === 0) return undefined;
      new DataView(b.buffer, b.byteOffset, 8).setBigUint64(0, BigInt(ticks), true);
      return 8;
    });
  return blocking(s, file, [timerfdQueue(timer)], attempt, timerfdRecheck(s, timer));
}

function pair(ns: number): string {
  return `(${String(Math.floor(ns / 1e9))}, ${String(ns % 1e9)})`;
}

export const timerfdOps: FileOps = {
  seekable: false,
  read: ({ state }, file, _size, buffers) => read(state, file, buffers),
  write: () => -EINVAL,
  readiness: (s, file) => (timerfdTicks(s, fileObject(s, file)) > 0 ? READABLE : 0),
  queue: (s, file) => timerfdQueue(fileObject(s, file)),
  recheck: (s, file) => timerfdRecheck(s, fileObject(s, file)),
  close: (s, file) => {
    freeTimerfd(s, fileObject(s, file));
    return undefined;
  },
  stat: statAnonymous,
  link: filePath,
  seek: () => 0,
  fileSystem: ANON_INODE_FS_MAGIC,
  info: (s, file) => {
    const timer = fileObject(s, file);
    const { left, interval } = timerfdState(s, timer);
    return [
      `clockid: ${String(timerfdClock(s, timer))}`,
      `ticks: ${String(timerfdTicks(s, timer))}`,
      `settime flags: 0${timerfdFlags(s, timer).toString(8)}`,
      `it_value: ${pair(left)}`,
      `it_interval: ${pair(interval)}`,
      '',
    ].join('\n');
  },
};
