/** Which file of the host it is, by device and inode, in the words of the shared region. In: status. Out: NodeId. */
import type { BigIntStats } from 'node:fs';
import type { VfsState } from './state.js';

/** Device and inode, in 32-bit words. */
export type NodeId = readonly [devLow: number, devHigh: number, inodeLow: number, inodeHigh: number];

export function nodeId({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): NodeId {
  const low = (v: bigint): number => Number(BigInt.asIntN(32, v));
  return [low(dev), low(dev >> 32n), low(ino), low(ino >> 32n)];
}

export const isSameNode = (a: NodeId, b: NodeId): boolean =>
  a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];

/** That stored in four words from `word` on. */
export const storedNode = (s: VfsState, word: number): NodeId => [
  s.peek(word),
  s.peek(word + 1),
  s.peek(word + 2),
  s.peek(word + 3),
];

export function storeNode(s: VfsState, word: number, id: NodeId): void {
  id.forEach((part, i) => {
    s.set(word + i, part);
  });
}
