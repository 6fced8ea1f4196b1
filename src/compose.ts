import { mkdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { bcryptPasswords } from './adapters/bcrypt/passwords.js';
import { keptSecrets } from './adapters/files/secrets.js';
import { openSqliteEventStore } from './adapters/sqlite/eventStore.js';
import { sqliteReadModels } from './adapters/sqlite/readModels.js';
import { systemRuntime } from './adapters/system/runtime.js';
import { createThreadSignals } from './adapters/threads/signals.js';
import { accessCheck } from './api/access.js';
import { healthCheck } from './api/health.js';
import { identify } from './api/identify.js';
import { limits } from './api/limits.js';
import { metrics as makeMetrics } from './api/metrics.js';
import { ownWrites } from './api/ownWrites.js';
import { performer } from './api/perform.js';
import type { Route } from './api/route.js';
import { allRoutes } from './api/routes/all.js';
import { makeServer } from './api/server.js';
import { tokens as makeTokens } from './api/tokens.js';
import { handler } from './commands/handle.js';
import { makeStates } from './commands/states.js';
import { reporter } from './commands/telemetry/report.js';
import { firstAdministrator, type Credentials } from './commands/user/firstAdministrator.js';
import type { Passwords } from './commands/passwords.js';
import type { Config } from './config.js';
import { makeLog } from './log.js';
import { superviseProjections } from './projectionsRole.js';
import { checkpointsOf } from './queries/checkpoints.js';
import { consistency as makeConsistency } from './queries/consistency.js';
import { makeQueries } from './queries/queries.js';
import type { Runtime } from './runtime.js';

/** The running system, all roles in one process. */
export interface Fleetbook {
  /** Not listening yet. */
  readonly server: Server;
  /** What the server answers, as data. */
  readonly routes: readonly Route[];
  /**
   * Makes the first administrator of a new installation.
   * @returns their credentials if the password was chosen here: to be shown once
   */
  readonly firstAdministrator: () => Promise<Credentials | undefined>;
  /** Takes no new work from now on; what is under way goes on. */
  readonly beginStop: () => void;
  /** Stops what is behind the server, which must have been closed. */
  readonly stop: () => Promise<void>;
}

/** What a caller puts in the place of the real thing. */
export interface Replacements {
  /** Called when the process can't go on and has to be started anew. */
  readonly onFatal?: (error: Error) => void;
  readonly runtime?: Runtime;
  readonly log?: Logger;
  readonly passwords?: Passwords;
}

/** The version in package.json. */
export const VERSION = versionOf(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/**
 * Puts the system together: the one place that knows every part and picks the adapters.
 * @throws StoreUnavailable, ConfigError: one line that says what is wrong
 */
export async function compose(config: Config, replaced: Replacements = {}): Promise<Fleetbook> {
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true });
  const runtime = replaced.runtime ?? systemRuntime;
  const log = replaced.log ?? makeLog(config.logLevel);
  const secrets = secretsOf(config);
  const files = { log: join(dataDir, 'log.db'), readModels: join(dataDir, 'read-models.db') };
  const instance = runtime.uuid();

  const signals = createThreadSignals(instance);
  const store = await openSqliteEventStore({
    file: files.log,
    signals,
    ...(replaced.onFatal && { onLost: replaced.onFatal }),
  });
  const projections = superviseProjections(
    { files, instance, logLevel: config.logLevel },
    runtime,
    log,
  );
  const reads = sqliteReadModels(files.readModels);

  const states = makeStates({
    store,
    runtime,
    onFault: reportFault(log, 'following the log failed'),
  });
  const following = new AbortController();
  const followed = states.follow(following.signal);
  const handle = handler({ store, runtime });
  const report = reporter({ store, runtime, devices: states.devices, handle, ...config });
  const passwords = replaced.passwords ?? bcryptPasswords(secrets.hash);
  const tokens = makeTokens({
    runtime,
    accessSecrets: secrets.jwt,
    refreshSecrets: secrets.refresh,
    accessTtlMs: config.accessTokenTtlMs,
  });
  const hashSecret = secrets.hash;
  const accounts = { handle, states, runtime, hashSecret, passwords };
  const makeAdministrator = firstAdministrator(accounts);
  // Before anybody can sign up: whoever does so first must not pass for an installation that has one.
  const headAtStart = await store.head();

  const queries = makeQueries(reads);
  const consistency = makeConsistency({ reads, signals, runtime });
  const health = healthCheck({ store, checkpoints: checkpointsOf(reads), runtime });
  const access = accessCheck(states);
  const metrics = makeMetrics();
  let stopping = false;

  const routes = allRoutes({
    ...accounts,
    ...config,
    store,
    report,
    queries,
    tokens,
    access,
    health,
    metrics,
    version: VERSION,
    ready: () => !stopping && projections.running(),
  });
  const perform = performer({
    runtime,
    identify: identify({ states, tokens, runtime }),
    access,
    limits: limits(config.limits, (limit, who) => {
      metrics.limited(limit);
      log.warn({ limit, who }, 'rate limit exceeded');
    }),
    consistency,
    ownWrites: ownWrites(),
    maxBodyBytes: config.maxRequestBytes,
    hashSecret,
  });
  const server = makeServer({
    ...config,
    runtime,
    log,
    metrics,
    routes,
    perform,
    stopping: () => stopping,
  });

  return {
    server,
    routes,
    firstAdministrator: () => makeAdministrator(config.admin, headAtStart),
    beginStop() {
      stopping = true;
    },
    async stop() {
      stopping = true;
      following.abort();
      await followed;
      consistency.stop();
      await projections.stop();
      await reads.stop();
      await store.stop();
      await signals.stop();
      log.flush();
    },
  };
}

function reportFault(log: Logger, what: string) {
  return (error: unknown) => {
    log.error({ err: error }, what);
  };
}

/** The secrets that were given; those that were not are kept with the data. */
function secretsOf({ dataDir, secrets: given }: Config) {
  const { jwt, refresh, hash } = given;
  if (jwt !== undefined && refresh !== undefined && hash !== undefined)
    return { jwt, refresh, hash };
  const kept = keptSecrets(dataDir);
  return { jwt: jwt ?? [kept.jwt], refresh: refresh ?? [kept.refresh], hash: hash ?? kept.hash };
}

function versionOf(packageJson: string): string {
  const { version } = JSON.parse(packageJson) as { readonly version: string };
  return version;
}
