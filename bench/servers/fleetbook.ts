import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startServer, type Server } from './server.js';

/** Limits are counted as ever, and never reached. */
const UNREACHED = '1000000000';

/** Starts the real server on a data folder, with the log of its requests in a file. */
export function startFleetbook(
  folder: string,
  nodeOptions: readonly string[] = [],
): Promise<Server> {
  mkdirSync(folder, { recursive: true });
  return startServer({
    entry: new URL(import.meta.resolve('#bundle/main.js')),
    folder,
    nodeOptions,
    env: {
      DATA_DIR: join(folder, 'data'),
      LOG_LEVEL: 'info',
      TELEMETRY_RATE_LIMIT: UNREACHED,
      INGEST_RATE_LIMIT: UNREACHED,
      DEVICE_RATE_LIMIT: UNREACHED,
      AUTH_RATE_LIMIT: '0',
    },
  });
}

export function startEcho(which: 'Express' | 'Fastify', folder: string): Promise<Server> {
  return startServer({ entry: new URL(`./echo${which}.js`, import.meta.url), folder });
}
