import {
  MongoClient,
  MongoError,
  MongoInvalidArgumentError,
  ReadConcern,
  WriteConcern,
  type ClientSession,
  type Db,
} from 'mongodb';
import { StoreUnavailable } from '../../events/eventStore.js';
import { mongoFault } from './faults.js';
import { agreeOnFormat } from './format.js';

export interface MongoSettings {
  /** `mongodb://` or `mongodb+srv://`; its path names the database. */
  readonly uri: string;
  /** In place of the one that the URI names. */
  readonly database?: string;
  readonly minPoolSize?: number;
  readonly maxPoolSize?: number;
  /** How long one answer of the server is waited for, in milliseconds. */
  readonly patienceMs?: number;
  /** `read` does without the right to write. */
  readonly access?: 'read' | 'write';
  /** `never` does without transactions where there are some. */
  readonly transactions?: 'detect' | 'never';
}

/** An open connection (a pool of them) to one database. */
export interface Mongo {
  readonly db: Db;
  /** Server and database, for messages: no user, no password. */
  readonly place: string;
  readonly transactions: boolean;
  /**
   * Runs `work` in one transaction; again, a few times, where another transaction came between.
   * All that `work` does must name the session, one call after another.
   */
  inTransaction(work: (session: ClientSession) => Promise<void>): Promise<void>;
  /** Ends it for whoever uses it: stop those first. */
  close(): Promise<void>;
}

const DATABASE = 'fleetbook';
const PATIENCE_MS = 5_000;
/** To find a server that takes writes: an election takes this long, nothing else should. */
const SELECTION_MS = 3_000;
const MOST_ATTEMPTS = 3;
const DURABLE = new WriteConcern('majority', undefined, true);

/**
 * Connects, finds out what the deployment can do, and checks that what lies there is of this
 * program's format.
 *
 * Nothing waits without end: a server is looked for 3 s, a free connection of the pool and each
 * answer are waited for `patienceMs`, and the driver repeats a read or a write once. So a call takes
 * at most twice `patienceMs` and some seconds, even where packets are swallowed (a half-open
 * connection). The driver's own `timeoutMS` has no effect any more since 7.9.
 *
 * Writes are acknowledged by a majority with their journals, and on a replica set reads see what a
 * majority has: so each reads all that was acknowledged, and nothing that a failover takes back.
 * @throws StoreUnavailable in one line that says what is wrong: the URI, the server, the user, the format
 */
export async function connectMongo(settings: MongoSettings): Promise<Mongo> {
  const client = clientOf(settings);
  const db = client.db(settings.database ?? databaseOf(settings.uri));
  const hosts = client.options.hosts.map((host) => host.toString()).join(',');
  const place = `MongoDB at ${hosts || (client.options.srvHost ?? '')}, database ${db.databaseName}`;
  try {
    const { replicated, sessions } = await deploymentOf(db);
    const used = client.db(db.databaseName, {
      readConcern: new ReadConcern(replicated ? 'majority' : 'local'),
    });
    await agreeOnFormat(used, place, settings.access ?? 'write');
    return {
      db: used,
      place,
      transactions: replicated && sessions && settings.transactions !== 'never',
      inTransaction: (work) => inTransaction(client, work),
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw mongoFault(error, place);
  }
}

function clientOf({ uri, minPoolSize, maxPoolSize, patienceMs = PATIENCE_MS }: MongoSettings) {
  const short = Math.min(SELECTION_MS, patienceMs);
  try {
    return new MongoClient(uri, {
      appName: 'fleetbook',
      ...(minPoolSize === undefined ? {} : { minPoolSize }),
      ...(maxPoolSize === undefined ? {} : { maxPoolSize }),
      serverSelectionTimeoutMS: short,
      connectTimeoutMS: short,
      socketTimeoutMS: patienceMs,
      waitQueueTimeoutMS: patienceMs,
      // A server that has vanished without a word is noticed by its heartbeat, before a call meets it.
      heartbeatFrequencyMS: 5_000,
      writeConcern: DURABLE,
      readPreference: 'primary',
    });
  } catch (error) {
    // Of the settings beside the URI, which the program checks itself.
    if (error instanceof MongoInvalidArgumentError) throw error;
    // Without the driver's words: they may repeat the URI, and with it the password.
    throw new StoreUnavailable('unreachable', 'MONGODB_URI is no URI of a MongoDB deployment');
  }
}

/** The database in a URI's path, which `MongoClient` has checked. */
function databaseOf(uri: string): string {
  const [, name = ''] = /^[^/]+\/\/[^/]*\/([^?]*)/.exec(uri) ?? [];
  return decodeURIComponent(name) || DATABASE;
}

/** A lone server has neither transactions nor a majority; a replica set and a sharded cluster have. */
async function deploymentOf(db: Db): Promise<{ replicated: boolean; sessions: boolean }> {
  const hello = await db.command({ hello: 1 });
  const replicated = typeof hello.setName === 'string' || hello.msg === 'isdbgrid';
  return { replicated, sessions: typeof hello.logicalSessionTimeoutMinutes === 'number' };
}

/** Not the driver's `withTransaction`, which goes on trying for two minutes. */
async function inTransaction(
  client: MongoClient,
  work: (session: ClientSession) => Promise<void>,
): Promise<void> {
  await client.withSession(async (session) => {
    for (let attempt = 1; ; attempt++) {
      session.startTransaction({
        readConcern: { level: 'snapshot' },
        writeConcern: DURABLE,
      });
      try {
        await work(session);
        await session.commitTransaction();
        return;
      } catch (error) {
        // Whatever became of the transaction, the server ends it by itself.
        if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
        const isTransient =
          error instanceof MongoError && error.hasErrorLabel('TransientTransactionError');
        if (!isTransient || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  });
}
