import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { compose, type Fleetbook, type Replacements } from '../../src/compose.js';
import type { Health } from '../../src/api/health.js';
import { readConfig } from '../../src/config.js';
import { answerCheck } from './answerCheck.js';
import { backendSettings, isOn, noteLeft } from './backends.js';
import { clientOf, type Client } from './client.js';
import { eventually } from './eventually.js';
import { quickPasswords } from './quickPasswords.js';

export const ADMIN = { email: 'admin@example.com', password: 'correct horse battery' };

/** What a test's server is set to, where the test does not say otherwise. */
export const SETTINGS = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  ADMIN_EMAIL: ADMIN.email,
  ADMIN_PASSWORD: ADMIN.password,
  AUTH_RATE_LIMIT: '0',
  DEVICE_RATE_LIMIT: '0',
  TELEMETRY_RATE_LIMIT: '0',
  INGEST_RATE_LIMIT: '0',
  ANALYTICS_RATE_LIMIT: '0',
} as const;

/** How long a start may take on a machine that does much else. */
const START_MS = 30_000;

/** What servers for tests fold in seconds (thousands of lines), a client asks for so often again. */
const SLOW_FOLDING = 12;

export interface RunningServer {
  readonly fleetbook: Fleetbook;
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** What it has logged so far, a JSON object a line. */
  readonly logged: readonly string[];
  /** Without a token. */
  readonly client: Client;
  stop(): Promise<void>;
}

export interface ServerOptions extends Pick<Replacements, 'runtime' | 'passwords'> {
  readonly env?: Readonly<Record<string, string>>;
  /** Kept when the server stops; without it the server gets a folder that goes with it. */
  readonly dataDir?: string;
}

/**
 * The real system in this process, on a port of its own, with its real threads, ready for requests;
 * embedded, or on the backends that TEST_BACKENDS names (backends.ts).
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const dataDir = options.dataDir ?? newDataDir();
  const logged: string[] = [];
  const config = readConfig({
    ...SETTINGS,
    DATA_DIR: dataDir,
    ...backendSettings(dataDir),
    ...options.env,
  });
  const fleetbook = await compose(config, {
    log: pino({ level: 'trace', base: null }, { write: (line: string) => void logged.push(line) }),
    passwords: options.passwords ?? quickPasswords,
    ...(options.runtime !== undefined && { runtime: options.runtime }),
  });
  noteLeft(dataDir);
  const { server } = fleetbook;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await fleetbook.firstAdministrator();
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const client = clientOf(url, answerCheck(fleetbook.routes), {
    patience: isOn('mongodb') ? SLOW_FOLDING : 0,
  });

  async function stop() {
    await client.close();
    fleetbook.beginStop();
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
    await fleetbook.stop();
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  }

  try {
    await eventually(
      async () => (await client.get('/readyz')).status === 200 || undefined,
      START_MS,
    );
    if (isOn('mongodb') && options.env?.ROLES === undefined) await collectionsAreMade(client);
  } catch (error) {
    // Else its threads would keep the run from ending.
    await stop();
    throw error;
  }
  return { fleetbook, url, port, dataDir, logged, client, stop };
}

/**
 * Waits until the projections have folded what there was. It takes the first start on an empty
 * database some seconds to make all collections and indexes, and a read waits for two.
 */
async function collectionsAreMade(client: Client): Promise<void> {
  await eventually(async () => {
    const { body } = await client.get<Health>('/health');
    const { log, readModels } = body.dependencies;
    const positions = Object.values(readModels.projections).map(({ position }) => position);
    const head = BigInt(log.position ?? 0);
    return positions.every((position) => BigInt(position) >= head) || undefined;
  }, START_MS);
}

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'fleetbook-'));
}
