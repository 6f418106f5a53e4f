/**
 * Path lookup in a tree of mounts, component by component. In: where the path starts, its bytes. Out: a Target, or -errno.
 *
 * The host never follows a link for the guest: each component is opened by itself (O_PATH, O_NOFOLLOW) from the descriptor of the directory before it, and a link's text is looked up
 * here, from the guest's root. So nothing that is swapped meanwhile leads out of a mount. What a Target names for host calls is either an open descriptor of the file itself,
 * or a name in an open directory, for calls that do not follow the last component. Source: man 7 path_resolution, man 2 openat2 (RESOLVE_IN_ROOT).
 */
import * as fs from 'node:fs';
import { EACCES, EBUSY, EEXIST, ELOOP, ENOENT, ENOTDIR, EXDEV } from '../linux/errno.js';
import { bytePath, fromBytes, hostBytes, isAbsolute, type BytePath } from './byte-path.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT } from './file-stat.js';
import { hostCall } from './host-error.js';
import { guestName, hostName, type MountPoint, type MountTable } from './mount-table.js';
import { O_NOFOLLOW, O_PATH, toHostFlags } from './open-flags.js';
import type { ResolveOptions, Target } from './resolve.js';
import { DT, type DescriptorNode, type DirectoryEntry, type OnHost, type SpecialNode } from './special-node.js';

/** Links followed in one lookup, as in Linux. */
const MAX_LINKS = 40;

/** A directory on the way. `path`: canonical guest path. `above`: the directory that it was reached from. */
export type Place = HostPlace | OwnPlace;

interface HostPlace {
  readonly kind: 'host';
  readonly mount: MountPoint;
  readonly fd: number;
  readonly path: string;
  readonly above?: Place;
}

/** One that lift64 serves itself; without a mount: on the way to a mount point only. */
interface OwnPlace {
  readonly kind: 'own';
  readonly mount: MountPoint | undefined;
  readonly path: string;
  readonly above?: Place;
}

/** Where the file behind a descriptor is, for a lookup that goes on there. */
export interface DescriptorPlace {
  readonly host: BytePath;
  readonly guest: BytePath;
  readonly mount: MountPoint | undefined;
}

/** What lift64 serves itself (mounts.ts). */
export interface Served {
  /** What is at a canonical path below /proc or /dev; undefined: nothing of its own. */
  at(path: string): SpecialNode | OnHost | number | undefined;
  /** Undefined for what the host can't open again. */
  descriptor(node: DescriptorNode): DescriptorPlace | number | undefined;
}

/** For lookups before there are guest processes. */
export const NOTHING_SERVED: Served = { at: () => undefined, descriptor: () => undefined };

/** RESOLVE_* of openat2. */
export interface WalkRules {
  /** No mount point, and no other file system of the host, is crossed. */
  readonly noMounts: boolean;
  /** No links of /proc/PID/fd; no links at all. */
  readonly noMagic: boolean;
  readonly noLinks: boolean;
  /** Nothing leads out of the directory at which the path starts: what would is an error, or stays within. */
  readonly beneath: boolean;
  readonly inRoot: boolean;
}

/** What a name in a directory is. */
type Step =
  | { readonly type: 'place'; readonly place: Place }
  | { readonly type: 'link'; readonly text: BytePath }
  /** `whole`: the target takes in what follows of the path. */
  | { readonly type: 'leaf'; readonly target: Target; readonly whole?: true };

const inside = (dir: string, name: string): string => (dir === '/' ? `/${name}` : `${dir}/${name}`);
const fdName = (fd: number): string => `/proc/self/fd/${String(fd)}`;
const NO_FOLLOW = toHostFlags(O_PATH | O_NOFOLLOW);

/** Device of the host's /proc: through its links a process reaches itself, so no mount shows it. */
let procDevice: number | undefined;
const isHostProc = (st: fs.Stats): boolean => st.dev === (procDevice ??= fs.statSync('/proc').dev);

export class Walk {
  private readonly opened: number[] = [];
  private links = 0;

  constructor(
    private readonly served: Served,
    private readonly table: MountTable,
    private readonly rules?: WalkRules,
  ) {}

  /** Closes what the lookup has opened: Targets are good until then. */
  close(): void {
    for (const fd of this.opened) fs.closeSync(fd);
  }

  root(): Place {
    return this.rootOf(this.table.root);
  }

  /** The directory behind a description of the guest. */
  placeOf(mount: MountPoint, fd: number, path: string): Place {
    const at = mount.hasInner ? guestName(mount, hostName(fd)) : path;
    return { kind: 'host', mount, fd, path: at ?? path };
  }

  lookup(start: Place, path: string, o: ResolveOptions): Target | number {
    return (this.rules === undefined ? this.quick(start, path, o) : undefined) ?? this.walk(start, path, o);
  }

  /**
   * One call of the host for the whole path, taken only when the host's name of what it has opened says that no link was followed on the way. Else undefined, and nothing
   * is told of what was there.
   */
  private quick(start: Place, path: string, o: ResolveOptions): Target | undefined {
    if (/\/\.{0,2}(?:\/|$)|^\.{1,2}(?:\/|$)/.test(path)) return undefined;
    const full = isAbsolute(path) ? path : inside(start.path, path);
    const mount = this.table.holding(full);
    if (mount.fd < 0 || mount.at === full || this.table.leadsToMount(full)) return undefined;
    if (!isAbsolute(path) && (start.kind !== 'host' || start.mount !== mount)) return undefined;
    const from = isAbsolute(path) || start.kind !== 'host' ? mount.fd : start.fd;
    const rest = isAbsolute(path) ? path.slice(mount.at === '/' ? 1 : mount.at.length + 1) : path;
    const slash = o.follow && o.named !== true ? rest.length : rest.lastIndexOf('/');
    const wanted = slash < 0 ? '' : rest.slice(0, slash);
    if (wanted === '') return undefined;
    const fd = this.open(`${fdName(from)}/${wanted}`);
    if (fd < 0) return undefined;
    const before = from === mount.fd ? mount.hostName : hostName(from);
    if (hostName(fd) !== (before === '/' ? `/${wanted}` : `${before}/${wanted}`)) return undefined;
    if (slash === rest.length) {
      const step = this.opens(mount, fd, full, undefined);
      if (typeof step === 'number' || step.type === 'link') return undefined;
      if (step.type === 'leaf') return step.target;
      const target = this.targetOf(step.place);
      return typeof target === 'number' ? undefined : target;
    }
    if (o.creates !== undefined || o.follow) return undefined;
    return this.named(mount, `${fdName(fd)}/${rest.slice(slash + 1)}`, full);
  }

  private walk(start: Place, path: string, o: ResolveOptions): Target | number {
    const { rules } = this;
    let place = start;
    if (isAbsolute(path)) {
      if (rules?.beneath === true) return -EXDEV;
      if (rules?.inRoot !== true) place = this.root();
    }
    let todo = componentsOf(path);
    let dots = '';
    let rooted = isAbsolute(path);
    for (;;) {
      const name = todo.shift();
      if (name === undefined) return this.atDots(place, dots, o);
      if (name === '') continue;
      dots = name;
      if (name === '.') continue;
      if (name === '..') {
        if (rules !== undefined && (rules.beneath || rules.inRoot) && isSame(place, start)) {
          if (rules.beneath) return -EXDEV;
          continue;
        }
        rooted = true;
        const above = this.above(place);
        if (typeof above === 'number') return above;
        if (rules?.noMounts === true && isElsewhere(place, above)) return -EXDEV;
        place = above;
        continue;
      }
      // A slash at the end leaves an empty component: then it has to be a directory.
      const last = todo.every((p) => p === '');
      const slash = todo.length > 0;
      if (last && (o.names === true || (!o.follow && !slash))) return this.lastName(place, name, slash, o);
      const step = this.step(place, name, todo.join('/'));
      if (typeof step === 'number') {
        if (step !== -ENOENT || o.creates === undefined || !last || place.kind !== 'host') return step;
        return this.missing(place, name, slash);
      }
      switch (step.type) {
        case 'place':
          if (rules?.noMounts === true && isElsewhere(place, step.place)) return -EXDEV;
          place = step.place;
          break;
        case 'link':
          if (++this.links > MAX_LINKS || rules?.noLinks === true) return -ELOOP;
          if (isAbsolute(step.text)) {
            if (rules?.beneath === true) return -EXDEV;
            const top = rules?.inRoot === true ? start : this.root();
            // Linux has no root to compare with before it has needed one.
            if (rules?.noMounts === true && (!rooted || isElsewhere(place, top))) return -EXDEV;
            rooted = true;
            place = top;
          }
          todo = [...componentsOf(step.text), ...todo];
          break;
        case 'leaf':
          if (step.whole === true) return step.target;
          if (slash) return -ENOTDIR;
          return o.named === true && place.kind === 'host'
            ? this.named(place.mount, `${fdName(place.fd)}/${name}`, inside(place.path, name))
            : step.target;
      }
    }
  }

  /** A path that ends at a directory, by `.`, `..`, or a slash; calls that take names refuse the dots themselves. */
  private atDots(place: Place, dots: string, o: ResolveOptions): Target | number {
    if (o.creates === 'name') return -EEXIST;
    if (o.names !== true || place.kind !== 'host') return this.targetOf(place);
    if (dots === '') return -EBUSY;
    return this.named(place.mount, `${fdName(place.fd)}/${dots === '..' ? '..' : '.'}`, place.path);
  }

  /** For calls that take the name itself: it need not be there, and is not followed. */
  private lastName(place: Place, name: string, slash: boolean, o: ResolveOptions): Target | number {
    const path = inside(place.path, name);
    const mount = this.table.at(path);
    const made = o.creates === 'name';
    if (mount !== undefined) {
      if (made) return -EEXIST;
      if (o.names === true) return -EBUSY;
      return mount.isFile ? this.object(mount, mount.fd, path) : this.targetOf(this.rootOf(mount));
    }
    if (place.kind === 'own') {
      const step = this.stepOwn(place, name, '', false);
      if (typeof step === 'number') return step;
      if (made) return -EEXIST;
      if (step.type === 'leaf') return step.target;
      return step.type === 'place' ? this.targetOf(step.place) : -ENOENT;
    }
    if (this.table.leadsToMount(path)) {
      const step = this.step(place, name, '');
      if (typeof step === 'object' && step.type === 'place') {
        if (made) return -EEXIST;
        return o.names === true ? -EBUSY : this.targetOf(step.place);
      }
    }
    const host = `${fdName(place.fd)}/${name}`;
    // That the name is taken counts for more than that the mount is read-only.
    if (made && place.mount.readOnly && fs.lstatSync(hostBytes(host), { throwIfNoEntry: false }) !== undefined)
      return -EEXIST;
    return this.named(place.mount, slash ? `${host}/` : host, path);
  }

  /** A name where nothing is yet. */
  private missing(place: HostPlace, name: string, slash: boolean): Target {
    const path = inside(place.path, name);
    return {
      ...this.named(place.mount, `${fdName(place.fd)}/${name}${slash ? '/' : ''}`, path),
      missing: true,
    };
  }

  private named(mount: MountPoint, host: string, path: string): Target {
    return { guest: bytePath(path), host: hostBytes(host), node: undefined, mount };
  }

  private object(mount: MountPoint, fd: number, path: string): Target {
    return { ...this.named(mount, fdName(fd), path), object: true };
  }

  /** One component down. `rest`: what follows it. */
  private step(place: Place, name: string, rest: string): Step | number {
    const path = inside(place.path, name);
    const mount = this.table.at(path);
    if (mount !== undefined) {
      if (mount.isFile) return this.opens(mount, mount.fd, path, place);
      return { type: 'place', place: { ...this.rootOf(mount), above: place } };
    }
    if (place.kind === 'own') return this.stepOwn(place, name, rest, true);
    const fd = this.open(`${fdName(place.fd)}/${name}`);
    if (fd < 0) {
      if (fd !== -ENOENT || !this.table.leadsToMount(path)) return fd;
      return { type: 'place', place: { kind: 'own', mount: undefined, path, above: place } };
    }
    return this.opens(place.mount, fd, path, place);
  }

  /** What an opened component is. */
  private opens(mount: MountPoint, fd: number, path: string, above: Place | undefined): Step | number {
    const st = fs.fstatSync(fd);
    const type = st.mode & S_IFMT;
    if (isHostProc(st) && !this.table.hostRoot) return -EACCES;
    if (type === S_IFLNK) {
      const name = above?.kind === 'host' ? `${fdName(above.fd)}/${path.slice(path.lastIndexOf('/') + 1)}` : undefined;
      if (name === undefined) return { type: 'link', text: bytePath('') };
      const text = hostCall(() => fromBytes(fs.readlinkSync(hostBytes(name), { encoding: 'buffer' })));
      return typeof text === 'number' ? text : { type: 'link', text };
    }
    if (type === S_IFDIR) {
      const place: HostPlace = { kind: 'host', mount, fd, path };
      return { type: 'place', place: above === undefined ? place : { ...place, above } };
    }
    // As on a file system that is mounted nodev.
    const device = (type === S_IFBLK || type === S_IFCHR) && !this.table.hostRoot;
    return { type: 'leaf', target: { ...this.object(mount, fd, path), ...(device ? { device } : {}) } };
  }

  /** One component down in what lift64 serves itself. */
  private stepOwn(place: OwnPlace, name: string, rest: string, follow: boolean): Step | number {
    const path = inside(place.path, name);
    const node = place.mount === undefined ? undefined : this.served.at(path);
    if (typeof node === 'number') return node;
    if (node === undefined) {
      if (this.table.leadsToMount(path))
        return { type: 'place', place: { kind: 'own', mount: undefined, path, above: place } };
      // The rest of the path is the host's to look up: there, nothing is confined.
      if (!this.table.hostRoot || place.mount === undefined) return -ENOENT;
      const host = rest === '' ? path : `${path}/${rest}`;
      return { type: 'leaf', target: this.onHost(host, host), whole: true };
    }
    if ('host' in node) {
      if (!this.table.hostRoot) return -ENOENT;
      const host = rest === '' ? node.host : `${node.host}/${rest}`;
      return { type: 'leaf', target: this.onHost(path, host), whole: true };
    }
    if (node.type === 'directory') {
      return { type: 'place', place: { kind: 'own', mount: place.mount, path, above: place } };
    }
    if (node.type === 'descriptor' && (follow || rest !== '')) return this.stepDescriptor(node, path, place);
    if (node.type === 'link' && (follow || rest !== '')) {
      const refused = node.magic === true ? this.refusedMagic() : 0;
      if (refused < 0) return refused;
      const text = node.target();
      return typeof text === 'number' ? text : { type: 'link', text };
    }
    return { type: 'leaf', target: this.nodeTarget(path, node) };
  }

  /** What the rules say of a link of /proc that is not followed by its text: -errno, or 0. */
  private refusedMagic(): number {
    const { rules } = this;
    if (rules?.noMagic === true || rules?.noLinks === true) return -ELOOP;
    return rules?.beneath === true || rules?.inRoot === true ? -EXDEV : 0;
  }

  /** /proc/PID/fd/N leads to the file itself. */
  private stepDescriptor(node: DescriptorNode, path: string, above: Place): Step | number {
    const refused = this.refusedMagic();
    if (refused < 0) return refused;
    const found = this.served.descriptor(node);
    if (typeof found === 'number') return found;
    if (found === undefined) return { type: 'leaf', target: this.nodeTarget(path, node) };
    const { mount, guest } = found;
    if (mount === undefined) {
      // Not of a mount (lift64 was started with it): only the descriptor itself is the guest's.
      return { type: 'leaf', target: this.nodeTarget(path, node) };
    }
    const fd = this.open(found.host, O_PATH);
    return fd < 0 ? fd : this.opens(mount, fd, guest, fs.fstatSync(fd).isDirectory() ? undefined : above);
  }

  private onHost(path: string, host: string): Target {
    return { guest: bytePath(path), host: hostBytes(host), node: undefined };
  }

  private nodeTarget(path: string, node: SpecialNode): Target {
    return { guest: bytePath(path), host: hostBytes(path), node };
  }

  private targetOf(place: Place): Target | number {
    if (place.kind === 'host') return this.object(place.mount, place.fd, place.path);
    const names = (): DirectoryEntry[] => this.table.namesIn(place.path).map((name) => ({ name, type: DT.DIR }));
    if (place.mount === undefined) return this.nodeTarget(place.path, { type: 'directory', entries: names });
    const node = this.served.at(place.path);
    if (typeof node === 'number') return node;
    if (node !== undefined && !('host' in node)) return this.nodeTarget(place.path, node);
    if (!this.table.hostRoot) return -ENOENT;
    return this.onHost(place.path, node?.host ?? place.path);
  }

  private rootOf(mount: MountPoint): Place {
    return mount.fd < 0
      ? { kind: 'own', mount, path: mount.at }
      : { kind: 'host', mount, fd: mount.fd, path: mount.at };
  }

  /** `..`: over the edge of a mount to where the mount point is, and never above the root. */
  private above(place: Place): Place | number {
    if (place.above !== undefined) return place.above;
    if (place.kind === 'host' && place.fd !== place.mount.fd) {
      const here = fs.fstatSync(place.fd);
      const root = fs.fstatSync(place.mount.fd);
      if (here.ino !== root.ino || here.dev !== root.dev) return this.aboveOnHost(place);
    }
    if (place.kind === 'host' && place.mount.at === '/') return place;
    const path = place.kind === 'host' ? place.mount.at : place.path;
    if (path === '/') return place;
    const dir = path.slice(0, Math.max(path.lastIndexOf('/'), 1));
    return this.placeAt(dir) ?? -ENOENT;
  }

  /** The place at a canonical path that names a directory. */
  placeAt(path: string): Place | undefined {
    let place = this.root();
    for (const name of componentsOf(path)) {
      const step = this.step(place, name, '');
      if (typeof step === 'number' || step.type !== 'place') return undefined;
      place = step.place;
    }
    return place;
  }

  private aboveOnHost(place: HostPlace): Place | number {
    const fd = this.open(`${fdName(place.fd)}/..`);
    if (fd < 0) return fd;
    // A directory that has been moved out of the mount has nothing above it: the check is made on what was opened.
    const path = guestName(place.mount, hostName(fd));
    return path === undefined ? -ENOENT : { kind: 'host', mount: place.mount, fd, path };
  }

  private open(path: string, flags: number = NO_FOLLOW): number {
    const fd = hostCall(() => fs.openSync(hostBytes(path), flags));
    if (fd >= 0) this.opened.push(fd);
    return fd;
  }
}

function isSame(a: Place, b: Place): boolean {
  if (a.kind !== 'host' || b.kind !== 'host') return a.kind === b.kind && a.path === b.path;
  if (a.fd === b.fd) return true;
  const [x, y] = [fs.fstatSync(a.fd), fs.fstatSync(b.fd)];
  return x.ino === y.ino && x.dev === y.dev;
}

/** Another mount, of ours or of the host. */
function isElsewhere(a: Place, b: Place): boolean {
  if (a.mount !== b.mount) return true;
  return a.kind === 'host' && b.kind === 'host' && hostMount(a.fd) !== hostMount(b.fd);
}

const hostMount = (fd: number): string | undefined =>
  /^mnt_id:.*$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'latin1'))?.[0];

/** Slashes at the end leave an empty component. */
function componentsOf(path: string): string[] {
  const parts = path.split('/').filter((p) => p !== '');
  if (path.endsWith('/') && parts.length > 0) parts.push('');
  return parts;
}
