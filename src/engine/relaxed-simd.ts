/** Switches relaxed SIMD on where V8 has it behind a flag (before V8 11.4: Node 20). In: nothing. Out: nothing; hasRelaxedSimd() tells. The flag is the process's. */
import { setFlagsFromString } from 'node:v8';
import { hasRelaxedSimd } from '../../backend-wasm/compiler/host-simd.js';

export function enableRelaxedSimd(): void {
  // A flag that V8 does not know is a line on stderr: newer ones have no such flag, and need none.
  if (!hasRelaxedSimd()) setFlagsFromString('--experimental-wasm-relaxed-simd');
}
