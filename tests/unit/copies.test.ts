/** Copies that constant folding knows of. */
import { expect, test } from '@jest/globals';
import type { TempId } from '../../src/base/ids.js';
import { Copies } from '../../src/opt/copies.js';

const [A, B, C] = [0, 1, 2] as readonly number[] as readonly [TempId, TempId, TempId];

test('a copy counts until it or its source is written', () => {
  const copies = new Copies(3);
  copies.learn(B, A);
  copies.learn(C, A);
  expect([copies.sourceOf(A), copies.sourceOf(B), copies.sourceOf(C)]).toEqual([A, A, A]);
  copies.forget(B);
  expect([copies.sourceOf(B), copies.sourceOf(C)]).toEqual([B, A]);
  copies.forget(A);
  expect(copies.sourceOf(C)).toBe(C);
  // What is learned anew is of the source's new value.
  copies.learn(C, A);
  expect([copies.sourceOf(B), copies.sourceOf(C)]).toEqual([B, A]);
  copies.clear();
  expect(copies.sourceOf(C)).toBe(C);
});
