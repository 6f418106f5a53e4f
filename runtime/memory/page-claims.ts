/**
 * Pages of mappings that other processes share: how this address space gets them. In: a range that has been touched. Out: pages present, writable where they are to be written.
 * Under the lock of sharing: the others are asked what they hold (page-holders.ts), give it up, and the file is read. A process that has just got a page keeps what it has for a while, so
 * that two that want the same one both get something done. A page that nobody else holds is got with W at once, and then costs no second fault.
 */
import { PAGE_SIZE, PERM, PERM_TABLE } from '../../src/guest/memory-map.js';
import { aliasesOf, takeAway } from './aliases.js';
import { HIGH_PAGE, PROT } from './mman.js';
import { giveUp, HELD, look, type PageRange } from './page-holders.js';
import { permOf, setPerms } from './perms.js';
import type { Sharing } from './sharing.js';
import { present, type SpaceCore } from './space-core.js';
import { cut, type Vma, VMA_FLAG } from './vma-table.js';

/** Pages got at once where the one before the touched one is there already, and nobody minds. */
const AHEAD = 16;

/** A part of a contended mapping, and what the others hold of its pages. */
interface Claim {
  readonly v: Vma;
  readonly range: PageRange;
  /** Its pages are to be written, or can't be had otherwise. */
  readonly alone: boolean;
  readonly held: Uint8Array;
}

/** Makes pages [start, end) present, and writable for `write`, where their mappings allow it. False when there is no memory. The caller is RUNNING and holds no lock but that of sharing. */
export function claimPages(core: SpaceCore, sharing: Sharing, start: number, end: number, write: boolean): boolean {
  for (let patient = true; ;) {
    const wait = sharing.locked(() => {
      const claims = claimsOf(core, sharing, start, end, write);
      const us = patient && !sharing.nested ? tenureOf(sharing, claims) : 0;
      if (us > 0) return us;
      for (const c of claims) take(sharing, c);
      return bringIn(core, claims, start, end, write) ? 0 : -1;
    });
    if (wait <= 0) return wait === 0;
    patient = false;
    sharing.pause(wait);
  }
}

function claimsOf(core: SpaceCore, sharing: Sharing, start: number, end: number, write: boolean): Claim[] {
  const parts = core.locked(() =>
    core
      .pieces(start, end)
      .filter((v) => core.isContended(v) && v.start < present(v))
      .map((v) => ({ v: ahead(core, v, start, end), object: core.files.object(v.file) })),
  );
  return parts.map(({ v, object }) => {
    const alone = v.start >= HIGH_PAGE || (write && (v.prot & PROT.WRITE) !== 0);
    const range = { object, first: v.filePage, last: v.filePage + present(v) - v.start };
    const held = new Uint8Array(range.last - range.first);
    for (const mm of sharing.objects.others(object, sharing.mm)) look(sharing.space(mm), range, held);
    const wanted = Math.max(0, Math.min(end, v.end) - Math.max(start, v.start));
    const free = held.findIndex((h, i) => i >= wanted && h >= leastTaken(alone));
    if (free < 0) return { v, range, alone, held };
    return {
      v: cut(v, v.start, v.start + free),
      range: { ...range, last: range.first + free },
      alone,
      held: held.subarray(0, free),
    };
  });
}

/** From which level on what others hold is in the way of a claim. */
const leastTaken = (alone: boolean): number => (alone ? HELD.CLEAN : HELD.ALONE);

const takesAny = ({ held, alone }: Claim): boolean => held.some((h) => h >= leastTaken(alone));

/** `v`, of one page, and some behind it where a process goes through pages one after another. */
function ahead(core: SpaceCore, v: Vma, start: number, end: number): Vma {
  if (end - start !== 1 || v.start >= HIGH_PAGE) return v;
  const whole = core.table.covering(v.start);
  if (whole === undefined || v.start === whole.start || isAbsent(core, v.start - 1) || !isAbsent(core, v.start))
    return v;
  let last = v.end;
  while (last < Math.min(present(whole), v.start + AHEAD) && isAbsent(core, last)) last++;
  return cut(whole, v.start, last);
}

const isAbsent = (core: SpaceCore, page: number): boolean => ((core.bytes[PERM_TABLE + page] ?? 0) & PERM.SLOW) !== 0;

/** How long the others may still keep what the claims want of them, microseconds. */
function tenureOf(sharing: Sharing, claims: readonly Claim[]): number {
  let longest = 0;
  for (const c of claims) {
    if (!takesAny(c)) continue;
    const { range } = c;
    for (const mm of sharing.objects.others(range.object, sharing.mm)) longest = Math.max(longest, sharing.tenure(mm));
  }
  return longest;
}

function take(sharing: Sharing, c: Claim): void {
  if (!takesAny(c)) return;
  const { range, alone } = c;
  for (const mm of sharing.objects.others(range.object, sharing.mm)) giveUp(sharing.space(mm), range, alone);
  sharing.granted();
}

function bringIn(core: SpaceCore, claims: readonly Claim[], start: number, end: number, write: boolean): boolean {
  const made = core.attempt((world) => {
    for (const c of claims) {
      // Another thread of the process may have changed the mapping meanwhile: then the instruction faults again.
      const v = core.covering(c.v.start);
      if (v === undefined || core.files.object(v.file) !== c.range.object || v.end < c.v.end) continue;
      if (v.filePage + c.v.start - v.start !== c.range.first) continue;
      const done = c.v.start >= HIGH_PAGE ? core.back(v, c.v.start, present(c.v), world) : attach(core, v, c, world);
      if (done !== true) return done;
    }
    for (const v of core.pieces(start, end)) {
      if (core.isContended(v)) continue;
      const done = core.materialise(v.start, v.end, world, write);
      if (done !== true) return done;
    }
    return true;
  });
  return made === true;
}

/** Enters the claim's pages, of the low mapping `v`. Undefined: World. */
function attach(core: SpaceCore, v: Vma, { v: part, held, alone }: Claim, world: boolean): true | undefined {
  const { bytes } = core;
  const perm = permOf(v.prot);
  const [start, end] = [part.start, present(part)];
  const aliases = aliasesOf(core, v, start, end).filter((o) => core.resident(o).length > 0);
  const absent = (page: number): boolean => (v.flags & VMA_FLAG.LAZY) !== 0 && isAbsent(core, page);
  const enters = core.hasCode(start, end) && Array.from({ length: end - start }, (_, i) => start + i).some(absent);
  if ((aliases.length > 0 || enters) && !world) return undefined;
  for (const o of aliases) takeAway(core, o);
  if (enters) core.dropCode(start, end);
  for (let page = start; page < end; page++) {
    const mine = alone || held[page - start] === HELD.NOT;
    if (absent(page)) core.read(v, { page, pages: 1, at: page * PAGE_SIZE });
    else if (!mine) continue;
    setPerms(bytes, page, page + 1, mine ? perm : perm & ~PERM.W);
  }
  return true;
}
