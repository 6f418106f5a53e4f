/**
 * The order of test files: the long ones first, so that the workers of jest end together. In: jest's test files. Out: the same, in order.
 * jest goes by the times of earlier runs where it has them, and by the size of the files else; on a new machine the longest ones, which are a line or two, would be last.
 */
import { basename } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/** Files that take some 20 s of CPU and more, the longest first. */
const LONG = [
  'programs.compiled',
  'programs.interp',
  'programs.auto',
  'sequences',
  'lifter-integer',
  'clone',
  'real-code',
  'debian',
  'lifter-vex',
  'cpu-models',
  'code-store',
  'net-programs',
  'lifter',
  'elf',
  'compiler-programs',
  'kernel',
].map((name) => `${name}.test.js`);

const rank = ({ path }) => {
  const at = LONG.indexOf(basename(path));
  return at < 0 ? LONG.length : at;
};

export default class LongFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}
