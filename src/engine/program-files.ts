/**
 * Files of the host or of the guest's tree that a run begins with: the program, its ELF interpreter, the working directory. In: paths. Out: open descriptors and parsed ELF files; ProgramError, UsageError.
 */
import { accessSync, constants, fstatSync, openSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Elf, parseElf } from '../../frontend/elf/elf.js';
import type { ImageFile } from '../../runtime/process/exec-image.js';
import { bytePath, type BytePath } from '../../runtime/vfs/byte-path.js';
import { type GuestTree, noDirectory } from '../../runtime/vfs/guest-tree.js';
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, ProgramError } from '../base/errors.js';
import { hostElf } from './host-elf.js';

/** A directory of the host, without links. Throws UsageError. */
export function hostDirectory(path: string): BytePath {
  try {
    const real = realPath(path);
    if (statSync(real).isDirectory()) return bytePath(latin1(real));
  } catch {
    // Not there, or not to be seen.
  }
  throw noDirectory(path);
}

/** Bytes of a JavaScript string (argv and environment as Node decodes them), one character a byte. */
export const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

export function underPrefix(path: string, prefix: string | undefined): string {
  if (prefix === undefined) return path;
  const inside = join(prefix, path);
  try {
    accessSync(inside);
    return inside;
  } catch {
    return path;
  }
}

/** What /proc/self/exe gives: the path with no symbolic link in it; on hosts that can't tell, the absolute one. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path);
  }
}

export interface OpenedImage {
  readonly image: ImageFile;
  readonly elf: Elf;
}

/** Opens and checks a program file. `name` is what messages call it. */
export function openImage(path: string, name: string): OpenedImage {
  return checkedImage(name, () => {
    const stat = statSync(path);
    if (stat.isFile()) accessSync(path, constants.X_OK);
    // Only what is no file would wait here.
    return { fd: stat.isFile() || stat.isDirectory() ? openSync(path, 'r') : -1, path: latin1(realPath(path)) };
  });
}

/** The same, in the guest's tree. */
export function openGuestImage(tree: GuestTree, path: string, name: string): OpenedImage {
  return checkedImage(name, () => {
    const found = tree.open(path);
    if (found === undefined) throw new ProgramError(`${name}: no such file`, EXIT_NOT_FOUND);
    accessSync(`/proc/self/fd/${String(found.fd)}`, constants.X_OK);
    return found;
  });
}

function checkedImage(name: string, open: () => { readonly fd: number; readonly path: string }): OpenedImage {
  let opened: { readonly fd: number; readonly path: string };
  try {
    opened = open();
    const stat = opened.fd < 0 ? undefined : fstatSync(opened.fd);
    if (stat?.isDirectory() === true) throw new ProgramError(`${name}: is a directory`, EXIT_NOT_EXECUTABLE);
    if (stat?.isFile() !== true) throw new ProgramError(`${name}: not a regular file`, EXIT_NOT_EXECUTABLE);
  } catch (e) {
    if (e instanceof ProgramError) throw e;
    const { code } = e as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new ProgramError(`${name}: no such file`, EXIT_NOT_FOUND);
    if (code === 'EACCES') throw new ProgramError(`${name}: permission denied`, EXIT_NOT_EXECUTABLE);
    throw new ProgramError(`${name}: ${code ?? String(e)}`, EXIT_NOT_EXECUTABLE);
  }
  const { fd, path } = opened;
  const file = hostElf(fd);
  const elf = parseElf(file, name);
  return { elf, image: { ...elf, hostFd: fd, path, size: file.size } };
}
