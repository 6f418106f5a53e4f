/**
 * Names of the code store's files. In: options and a program. Out: a name that is another one for other content of the program's file, another build of lift64, and other options that
 * translated code depends on. It only has to find the file: what is in it is compared with the guest's memory (code-store.ts).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { bytesHash, padded } from './code-store-file.js';

/** Where the store is, and what all code in it depends on; plain data. */
export interface StoreOptions {
  readonly directory: string;
  /** Names lift64's build and the options that translated code depends on. */
  readonly variant: string;
}

/** Bytes of a program's file that its name depends on, with its size: headers, mostly with the build id. */
const IDENTITY_BYTES = 4096;
/** Names the program's file by its content; undefined when it can't be read. */
function programIdentity(path: string): string | undefined {
  if (path === '') return undefined;
  try {
    const fd = openSync(Buffer.from(path, 'latin1'), 'r');
    try {
      const head = new Uint8Array(IDENTITY_BYTES);
      readSync(fd, head, 0, IDENTITY_BYTES, 0);
      const { size } = fstatSync(fd);
      const name = basename(path)
        .replace(/[^\w.+-]/g, '_')
        .slice(0, 60);
      return `${name}-${bytesHash(head).toString(16)}-${size.toString(16)}`;
    } finally {
      closeSync(fd);
    }
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === undefined) throw e;
    return undefined;
  }
}

/**
 * Name of the files that keep the translated code of a program, without its place and suffix; undefined when its file can't be read.
 * @param program host path, one character a byte
 * @param precise whether floating point is lifted to its precise forms
 */
export function storeName(options: StoreOptions, program: string, precise: boolean): string | undefined {
  const identity = programIdentity(program);
  return identity === undefined
    ? undefined
    : `${identity}-${hashText(`${options.variant} ${precise ? 'precise' : ''}`)}`;
}

/** A hash of text, in hexadecimal digits. */
function hashText(text: string): string {
  const bytes = Buffer.from(text);
  const aligned = new Uint8Array(padded(bytes.length));
  aligned.set(bytes);
  return bytesHash(aligned).toString(16);
}
