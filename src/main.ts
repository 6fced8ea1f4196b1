import type { AddressInfo } from 'node:net';
import { systemRuntime as runtime } from './adapters/system/runtime.js';
import { compose, VERSION, type Fleetbook } from './compose.js';
import { ConfigError, readConfig, type Config } from './config.js';
import { StoreUnavailable } from './events/eventStore.js';
import { makeLog } from './log.js';

/** env → config → compose → listen → drain on SIGTERM. */

/** How long load balancers have to see that /readyz says 503 before new connections are refused. */
const DRAIN_MS = 500;

// Names, addresses and digests of passwords lie in the files that are made from here on: for this user
// alone, those too that SQLite makes beside its own.
process.umask(0o077);

try {
  await start();
} catch (error) {
  if (!isExpected(error)) throw error;
  process.stderr.write(`fleetbook: ${error.message}\n`);
  process.exitCode = 1;
}

async function start() {
  const config = readConfig(process.env);
  const log = makeLog(config.logLevel);
  const fleetbook = await compose(config, {
    log,
    onFatal(error) {
      log.fatal({ err: error }, 'cannot go on');
      log.flush(() => process.exit(1));
    },
  });
  try {
    await listen(fleetbook, config);
  } catch (error) {
    await fleetbook.stop();
    throw error;
  }
  const { port } = fleetbook.server.address() as AddressInfo;
  log.info({ version: VERSION, url: `http://${config.host}:${port}` }, 'listening');
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    void drain(fleetbook, config).then(() => {
      log.info('stopped');
      log.flush();
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  const admin = await fleetbook.firstAdministrator().catch((error: unknown) => {
    // Told to stop meanwhile: the next start makes them.
    if (stopping) return undefined;
    throw error;
  });
  if (admin !== undefined) {
    // Not through the log, which is kept.
    process.stderr.write(
      `\nThe first administrator is ${admin.email} with the password ${admin.password}\n` +
        `It is shown this once.\n\n`,
    );
  }
}

function listen({ server }: Fleetbook, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1_024 }, resolve);
  });
}

/** From the outside in: no new connections, requests under way, subscriptions, stores. */
async function drain({ server, beginStop, stop }: Fleetbook, config: Config): Promise<void> {
  beginStop();
  await runtime.sleep(DRAIN_MS);
  const closed = new Promise((resolve) => server.close(resolve));
  const cut = runtime.setTimer(config.shutdownTimeoutMs, () => {
    server.closeAllConnections();
  });
  await closed;
  cut.cancel();
  await stop();
}

/** What an operator can do something about: said in one line. */
function isExpected(error: unknown): error is Error {
  if (error instanceof ConfigError || error instanceof StoreUnavailable) return true;
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
