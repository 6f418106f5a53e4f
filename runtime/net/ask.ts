/** Questions to the main thread that are answered within moments: the asking thread sleeps until the answer is in its socket's record. In: requests. Out: the answer. */
import type { VfsState } from '../vfs/state.js';
import { awaitAnswer } from '../vfs/wait-queue.js';
import { SOCKET } from './layout.js';
import type { NetRequest } from './requests.js';
import { set, socketQueue, socketWord } from './socket-table.js';

/** No result yet: results are 0 or more, or -errno. */
const PENDING = 0x7fff_ffff;

/** The result of the request for `socket`: 0 or more, or -errno. No signal interrupts it. */
export function askMain(s: VfsState, socket: number, request: NetRequest): number {
  set(s, socket, SOCKET.RESULT, PENDING);
  s.port.requestNet(request);
  return awaitAnswer(s, socketQueue(socket), () => {
    const result = s.get(socketWord(socket, SOCKET.RESULT));
    return result === PENDING ? undefined : result;
  });
}
