import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { Load, Loaded, LoadRequest } from './load.js';

const run = promisify(execFile);

/** The script is not TypeScript, so it stays among the sources. */
const SCRIPT = fileURLToPath(new URL('../../../bench/load/wrk.lua', import.meta.url));

/** What the script writes; times in microseconds. */
interface Result {
  readonly requests: number;
  readonly us: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly refused: number;
  readonly broken: number;
}

/** https://github.com/wg/wrk, on one thread: it must not take the server's core. */
export async function loadWithWrk(load: Load): Promise<Loaded> {
  const { url, connections, seconds, requests, folder } = load;
  const file = join(folder, 'wrk-requests.txt');
  const { host } = new URL(url);
  writeFileSync(file, requests.map((request) => recordOf(host, request)).join(''));
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', SCRIPT];
  const { stdout } = await run('wrk', [...options, url, '--', file]);
  const json = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (json === undefined) throw new Error(`wrk answered: ${stdout}`);
  const { requests: sent, us, p50, p99, max, refused, broken } = JSON.parse(json) as Result;
  if (refused + broken > 0) throw new Error(`${url}: ${refused} refused, ${broken} broken`);
  return { perSecond: sent / (us / 1e6), p50Ms: p50 / 1e3, p99Ms: p99 / 1e3, maxMs: max / 1e3 };
}

function recordOf(host: string, { method, path, headers, body }: LoadRequest): string {
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const lines = Object.entries({ host, ...headers, ...length });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const text = `${method} ${path} HTTP/1.1\r\n${head}\r\n${body ?? ''}`;
  return `${Buffer.byteLength(text)}\n${text}`;
}
