/**
 * Contents of in-memory files (/proc): made at open, shared by all who hold the description. In: bytes. Out: blob numbers.
 */
import { AREA, BLOB, BLOB_CAPACITY, MAX_BLOBS } from './layout.js';
import type { VfsState } from './state.js';

const word = (blob: number): number => AREA.BLOBS + blob * BLOB.SIZE;

/** A blob with this content; undefined when it is larger than BLOB_CAPACITY, or MAX_BLOBS exist. */
export function newBlob(s: VfsState, content: Uint8Array): number | undefined {
  if (content.length > BLOB_CAPACITY) return undefined;
  const blob = s.locked(() => {
    const free = s.findFree(AREA.BLOBS, MAX_BLOBS, BLOB.SIZE, BLOB.REFS);
    if (free >= 0) s.set(word(free) + BLOB.REFS, 1);
    return free;
  });
  if (blob < 0) return undefined;
  s.set(word(blob) + BLOB.LENGTH, content.length);
  s.bytes.set(content, AREA.BLOB_BYTES * 4 + blob * BLOB_CAPACITY);
  return blob;
}

/** The caller holds the region's lock. */
export function freeBlob(s: VfsState, blob: number): void {
  s.set(word(blob) + BLOB.REFS, 0);
}

/** The content itself (no copy). */
export function blobBytes(s: VfsState, blob: number): Uint8Array {
  const start = AREA.BLOB_BYTES * 4 + blob * BLOB_CAPACITY;
  return s.bytes.subarray(start, start + s.get(word(blob) + BLOB.LENGTH));
}
