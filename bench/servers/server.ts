import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Stalls } from './probe.js';

/** A server under test, in a process of its own. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to the first 200 of /readyz, in milliseconds. */
  readonly readyMs: number;
  /** How its event loop stalled since the last question. */
  stalls(): Promise<Stalls>;
  stop(): Promise<void>;
}

export interface ServerSettings {
  readonly entry: URL;
  /** Its output goes into a file here. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
}

const READY_WITHIN_MS = 60_000;
const LOOK_MS = 5;
const PROBE = new URL('./probe.js', import.meta.url).href;

/** Starts a server on a free port and waits until it is ready. */
export async function startServer({
  entry,
  folder,
  env = {},
  nodeOptions = [],
}: ServerSettings): Promise<Server> {
  const port = await freePort();
  const output = openSync(join(folder, 'output.log'), 'a');
  const began = performance.now();
  const child = fork(fileURLToPath(entry), {
    execArgv: ['--import', PROBE, ...nodeOptions],
    // What the machine that measures is set to stays out: a MONGODB_URI, say.
    env: { PATH: process.env.PATH, NODE_ENV: 'test', PORT: String(port), ...env },
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || performance.now() - began > READY_WITHIN_MS) {
      child.kill('SIGKILL');
      throw new Error(`${entry.pathname} did not start: see ${folder}/output.log`);
    }
    await sleep(LOOK_MS);
  }
  const readyMs = performance.now() - began;
  const { pid } = child;
  if (pid === undefined) throw new Error(`${entry.pathname} has no process`);

  return {
    url,
    pid,
    readyMs,
    stalls: () =>
      new Promise((resolve) => {
        // What the probe sends.
        child.once('message', (message) => resolve(message as Stalls));
        child.send('stall');
      }),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${url}/readyz`);
    return ok;
  } catch {
    return false;
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
