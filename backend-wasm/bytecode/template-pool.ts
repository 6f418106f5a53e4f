/**
 * Templates in one array of integers, so that they can be kept in a file. In: templates. Out: records, by their place in the array.
 *
 * A record: words of code; places; link cells; `state`, what is known of the flags behind the instruction (0: what was known before it) and whether it leaves; then the link cells' offsets, the places, the code.
 */
import type { TemplateCode } from './template.js';

export const CODE_WORDS = 0;
export const PLACES = 1;
export const LINKS = 2;
export const STATE = 3;
export const HEAD = 4;

export interface TemplateRecord extends TemplateCode {
  /** Offsets of the link cells in the code. */
  readonly links: readonly number[];
  readonly state: number;
}

export class TemplatePool {
  /** The records; the array is another one when it has grown. No record is at 0. */
  ints: Int32Array;
  private end: number;

  /** @param kept what `snapshot` gave */
  constructor(kept?: Int32Array) {
    this.end = kept?.length ?? 1;
    // What was given stays as it is: there is no room in it.
    this.ints = kept ?? new Int32Array(1 << 15);
  }

  /** Adds a record; gives its place. */
  add({ code, places, links, state }: TemplateRecord): number {
    const at = this.end;
    const size = HEAD + links.length + places.length + code.length;
    if (at + size > this.ints.length) {
      const larger = new Int32Array(2 * this.ints.length + size);
      larger.set(this.ints);
      this.ints = larger;
    }
    this.ints.set([code.length, places.length, links.length, state, ...links], at);
    this.ints.set(places, at + HEAD + links.length);
    this.ints.set(code, at + HEAD + links.length + places.length);
    this.end = at + size;
    return at;
  }

  snapshot(): Int32Array {
    return this.ints.slice(0, this.end);
  }
}
