import { existsSync } from 'node:fs';

/**
 * Tests that need a browser run where there is one: at CHROMIUM, or where Debian puts it. An empty
 * CHROMIUM means none. REQUIRE_BROWSER=1 turns a missing browser from a notice into a failure.
 */
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
const hasBrowser = chromium !== '' && existsSync(chromium);

if (!hasBrowser && process.env.REQUIRE_BROWSER === '1') {
  throw new Error(`REQUIRE_BROWSER=1, but there is no Chromium at "${chromium}"`);
}
if (!hasBrowser) {
  process.stderr.write(
    '\n!! SKIPPED: the browser tests (tests/e2e). Set CHROMIUM to run them.\n\n',
  );
}

/** @type {import('jest').Config} */
export default {
  // Not jest.config.ts: Jest on Node 20 can read that only with ts-node or esbuild installed.
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  testPathIgnorePatterns: hasBrowser ? [] : ['<rootDir>/tests/e2e/'],
  watchPathIgnorePatterns: ['<rootDir>/(build|bundle|data|dist)/'],
  extensionsToTreatAsEsm: ['.ts'],
  // Sources import each other as `./x.js`, as Node wants it; under Jest the file is `./x.ts`.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  maxWorkers: 2,
  testTimeout: 30_000,
  collectCoverageFrom: ['src/**/*.ts', '!src/main.ts'],
  coverageDirectory: 'build/coverage',
};
