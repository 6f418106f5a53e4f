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

/** Text of /proc/self/smaps; `rollup`: of smaps_rollup. Nothing is known to be shared or clean. */
export function smapsText(core: SpaceCore, rollup: boolean): string {
  const all = core.table.all().filter((v) => v.tag !== TAG.BACKING);
  const rss = (v: Vma): number => (v.start < HIGH_PAGE ? countUsed(core.bytes, v.start, v.end) * PAGE_SIZE : 0);
  if (!rollup) {
    return all
      .map((v) => `${mapsLine(core, v)}${figures((v.end - v.start) * PAGE_SIZE, rss(v), v.file !== 0)}${flagsLine(v)}`)
      .join('');
  }
  const [first, last] = [all[0]?.start ?? 0, all.at(-1)?.end ?? 0];
  const range = `${hex(first * PAGE_SIZE, 8)}-${hex(last * PAGE_SIZE, 8)} ---p 00000000 00:00 0 `;
  const total = all.reduce((sum, v) => sum + rss(v), 0);
  return `${range.padEnd(NAME_COLUMN)}[rollup]\n${figures(undefined, total, false)}`;
}

function figures(size: number | undefined, rss: number, ofFile: boolean): string {
  const rows: [string, number][] = [];
  if (size !== undefined) rows.push(['Size', size], ['KernelPageSize', PAGE_SIZE], ['MMUPageSize', PAGE_SIZE]);
  rows.push(['Rss', rss], ['Pss', rss], ['Pss_Dirty', rss], ['Shared_Clean', 0], ['Shared_Dirty', 0]);
  rows.push(['Private_Clean', 0], ['Private_Dirty', rss], ['Referenced', rss], ['Anonymous', ofFile ? 0 : rss]);
  for (const name of ['LazyFree', 'AnonHugePages', 'ShmemPmdMapped', 'FilePmdMapped', 'Shared_Hugetlb'])
    rows.push([name, 0]);
  for (const name of ['Private_Hugetlb', 'Swap', 'SwapPss', 'Locked']) rows.push([name, 0]);
  return rows.map(([name, bytes]) => `${`${name}:`.padEnd(16)}${String(bytes / 1024).padStart(8)} kB\n`).join('');
}

function flagsLine(v: Vma): string {
  const names = [
    (v.prot & PROT.READ) !== 0 ? 'rd' : '',
    (v.prot & PROT.WRITE) !== 0 ? 'wr' : '',
    (v.prot & PROT.EXEC) !== 0 ? 'ex' : '',
    (v.flags & MAP.TYPE) === MAP.PRIVATE ? '' : 'sh',
    'mr',
    'mw',
    'me',
  ];
  return `THPeligible:    0\nVmFlags: ${names.filter((n) => n !== '').join(' ')}\n`;
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
