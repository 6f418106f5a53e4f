/** A program file of the host, read piece by piece. In: a descriptor; its offset stays. Out: what parseElf takes. */
import { fstatSync, readSync } from 'node:fs';
import type { ElfFile } from '../../frontend/elf/elf.js';

export const hostElf = (fd: number): ElfFile => ({
  size: fstatSync(fd).size,
  read: (offset, length) => {
    // Zeros where the file has become shorter meanwhile.
    const bytes = new Uint8Array(length);
    readSync(fd, bytes, 0, length, offset);
    return bytes;
  },
});
