import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const viaRuntime =
  'Time and chance come from Runtime (src/runtime.ts), so that a test can drive them.';
const waitForIt =
  'Wait for a position, a condition or an event; only tests/support may own a timer.';

const timers = ['setTimeout', 'setInterval', 'setImmediate'];
const properties = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['performance', 'now'],
  ['process', 'hrtime'],
  ['AbortSignal', 'timeout'],
  ...['randomUUID', 'randomBytes', 'randomInt', 'randomFillSync', 'getRandomValues'].map((name) => [
    'crypto',
    name,
  ]),
  ...timers.map((name) => ['globalThis', name]),
];

/** Everything by which time or chance could come in past `Runtime`. */
const noTimeNorChance = {
  'no-restricted-globals': [
    'error',
    ...[...timers, 'performance'].map((name) => ({ name, message: viaRuntime })),
  ],
  'no-restricted-properties': [
    'error',
    ...properties.map(([object, property]) => ({ object, property, message: viaRuntime })),
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0]",
      message: viaRuntime,
    },
    { selector: "CallExpression[callee.name='Date']", message: viaRuntime },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...['node:timers', 'node:timers/promises', 'node:perf_hooks'].map((name) => ({
          name,
          message: viaRuntime,
        })),
        {
          name: 'node:crypto',
          importNames: [
            'randomUUID',
            'randomBytes',
            'randomInt',
            'randomFill',
            'randomFillSync',
            'getRandomValues',
            'webcrypto',
          ],
          message: viaRuntime,
        },
        { name: 'uuid', importNames: ['v1', 'v4', 'v6', 'v7'], message: viaRuntime },
      ],
    },
  ],
};

export default defineConfig(
  globalIgnores(['build/', 'bundle/', 'coverage/', 'data/', 'dist/', 'node_modules/']),
  // A rule is settled here or obeyed; a file can't switch it off.
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'max-lines': ['error', { max: 300 }],
      // The adapters of a promised port are `async` even where they work at once: a throw rejects.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: ['function', 'typeLike'],
          format: null,
          custom: { regex: '(Manager|Helper|Utils?|Service)$', match: false },
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/adapters/**', 'src/cli/**', 'src/compose.ts', 'src/main.ts'],
    rules: noTimeNorChance,
  },
  { files: ['src/cli/**/*.ts', 'src/main.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['tests/**/*.ts'],
    rules: {
      // A contract suite is one long list of sentences about one port.
      'max-lines': ['error', { max: 600 }],
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['tests/**/*.ts'],
    ignores: ['tests/support/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...timers.slice(0, 2).map((name) => ({ name, message: waitForIt })),
      ],
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'node:timers/promises', message: waitForIt }] },
      ],
    },
  },
  {
    // Configuration, scripts and the child processes of fault tests: plain JavaScript on Node.
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'AbortController',
          'AbortSignal',
          'Buffer',
          'URL',
          'clearInterval',
          'clearTimeout',
          'console',
          'fetch',
          'module',
          'performance',
          'process',
          'require',
          'setImmediate',
          'setInterval',
          'setTimeout',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
