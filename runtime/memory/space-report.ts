/**
 * What /proc shows of an address space. In: the tables. Out: text and figures. The caller holds PCB.MM_LOCK. Source: man 5 proc_pid_maps.
 */
import { PAGE_SIZE } from '../../src/guest/memory-map.js';
import { countUsed } from './clean-pages.js';
import { HIGH_PAGE, MAP, PROT } from './mman.js';
import type { SpaceCore } from './space-core.js';
import { TAG, type Vma } from './vma-table.js';

const NAMES: Readonly<Record<number, string>> = {
  [TAG.HEAP]: '[heap]',
  [TAG.STACK]: '[stack]',
  [TAG.VVAR]: '[vvar]',
  [TAG.VDSO]: '[vdso]',
};
/** Column of the name, from 0. */
const NAME_COLUMN = 73;

/** Text of /proc/self/maps. */
export function mapsText(core: SpaceCore): string {
  return core.table
    .all()
    .filter((v) => v.tag !== TAG.BACKING)
    .map((v) => mapsLine(core, v))
    .join('');
}

function mapsLine(core: SpaceCore, v: Vma): string {
  const f = v.file === 0 ? undefined : core.files.get(v.file);
  const perm =
    ((v.prot & PROT.READ) !== 0 ? 'r' : '-') +
    ((v.prot & PROT.WRITE) !== 0 ? 'w' : '-') +
    ((v.prot & PROT.EXEC) !== 0 ? 'x' : '-') +
    ((v.flags & MAP.TYPE) === MAP.PRIVATE ? 'p' : 's');
  const range = `${hex(v.start * PAGE_SIZE, 8)}-${hex(v.end * PAGE_SIZE, 8)}`;
  const offset = f === undefined ? 0 : v.filePage * PAGE_SIZE;
  const line = `${range} ${perm} ${hex(offset, 8)} ${device(f?.device ?? 0n)} ${String(f?.inode ?? 0n)} `;
  const name = f?.path.replaceAll('\n', '\\012') ?? NAMES[v.tag] ?? '';
  return name === '' ? `${line}\n` : `${line.padEnd(NAME_COLUMN)}${name}\n`;
}

/** Major and minor of a Linux dev_t: bits 8..19 and 32.., 0..7 and 20..31. */
function device(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);
  return `${hex(major, 2)}:${hex(minor, 2)}`;
}

/** Bytes mapped, and bytes of memory that may have been touched. */
export function usage(core: SpaceCore): { readonly vsize: number; readonly rss: number } {
  let vsize = 0;
  let rss = 0;
  for (const v of core.table.all()) {
    if (v.tag !== TAG.BACKING) vsize += (v.end - v.start) * PAGE_SIZE;
    if (v.start < HIGH_PAGE) rss += countUsed(core.bytes, v.start, v.end) * PAGE_SIZE;
  }
  return { vsize, rss };
}

const hex = (v: number | bigint, digits: number): string => v.toString(16).padStart(digits, '0');
