import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { backendSettings, noteLeft } from './backends.js';
import { eventually } from './eventually.js';
import { SETTINGS } from './server.js';

const MAIN = fileURLToPath(new URL('../../bundle/main.js', import.meta.url));

/** `node bundle/main.js`, as an operator starts it. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  /** All that it has written to standard output and standard error so far. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a server on the backends of backends.ts, and waits until it is ready. */
export async function startProcess(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const { DATA_DIR = 'data' } = env;
  const backends = backendSettings(DATA_DIR);
  const child = spawnMain({ ...SETTINGS, LOG_LEVEL: 'info', PORT: '0', ...backends, ...env });
  const text = { stdout: '', stderr: '' };
  collect(child, text);
  const output = () => text.stdout + text.stderr;
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const url = await eventually(() => {
    if (child.exitCode !== null) throw new Error(`it ended: ${output()}`);
    return /"url":"([^"]+)"/.exec(text.stdout)?.[1];
  }, 20_000);
  await eventually(async () => (await fetch(`${url}/readyz`)).status === 200 || undefined);
  noteLeft(DATA_DIR);
  return {
    url,
    port: Number(new URL(url).port),
    output,
    ended,
    signal: (name) => child.kill(name),
  };
}

/** Starts a server that is expected to end by itself, and waits until it has. */
export async function runToItsEnd(env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawnMain(env);
  const text = { stdout: '', stderr: '' };
  collect(child, text);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text };
}

/** With these settings and no others: what the machine that runs the tests is set to stays out. */
function spawnMain(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(child: ChildProcess, text: { stdout: string; stderr: string }) {
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk));
}
