import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.js';
import { needing } from './mongodb.js';
import { temporaryFile } from './temporaryFile.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/mongoForTests.mjs', import.meta.url));
const TOOLS =
  process.env.MONGODB_TOOLS ?? fileURLToPath(new URL('../../build/mongodb/tools', import.meta.url));

const isThere =
  existsSync(join(TOOLS, 'bin', 'secantusd-py')) ||
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'mongod')));

/** Suites that kill, stop and restart their MongoDB: it must be their own. */
export function withOwnMongodb(suites: () => void): void {
  needing(
    isThere,
    'a MongoDB server of their own (node scripts/mongoForTests.mjs --install)',
    suites,
  );
}

/** A server that a test started, with data that outlasts it. */
export interface OwnMongodb {
  readonly uri: string;
  readonly port: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, with these options. */
  start(...options: readonly string[]): Promise<void>;
  /** Stops it where it stands: connections stay open and nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Kills it and removes its data. */
  remove(): Promise<void>;
}

/** @param options of scripts/mongoForTests.mjs */
export async function ownMongodb(...options: readonly string[]): Promise<OwnMongodb> {
  const port = await freePort();
  const data = temporaryFile('mongodb');
  let running: { readonly script: ChildProcess; readonly pid: number } | undefined;

  async function start(...these: readonly string[]): Promise<void> {
    const args = [SCRIPT, '--port', String(port), '--data', data.file, ...these];
    const script = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    script.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    script.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const pid = await eventually(() => {
      if (script.exitCode !== null) throw new Error(`it ended: ${stderr}`);
      return /^mongodb:.*\n(\d+)\n/.exec(stdout)?.[1];
    }, 60_000);
    running = { script, pid: Number(pid) };
  }

  async function kill(): Promise<void> {
    if (running === undefined) return;
    const { script, pid } = running;
    running = undefined;
    const closed = once(script, 'close');
    process.kill(pid, 'SIGKILL');
    await closed;
  }

  const signal = (name: NodeJS.Signals) => {
    if (running !== undefined) process.kill(running.pid, name);
  };

  await start(...options);
  return {
    uri: `mongodb://127.0.0.1:${port}/?directConnection=true`,
    port,
    kill,
    start,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async remove() {
      await kill();
      data.remove();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
