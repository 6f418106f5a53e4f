/**
 * The directory of the code store on the host: what is read is the user's own, what is written is whole, and all of it is bounded. In: names and bytes. Out: bytes; nothing where the host refuses,
 * since lift64 runs without it. Source: XDG Base Directory Specification (cache files), man 2 rename.
 */
import * as fs from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Bytes of all files; beyond, those not used for the longest time go. */
export const CACHE_LIMIT = 512 << 20;
/** A file's time of last use is noted when it is older than this, milliseconds. */
const TOUCH_AFTER_MS = 3_600_000;
/** A temporary file of this age has no writer any more, milliseconds. */
const ABANDONED_MS = 3_600_000;
/** Hosts without symbolic links have no such flag. */
const NO_FOLLOW = (fs.constants as Partial<typeof fs.constants>).O_NOFOLLOW ?? 0;
const SUFFIX = '.code';

/** Where the store is unless --cache-dir says: $XDG_CACHE_HOME/lift64, else ~/.cache/lift64. Undefined without a home. */
export function defaultCacheDirectory(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const xdg = env['XDG_CACHE_HOME'];
  if (xdg?.startsWith('/') === true) return join(xdg, 'lift64');
  const home = homedir();
  return home === '' || home === '/' ? undefined : join(home, '.cache', 'lift64');
}

/** True for what belongs to this user alone: others could plant code in it. Hosts without user ids have no such check. */
const isOwn = (stat: fs.Stats): boolean =>
  process.geteuid === undefined || (stat.uid === process.geteuid() && (stat.mode & 0o022) === 0);

/** Runs `fn`; undefined when the host refuses. */
function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn();
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === undefined) throw e;
    return undefined;
  }
}

/** True when `directory` can be used: it is there and the user's own. */
const isUsable = (directory: string): boolean => {
  const stat = attempt(() => fs.lstatSync(directory));
  return stat?.isDirectory() === true && isOwn(stat);
};

/** The bytes of file `name`, aligned, and notes its use; undefined when it is not there, or not the user's own. */
export function readCached(directory: string, name: string): Uint8Array | undefined {
  if (!isUsable(directory)) return undefined;
  return attempt(() => {
    const path = join(directory, name + SUFFIX);
    const fd = fs.openSync(path, fs.constants.O_RDONLY | NO_FOLLOW);
    try {
      const stat = fs.fstatSync(fd);
      if (!stat.isFile() || !isOwn(stat)) return undefined;
      const bytes = new Uint8Array(new ArrayBuffer(stat.size));
      const length = fs.readSync(fd, bytes, 0, bytes.length, 0);
      const now = Date.now();
      if (now - stat.mtimeMs > TOUCH_AFTER_MS)
        attempt(() => {
          fs.futimesSync(fd, now / 1000, now / 1000);
        });
      return bytes.subarray(0, length);
    } finally {
      fs.closeSync(fd);
    }
  });
}

/** Puts `bytes` in the place of file `name`, at once for all readers; makes the directory. False when the host refuses. */
export function writeCached(directory: string, name: string, bytes: Uint8Array, limit = CACHE_LIMIT): boolean {
  attempt(() => fs.mkdirSync(directory, { recursive: true, mode: 0o700 }));
  if (!isUsable(directory)) return false;
  const path = join(directory, name + SUFFIX);
  const temporary = `${path}.${process.pid}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const written = attempt(() => {
    fs.writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o600 });
    fs.renameSync(temporary, path);
    return true;
  });
  if (written !== true)
    attempt(() => {
      fs.unlinkSync(temporary);
    });
  evict(directory, limit);
  return written === true;
}

/** Deletes what writers that were killed have left, then the files that were used last, until the rest is within the limit. */
function evict(directory: string, limit: number): void {
  const now = Date.now();
  const files: { readonly path: string; readonly size: number; readonly mtimeMs: number }[] = [];
  for (const name of attempt(() => fs.readdirSync(directory)) ?? []) {
    if (!name.includes(SUFFIX)) continue;
    const path = join(directory, name);
    const stat = attempt(() => fs.lstatSync(path));
    if (stat?.isFile() !== true) continue;
    if (name.endsWith(SUFFIX)) files.push({ path, size: stat.size, mtimeMs: stat.mtimeMs });
    else if (now - stat.mtimeMs > ABANDONED_MS)
      attempt(() => {
        fs.unlinkSync(path);
      });
  }
  files.sort((a, b) => b.mtimeMs - a.mtimeMs);
  let sum = 0;
  for (const { path, size } of files) {
    sum += size;
    if (sum > limit)
      attempt(() => {
        fs.unlinkSync(path);
      });
  }
}
