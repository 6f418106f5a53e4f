/**
 * The code store: TBs of earlier runs of a program, taken from a file instead of being translated. In: guest pages that are about to run. Out: TBs in the code cache.
 *
 * A file holds the code of one program and its libraries, by guest page: TBs name guest addresses, and the same program mostly has its files at the same places. A page's TBs are taken when the
 * page has the very content that they were translated from, after it has been marked CODE; so relocated text, other mappings and changed files never hit.
 * An item is what a page has while it has a certain content: id is the page, count the number of TBs, content the page's hash; those that go on on the next page are an item of their own, with SPANNING in its id
 * and the hash of both pages. Its bytes are TBs as in the code arena
 * (src/guest/tb-header.ts), with INSN_TABLE counted from the header, each padded to 16 bytes.
 * What is translated anew is written when the process ends, along with what the file had.
 */
import { GUEST_PAGES, PAGE_SHIFT, PAGE_SIZE, PAGE_TBS, PCB, PCB_BASE, PERM, PERM_TABLE } from '../guest/memory-map.js';
import { TB, TB_FLAG, TB_STATE } from '../guest/tb-header.js';
import { readCached, writeCached } from './cache-directory.js';
import type { CodeCache } from './code-cache.js';
import { bytesHash, padded, parseStore, type StoredItem, wordsHash, writeStore } from './code-store-file.js';
import type { Core } from './core.js';
import { KEPT_HEAT } from './heat.js';
import { type MemoryViews, tbPc } from './memory-views.js';
import { storeName, type StoreOptions } from './store-name.js';
import { isFloatPrecise } from './translator.js';

export interface CodeStoreParts {
  readonly options: StoreOptions;
  readonly views: MemoryViews;
  readonly cache: CodeCache;
  /** Host path of the program, one character a byte. */
  readonly program: () => string;
  /** True for guest pages of files: what a program makes at run time is not worth keeping. */
  readonly isFile: (page: number) => boolean;
  readonly core: Pick<Core, 'takeTbs' | 'wordsHash'>;
  /** TB.HEAT of TBs that are taken. */
  readonly heat: number;
  /** The pcs on a page whose regions earlier runs have left. */
  readonly keptOn: (page: number) => readonly number[];
}

/** Records of a page that are kept; the arena has room for as much (ARENA_RESERVE in code-cache.ts). */
const GROUP_LIMIT = 1 << 19;
/** Of a larger file only what this run has used is kept. */
const FILE_LIMIT = 64 << 20;
/** Fewer new TBs than this, or than that part of all, are translated sooner than the file is written. */
const WORTH_TBS = 64;
const WORTH_PART = 1 / 64;
/** Bit of an item's id, above the page: of TBs that end on the next page. */
const SPANNING = 1 << 24;
const NO_FLAGS = ~(TB_FLAG.ASKED | TB_FLAG.STORED);

const isWorth = (fresh: number, stored: number): boolean => fresh >= WORTH_TBS && fresh >= stored * WORTH_PART;

interface Loaded {
  readonly name: string | undefined;
  readonly precise: boolean;
  readonly groups: ReadonlyMap<number, readonly StoredItem[]>;
}

export class CodeStore {
  private loaded: Loaded | undefined;
  /** Ids of items that were looked for since their pages' code was last invalidated. */
  private readonly tried = new Set<number>();
  /** TBs that this thread has taken. */
  taken = 0;

  constructor(private readonly parts: CodeStoreParts) {}

  /**
   * Puts the TBs of `page`, which is marked CODE, into the code cache, when that has not been done: there may be some afterwards. The page that is to be marked first, so that those that go on there come too; 0 none.
   * The caller holds the translation lock.
   */
  take(page: number): number {
    this.takeItem(page, 1);
    const next = page + 1;
    if (this.tried.has(page | SPANNING) || !this.file().groups.has(page | SPANNING)) return 0;
    // Only code that can't be written is kept.
    const perm = Atomics.load(this.parts.views.u8, PERM_TABLE + next);
    if ((perm & PERM.X) === 0 || (perm & PERM.W) !== 0) return 0;
    if ((perm & PERM.CODE) === 0) return next;
    this.takeItem(page | SPANNING, 2);
    return 0;
  }

  /** Item `id` of so many pages from its own on, all of them marked. */
  private takeItem(id: number, pages: number): void {
    const { views, core } = this.parts;
    const page = id & ~SPANNING;
    // A page that is made at its first touch is asked for again.
    if (this.tried.has(id) || (Atomics.load(views.u8, PERM_TABLE + page) & PERM.X) === 0) return;
    this.tried.add(id);
    const groups = this.file().groups.get(id);
    if (groups === undefined) return;
    const content = core.wordsHash(page * PAGE_SIZE, (pages * PAGE_SIZE) / 4);
    const group = groups.find((g) => g.content === content);
    if (group === undefined || !this.insert(group, page)) this.count(PCB.REFUSED_PAGES, 1);
  }

  /** The code of `pages` was invalidated; undefined: all. */
  forget(pages: ReadonlySet<number> | undefined): void {
    if (pages === undefined) this.tried.clear();
    else
      for (const page of pages) for (const id of [page, page | SPANNING, (page - 1) | SPANNING]) this.tried.delete(id);
  }

  /** Writes what is in the code cache, when enough of it is new. Gives the number of new TBs written. The caller holds the translation lock, and no thread of the process runs any more. */
  save(): number {
    const file = this.file();
    const { views, options } = this.parts;
    if (file.name === undefined || this.control(PCB.COPIED) !== 0) return 0;
    const stored = this.control(PCB.STORED_TBS);
    if (!isWorth(this.control(PCB.TB_COUNT) - stored, stored)) return 0;
    const groups: StoredItem[] = [];
    /** By id: the content that is written. */
    const used = new Map<number, number>();
    let fresh = 0;
    const put = (id: number, pages: number): void => {
      const { group, news } = this.collect(id, pages);
      if (group.count === 0) return;
      fresh += news;
      groups.push(group);
      used.set(id, group.content);
    };
    for (let page = 0; page < GUEST_PAGES; page++) {
      if (views.i32[PAGE_TBS / 4 + page] === 0 || !this.isKept(page)) continue;
      put(page, 1);
      if (this.isKept(page + 1)) put(page | SPANNING, 2);
    }
    if (!isWorth(fresh, stored)) return 0;
    let size = groups.reduce((n, g) => n + g.bytes.length, 0);
    for (const [id, old] of file.groups) {
      for (const g of old) {
        if (used.get(id) === g.content || (size += g.bytes.length) > FILE_LIMIT) continue;
        groups.push(g);
      }
    }
    return writeCached(options.directory, file.name, writeStore(groups)) ? fresh : 0;
  }

  /** Whether the code of a page is worth keeping. */
  private isKept(page: number): boolean {
    const perm = Atomics.load(this.parts.views.u8, PERM_TABLE + page);
    return (perm & PERM.CODE) !== 0 && (perm & PERM.W) === 0 && this.parts.isFile(page);
  }

  /** Name of the program's file, for what is kept beside it; undefined when nothing is. */
  get name(): string | undefined {
    return this.file().name;
  }

  private file(): Loaded {
    const precise = isFloatPrecise(this.parts.views);
    if (this.loaded?.precise === precise) return this.loaded;
    const { options, program } = this.parts;
    const groups = new Map<number, StoredItem[]>();
    const name = storeName(options, program(), precise);
    const bytes = name === undefined ? undefined : readCached(options.directory, name);
    for (const g of (bytes === undefined ? undefined : parseStore(bytes)) ?? []) {
      const others = groups.get(g.id);
      if (others === undefined) groups.set(g.id, [g]);
      else others.push(g);
    }
    return (this.loaded = { name, precise, groups });
  }

  /** False when the records are damaged. */
  private insert({ bytes: records, sum }: StoredItem, page: number): boolean {
    const { views, cache, core, heat, keptOn } = this.parts;
    const start = cache.allocate(records.length);
    views.u8.set(records, start);
    if (core.wordsHash(start | 0, records.length / 4) !== sum) return false;
    const taken = core.takeTbs(start | 0, (start + records.length) | 0, heat);
    for (const pc of keptOn(page)) {
      const header = cache.lookup(pc);
      if (header !== 0) Atomics.store(views.i32, (header + TB.HEAT) / 4, KEPT_HEAT);
    }
    this.taken += taken;
    this.count(PCB.STORED_TBS, taken);
    return true;
  }

  private control(field: number): number {
    return this.parts.views.i32[(PCB_BASE + field) / 4] ?? 0;
  }

  /** Adds to a count of the process. The caller holds the lock. */
  private count(field: number, by: number): void {
    this.parts.views.i32[(PCB_BASE + field) / 4] = this.control(field) + by;
  }

  /** What the process has had of it, for -d store. */
  get report(): string {
    const stored = this.control(PCB.STORED_TBS);
    const others = this.control(PCB.TB_COUNT) - stored;
    return `${stored} TBs taken, ${this.control(PCB.REFUSED_PAGES)} pages refused, ${others} TBs translated`;
  }

  /** Item `id`: the TBs that begin on its page and end on the last one of so many. */
  private collect(id: number, pages: number): { readonly group: StoredItem; readonly news: number } {
    const { views } = this.parts;
    const { i32 } = views;
    const page = id & ~SPANNING;
    const last = page + pages - 1;
    const headers: number[] = [];
    let bytes = 0;
    let news = 0;
    for (let node = (i32[PAGE_TBS / 4 + page] ?? 0) >>> 0; node !== 0; node = (i32[node / 4] ?? 0) >>> 0) {
      const header = (i32[node / 4 + 1] ?? 0) >>> 0;
      const field = (offset: number): number => i32[(header + offset) / 4] ?? 0;
      const flags = field(TB.FLAGS);
      if (field(TB.STATE) !== TB_STATE.VALID || (flags & (TB_FLAG.ONE_SHOT | TB_FLAG.SELF_CHECK)) !== 0) continue;
      const pc = tbPc(views, header);
      if (pc >>> PAGE_SHIFT !== page || (pc + field(TB.SIZE) - 1) >>> PAGE_SHIFT !== last) continue;
      const size = padded(field(TB.ARENA_SIZE));
      if (bytes + size > GROUP_LIMIT) break;
      bytes += size;
      headers.push(header);
      if ((flags & TB_FLAG.STORED) === 0) news++;
    }
    const records = new Uint8Array(bytes);
    const words = new Int32Array(records.buffer);
    let at = 0;
    for (const header of headers) {
      const field = (offset: number): number => i32[(header + offset) / 4] ?? 0;
      const size = field(TB.ARENA_SIZE);
      records.set(views.u8.subarray(header, header + size), at);
      const put = (offset: number, value: number): void => {
        words[(at + offset) / 4] = value;
      };
      put(TB.HASH_NEXT, 0);
      put(TB.SLOT, 0);
      put(TB.ID, 0);
      // Compared with entries, which each run counts anew.
      put(TB.EDGES, 0);
      put(TB.INSN_TABLE, (field(TB.INSN_TABLE) >>> 0) - header);
      put(TB.FLAGS, (field(TB.FLAGS) & NO_FLAGS) | TB_FLAG.STORED);
      for (const link of [field(TB.LINK0), field(TB.LINK1)]) if (link !== 0) put(link, 0);
      at += padded(size);
    }
    const content = wordsHash(i32, (page * PAGE_SIZE) / 4, (pages * PAGE_SIZE) / 4);
    return { group: { id, content, count: headers.length, bytes: records, sum: bytesHash(records) }, news };
  }
}
