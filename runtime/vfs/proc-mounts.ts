/** /proc/PID/mounts and mountinfo of a guest that has mounts. In: the mount table. Out: text. Source: man 5 proc_pid_mounts, proc_pid_mountinfo. */
import * as fs from 'node:fs';
import { majorOf, minorOf } from './file-stat.js';
import type { MountPoint, MountTable } from './mount-table.js';

const escape = (text: string): string =>
  text.replace(/[\s\\]/g, (ch) => `\\${ch.charCodeAt(0).toString(8).padStart(3, '0')}`);

const typeOf = (m: MountPoint): string => (m.type === 'dev' ? 'devtmpfs' : m.type === 'host' ? 'ext4' : m.type);
/** The host's names are not the guest's to know. */
const sourceOf = (m: MountPoint, tree: MountTable): string =>
  m.type !== 'host' || tree.hostRoot ? m.source : `lift64:${m.index}`;
const optionsOf = (m: MountPoint): string => `${m.readOnly ? 'ro' : 'rw'},nosuid,relatime`;

export function mountsText(tree: MountTable): string {
  return tree.mounts
    .map((m) => `${escape(sourceOf(m, tree))} ${escape(m.at)} ${typeOf(m)} ${optionsOf(m)} 0 0\n`)
    .join('');
}

export function mountInfoText(tree: MountTable): string {
  return tree.mounts
    .map((m) => {
      const parent = m.at === '/' ? 0 : tree.holding(m.at.slice(0, m.at.lastIndexOf('/'))).index + 1;
      const dev = m.fd < 0 ? undefined : fs.fstatSync(m.fd, { bigint: true }).dev;
      const device = dev === undefined ? `0:${m.index + 20}` : `${majorOf(dev)}:${minorOf(dev)}`;
      const tail = `${typeOf(m)} ${escape(sourceOf(m, tree))} ${m.readOnly ? 'ro' : 'rw'}`;
      return `${m.index + 1} ${parent} ${device} / ${escape(m.at)} ${optionsOf(m)} - ${tail}\n`;
    })
    .join('');
}
