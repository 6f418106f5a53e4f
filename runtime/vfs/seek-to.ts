/** lseek within a size. In: a description, an offset, whence. Out: the new offset, or -errno. Source: man 2 lseek. */
import { EINVAL, ENXIO } from '../linux/errno.js';
import { fileOffset, setFileOffset } from './open-files.js';
import type { VfsState } from './state.js';

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
const SEEK_END = 2;
const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
/** Offsets are exact numbers; Linux allows 2**63 - 1. */
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;

/** Holes are not known to Node: a file is all data, with a hole at its end, as man 2 lseek allows. The offset is held by the caller. */
export function seekTo(s: VfsState, file: number, offset: number, whence: number, size: () => number): number {
  let to = offset;
  switch (whence) {
    case SEEK_SET:
      break;
    case SEEK_CUR:
      to += fileOffset(s, file);
      break;
    case SEEK_END:
      to += size();
      break;
    case SEEK_DATA:
    case SEEK_HOLE: {
      const end = size();
      if (offset < 0 || offset >= end) return -ENXIO;
      if (whence === SEEK_HOLE) to = end;
      break;
    }
    default:
      return -EINVAL;
  }
  if (to < 0 || to > MAX_OFFSET) return -EINVAL;
  setFileOffset(s, file, to);
  return to;
}
