import { mkdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { bcryptPasswords } from './adapters/bcrypt/passwords.js';
import { keptSecrets } from './adapters/files/secrets.js';
import { openSqliteEventStore } from './adapters/sqlite/eventStore.js';
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
import { allRoutes, operationsOnly } from './api/routes/all.js';
import { makeServer } from './api/server.js';
import { tokens as makeTokens } from './api/tokens.js';
import { handler } from './commands/handle.js';
import { makeStates } from './commands/states.js';
import { openSharing } from './sharing.js';
import { openReadModels } from './stores.js';
import { reporter } from './commands/telemetry/report.js';
import { plainReporter } from './commands/telemetry/reportPlain.js';
import { firstAdministrator, type Credentials } from './commands/user/firstAdministrator.js';
import type { Passwords } from './commands/passwords.js';
import type { Config } from './config.js';
import { logNameOf } from './events/logName.js';
import { makeLog } from './log.js';
import { projections as registered } from './projections/registry.js';
import { superviseProjections } from './projectionsRole.js';
import { checkpointsOf } from './queries/checkpoints.js';
import { consistency as makeConsistency } from './queries/consistency.js';
import { makeQueries } from './queries/queries.js';
import type { Runtime } from './runtime.js';

/** The running system, or as much of it as one process does. */
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

/** Changes with the shape of what queries answer: processes of two releases share no answers. */
const SHAPE = [VERSION, ...registered.map(({ version }) => version)].join('.');

/**
 * Puts the system together: the one place that knows every part and picks the adapters.
 * @throws StoreUnavailable, ConfigError: one line that says what is wrong
 */
export async function compose(config: Config, replaced: Replacements = {}): Promise<Fleetbook> {
  const opened: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    return await composeParts(config, replaced, opened, stop);
  } catch (error) {
    // A thread that goes on would keep the process from ending.
    await stop();
    throw error;
  }
}

/**
 * @param opened takes what closes each part, in the order in which they were opened
 * @param stop closes them from the outside in
 */
async function composeParts(
  config: Config,
  replaced: Replacements,
  opened: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Fleetbook> {
  const { dataDir, roles } = config;
  mkdirSync(dataDir, { recursive: true });
  const runtime = replaced.runtime ?? systemRuntime;
  const log = replaced.log ?? makeLog(config.logLevel);
  const secrets = secretsOf(config);
  const files = { log: join(dataDir, 'log.db'), readModels: join(dataDir, 'read-models.db') };
  const instance = runtime.uuid();

  const local = createThreadSignals(instance);
  const sharing = await openSharing({ config, local, runtime, log, shape: SHAPE });
  opened.push(() => sharing.stop());
  const { signals } = sharing;
  const store = await openSqliteEventStore({
    file: files.log,
    signals,
    ...(replaced.onFatal && { onLost: replaced.onFatal }),
  });
  opened.push(() => store.stop());
  const reads = await openReadModels(
    { file: files.readModels, mongodb: config.mongodb },
    roles.has('projections') ? 'write' : 'read',
  );
  opened.push(() => reads.stop());
  const { logLevel, mongodb, projectionShards: shards } = config;
  const projections = roles.has('projections')
    ? superviseProjections({ files, mongodb, instance, logLevel, shards }, runtime, log)
    : undefined;
  if (projections !== undefined) opened.push(() => projections.stop());

  const states = makeStates({
    store,
    runtime,
    onFault: reportFault(log, 'following the log failed'),
  });
  const following = new AbortController();
  const followed = roles.has('api') ? states.follow(following.signal) : Promise.resolve();
  opened.push(async () => {
    following.abort();
    await followed;
  });
  const handle = handler({ store, runtime });
  const reporting = { store, runtime, devices: states.devices, handle, ...config };
  const report = reporter(reporting);
  const reportPlain = plainReporter(reporting);
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

  const cache = sharing.cache(reads, logNameOf(store));
  opened.push(() => cache.stop());
  const queries = makeQueries(reads, cache);
  const consistency = makeConsistency({ head: () => store.head(), reads, signals, runtime });
  opened.push(async () => {
    consistency.stop();
  });
  const health = healthCheck({
    store,
    checkpoints: checkpointsOf(reads),
    runtime,
    redis: sharing.up,
  });
  const access = accessCheck(states);
  const metrics = makeMetrics();
  let stopping = false;

  const routes = (roles.has('api') ? allRoutes : operationsOnly)({
    ...accounts,
    ...config,
    store,
    report,
    reportPlain,
    queries,
    consistency,
    tokens,
    access,
    health,
    metrics,
    version: VERSION,
    ready: () => !stopping && projections?.running() !== false,
  });
  const perform = performer({
    runtime,
    identify: identify({ states, tokens, runtime }),
    access,
    limits: limits({
      perMinute: config.limits,
      runtime,
      storeOf: sharing.limitStore,
      violated(limit, who) {
        metrics.limited(limit);
        log.warn({ limit, who }, 'rate limit exceeded');
      },
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
    firstAdministrator: async () =>
      roles.has('api') ? makeAdministrator(config.admin, headAtStart) : undefined,
    beginStop() {
      stopping = true;
    },
    async stop() {
      stopping = true;
      await stop();
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
