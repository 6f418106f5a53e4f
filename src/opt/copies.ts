/**
 * Which temps and globals hold the same value as an older one or a constant. In: copies and writes, forward over an ebb. Out: the source of each.
 * A copy counts as long as neither it nor its source has been written again: each write gives its temp a new version.
 */
import type { TempId } from '../base/ids.js';

const NONE = -1;

export class Copies {
  private readonly sources: Int32Array;
  private readonly sourceVersions: Int32Array;
  private readonly versions: Int32Array;

  /** @param temps number of temps, with those that are still to come */
  constructor(temps: number) {
    this.sources = new Int32Array(temps).fill(NONE);
    this.sourceVersions = new Int32Array(temps);
    this.versions = new Int32Array(temps);
  }

  /** What `id` is a copy of, else `id`. */
  sourceOf(id: TempId): TempId {
    const source = this.sources[id] as number;
    return source !== NONE && this.versions[source] === this.sourceVersions[id] ? (source as TempId) : id;
  }

  /** `id` is about to be written. */
  forget(id: TempId): void {
    this.sources[id] = NONE;
    this.versions[id] = (this.versions[id] as number) + 1;
  }

  learn(id: TempId, source: TempId): void {
    if (id === source) return;
    this.sources[id] = source;
    this.sourceVersions[id] = this.versions[source] as number;
  }

  clear(): void {
    this.sources.fill(NONE);
  }
}
