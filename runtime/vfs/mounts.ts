/**
 * What lift64 serves itself, and the lookup of a path in it where the guest's tree is otherwise the host's (else: walk.ts). In: absolute guest paths. Out: a node, or the host's path.
 * Source: man 7 path_resolution.
 */
import { ELOOP } from '../linux/errno.js';
import { bytePath, isAbsolute, joinPath, normalize, type BytePath } from './byte-path.js';
import { currentPath, fdPath } from './descriptor-path.js';
import { devMount, isolatedDev } from './dev-mount.js';
import { withLinked } from './fd-table.js';
import type { FileContext } from './file-context.js';
import { fileKind, fileMount, hostFd, KIND, type Kind } from './open-files.js';
import { procMount } from './proc-mount.js';
import type { DescriptorNode, Mount, OnHost, SpecialNode } from './special-node.js';
import type { DescriptorPlace, Served } from './walk.js';

const MOUNTS: readonly Mount[] = [procMount, devMount];
/** Links followed in one lookup, as in Linux. */
const MAX_LINKS = 40;

/** Cheap, and right but for symbolic links of the host that lead into a mount. */
function mayBeMounted(path: string): boolean {
  return MOUNTS.some((m) => path.startsWith(m.at)) || path.includes('//') || path.includes('/.');
}

const mountOf = (path: string): Mount | undefined => MOUNTS.find((m) => path === m.at || path.startsWith(`${m.at}/`));

/** Components below the mount point. */
const partsIn = (mount: Mount, path: string): string[] =>
  path
    .slice(mount.at.length)
    .split('/')
    .filter((p) => p !== '');

export interface Lookup {
  /** Undefined: the host has it. */
  readonly node: SpecialNode | undefined;
  /** The guest's path, or what a link in it made of it. */
  readonly path: BytePath;
  /** Where the host has it, when that is another path. */
  readonly host: BytePath | undefined;
}

/** Looks up an absolute guest path; `follow`: a link as last component is followed. -errno when nothing is there. */
export function lookupNode(c: FileContext, path: BytePath, follow: boolean): Lookup | number {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (!mayBeMounted(at)) return { node: undefined, path: at, host: undefined };
    const clean = normalize(at);
    const mount = mountOf(clean);
    if (mount === undefined) return { node: undefined, path: at, host: undefined };
    const found = mount.lookup(c, partsIn(mount, clean));
    if (typeof found === 'number') return found;
    if (found === undefined) return { node: undefined, path: at, host: undefined };
    if ('host' in found) return { node: undefined, path: clean, host: found.host };
    if ('redirect' in found) {
      at = found.redirect;
    } else if (found.type === 'link' && (follow || at.endsWith('/'))) {
      const target = found.target();
      if (typeof target === 'number') return target;
      at = isAbsolute(target) ? target : joinPath(bytePath(clean.slice(0, clean.lastIndexOf('/'))), target);
    } else if (found.type === 'descriptor' && follow) {
      const host = hostOfDescriptor(c, found);
      if (typeof host === 'number') return host;
      return host === undefined ? { node: found, path: clean, host } : { node: undefined, path: clean, host };
    } else {
      return { node: found, path: clean, host: undefined };
    }
  }
  return -ELOOP;
}

/** Kinds of files that the host can open again. */
const REOPENED: ReadonlySet<Kind> = new Set([KIND.FILE, KIND.DIRECTORY, KIND.CHARACTER, KIND.PATH]);

/** The host's path of an open file that the host can open again; undefined for those that are lift64's own. */
function hostOfDescriptor(c: FileContext, node: DescriptorNode): BytePath | number | undefined {
  const { state: s } = c;
  return withLinked(s, node, (file) => (REOPENED.has(fileKind(s, file)) ? fdPath(s, file) : undefined));
}

/** What a walk meets in the mounts of lift64's own. */
export const servedOf = (c: FileContext): Served => ({
  at: (path) => servedAt(c, path),
  descriptor: (node) => descriptorPlace(c, node),
});

function servedAt(c: FileContext, path: string): SpecialNode | OnHost | number | undefined {
  const isolated = c.state.tree?.hostRoot === false;
  const mount = mountOf(path);
  if (mount === undefined) return undefined;
  const found = (mount === devMount && isolated ? isolatedDev : mount).lookup(c, partsIn(mount, path));
  return typeof found === 'object' && 'redirect' in found ? undefined : found;
}

function descriptorPlace(c: FileContext, node: DescriptorNode): DescriptorPlace | number | undefined {
  const { state: s } = c;
  return withLinked(s, node, (file) => {
    if (!REOPENED.has(fileKind(s, file)) || hostFd(s, file) < 0) return undefined;
    return { host: fdPath(s, file), guest: currentPath(s, file), mount: fileMount(s, file) };
  });
}
