/** Tests are compiled by tsc first (npm run build); jest runs the emitted ES modules, the same code as is shipped. */
// A test that is about translated code kept on disk gives --cache-dir; all others translate anew.
process.env.LIFT64_NO_CACHE = '1';

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/tests'],
  testMatch: ['**/*.test.js'],
  transform: {},
  testSequencer: '<rootDir>/scripts/test-sequencer.js',
  maxWorkers: 2,
  testTimeout: 240000,
};
