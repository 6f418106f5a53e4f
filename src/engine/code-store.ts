/**
 * The code store: TBs of earlier runs of a program, taken from a file instead of being translated. In: guest pages that are about to run. Out: TBs in the code cache.
 *
 * A file holds the code of one program and its libraries, by guest page: TBs name guest addresses, and the same program mostly has its files at the same places. A page's TBs are taken when the
 * page has the very content that they were translated from, after it has been marked CODE; so relocated text, other mappings and changed files never hit.
 * An item is what a page has while it has a certain content: id is the page, count the number of TBs, content the page's hash. Its bytes are TBs as in the code arena
 * (src/guest/tb-header.ts), with INSN_TABLE counted from the header, each padded to 16 bytes.
 * What is translated anew is written when the process ends, along with what the file had.
 */
import { GUEST_PAGES, PAGE_SHIFT, PAGE_SIZE, PAGE_TBS, PCB, PCB_BASE, PERM, PERM_TABLE } from '../guest/memory-map.js';
import { TB, TB_FLAG, TB_STATE } from '../guest/tb-header.js';
import { readCached, writeCached } from './cache-directory.js';
import type { CodeCache } from './code-cache.js';
import { bytesHash, padded, pageHash, parseStore, type StoredItem, writeStore } from './code-store-file.js';
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
const NO_FLAGS = ~(TB_FLAG.ASKED | TB_FLAG.STORED);

const isWorth = (fresh: number, stored: number): boolean => fresh >= WORTH_TBS && fresh >= stored * WORTH_PART;

interface Loaded {
  readonly name: string | undefined;
  readonly precise: boolean;
  readonly groups: ReadonlyMap<number, readonly StoredItem[]>;
}

export class CodeStore {
  private loaded: Loaded | undefined;
  /** Pages that were looked at since their code was last invalidated. */
  private readonly tried = new Set<number>();
  /** TBs that this thread has taken. */
  taken = 0;

  constructor(private readonly parts: CodeStoreParts) {}

  /** Puts the TBs of `page`, which is marked CODE, into the code cache; false when there are none, or not for its content. The caller holds the translation lock. */
  take(page: number): boolean {
    const { views } = this.parts;
    // A page that is made at its first touch is asked for again.
    if (this.tried.has(page) || (Atomics.load(views.u8, PERM_TABLE + page) & PERM.X) === 0) return false;
    this.tried.add(page);
    const groups = this.file().groups.get(page);
    if (groups === undefined) return false;
    const content = this.parts.core.wordsHash(page * PAGE_SIZE, PAGE_SIZE / 4);
    const group = groups.find((g) => g.content === content);
    if (group !== undefined && this.insert(group)) return true;
    this.count(PCB.REFUSED_PAGES, 1);
    return false;
  }

  /** The code of `pages` was invalidated; undefined: all. */
  forget(pages: ReadonlySet<number> | undefined): void {
    if (pages === undefined) this.tried.clear();
    else for (const page of pages) this.tried.delete(page);
  }

  /** Writes what is in the code cache, when enough of it is new. Gives the number of new TBs written. The caller holds the translation lock, and no thread of the process runs any more. */
  save(): number {
    const file = this.file();
    const { views, options } = this.parts;
    if (file.name === undefined || this.control(PCB.COPIED) !== 0) return 0;
    const stored = this.control(PCB.STORED_TBS);
    if (!isWorth(this.control(PCB.TB_COUNT) - stored, stored)) return 0;
    const groups: StoredItem[] = [];
    /** By page: the content that is written. */
    const used = new Map<number, number>();
    let fresh = 0;
    for (let page = 0; page < GUEST_PAGES; page++) {
      if (views.i32[PAGE_TBS / 4 + page] === 0) continue;
      const perm = Atomics.load(views.u8, PERM_TABLE + page);
      if ((perm & PERM.CODE) === 0 || (perm & PERM.W) !== 0 || !this.parts.isFile(page)) continue;
      const { group, news } = this.collect(page);
      if (group.count === 0) continue;
      fresh += news;
      groups.push(group);
      used.set(page, group.content);
    }
    if (!isWorth(fresh, stored)) return 0;
    let size = groups.reduce((n, g) => n + g.bytes.length, 0);
    for (const [page, old] of file.groups) {
      for (const g of old) {
        if (used.get(page) === g.content || (size += g.bytes.length) > FILE_LIMIT) continue;
        groups.push(g);
      }
    }
    return writeCached(options.directory, file.name, writeStore(groups)) ? fresh : 0;
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
  private insert({ id: page, bytes: records, sum }: StoredItem): boolean {
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

  /** The TBs that lie on `page` alone. */
  private collect(page: number): { readonly group: StoredItem; readonly news: number } {
    const { views } = this.parts;
    const { i32 } = views;
    const headers: number[] = [];
    let bytes = 0;
    let news = 0;
    for (let node = (i32[PAGE_TBS / 4 + page] ?? 0) >>> 0; node !== 0; node = (i32[node / 4] ?? 0) >>> 0) {
      const header = (i32[node / 4 + 1] ?? 0) >>> 0;
      const field = (offset: number): number => i32[(header + offset) / 4] ?? 0;
      const flags = field(TB.FLAGS);
      if (field(TB.STATE) !== TB_STATE.VALID || (flags & (TB_FLAG.ONE_SHOT | TB_FLAG.SELF_CHECK)) !== 0) continue;
      const pc = tbPc(views, header);
      if (pc >>> PAGE_SHIFT !== page || (pc + field(TB.SIZE) - 1) >>> PAGE_SHIFT !== page) continue;
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
      put(TB.INSN_TABLE, (field(TB.INSN_TABLE) >>> 0) - header);
      put(TB.FLAGS, (field(TB.FLAGS) & NO_FLAGS) | TB_FLAG.STORED);
      for (const link of [field(TB.LINK0), field(TB.LINK1)]) if (link !== 0) put(link, 0);
      at += padded(size);
    }
    const content = pageHash(i32, page);
    return { group: { id: page, content, count: headers.length, bytes: records, sum: bytesHash(records) }, news };
  }
}
