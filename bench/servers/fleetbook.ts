import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer, type Server } from './server.js';

/** Limits are counted as ever, and never reached. */
const UNREACHED = '1000000000';

/**
 * Starts the real server on a data folder as `npm start` does, with the log of its requests in a file.
 * @param settings in addition to those that all have, or instead of them
 */
export function startFleetbook(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Server> {
  mkdirSync(folder, { recursive: true });
  return startServer({
    entry: new URL(import.meta.resolve('#bundle/main.js')),
    folder,
    nodeOptions: STARTED.nodeOptions,
    env: {
      ...STARTED.env,
      DATA_DIR: join(folder, 'data'),
      LOG_LEVEL: 'info',
      TELEMETRY_RATE_LIMIT: UNREACHED,
      INGEST_RATE_LIMIT: UNREACHED,
      DEVICE_RATE_LIMIT: UNREACHED,
      AUTH_RATE_LIMIT: '0',
      ...settings,
    },
  });
}

/** @param settings read by the echo itself */
export function startEcho(
  which: 'Express' | 'Fastify',
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const entry = new URL(`./echo${which}.js`, import.meta.url);
  return startServer({ entry, folder, env: settings });
}

/** What `npm start` gives Node and its process: `env NAME=value node --option … bundle/main.js`. */
function startCommand() {
  const { pathname } = new URL('../package.json', import.meta.resolve('#bundle/main.js'));
  const { scripts } = JSON.parse(readFileSync(pathname, 'utf8')) as { scripts: { start: string } };
  const words = scripts.start.split(' ');
  return {
    nodeOptions: words.filter((word) => word.startsWith('--')),
    env: Object.fromEntries(
      words.filter((word) => /^[A-Z_]+=/.test(word)).map((word) => word.split('=')),
    ) as Record<string, string>,
  };
}

const STARTED = startCommand();
