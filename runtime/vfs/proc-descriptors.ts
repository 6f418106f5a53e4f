/** /proc/PID/fd and fdinfo. In: an fd table, path components. Out: nodes. Source: man 5 proc_pid_fd, proc_pid_fdinfo. */
import * as fs from 'node:fs';
import { ENOENT, ENOTDIR } from '../linux/errno.js';
import { bytePath } from './byte-path.js';
import { fdLink } from './descriptor-path.js';
import { isCloexec, openFds, pinFile } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { fileFlags, fileKind, fileOffset, fileOps, hostFd, KIND, putFile } from './open-files.js';
import { O_CLOEXEC } from './open-flags.js';
import { asId, type Found, numbered } from './proc-nodes.js';
import { DT, type DirectoryEntry } from './special-node.js';

export function ofDescriptors(c: FileContext, table: number, info: boolean, parts: readonly string[]): Found {
  const s = c.state;
  const [number, ...rest] = parts;
  if (number === undefined) {
    const entries = (): DirectoryEntry[] => (table === 0 ? [] : numbered(openFds(s, table), info ? DT.REG : DT.LNK));
    return { type: 'directory', entries, mode: 0o500, twin: info ? '/proc/self/fdinfo' : '/proc/self/fd' };
  }
  const fd = asId(number);
  const file = fd === undefined || table === 0 ? -1 : pinFile(s, table, fd);
  if (fd === undefined || file < 0) return -ENOENT;
  try {
    if (info) {
      if (rest.length > 0) return -ENOTDIR;
      const text = infoText(c, table, fd, file);
      return { type: 'file', content: () => text, mode: 0o400 };
    }
    if (rest.length === 0) return { type: 'descriptor', fd, table };
    const kind = fileKind(s, file);
    if (kind !== KIND.DIRECTORY && kind !== KIND.PATH && kind !== KIND.SPECIAL_DIRECTORY) return -ENOTDIR;
    return { redirect: bytePath(`${fdLink(s, file)}/${rest.join('/')}`) };
  } finally {
    putFile(s, file);
  }
}

function infoText(c: FileContext, table: number, fd: number, file: number): string {
  const s = c.state;
  const flags = fileFlags(s, file) | (isCloexec(s, table, fd) === true ? O_CLOEXEC : 0);
  const host = hostFd(s, file);
  const st = host < 0 ? fileOps(s, file).stat(c, file) : fs.fstatSync(host, { bigint: true });
  const inode = typeof st === 'number' ? 0n : st.ino;
  const own = fileOps(s, file).info?.(s, file) ?? '';
  return `pos:\t${String(fileOffset(s, file))}\nflags:\t0${flags.toString(8)}\nmnt_id:\t1\nino:\t${String(inode)}\n${own}`;
}
