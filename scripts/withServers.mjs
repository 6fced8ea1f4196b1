/**
 * Runs a command with a MongoDB and a Redis to test with:
 *
 *   node scripts/withServers.mjs npm test
 *
 * Those at MONGODB_URI and REDIS_URL are used as they are. For one that is not set, a server is started
 * on a free port of this machine with empty data, where it is installed (redis-server; mongod, or what
 * `node scripts/mongoForTests.mjs --install` installs), and ended afterwards. Where there is none the
 * command runs without; a server that REQUIRE_SERVERS names is a must.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 90_000;
const STOP_MS = 10_000;

const required = (process.env.REQUIRE_SERVERS ?? '').split(/[ ,]+/).filter(Boolean);
const folder = mkdtempSync(join(tmpdir(), 'fleetbook-servers-'));
const started = [];
let command;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
  process.on(signal, () => command?.kill(signal));

try {
  const env = { ...process.env };
  env.MONGODB_URI ||= await serverFor('mongodb', hasMongodb(), startMongodb);
  env.REDIS_URL ||= await serverFor('redis', has('redis-server'), startRedis);
  for (const name of ['MONGODB_URI', 'REDIS_URL']) if (!env[name]) delete env[name];
  process.exitCode = await run(env);
} catch (error) {
  process.stderr.write(`withServers: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  await Promise.all(started.map(stop));
  rmSync(folder, { recursive: true, force: true });
}

/** @returns its address, or nothing where there is none and need not be */
async function serverFor(name, isInstalled, start) {
  if (isInstalled) return start();
  if (required.includes(name)) throw new Error(`REQUIRE_SERVERS has "${name}", which is not there`);
  return undefined;
}

function has(program) {
  return spawnSync(program, ['--version']).status === 0;
}

function hasMongodb() {
  const tools = resolve(process.env.MONGODB_TOOLS ?? 'build/mongodb/tools');
  return existsSync(join(tools, 'bin', 'secantusd-py')) || has('mongod');
}

async function startMongodb() {
  const port = await freePort();
  const args = ['--port', String(port), '--data', join(folder, 'mongodb')];
  const server = launch(process.execPath, ['scripts/mongoForTests.mjs', ...args]);
  let told = '';
  server.stdout.setEncoding('utf8').on('data', (text) => (told += text));
  // Its address comes first, and then, when it answers, its process id.
  await until(server, 'MongoDB', () => /\n\d+\n/.test(told));
  return told.split('\n')[0];
}

async function startRedis() {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = launch('redis-server', [...args, '--dir', folder]);
  server.stdout.resume();
  await until(server, 'Redis', () => listens(port));
  return `redis://127.0.0.1:${port}`;
}

function launch(program, args) {
  const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(server);
  return server;
}

async function until(server, name, condition) {
  const deadline = Date.now() + START_MS;
  while (!(await condition())) {
    if (server.exitCode !== null) throw new Error(`${name} ended with ${server.exitCode}`);
    if (Date.now() > deadline) throw new Error(`${name} does not answer`);
    await sleep(50);
  }
}

async function listens(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** @returns the command's exit code */
async function run(env) {
  const [program, ...args] = process.argv.slice(2);
  command = spawn(program, args, { stdio: 'inherit', env });
  const [code] = await once(command, 'exit');
  return code ?? 1;
}

async function stop(server) {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  const late = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(late);
}
