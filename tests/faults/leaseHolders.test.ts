import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sqliteReadModelStore } from '../../src/adapters/sqlite/readModelStore.js';
import { temporaryFile, type TemporaryFile } from '../support/temporaryFile.js';

const CHILD = new URL('leaseHoldersChild.mjs', import.meta.url).pathname;
const LONG = 600_000;

/** What SQLite knows of holders beyond the time that their leases hold: whether they still run. */
describe('a lease in a read-model file', () => {
  let temporary: TemporaryFile;

  beforeEach(() => {
    temporary = temporaryFile('read-models.db');
  });
  afterEach(() => temporary.remove());

  /** Another process that has taken the lease `x`. */
  async function holder() {
    const child = spawn(process.execPath, [CHILD, temporary.file, 'x', 'child', String(LONG)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return {
      async end(signal: NodeJS.Signals) {
        const exited = once(child, 'exit');
        child.kill(signal);
        await exited;
      },
      pause: () => child.kill('SIGSTOP'),
    };
  }

  const locks = () =>
    readdirSync(dirname(temporary.file)).filter((name) => name.includes('-holder-'));

  it('is free as soon as its holder was killed, and was not before', async () => {
    const child = await holder();
    const store = sqliteReadModelStore(temporary.file);
    expect(await store.leases.acquire('x', 'here', LONG)).toBeUndefined();
    expect(await store.leases.held('x')).toHaveLength(1);
    await child.end('SIGKILL');
    expect(await store.leases.held('x')).toEqual([]);
    expect(await store.leases.acquire('x', 'here', LONG)).toEqual({
      name: 'x',
      holder: 'here',
      token: 2,
    });
    await store.stop();
  });

  it('stays with a holder that merely stands still', async () => {
    const child = await holder();
    child.pause();
    const store = sqliteReadModelStore(temporary.file);
    expect(await store.leases.acquire('x', 'here', LONG)).toBeUndefined();
    await store.stop();
    await child.end('SIGKILL');
  });

  it('is free as soon as its holder’s store was stopped', async () => {
    const one = sqliteReadModelStore(temporary.file);
    const other = sqliteReadModelStore(temporary.file);
    await one.leases.acquire('x', 'one', LONG);
    expect(await other.leases.acquire('x', 'other', LONG)).toBeUndefined();
    await one.stop();
    expect(await other.leases.acquire('x', 'other', LONG)).toMatchObject({ holder: 'other' });
    await other.stop();
  });

  it('leaves no file behind: holders remove their own, and those of the killed go in time', async () => {
    const child = await holder();
    await child.end('SIGKILL');
    expect(locks()).toHaveLength(1);
    const anHourAgo = Date.now() / 1_000 - 3_600;
    for (const lock of locks())
      utimesSync(join(dirname(temporary.file), lock), anHourAgo, anHourAgo);
    const running = await holder();
    expect(locks()).toHaveLength(1);
    const store = sqliteReadModelStore(temporary.file);
    await store.leases.acquire('y', 'here', LONG);
    expect(locks()).toHaveLength(2);
    await store.stop();
    expect(locks()).toHaveLength(1);
    await running.end('SIGKILL');
  });
});
