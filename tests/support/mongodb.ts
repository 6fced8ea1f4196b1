import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import {
  connectMongo,
  type Mongo,
  type MongoSettings,
} from '../../src/adapters/mongodb/connection.js';

/** Where a MongoDB answers; scripts/mongoForTests.mjs starts one and prints it. */
const server = process.env.MONGODB_URI ?? '';
const required = (process.env.REQUIRE_SERVERS ?? '').split(/[ ,]+/).includes('mongodb');

/** Suites that need a MongoDB server. */
export function withMongodb(suites: () => void): void {
  needing(server !== '', 'a MongoDB server (MONGODB_URI)', suites);
}

/** Runs suites, or skips them aloud; REQUIRE_SERVERS=mongodb makes that a failure. */
export function needing(isThere: boolean, what: string, suites: () => void): void {
  if (isThere) {
    suites();
    return;
  }
  if (required) throw new Error(`REQUIRE_SERVERS names mongodb, but there is not ${what}`);
  process.stderr.write(`\n!! SKIPPED: tests that need ${what}.\n\n`);
  describe.skip(`with ${what}`, () => {
    it('is not there', () => undefined);
  });
}

/** A database of its own, which exists when something is written to it. */
export interface TemporaryDatabase {
  readonly name: string;
  connect(settings?: Partial<MongoSettings>): Promise<Mongo>;
  /** Closes all connections that were given out, and drops the database. */
  drop(): Promise<void>;
}

/** A server for tests may be slow, which is not what most of them are about. */
const PATIENCE_MS = 20_000;

export function temporaryDatabase(uri = server): TemporaryDatabase {
  const name = `fleetbook_test_${randomUUID().slice(0, 13).replace('-', '')}`;
  const opened: Mongo[] = [];
  const connect = async (settings: Partial<MongoSettings> = {}) => {
    const mongo = await connectMongo({
      uri,
      database: name,
      patienceMs: PATIENCE_MS,
      ...settings,
    });
    opened.push(mongo);
    return mongo;
  };
  return {
    name,
    connect,
    async drop() {
      await Promise.all(opened.map((each) => each.close()));
      const client = await MongoClient.connect(uri);
      await client.db(name).dropDatabase();
      await client.close();
    },
  };
}
