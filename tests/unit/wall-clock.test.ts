/** The wall clock follows what the host does to its own. */
import { expect, jest, test } from '@jest/globals';
import { wallClockMs } from '../../src/base/wall-clock.js';

test("is the host's, to less than a millisecond between two readings", () => {
  expect(Math.abs(wallClockMs() - Date.now())).toBeLessThan(25);
  const times = Array.from({ length: 100 }, wallClockMs);
  expect(new Set(times).size).toBeGreaterThan(10);
  expect([...times].sort((a, b) => a - b)).toEqual(times);
});

test('follows a step, and is fine again behind it', () => {
  const ahead = Date.now() + 7000;
  const host = jest.spyOn(Date, 'now').mockReturnValue(ahead);
  expect(wallClockMs()).toBe(ahead);
  expect(wallClockMs()).not.toBe(wallClockMs());
  expect(Math.abs(wallClockMs() - ahead)).toBeLessThan(25);
  host.mockRestore();
  expect(Math.abs(wallClockMs() - Date.now())).toBeLessThan(25);
});
