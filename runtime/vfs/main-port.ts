/**
 * The kernel as the file layer wants it on the main thread. In: the kernel. Out: VfsState, without what the kinds of open files do: the main thread opens and closes none, and starts sooner without their code.
 */
import { InternalError } from '../../src/base/errors.js';
import { CONTROL } from '../../src/guest/cpu-state.js';
import { MainJobs } from '../process/job-control.js';
import type { Kernel } from '../process/kernel.js';
import type { KernelPort } from './kernel-port.js';
import { MAIN_SLOT } from './layout.js';
import { tellQueues } from './process-queue.js';
import { VfsState } from './state.js';

/** The main thread's port: it wakes guest threads and holds locks, but never waits, and has no descriptors. */
function mainPort(kernel: Kernel, onWake: () => void): KernelPort {
  const none = (): never => {
    throw new InternalError('the main thread has no guest process');
  };
  return {
    slot: MAIN_SLOT,
    sequence: none,
    park: none,
    interrupted: none,
    wake: (slot) => {
      // Later: whoever wakes may hold a lock.
      if (slot === MAIN_SLOT) setImmediate(onWake);
      else kernel.wake(slot);
    },
    call: (slot) => {
      // Whoever wakes may hold the kernel mutex.
      setImmediate(() => {
        kernel.kickFromSupervisor(slot, CONTROL.SIGNAL);
      });
    },
    raise: none,
    jobs: new MainJobs(kernel),
    get pid() {
      return none();
    },
    get tid() {
      return none();
    },
    get ids() {
      return none();
    },
    get processGroup() {
      return none();
    },
    get session() {
      return none();
    },
    get fdTable() {
      return none();
    },
    get fsStruct() {
      return none();
    },
    fdLimit: none,
    fileSizeLimit: none,
    get process() {
      return none();
    },
    hasSignal: none,
    takeSignal: none,
    processState: none,
    requestStream: none,
    network: true,
    // It looks for itself.
    requestNet: () => undefined,
    terminalChanged: none,
    requestWatch: () => false,
  };
}

/** The file layer's state on the main thread. `onWake` is called when something comes about in a queue that it is in (host-pipes.ts). */
export function mainVfsState(kernel: Kernel, onWake: () => void = () => undefined): VfsState {
  return tellQueues(kernel, VfsState.attach(kernel.buffer, kernel.vfsOffset, mainPort(kernel, onWake), undefined));
}
