/** What the parts of /proc share. In: nothing. Out: types, small functions. */
import type { DirectoryEntry, OnHost, Redirect, SpecialNode } from './special-node.js';

/** Undefined: the host has it, or nothing; -errno: there is nothing. */
export type Found = SpecialNode | Redirect | OnHost | number | undefined;

export const numbered = (ids: readonly number[], type: number): DirectoryEntry[] =>
  ids.map((n) => ({ name: String(n), type }));

export const named = (names: Iterable<string>, type: number): DirectoryEntry[] =>
  [...names].map((name) => ({ name, type }));

/** A number as /proc names processes and descriptors. */
export const asId = (part: string | undefined): number | undefined =>
  part !== undefined && /^(0|[1-9]\d{0,9})$/.test(part) ? Number(part) : undefined;
