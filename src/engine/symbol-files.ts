/**
 * Function symbols of a program or library, also of a stripped one whose symbols are in a file of their own (Debian's -dbg packages). In: the file's bytes. Out: symbols.
 * Source: GDB manual, Separate Debug Files (the build ID method).
 */
import { readFileSync } from 'node:fs';
import { buildIdOf, debugFileOf } from '../../frontend/elf/build-id.js';
import { hasFullSymbols, readSymbols, type Symbols } from '../../frontend/elf/symbols.js';

/** @param prefix the directory that -L names: symbols are looked for below it first */
export function symbolsOf(file: Uint8Array, prefix?: string): Symbols {
  const id = hasFullSymbols(file) ? undefined : buildIdOf(file);
  if (id !== undefined)
    for (const root of prefix === undefined ? [''] : [prefix, '']) {
      const separate = readIfThere(root + debugFileOf(id));
      if (separate !== undefined && buildIdOf(separate) === id && hasFullSymbols(separate))
        return readSymbols(separate);
    }
  return readSymbols(file);
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // Not installed, which is usual.
    return undefined;
  }
}
