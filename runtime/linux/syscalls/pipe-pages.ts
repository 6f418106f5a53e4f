/**
 * Between pipes and memory: tee and vmsplice. Pages are copied, which a program can't tell from moving them, but for SPLICE_F_GIFT's. In: descriptors, iovecs. Out: rows.
 * Source: man 2 tee, man 2 vmsplice.
 */
import { manyBuffers, withFd } from '../../vfs/guest-args.js';
import { PIPE_CAPACITY } from '../../vfs/layout.js';
import { fileFlags, fileKind, fileObject, KIND } from '../../vfs/open-files.js';
import { O_ACCMODE, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../../vfs/open-flags.js';
import { pipeFill, pipeQueue, pipeReaders, putIntoPipe, readPipe } from '../../vfs/pipes.js';
import type { VfsState } from '../../vfs/state.js';
import { readFile, writeFile } from '../../vfs/transfer.js';
import { TIMED_OUT, waitUntil } from '../../vfs/wait-queue.js';
import type { Handler, SyscallRow } from '../context.js';
import { EAGAIN, EBADF, EINVAL, EPIPE } from '../errno.js';
import { SIGPIPE } from '../signals.js';

const SPLICE_FLAGS = 0xf;
const SPLICE_F_NONBLOCK = 2;

function isPipe(s: VfsState, file: number): boolean {
  const kind = fileKind(s, file);
  return kind === KIND.PIPE_READ || kind === KIND.PIPE_WRITE;
}

const isOpenFor = (s: VfsState, file: number, not: number): boolean => (fileFlags(s, file) & O_ACCMODE) !== not;

/** Copies what one pipe holds into another, and leaves it there. */
const tee: Handler = (t, a) =>
  withFd(t, a.i32(0), (source) =>
    withFd(t, a.i32(1), (target): number => {
      const { state } = t.files;
      const flags = a.u32(3);
      if ((flags & ~SPLICE_FLAGS) !== 0) return -EINVAL;
      const size = Math.min(a.ptr(2), PIPE_CAPACITY);
      if (size === 0) return 0;
      if (!isOpenFor(state, source, O_WRONLY) || !isOpenFor(state, target, O_RDONLY)) return -EBADF;
      if (!isPipe(state, source) || !isPipe(state, target)) return -EINVAL;
      const [from, to] = [fileObject(state, source), fileObject(state, target)];
      if (from === to) return -EINVAL;
      const chunk = new Uint8Array(size);
      const attempt = (): number | undefined => {
        if (pipeReaders(state, to) === 0) return -EPIPE;
        const n = readPipe(state, from, [chunk], true);
        if (n === undefined || n === 0) return n;
        return putIntoPipe(state, to, chunk.subarray(0, n), false) || undefined;
      };
      const waitsNot =
        (flags & SPLICE_F_NONBLOCK) !== 0 || ((fileFlags(state, source) | fileFlags(state, target)) & O_NONBLOCK) !== 0;
      const n = waitsNot ? (attempt() ?? -EAGAIN) : waitUntil(state, [pipeQueue(from), pipeQueue(to)], attempt);
      if (n === -EPIPE) t.files.port.raise(SIGPIPE);
      return n === TIMED_OUT ? -EAGAIN : n;
    }),
  );

const vmsplice: Handler = (t, a) =>
  withFd(t, a.i32(0), (file): number => {
    const { state } = t.files;
    if ((a.u32(3) & ~SPLICE_FLAGS) !== 0) return -EINVAL;
    if (!isPipe(state, file)) return -EBADF;
    const writes = isOpenFor(state, file, O_RDONLY);
    const transfer = manyBuffers(t, a.ptr(1), a.ptr(2), !writes);
    if (typeof transfer === 'number') return transfer;
    const { size, buffers } = transfer;
    if (size === 0) return 0;
    const pipe = fileObject(state, file);
    const fill = pipeFill(state, pipe);
    if ((a.u32(3) & SPLICE_F_NONBLOCK) !== 0 && (writes ? fill === PIPE_CAPACITY : fill === 0)) return -EAGAIN;
    return writes ? writeFile(t.files, file, size, buffers) : readFile(t.files, file, size, buffers);
  });

export const pipePagesRows = [
  { nr: 276, name: 'tee', args: 'd,d,lu,x', support: 'yes', handler: tee },
  { nr: 278, name: 'vmsplice', args: 'd,p,lu,x', support: 'yes', note: 'pages are copied', handler: vmsplice },
] as const satisfies readonly SyscallRow[];
