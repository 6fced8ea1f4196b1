import { randomUUID } from 'node:crypto';
import { connectMongo } from '#dist/adapters/mongodb/connection.js';

/** How long dropping a database may take. */
const PATIENCE_MS = 60_000;

/** Runs work on a database of its own, and drops it. */
export async function inNewDatabase<Result>(
  uri: string,
  work: (uri: string) => Promise<Result>,
): Promise<Result> {
  const name = `fleetbook_bench_${randomUUID().slice(0, 8)}`;
  const own = uri.replace(/^([^/]+\/\/[^/?]*)(?:\/[^?]*)?/, `$1/${name}`);
  try {
    return await work(own);
  } finally {
    const mongo = await connectMongo({ uri: own, patienceMs: PATIENCE_MS });
    await mongo.db.dropDatabase();
    await mongo.close();
  }
}

/** What answers there, in words. */
export async function serverAt(uri: string): Promise<string> {
  const mongo = await connectMongo({ uri, access: 'read' });
  const { version = '?' } = await mongo.db.command({ buildInfo: 1 });
  const { transactions } = mongo;
  await mongo.close();
  return `a server of version ${String(version)} with${transactions ? '' : 'out'} transactions`;
}
