/**
 * /dev: names of open files, terminals, and the memory devices where the host has none. The rest is the host's. In: path components. Out: nodes.
 * Source: man 4 null, man 4 full, man 4 random, man 4 tty.
 */
import { bytePath } from './byte-path.js';
import { LINUX_HOST } from './open-flags.js';
import { DT, type DirectoryEntry, type Mount, type OnHost, type Redirect, type SpecialNode } from './special-node.js';
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
  lookup(c, parts): SpecialNode | Redirect | number | undefined {
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

/** Devices of the host that an isolated guest has: the terminal that lift64 runs in is its own. */
const ISOLATED_HOST: ReadonlySet<string> = new Set(['tty']);

/** /dev of a guest that does not see the host's: nothing in it is the host's but the terminal. */
export const isolatedDev: Mount = {
  at: '/dev',
  lookup(c, parts): SpecialNode | Redirect | OnHost | number | undefined {
    const [name, ...rest] = parts;
    if (name === undefined)
      return { type: 'directory', entries: () => isolatedEntries(c.state.tree?.namesIn('/dev') ?? []) };
    const own = devMount.lookup(c, parts);
    if (own !== undefined) return own;
    if (rest.length > 0) return undefined;
    const minor = DEVICES.get(name);
    if (minor !== undefined) return { type: 'device', minor };
    return ISOLATED_HOST.has(name) ? { host: bytePath(`/dev/${name}`) } : undefined;
  },
};

function isolatedEntries(mounts: readonly string[]): DirectoryEntry[] {
  const of = (names: Iterable<string>, type: number): DirectoryEntry[] => [...names].map((name) => ({ name, type }));
  return [
    ...of(DEVICES.keys(), DT.CHR),
    ...of([...ISOLATED_HOST, 'ptmx'], DT.CHR),
    ...of(['pts'], DT.DIR),
    ...of([...STANDARD.keys(), 'fd'], DT.LNK),
    ...of(mounts, DT.DIR),
  ];
}
