/** Names of the machine that all guests see: the host's until a guest sets another. In: the kernel. Out: names. Source: man 2 uname, sethostname. */
import * as os from 'node:os';
import { HEAD } from './layout.js';
import type { Kernel } from './kernel.js';

/** Most bytes of a name. */
export const NAME_BYTES = 64;
export type UtsName = 'host' | 'domain';

const wordOf = (name: UtsName): number => (name === 'host' ? HEAD.HOST_NAME : HEAD.DOMAIN_NAME);

/** latin1 text. */
export function utsName(kernel: Kernel, name: UtsName): string {
  const word = wordOf(name);
  const length = (kernel.i32[word] ?? 0) - 1;
  if (length < 0) return name === 'host' ? Buffer.from(os.hostname()).toString('latin1') : '(none)';
  return Buffer.from(kernel.buffer, (word + 1) * 4, length).toString('latin1');
}

export function setUtsName(kernel: Kernel, name: UtsName, bytes: Uint8Array): void {
  const word = wordOf(name);
  kernel.lock(() => {
    new Uint8Array(kernel.buffer, (word + 1) * 4, NAME_BYTES).set(bytes);
    kernel.i32[word] = bytes.length + 1;
  });
}
