/**
 * Modules of Node that few guests need. In: nothing. Out: the modules, loaded when they are first asked for: importing them costs every start 12 ms (child_process, net, tty) and 4 ms (crypto).
 */
import { fstatSync } from 'node:fs';

export const nodeModules = {
  childProcess: () => process.getBuiltinModule('node:child_process'),
  crypto: () => process.getBuiltinModule('node:crypto'),
  dgram: () => process.getBuiltinModule('node:dgram'),
  net: () => process.getBuiltinModule('node:net'),
  tty: () => process.getBuiltinModule('node:tty'),
} as const;

/** True when the host's descriptor `fd` is a terminal. */
export function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && nodeModules.tty().isatty(fd);
  } catch {
    // A descriptor that is not open is no terminal.
    return false;
  }
}
