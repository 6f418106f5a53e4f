/**
 * /proc: guest processes, and the machine that they see. What else the host's /proc has, a guest sees that has the host's tree; never the host's processes. In: path components. Out: nodes.
 * Source: man 5 proc.
 */
import * as fs from 'node:fs';
import { ENOENT, ENOTDIR } from '../linux/errno.js';
import { bytePath } from './byte-path.js';
import type { FileContext } from './file-context.js';
import { LINUX_HOST } from './open-flags.js';
import { cpuInfo, memInfo } from './proc-machine.js';
import { asId, type Found, named, numbered } from './proc-nodes.js';
import { ofProcess } from './proc-process.js';
import { ofSystem, systemEntries } from './proc-system.js';
import { DT, type DirectoryEntry, type Mount } from './special-node.js';

export const procMount: Mount = {
  at: '/proc',
  lookup(c, parts): Found {
    const [first, ...rest] = parts;
    const { machine, proc } = c.config;
    switch (first) {
      case undefined:
        return { type: 'directory', entries: () => rootEntries(c), twin: '/proc' };
      case 'self':
      case 'thread-self': {
        const { pid, tid } = c.port;
        const target = first === 'self' ? String(pid) : `${String(pid)}/task/${String(tid)}`;
        if (rest.length > 0) return { redirect: bytePath(`/proc/${target}/${rest.join('/')}`) };
        return { type: 'link', target: () => bytePath(target), twin: `/proc/${first}` };
      }
      case 'cpuinfo':
      case 'meminfo': {
        if (rest.length > 0) return -ENOTDIR;
        const content = (): string => (first === 'cpuinfo' ? cpuInfo(machine) : memInfo(machine));
        return { type: 'file', content, mode: 0o444, twin: `/proc/${first}` };
      }
      case 'mounts':
        if (c.state.tree === undefined) return undefined;
        return rest.length > 0 ? -ENOTDIR : { type: 'link', target: () => bytePath('self/mounts') };
      default: {
        const id = asId(first);
        if (id === undefined) return seesHost(c) ? undefined : ofSystem(c, parts);
        const pid = proc.processOf(id);
        return pid === undefined ? -ENOENT : ofProcess(c, pid, id, rest);
      }
    }
  },
};

const seesHost = (c: FileContext): boolean => LINUX_HOST && c.state.tree?.hostRoot !== false;

function rootEntries(c: FileContext): DirectoryEntry[] {
  const own = [
    ...numbered(c.config.proc.pids(), DT.DIR),
    ...named(['self', 'thread-self', 'mounts'], DT.LNK),
    ...named(['cpuinfo', 'meminfo'], DT.REG),
  ];
  const known = new Set(own.map((e) => e.name));
  const others = seesHost(c)
    ? fs
        .readdirSync('/proc', { withFileTypes: true })
        .filter((e) => asId(e.name) === undefined)
        .map((e) => ({ name: e.name, type: e.isDirectory() ? DT.DIR : e.isSymbolicLink() ? DT.LNK : DT.REG }))
    : systemEntries();
  return [...own, ...others.filter((e) => !known.has(e.name))];
}
