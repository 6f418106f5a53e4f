/** System calls of compiled regions: the engine serves them while the functions under way wait (src/engine/execute-loop.ts). */
import { CPU_EXIT_REASON } from '../interpreter/gen/constants';

@external('env', 'syscall')
declare function serve(cpu: i32): i32;

/** The system call of rax, with rip behind it. 0: served, the state is in the CPU block and the region goes on; else the EXIT reason to leave with. */
export function syscallInPlace(cpu: i32): i32 {
  const reason = serve(cpu);
  store<i32>(<usize>cpu + CPU_EXIT_REASON, reason);
  return reason;
}
