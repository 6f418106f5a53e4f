/**
 * The descriptors that lift64 was started with. In: /proc of a Linux host, when the module is evaluated: before the first worker starts, since a thread that starts opens files for a moment, some of
 * them not close-on-exec. Out: descriptors. Source: man 5 proc (/proc/PID/fd, fdinfo).
 */
import * as fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { MAX_FDS } from './layout.js';
import { LINUX_HOST, O_ACCMODE, O_CLOEXEC } from './open-flags.js';

export interface HostDescriptor {
  readonly fd: number;
  /** What /proc/self/fd says. */
  readonly link: string;
  readonly flags: number;
}

/** Node marks its own descriptors close-on-exec, but so it does with the first 16 that it was started with (libuv's uv_disable_stdio_inheritance). */
const MARKED_BY_NODE = 16;

const AT_START: readonly HostDescriptor[] = LINUX_HOST && isMainThread ? hostDescriptors() : [];

function hostDescriptors(): HostDescriptor[] {
  const found: HostDescriptor[] = [];
  for (const name of fs.readdirSync('/proc/self/fd')) {
    try {
      const link = fs.readlinkSync(`/proc/self/fd/${name}`, 'latin1');
      const match = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'));
      found.push({ fd: Number(name), link, flags: Number.parseInt(match?.[1] ?? '2', 8) });
    } catch {
      // The descriptor of the listing itself, closed by now.
    }
  }
  return found;
}

/** Of Node's own descriptors, pipes have both ends here, and the others are epoll, eventfd and /dev/null. */
function isInherited({ fd, link, flags }: HostDescriptor): boolean {
  if (fd >= MAX_FDS) return false;
  if (fd <= 2 || (flags & O_CLOEXEC) === 0) return true;
  if (fd >= MARKED_BY_NODE || link === '/dev/null') return false;
  if (link.startsWith('/') || link.startsWith('socket:')) return true;
  if (!link.startsWith('pipe:')) return false;
  return !AT_START.some((d) => d.link === link && (d.flags & O_ACCMODE) !== (flags & O_ACCMODE));
}

/** Those of them that are none of Node's own. */
export const inheritedAtStart = (): readonly HostDescriptor[] => AT_START.filter(isInherited);
