/**
 * /dev: names of open files, terminals, and the memory devices where the host has none. The rest is the host's. In: path components. Out: nodes.
 * Source: man 4 null, man 4 full, man 4 random, man 4 tty.
 */
import { bytePath } from './byte-path.js';
import { LINUX_HOST } from './open-flags.js';
import { named } from './proc-nodes.js';
import { DT, type DirectoryEntry, type Mount } from './special-node.js';
import { terminalNode } from './terminal/nodes.js';

/** Names that /dev links to descriptors (on a Linux host too: there they would be lift64's own descriptors). */
const STANDARD: ReadonlyMap<string, number> = new Map([
  ['stdin', 0],
  ['stdout', 1],
  ['stderr', 2],
]);

export const MEMORY_DEVICE = { NULL: 3, ZERO: 5, FULL: 7, RANDOM: 8, URANDOM: 9 } as const;
const DEVICES: ReadonlyMap<string, number> = new Map([
  ['null', MEMORY_DEVICE.NULL],
  ['zero', MEMORY_DEVICE.ZERO],
  ['full', MEMORY_DEVICE.FULL],
  ['random', MEMORY_DEVICE.RANDOM],
  ['urandom', MEMORY_DEVICE.URANDOM],
]);

export const devMount: Mount = {
  at: '/dev',
  lookup(c, parts) {
    const [name, ...rest] = parts;
    if (name === undefined) return undefined;
    const standard = STANDARD.get(name);
    if (standard !== undefined && rest.length === 0) {
      return { type: 'link', target: () => bytePath(`/proc/self/fd/${String(standard)}`), twin: `/dev/${name}` };
    }
    if (name === 'fd') {
      if (rest.length > 0) return { redirect: bytePath(`/proc/self/fd/${rest.join('/')}`) };
      return { type: 'link', target: () => bytePath('/proc/self/fd'), twin: '/dev/fd' };
    }
    if (name === 'pts' || name === 'ptmx' || name === 'tty') return terminalNode(c, name, rest);
    const minor = DEVICES.get(name);
    return !LINUX_HOST && minor !== undefined && rest.length === 0 ? { type: 'device', minor } : undefined;
  },
};

/** /dev of a guest that does not see the host's: nothing in it is the host's. */
export const isolatedDev: Mount = {
  at: '/dev',
  lookup(c, parts) {
    const [name, ...rest] = parts;
    if (name === undefined)
      return { type: 'directory', entries: () => isolatedEntries(c.state.tree?.namesIn('/dev') ?? []) };
    const own = devMount.lookup(c, parts);
    if (own !== undefined) return own;
    if (rest.length > 0) return undefined;
    const minor = DEVICES.get(name);
    return minor === undefined ? undefined : { type: 'device', minor };
  },
};

function isolatedEntries(mounts: readonly string[]): DirectoryEntry[] {
  return [
    ...named([...DEVICES.keys(), 'tty', 'ptmx'], DT.CHR),
    ...named(['pts'], DT.DIR),
    ...named([...STANDARD.keys(), 'fd'], DT.LNK),
    ...named(mounts, DT.DIR),
  ];
}
