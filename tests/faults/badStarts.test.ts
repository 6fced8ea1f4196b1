import { MongoClient } from 'mongodb';
import { eventually } from '../support/eventually.js';
import { ownMongodb, withOwnMongodb, type OwnMongodb } from '../support/mongodbServer.js';
import { ownRedis, withOwnRedis } from '../support/redis.js';
import { newDataDir, SETTINGS } from '../support/server.js';
import { runToItsEnd, startProcess } from '../support/serverProcess.js';
import { keepFigure, ms } from './figures.js';

const START_MS = 10_000;

/** Starts a server that can't go on. @returns what it said, in one line, and how long that took */
async function refusal(env: Readonly<Record<string, string>>) {
  const began = performance.now();
  const { code, stderr } = await runToItsEnd({
    ...SETTINGS,
    PORT: '0',
    DATA_DIR: newDataDir(),
    ...env,
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^fleetbook: [^\n]+\n$/);
  expect(stderr).not.toContain('secret');
  return { line: stderr.trim(), took: performance.now() - began };
}

withOwnMongodb(() => {
  describe('a start with a MongoDB', () => {
    let server: OwnMongodb;
    const told: string[] = [];
    let slowest = 0;

    beforeAll(async () => {
      server = await ownMongodb();
      const admin = await MongoClient.connect(server.uri);
      for (const [user, role] of [
        ['writer', 'readWrite'],
        ['reader', 'read'],
      ] as const) {
        const roles = ['fleetbook', 'newer'].map((db) => ({ role, db }));
        await admin.db('admin').command({ createUser: user, pwd: 'secret', roles });
      }
      const format: { _id: string; application: string; format: number } = {
        _id: 'read-models',
        application: 'fleetbook',
        format: 99,
      };
      await admin.db('newer').collection<typeof format>('format').insertOne(format);
      await admin.close();
      await server.kill();
      await server.start('--auth');
    }, 60_000);

    afterAll(async () => {
      await server.remove();
      keepFigure('bad-mongodb', {
        fault:
          'a start with a MongoDB that is not there, a wrong URI, a wrong password, a user that may only read, a newer format',
        criterion:
          'ends with exit code 1 and one line that says what is wrong, without the password',
        measured: `${told.length} of ${told.length}, the slowest after ${ms(slowest)}: ${told.map((line) => `“${line}”`).join('; ')}`,
        how: 'tests/faults/badStarts.test.ts: real processes, a MongoDB with users',
      });
    });

    const as = (user: string, password = 'secret', database = 'fleetbook') =>
      `mongodb://${user}:${password}@127.0.0.1:${server.port}/${database}?directConnection=true&authSource=admin`;

    it.each([
      ['that is not there', () => 'mongodb://127.0.0.1:9/x', /127\.0\.0\.1:9.*no answer/],
      ['URI of another kind', () => 'http://somewhere/', /MONGODB_URI/],
      ['URI that is none', () => 'mongodb://', /MONGODB_URI/],
      ['and a wrong password', () => as('writer', 'other-secret'), /password is wrong/],
      ['user that may only read', () => as('reader'), /readWrite/],
      ['of a newer format', () => as('writer', 'secret', 'newer'), /format 99/],
    ])(
      '%s is refused in one line',
      async (_what, uri, says) => {
        const { line, took } = await refusal({ MONGODB_URI: uri() });
        expect(line).toMatch(says);
        expect(took).toBeLessThan(START_MS);
        told.push(line.replaceAll(/127\.0\.0\.1:\d+/g, 'host').slice(0, 120));
        slowest = Math.max(slowest, took);
      },
      30_000,
    );

    it('user that may only read is enough where nothing is folded', async () => {
      const env = { DATA_DIR: newDataDir(), ROLES: 'api', MONGODB_URI: as('reader') };
      const running = await startProcess(env);
      running.signal('SIGTERM');
      expect(await running.ended).toBe(0);
    }, 30_000);
  });
});

withOwnRedis(() => {
  describe('a start with a Redis', () => {
    const isTold = async (url: string, says: RegExp) => {
      const began = performance.now();
      const running = await startProcess({ DATA_DIR: newDataDir(), REDIS_URL: url });
      const ready = performance.now() - began;
      const line = await eventually(() =>
        running
          .output()
          .split('\n')
          .find((one) => one.includes('Redis is away')),
      );
      running.signal('SIGTERM');
      expect(await running.ended).toBe(0);
      expect(line).toMatch(says);
      expect(line).not.toContain('simsalabim');
      return { line, ready };
    };

    it('that is not there, or has another password, goes on without it and says so', async () => {
      const redis = await ownRedis('--requirepass', 'sesame');
      try {
        const wrong = await isTold(
          `redis://:simsalabim@127.0.0.1:${redis.port}`,
          /WRONGPASS|NOAUTH/,
        );
        const gone = await isTold('redis://127.0.0.1:9', /ECONNREFUSED/);
        const slowest = Math.max(wrong.ready, gone.ready);
        expect(slowest).toBeLessThan(START_MS);
        keepFigure('bad-redis', {
          fault: 'a start with a Redis that is not there, or has another password',
          criterion: 'the server starts without it, and one line for each connection says why',
          measured: `ready after ${ms(slowest)} at the latest; the log names ECONNREFUSED, and WRONGPASS, without the password`,
          how: 'tests/faults/badStarts.test.ts: real processes, redis-server',
        });
      } finally {
        await redis.kill();
      }
    }, 60_000);
  });
});
