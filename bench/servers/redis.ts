import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './server.js';

export interface Redis {
  readonly url: string;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 10_000;
const LOOK_MS = 10;

/** Starts redis-server on a free port, without any file; undefined where it is not installed. */
export async function startRedis(): Promise<Redis | undefined> {
  try {
    execFileSync('which', ['redis-server'], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const port = await freePort();
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn('redis-server', options, { stdio: 'ignore' });
  const endWithUs = () => child.kill();
  process.once('exit', endWithUs);
  const began = performance.now();
  while (!(await listens(port))) {
    if (child.exitCode !== null || performance.now() - began > READY_WITHIN_MS) {
      child.kill();
      throw new Error('redis-server did not start');
    }
    await sleep(LOOK_MS);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      process.off('exit', endWithUs);
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

async function listens(port: number): Promise<boolean> {
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
