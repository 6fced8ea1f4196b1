// Puts each entry of the server into one file: most of a start is spent on finding and linking some
// 1,200 modules one by one. The files lie as flat and as deep as dist/main.js does, so that what
// is found relative to them (package.json, the entries of threads) stays where it was.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('bundle', { recursive: true, force: true });

await build({
  entryPoints: [
    'dist/main.js',
    'dist/projectionsThread.js',
    'dist/adapters/sqlite/logWriterThread.js',
    'dist/adapters/sqlite/queryThread.js',
  ],
  entryNames: '[name]',
  // What is imported only where a setting asks for it stays in files of its own.
  splitting: true,
  outdir: 'bundle',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // Native code and plain files can't be bundled, and drivers are better left as they are.
  external: [
    'bcrypt',
    'better-sqlite3',
    'swagger-ui-dist',
    'ioredis',
    'mongodb',
    'rate-limit-redis',
  ],
  // CommonJS packages in a file of ES modules still call `require` for what Node brings along.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
  },
  logLevel: 'warning',
});
