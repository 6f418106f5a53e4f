/** The file layer of a guest thread, joined to its kernel, memory and the main thread. In: the thread, what the run is like. Out: a FileContext. */
import type { Thread } from '../../runtime/linux/thread.js';
import { accessMemory } from '../../runtime/threads/other-memory.js';
import { requestService } from '../../runtime/threads/worker.js';
import { bytePath } from '../../runtime/vfs/byte-path.js';
import { FileContext } from '../../runtime/vfs/file-context.js';
import { kernelProc, type ProcMemory } from '../../runtime/vfs/kernel-proc.js';
import { MountTable } from '../../runtime/vfs/mount-table.js';
import { fileTables } from '../../runtime/vfs/resources.js';
import { threadVfsState } from '../../runtime/vfs/thread-port.js';
import { GUEST_END } from '../guest/memory-map.js';
import { cpuFigures } from './cpuid-leaves.js';
import { memoryViews } from './memory-views.js';
import { quietSpace } from './process-memory.js';
import { SERVICE, type SpineData } from './spine.js';

/** Bytes of memory that guests are told there are. */
const MEMORY_TOTAL = 3 * 2 ** 30;

/** `t` has its kernel, task, gate and memory by now. */
export function guestFiles(t: Thread, { options, prefix, cpus, network, tree }: SpineData): FileContext {
  const { kernel, mm } = t;
  const { cpuModel } = options;
  const state = threadVfsState(t, {
    requestStream: (stream) => {
      requestService(SERVICE.STREAM, stream);
    },
    network,
    requestNet: (request) => {
      requestService(SERVICE.NET, request);
    },
    terminalChanged: () => {
      requestService(SERVICE.TERMINAL, undefined);
    },
    requestWatch: (request) => {
      requestService(SERVICE.WATCH, request);
    },
    wakeMain: () => {
      requestService(SERVICE.WAKE, undefined);
    },
  });
  if (tree !== undefined) state.tree = new MountTable(tree);
  kernel.files = fileTables(state);
  const own: ProcMemory = {
    read: (addr, size) => t.mem.read(addr, size),
    maps: () => mm.maps(),
    smaps: (rollup) => mm.smaps(rollup),
    usage: () => mm.usage(),
  };
  const config = {
    ...(prefix === undefined ? {} : { prefix: bytePath(prefix) }),
    proc: kernelProc(
      kernel,
      t.task,
      (index) => (index === t.task.mm ? own : otherMemory(t, index)),
      (task, addr, bytes, write) => accessMemory(t, task, addr, bytes, write, true),
    ),
    machine: {
      ...cpuModel,
      flags: cpuModel.features,
      ...cpuFigures(cpuModel),
      cpus,
      memoryTotal: MEMORY_TOTAL,
      memoryFree: () => MEMORY_TOTAL - mm.usage().rss,
    },
  };
  return new FileContext(state, config, mm);
}

/** Another process's address space, for /proc: only looked at. */
function otherMemory(t: Thread, mm: number): ProcMemory {
  const views = memoryViews(t.kernel.lookIntoMemory(t, mm));
  const space = quietSpace(views);
  return {
    read: (addr, size) => (addr >= 0 && addr + size <= GUEST_END ? views.u8.slice(addr, addr + size) : undefined),
    maps: () => space.maps(),
    smaps: (rollup) => space.smaps(rollup),
    usage: () => space.usage(),
  };
}
