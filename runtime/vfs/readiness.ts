/**
 * Readiness of open files, for poll and select. In: descriptions. Out: event masks and wait queues. Source: man 2 poll.
 */
import { counterQueue, counterValue, COUNTER_MAX } from './counters.js';
import { fileFlags, fileKind, fileObject, KIND } from './open-files.js';
import { O_ACCMODE, O_RDONLY, O_WRONLY } from './open-flags.js';
import { PIPE_CAPACITY } from './layout.js';
import { pipeFill, pipeQueue, pipeReaders, pipeWriters } from './pipes.js';
import type { VfsState } from './state.js';
import { recheckOf, streamQueue, streamReadable } from './streams.js';

export const POLLIN = 0x1;
export const POLLPRI = 0x2;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDNORM = 0x40;
export const POLLRDBAND = 0x80;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
const READ = POLLIN | POLLRDNORM;
const WRITE = POLLOUT | POLLWRNORM;
/** Free bytes with which a pipe counts as writable. */
const PIPE_BUF = 4096;

/** All events that are there now; `wanted` says whether it is worth asking the host for input. */
export function readiness(s: VfsState, file: number, wanted: number): number {
  const object = fileObject(s, file);
  const access = fileFlags(s, file) & O_ACCMODE;
  switch (fileKind(s, file)) {
    case KIND.PIPE_READ:
    case KIND.PIPE_WRITE: {
      let events = 0;
      if (access !== O_WRONLY) {
        if (pipeFill(s, object) > 0) events |= READ;
        if (pipeWriters(s, object) === 0) events |= POLLHUP;
      }
      if (access !== O_RDONLY) {
        if (PIPE_CAPACITY - pipeFill(s, object) >= PIPE_BUF) events |= WRITE;
        if (pipeReaders(s, object) === 0) events |= POLLERR;
      }
      return events;
    }
    case KIND.COUNTER: {
      const value = counterValue(s, object);
      return (value > 0n ? READ : 0) | (value < COUNTER_MAX ? WRITE : 0);
    }
    case KIND.STREAM: {
      const readable = access !== O_WRONLY && (wanted & READ) !== 0 && streamReadable(s, object);
      return (readable ? READ : 0) | (access === O_RDONLY ? 0 : WRITE);
    }
    case KIND.PATH:
      return POLLNVAL;
    case KIND.FILE:
    case KIND.DIRECTORY:
    case KIND.CHARACTER:
    case KIND.BLOB:
    case KIND.DEVICE:
    case KIND.SPECIAL_DIRECTORY:
      return READ | WRITE;
  }
}

/** The queue that is woken when the readiness changes; undefined where it never does. */
export function readinessQueue(s: VfsState, file: number): number | undefined {
  const object = fileObject(s, file);
  switch (fileKind(s, file)) {
    case KIND.PIPE_READ:
    case KIND.PIPE_WRITE:
      return pipeQueue(object);
    case KIND.COUNTER:
      return counterQueue(object);
    case KIND.STREAM:
      return streamQueue(object);
    case KIND.FILE:
    case KIND.DIRECTORY:
    case KIND.CHARACTER:
    case KIND.PATH:
    case KIND.BLOB:
    case KIND.DEVICE:
    case KIND.SPECIAL_DIRECTORY:
      return undefined;
  }
}

/** For files whose host tells us nothing: sleeps between two looks. */
export function readinessRecheck(s: VfsState, file: number): (() => number) | undefined {
  return fileKind(s, file) === KIND.STREAM ? recheckOf(s, fileObject(s, file)) : undefined;
}
