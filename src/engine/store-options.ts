/**
 * Whether a run keeps translated code on disk, and what that code depends on. In: the run's options. Out: StoreOptions, or undefined.
 */
import { readFileSync } from 'node:fs';
import { BUILT } from './built-files.js';
import { defaultCacheDirectory } from './cache-directory.js';
import type { StoreOptions } from './store-name.js';
import type { LogItem } from './log.js';
import type { EngineOptions } from './options.js';

/** With these, every TB is to be seen as it is translated. */
const SHOWS_TRANSLATION: readonly LogItem[] = ['in_asm', 'op', 'op_opt', 'out_asm', 'unimp'];

/** @param directory undefined: the user's own */
export function storeOptions(o: Omit<EngineOptions, 'store'>, directory?: string): StoreOptions | undefined {
  if (o.tier === 'compiled' || o.singleStep || o.checkIr || o.unchecked || o.breaks.length > 0) return undefined;
  if (o.log.items.some((item) => SHOWS_TRANSLATION.includes(item))) return undefined;
  const place = directory ?? defaultCacheDirectory();
  const build = buildId();
  if (place === undefined || build === undefined) return undefined;
  return { directory: place, variant: JSON.stringify([build, o.disabledPasses, o.cpuModel]) };
}

/** Undefined for a lift64 that is run unbundled. */
function buildId(): string | undefined {
  try {
    return readFileSync(BUILT.buildId, 'latin1');
  } catch {
    return undefined;
  }
}
