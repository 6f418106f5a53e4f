/** System calls on the memory of other processes. In: thread and arguments. Out: results. Source: man 2 process_vm_readv. */
import { mayLookInto } from '../../process/look-into.js';
import { accessMemory } from '../../threads/other-memory.js';
import { type GuestRange, iovecRanges } from '../../vfs/guest-args.js';
import type { Handler, SyscallRow } from '../context.js';
import { EFAULT, EINVAL, EPERM, ESRCH } from '../errno.js';

/** Bytes copied at a time. */
const PIECE = 1 << 18;

/** Pieces that lie in one range on both sides. */
function* pieces(
  here: readonly GuestRange[],
  there: readonly GuestRange[],
): Generator<{ here: number; there: number; size: number }> {
  let [h, t, hDone, tDone] = [0, 0, 0, 0];
  for (;;) {
    const own = here[h];
    const other = there[t];
    if (own === undefined || other === undefined) return;
    const size = Math.min(own.size - hDone, other.size - tDone, PIECE);
    yield { here: own.addr + hDone, there: other.addr + tDone, size };
    if ((hDone += size) === own.size) [h, hDone] = [h + 1, 0];
    if ((tDone += size) === other.size) [t, tDone] = [t + 1, 0];
  }
}

function processVm(write: boolean): Handler {
  return (t, a) => {
    if (a.u64(5) !== 0n) return -EINVAL;
    const here = iovecRanges(t, a.ptr(1), a.ptr(2));
    if (typeof here === 'number') return here;
    const there = iovecRanges(t, a.ptr(3), a.ptr(4));
    if (typeof there === 'number') return there;
    const task = t.kernel.findTask(a.i32(0));
    if (task?.alive !== true) return -ESRCH;
    if (!mayLookInto(t.task, task.group)) return -EPERM;
    let done = 0;
    for (const p of pieces(here, there)) {
      const bytes = write ? t.mem.read(p.here, p.size) : new Uint8Array(p.size);
      const n = bytes === undefined ? 0 : accessMemory(t, task, p.there, bytes, write, false);
      if (bytes === undefined || n === 0 || (!write && !t.mem.write(p.here, bytes.subarray(0, n)))) break;
      done += n;
      if (n < p.size) break;
    }
    return done === 0 && here.length > 0 && there.length > 0 ? -EFAULT : done;
  };
}

export const otherMemoryRows = [
  { nr: 310, name: 'process_vm_readv', args: 'd,p,lu,p,lu,lu', support: 'yes', handler: processVm(false) },
  { nr: 311, name: 'process_vm_writev', args: 'd,p,lu,p,lu,lu', support: 'yes', handler: processVm(true) },
] as const satisfies readonly SyscallRow[];
