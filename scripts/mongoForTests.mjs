/**
 * Starts a server that speaks MongoDB's protocol, for tests:
 *
 *   node scripts/mongoForTests.mjs [--port 27117] [--data build/mongodb/data] [--standalone] [--auth]
 *
 * That is `mongod` where there is one, else SecantusDB from PyPI (it needs python3 with venv), which is
 * installed under build/mongodb, or MONGODB_TOOLS, when it is missing. As soon as it answers, its URI and
 * its process id are printed, a line each. It runs until this is told to end (SIGTERM, SIGINT).
 * `--install` only installs.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';

/** Exactly this one: another may answer otherwise, and then a test fails that no change of ours broke. */
const SECANTUS = 'secantusdb==0.7.0b3';
const START_MS = 60_000;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '27117' },
    data: { type: 'string', default: 'build/mongodb/data' },
    standalone: { type: 'boolean', default: false },
    auth: { type: 'boolean', default: false },
    install: { type: 'boolean', default: false },
  },
});
const tools = resolve(process.env.MONGODB_TOOLS ?? 'build/mongodb/tools');
const secantus = join(tools, 'bin', 'secantusd-py');
const hasMongod = spawnSync('mongod', ['--version']).status === 0;

function install() {
  if (hasMongod || existsSync(secantus)) return;
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  execFileSync('python3', ['-m', 'venv', tools], quiet);
  execFileSync(join(tools, 'bin', 'pip'), ['install', '--quiet', SECANTUS], quiet);
}

function start() {
  const { port, data, standalone, auth } = values;
  mkdirSync(data, { recursive: true });
  const common = ['--port', port, ...(auth ? ['--auth'] : [])];
  const [command, args] = hasMongod
    ? [
        'mongod',
        [...common, '--bind_ip', '127.0.0.1', '--dbpath', data, '--quiet'].concat(
          standalone ? [] : ['--replSet', 'fleetbook'],
        ),
      ]
    : [
        secantus,
        [...common, '--host', '127.0.0.1', '--storage-path', data, '--log-level', 'WARNING'].concat(
          // Else what it has acknowledged may be lost when it is killed.
          ['--sync-on-commit'],
          standalone ? ['--standalone'] : [],
        ),
      ];
  return spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function answers(uri) {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 500, socketTimeoutMS: 5_000 });
  try {
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 });
    if (hello.isWritablePrimary) return true;
    // A new member of no set yet: the first call makes it one, the next ones say that it is.
    await admin.command({ replSetInitiate: {} });
    return false;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

install();
if (!values.install) {
  const server = start();
  const uri = `mongodb://127.0.0.1:${values.port}/?directConnection=true`;
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.kill(signal));
  server.on('close', (code) => process.exit(code ?? 1));
  const deadline = Date.now() + START_MS;
  while (!(await answers(uri))) {
    if (Date.now() > deadline) {
      server.kill('SIGKILL');
      throw new Error(`no answer of ${uri} within ${START_MS} ms`);
    }
    await sleep(100);
  }
  process.stdout.write(`${uri}\n${server.pid}\n`);
}
