import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { systemRuntime } from '../../src/adapters/system/runtime.js';
import { redisLink, type RedisLink, type RedisReport } from '../../src/adapters/redis/link.js';
import { eventually } from './eventually.js';

/** Tests with a Redis: the one at REDIS_URL, or one of their own where redis-server is installed. */

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find((file) => existsSync(file));
const required = (process.env.REQUIRE_SERVERS ?? '').split(',').includes('redis');

/** Runs a suite that needs a Redis, or says loudly that it does not; REQUIRE_SERVERS=redis makes that a failure. */
export function withRedis(suite: () => void): void {
  const there = process.env.REDIS_URL !== undefined || program !== undefined;
  needing(there, 'Redis (REDIS_URL, or redis-server on the PATH)', suite);
}

/** The same for suites that kill, stop and restart their Redis: it must be their own. */
export function withOwnRedis(suite: () => void): void {
  needing(program !== undefined, 'redis-server on the PATH', suite);
}

function needing(there: boolean, what: string, suite: () => void): void {
  if (there) {
    suite();
    return;
  }
  if (required) throw new Error(`REQUIRE_SERVERS has "redis", but there is no ${what}`);
  process.stderr.write(`\n!! SKIPPED: tests that need ${what}.\n\n`);
  describe.skip(`with ${what}`, () => {
    it('is not there', () => undefined);
  });
}

/** A redis-server that a test started. */
export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  /** Kills it; what it held is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same port. */
  start(): Promise<void>;
  /** Stops it where it stands: connections stay open and nothing is answered. */
  freeze(): void;
  thaw(): void;
}

export async function ownRedis(...options: readonly string[]): Promise<OwnRedis> {
  if (program === undefined) throw new Error('there is no redis-server');
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess | undefined;

  async function start() {
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', ...options];
    server = spawn(String(program), [...settings, '--appendonly', 'no'], { stdio: 'ignore' });
    await eventually(() => listens(port));
  }
  await start();
  return {
    url,
    port,
    start,
    async kill() {
      if (server?.exitCode !== null || server.signalCode !== null) return;
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    },
    freeze: () => server?.kill('SIGSTOP'),
    thaw: () => server?.kill('SIGCONT'),
  };
}

/** A Redis for a suite that only uses it. */
export async function someRedis(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const url = process.env.REDIS_URL;
  if (url !== undefined) return { url, stop: async () => undefined };
  const own = await ownRedis();
  return { url: own.url, stop: () => own.kill() };
}

/** What a link told of itself. */
export interface Told extends RedisReport {
  readonly lines: string[];
}

export function told(): Told {
  const lines: string[] = [];
  return {
    lines,
    away: (link, reason) => lines.push(`${link} away: ${reason}`),
    back: (link) => lines.push(`${link} back`),
  };
}

export async function openLink(url: string, report: RedisReport = told()): Promise<RedisLink> {
  const link = redisLink('test', { settings: { url }, runtime: systemRuntime, report });
  await link.first;
  return link;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listens(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
