import base from './jest.config.js';

/**
 * The suites of the API and of the projections as `npm test` has them, on the backends that
 * TEST_BACKENDS names (tests/support/backends.ts). `npm run test:integration` starts what they need.
 */

/** What makes no sense there, and why. All else runs, unchanged. */
const ONLY_EMBEDDED = {
  'tests/api/readme.test.ts': 'the tour is of a server without settings',
};

/** @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['<rootDir>/tests/api/**/*.test.ts', '<rootDir>/tests/projections/**/*.test.ts'],
  testPathIgnorePatterns: Object.keys(ONLY_EMBEDDED).map((file) => `<rootDir>/${file}`),
  // A write that a majority has to have on disk takes a while on the servers that tests have.
  testTimeout: 180_000,
};
