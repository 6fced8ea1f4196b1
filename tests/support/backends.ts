import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { BSON, MongoClient, type Db } from 'mongodb';
import { readConfig } from '../../src/config.js';
import { redisPrefix } from '../../src/sharing.js';

/**
 * On which backends the suites of the API and of the projections run: the embedded ones, or those
 * that TEST_BACKENDS names (`mongodb`, `redis`, or both) at MONGODB_URI and REDIS_URL. Nothing else
 * tells a suite: `npm run test:integration` runs the same files.
 */
type Backend = 'mongodb' | 'redis';

const chosen = (process.env.TEST_BACKENDS ?? '').split(',').filter((name) => name !== '');

for (const name of chosen) {
  if (!['mongodb', 'redis'].includes(name)) throw new Error(`TEST_BACKENDS: what is "${name}"?`);
}

export const isOn = (backend: Backend) => chosen.includes(backend);

/** Where the servers are; scripts/withServers.mjs sets these. */
export const mongodbUri = () => addressOf('MONGODB_URI');
export const redisUrl = () => addressOf('REDIS_URL');

function addressOf(name: string): string {
  const address = process.env[name];
  if (address === undefined || address === '') {
    throw new Error(`TEST_BACKENDS=${chosen.join(',')} needs ${name}`);
  }
  return address;
}

/**
 * The settings that put a server with this data on the chosen backends: in a database and under a
 * prefix of its own, the same ones when it is started again on the same data.
 */
export function backendSettings(dataDir: string): Readonly<Record<string, string>> {
  return {
    ...(isOn('mongodb') && { MONGODB_URI: databaseUri(dataDir) }),
    ...(isOn('redis') && { REDIS_URL: redisUrl() }),
  };
}

function databaseUri(dataDir: string): string {
  const uri = new URL(mongodbUri());
  uri.pathname = databaseOf(dataDir);
  return uri.href;
}

/** Temporary folders have random names. */
const databaseOf = (dataDir: string) =>
  `fleetbook_test_${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`;

/** Under this lies all that a server with this data keeps in Redis. The folder is there by now. */
const prefixOf = (dataDir: string) =>
  redisPrefix(readConfig({ ...backendSettings(dataDir), DATA_DIR: dataDir }));

/**
 * Notes what a server with this data leaves behind in the backends, for scripts/testIntegration.mjs,
 * which drops it when all suites have ended.
 */
export function noteLeft(dataDir: string): void {
  const file = process.env.TEST_BACKENDS_LEFT;
  if (file === undefined || chosen.length === 0) return;
  const left = {
    ...(isOn('mongodb') && { database: databaseOf(dataDir) }),
    ...(isOn('redis') && { prefix: prefixOf(dataDir) }),
  };
  appendFileSync(file, `${JSON.stringify(left)}\n`);
}

/** The files of the embedded read models, where they are there. */
export const READ_MODEL_FILES = isOn('mongodb') ? [] : ['read-models.db', 'read-models.db-wal'];

/** All that a server with this data keeps in the backends, by where it lies. */
export async function keptInBackends(
  dataDir: string,
): Promise<readonly { readonly name: string; readonly bytes: Buffer }[]> {
  const kept: { name: string; bytes: Buffer }[] = [];
  if (isOn('mongodb')) {
    await withDatabase(dataDir, async (db) => {
      for (const { collectionName } of await db.collections()) {
        const documents = await db.collection(collectionName).find().toArray();
        kept.push({ name: collectionName, bytes: Buffer.from(BSON.EJSON.stringify(documents)) });
      }
    });
  }
  if (isOn('redis')) {
    await withRedisKeys(`${prefixOf(dataDir)}*`, async (redis, keys) => {
      for (const key of keys) {
        const type = await redis.type(key);
        const value = type === 'hash' ? await redis.hgetall(key) : await redis.get(key);
        kept.push({ name: key, bytes: Buffer.from(JSON.stringify(value)) });
      }
    });
  }
  return kept;
}

/** What the limits have counted for a server with this data is over, as when its window is. */
export async function endLimitWindows(dataDir: string): Promise<void> {
  if (!isOn('redis')) return;
  await withRedisKeys(`${prefixOf(dataDir)}limit:*`, async (redis, keys) => {
    for (const key of keys) await redis.pexpire(key, 0);
  });
}

async function withDatabase(dataDir: string, use: (db: Db) => Promise<void>): Promise<void> {
  const client = await MongoClient.connect(mongodbUri());
  await use(client.db(databaseOf(dataDir)));
  await client.close();
}

async function withRedisKeys(
  pattern: string,
  use: (redis: Redis, keys: readonly string[]) => Promise<void>,
): Promise<void> {
  const redis = new Redis(redisUrl());
  await use(redis, await redis.keys(pattern));
  await redis.quit();
}
