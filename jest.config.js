/** Tests are compiled by tsc first (npm run build); jest runs the emitted ES modules, the same code as is shipped. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/tests'],
  testMatch: ['**/*.test.js'],
  transform: {},
  maxWorkers: 2,
  testTimeout: 240000,
};
