/** Who sends: credentials and address of what a socket sends. In: sockets. Out: Origin. Source: man 7 unix (SCM_CREDENTIALS). */
import type { VfsState } from '../vfs/state.js';
import { type Credentials, hasConnections, isUnix, NOBODY } from './connection.js';
import type { Origin } from './ring.js';
import { nameOf } from './socket-table.js';

const NO_NAME = new Uint8Array(0);
/** Of what the host, or lift64 itself, sends. */
export const FROM_HOST: Origin = { ...NOBODY, files: [], name: NO_NAME };

/** The calling thread sends from `socket`: with `files`, whose references go along. */
export function originOf(s: VfsState, socket: number, files: readonly number[] = []): Origin {
  if (!isUnix(s, socket) && hasConnections(s, socket)) return { ...NOBODY, files, name: NO_NAME };
  const { pid, ids } = s.port;
  const { uid, gid } = ids;
  return { pid, uid, gid, files, name: hasConnections(s, socket) ? NO_NAME : nameOf(s, socket, 'own') };
}

/** The calling thread's process, as its peers see it (SO_PEERCRED). */
export function callerCredentials(s: VfsState): Credentials {
  const { pid, ids } = s.port;
  return { pid, uid: ids.euid, gid: ids.egid };
}
