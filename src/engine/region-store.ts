/**
 * Compiled regions of earlier runs: Wasm modules from a file beside the program's TBs (code-store.ts). In: hot pcs. Out: regions in the function table.
 *
 * V8's machine code is kept with them (machine-code.ts). Where V8 refuses that, it compiles a region again at its first call, with its baseline compiler, and later with the other. A module names slots of the
 * function table: it can be used where they stand for the same pcs as when it was made. A region is installed when it is warm and all pages that it was lifted from have the content of that time.
 * An item of the file is a module: its bytes are `content` bytes of JSON (ModuleMeta), then the Wasm module, and its machine code.
 */
import { hostSimd } from '../../backend-wasm/compiler/host-simd.js';
import { PAGE_SHIFT, PAGE_SIZE, PCB, PCB_BASE, PERM, PERM_TABLE } from '../guest/memory-map.js';
import { InternalError } from '../base/errors.js';
import { readCached, writeCached } from './cache-directory.js';
import type { CodeCache } from './code-cache.js';
import { bytesHash, isWhole, parseStore, type StoredItem, writeStore } from './code-store-file.js';
import type { ModuleRecord, StoredEntry } from './compile-protocol.js';
import type { CompiledCode } from './compiled-code.js';
import type { Core } from './core.js';
import { moduleWithCode } from './machine-code.js';
import type { MemoryViews } from './memory-views.js';
import { withMutex } from './mutex.js';
import { bindSlots, slotOwners } from './slots.js';
import { isFloatPrecise } from './translator.js';
import { keptModules, keptModulesAhead, regionModules } from './v8-flags.js';

export interface RegionStoreParts {
  readonly views: MemoryViews;
  readonly cache: CodeCache;
  readonly compiled: CompiledCode;
  readonly directory: string;
  /** Name of the program's TBs in the directory; undefined when there is nothing to keep. */
  readonly name: () => string | undefined;
  /** Makes a page present and marks it CODE. */
  readonly watch: (page: number) => void;
  readonly isFile: (page: number) => boolean;
  readonly wordsHash: Core['wordsHash'];
}

type ModuleMeta = Omit<ModuleRecord, 'bytes' | 'code'> & { readonly codeBytes: number };

/** Bytes of a file; what was compiled last stays. Enough for a compiler: where not all regions have room, each run drops what the next one compiles anew. */
const FILE_LIMIT = 128 << 20;

interface Stored {
  readonly record: ModuleRecord;
  /** As in the file. */
  readonly item: StoredItem;
  instance: WebAssembly.Instance | undefined;
}

interface Page {
  readonly content: number;
  readonly generation: number;
}

export class RegionStore {
  private loaded: readonly Stored[] | undefined;
  private readonly byPc = new Map<number, { readonly stored: Stored; readonly entry: StoredEntry }>();
  /** The pcs that there are regions of, by page. */
  private readonly byPage = new Map<number, number[]>();
  /** Contents of pages whose code has not been invalidated since `generation`. */
  private readonly pages = new Map<number, Page>();
  /** Regions installed. */
  installed = 0;

  constructor(private readonly parts: RegionStoreParts) {}

  /** True when there are any regions of earlier runs. */
  get isWarm(): boolean {
    return this.byPc.size > 0;
  }

  /** The pcs on a page that regions are headed at, which may turn out to be of other code. The caller holds the translation lock. */
  headsOn(page: number): readonly number[] {
    this.load();
    return this.byPage.get(page) ?? [];
  }

  /** Installs the region headed at `pc`; false when there is none for the code that is there. */
  install(pc: number): boolean {
    if (this.loaded === undefined) this.locked(() => this.load());
    const found = this.byPc.get(pc);
    if (found === undefined || this.isOutdated) return false;
    const { stored, entry } = found;
    const since = this.check(entry);
    if (since === undefined) {
      this.byPc.delete(pc);
      return false;
    }
    if (stored.instance === undefined) {
      const module = keptModules(() => new WebAssembly.Module(stored.record.bytes));
      stored.instance = this.parts.compiled.instantiate(module);
    }
    const { instance } = stored;
    const { compiled } = this.parts;
    const done = compiled.place(instance, [{ ...entry, pages: entry.contents.map(([page]) => page) }], since);
    if (done > 0) this.installed++;
    return done > 0;
  }

  /** What is kept has the forms of floating point and the checks that a process begins with. */
  private get isOutdated(): boolean {
    const { views } = this.parts;
    return isFloatPrecise(views) || Atomics.load(views.i32, (PCB_BASE + PCB.PLAIN_GUARDS) / 4) !== 0;
  }

  /** The code of `pages` was invalidated; undefined: all. */
  forget(pages: ReadonlySet<number> | undefined): void {
    if (pages === undefined) this.pages.clear();
    else for (const page of pages) this.pages.delete(page);
  }

  /** Writes these modules and those of the file, when there are any new ones. The caller holds the translation lock. Gives the number of new ones. */
  save(records: readonly ModuleRecord[]): number {
    const { directory, name, views, isFile } = this.parts;
    const file = name();
    const news = records.filter((r) => r.entries.every((e) => e.contents.every(([page]) => isFile(page))));
    if (file === undefined || news.length === 0 || (views.i32[(PCB_BASE + PCB.COPIED) / 4] ?? 0) !== 0) return 0;
    const heads = new Set(news.flatMap((r) => r.entries.map((e) => e.pc)));
    const olds = this.load().filter((s) => s.record.entries.some((e) => !heads.has(e.pc)));
    let size = 0;
    const items = [...news.map((r, n) => itemOf(r, n)), ...olds.map((s) => s.item)].filter(
      (item) => (size += item.bytes.length) <= FILE_LIMIT,
    );
    return writeCached(directory, fileName(file), writeStore(items)) ? news.length : 0;
  }

  private load(): readonly Stored[] {
    if (this.loaded !== undefined) return this.loaded;
    const { views, directory, name } = this.parts;
    const program = name();
    const stored: Stored[] = [];
    const owners = slotOwners(views);
    for (const { item, record } of program === undefined ? [] : readModules(directory, program)) {
      // In this order: of two modules with a region for the same pc, the one compiled last counts.
      if (bindSlots(views, owners, record.slots)) stored.unshift({ record, item, instance: undefined });
    }
    for (const s of stored) for (const entry of s.record.entries) this.byPc.set(entry.pc, { stored: s, entry });
    for (const pc of this.byPc.keys()) {
      const others = this.byPage.get(pc >>> PAGE_SHIFT);
      if (others === undefined) this.byPage.set(pc >>> PAGE_SHIFT, [pc]);
      else others.push(pc);
    }
    return (this.loaded = stored.reverse());
  }

  /** The code generation at which all pages of the region were last known to have its content; undefined when they have not. */
  private check(entry: StoredEntry): number | undefined {
    let since = Infinity;
    for (const [number, content] of entry.contents) {
      const page = this.page(number);
      if (page?.content !== content) return undefined;
      since = Math.min(since, page.generation);
    }
    return since;
  }

  private page(number: number): Page | undefined {
    const known = this.pages.get(number);
    if (known !== undefined) return known;
    const { views, cache, watch } = this.parts;
    const { generation } = cache;
    watch(number);
    const perm = Atomics.load(views.u8, PERM_TABLE + number);
    if ((perm & PERM.X) === 0 || (perm & PERM.CODE) === 0) return undefined;
    const page = { content: this.parts.wordsHash(number * PAGE_SIZE, PAGE_SIZE / 4), generation };
    this.pages.set(number, page);
    return page;
  }

  private locked<T>(fn: () => T): T {
    return withMutex(this.parts.views.i32, (PCB_BASE + PCB.TRANSLATE_LOCK) / 4, fn);
  }
}

/** The modules that are kept for a program: whole ones, for what this host does. */
function readModules(directory: string, program: string): Omit<Stored, 'instance'>[] {
  const bytes = readCached(directory, fileName(program));
  const items = ((bytes === undefined ? undefined : parseStore(bytes)) ?? []).filter(isWhole);
  if (items.length === 0) return [];
  const host = JSON.stringify(regionModules(hostSimd));
  return items
    .map((item) => ({ item, record: recordOf(item) }))
    .filter(({ record }) => JSON.stringify(record.host) === host);
}

/**
 * Gives V8 the machine code of the modules that are kept for a program, and has it compile those without, in threads of its own; a guest thread that makes a module of the same bytes then gets the code.
 * In the main thread, once the first worker has loaded its code (v8-flags.ts tells why). Gives what keeps the code alive.
 */
export async function compileAhead(directory: string, program: string): Promise<unknown> {
  const made: WebAssembly.Module[] = [];
  const rest: Uint8Array[] = [];
  for (const { record } of readModules(directory, program)) {
    const module = record.code && moduleWithCode(record.code, record.bytes);
    if (module === undefined) rest.push(record.bytes);
    else made.push(module);
  }
  if (rest.length === 0) return made;
  const compiled = await keptModulesAhead(() => Promise.all(rest.map((bytes) => WebAssembly.compile(bytes))));
  return [...made, ...compiled];
}

const fileName = (program: string): string => `${program}-regions`;

function itemOf(record: ModuleRecord, id: number): StoredItem {
  const { bytes: wasm, code = new Uint8Array(), ...rest } = record;
  const meta: ModuleMeta = { ...rest, codeBytes: code.length };
  const json = Buffer.from(JSON.stringify(meta));
  const bytes = new Uint8Array((json.length + wasm.length + code.length + 3) & ~3);
  bytes.set(json);
  bytes.set(wasm, json.length);
  bytes.set(code, json.length + wasm.length);
  return { id, count: wasm.length, content: json.length, bytes, sum: bytesHash(bytes) };
}

function recordOf({ count, content, bytes }: StoredItem): ModuleRecord {
  const json: unknown = JSON.parse(Buffer.from(bytes.subarray(0, content)).toString());
  if (typeof json !== 'object' || json === null) throw new InternalError('the code store holds a module without data');
  // Whole bytes that this build has written (itemOf).
  const { codeBytes, ...meta } = json as ModuleMeta;
  const end = content + count;
  const code = codeBytes === 0 ? undefined : bytes.subarray(end, end + codeBytes);
  return { ...meta, bytes: bytes.subarray(content, end), code };
}
