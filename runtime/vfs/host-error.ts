/**
 * Failures of node:fs as negative Linux errnos. In: what was thrown. Out: -errno.
 */
import { isNativeError } from 'node:util/types';
import { EIO, EOPNOTSUPP, hostErrno } from '../linux/errno.js';

/** Names that libuv has and Linux has not. */
const UV_NAMES: Readonly<Record<string, number>> = { ENOTSUP: EOPNOTSUPP, UNKNOWN: EIO };

/** -errno of an error that a host call has thrown; what is no host error is thrown on. */
export function hostFailure(error: unknown): number {
  if (isNativeError(error) && 'code' in error && typeof error.code === 'string') {
    const errno = UV_NAMES[error.code];
    if (errno !== undefined) return -errno;
  }
  return hostErrno(error);
}

/** The value of a host call, or the -errno of its failure. */
export function hostCall<T>(call: () => T): T | number {
  try {
    return call();
  } catch (error) {
    return hostFailure(error);
  }
}
