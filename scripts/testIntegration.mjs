/**
 * The suites of the API and of the projections on real servers, as jest.integration.config.js has them:
 *
 *   npm run test:integration [-- what Jest takes]
 *
 * TEST_BACKENDS says on which: `mongodb,redis` (by default), `mongodb`, `redis`. Servers are those of
 * MONGODB_URI and REDIS_URL, or are started for the run (withServers.mjs). What is not there is left
 * out, aloud; REQUIRE_SERVERS makes that a failure. What the suites leave behind is dropped at the end.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';

const asked = (process.env.TEST_BACKENDS ?? 'mongodb,redis').split(',');
const addresses = { mongodb: process.env.MONGODB_URI, redis: process.env.REDIS_URL };
const there = asked.filter((name) => addresses[name]);

for (const name of asked.filter((one) => !there.includes(one))) {
  process.stderr.write(`\n!! SKIPPED: integration with ${name}, which is not there.\n\n`);
}

if (there.length > 0) {
  const folder = mkdtempSync(join(tmpdir(), 'fleetbook-integration-'));
  const left = join(folder, 'left');
  writeFileSync(left, '');
  try {
    process.exitCode = await jest({
      TEST_BACKENDS: there.join(','),
      TEST_BACKENDS_LEFT: left,
    });
  } finally {
    const lines = readFileSync(left, 'utf8').split('\n').filter(Boolean);
    rmSync(folder, { recursive: true, force: true });
    await drop(lines.map((line) => JSON.parse(line)));
  }
}

/** @returns its exit code */
async function jest(env) {
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--config=jest.integration.config.js',
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit', env: { ...process.env, ...env } },
  );
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

/** As tests/support/backends.ts noted it. */
async function drop(left) {
  if (there.includes('mongodb')) {
    const client = await MongoClient.connect(addresses.mongodb);
    for (const name of namesOf(left, 'database')) await client.db(name).dropDatabase();
    await client.close();
  }
  if (there.includes('redis')) {
    const redis = new Redis(addresses.redis);
    for (const prefix of namesOf(left, 'prefix')) {
      const keys = await redis.keys(`${prefix}*`);
      if (keys.length > 0) await redis.del(...keys);
    }
    await redis.quit();
  }
}

function namesOf(left, kind) {
  return new Set(left.map((one) => one[kind]).filter(Boolean));
}
