import type { Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { ownMongodb, withOwnMongodb, type OwnMongodb } from '../support/mongodbServer.js';
import { logInAdmin, registerDevice } from '../support/people.js';
import { ownRedis, withOwnRedis, type OwnRedis } from '../support/redis.js';
import { keepFigure, ms } from './figures.js';
import { fleet, type Fleet, type Member } from './fleet.js';

const CLIENTS = 8;
const EXIT_MS = 30_000;

withOwnRedis(() =>
  withOwnMongodb(() => {
    describe('SIGTERM under load', () => {
      let redis: OwnRedis;
      let mongodb: OwnMongodb;
      let installation: Fleet;
      let admin: Client;
      let device: string;
      let members: Readonly<Record<'api' | 'projections' | 'workers', Member>>;

      beforeAll(async () => {
        redis = await ownRedis();
        mongodb = await ownMongodb();
        installation = fleet({
          REDIS_URL: redis.url,
          MONGODB_URI: `mongodb://127.0.0.1:${mongodb.port}/stops?directConnection=true`,
        });
        members = {
          api: await installation.add('api', 'api'),
          projections: await installation.add('projections', 'projections'),
          workers: await installation.add('workers', 'workers'),
        };
        const person = await eventually(() => logInAdmin(members.api).catch(() => undefined));
        admin = person.api;
        device = (await registerDevice(person)).id;
      }, 60_000);
      afterAll(async () => {
        await installation.remove();
        await mongodb.remove();
        await redis.kill();
      }, 60_000);

      /** Heartbeats without a pause, until told to stop. */
      function load() {
        const statuses: number[] = [];
        const failed: unknown[] = [];
        let stopped = false;
        const ended = Promise.all(
          Array.from({ length: CLIENTS }, async () => {
            while (!stopped) {
              try {
                const path = `/api/devices/${device}/heartbeat`;
                statuses.push((await admin.post(path, { metrics: { a: 1 } })).status);
              } catch (error) {
                failed.push(error);
                return;
              }
            }
          }),
        );
        return {
          statuses,
          failed,
          async stop() {
            stopped = true;
            await ended;
          },
        };
      }

      const readyz = async (one: Member) => (await one.client.get('/readyz')).status;

      // The API last: the load goes through it.
      it.each(['workers', 'projections', 'api'] as const)(
        'of %s: not ready first, no failed request, and an end',
        async (role) => {
          const running = load();
          await eventually(() => running.statuses.length > 50 || undefined);
          const one = members[role];
          const began = performance.now();
          one.signal('SIGTERM');
          await eventually(async () => (await readyz(one)) === 503 || undefined, 2_000);
          const notReady = performance.now() - began;
          // What a load balancer does that has seen it.
          if (role === 'api') await running.stop();
          expect(await one.ended()).toBe(0);
          const took = performance.now() - began;
          if (role !== 'api') await running.stop();
          expect(running.failed).toEqual([]);
          expect(new Set(running.statuses)).toEqual(new Set([200]));
          expect(took).toBeLessThan(EXIT_MS);
          keepFigure(`sigterm-${role}`, {
            fault: `SIGTERM under load, role \`${role}\``,
            criterion: '/readyz is 503 first, no request fails, exit within 30 s',
            measured: `503 after ${ms(notReady)}, exit code 0 after ${ms(took)}; ${running.statuses.length} requests meanwhile, ${running.failed.length} failed`,
            how: `tests/faults/stopUnderLoad.test.ts: ${CLIENTS} clients send heartbeats without a pause; who sees the 503 sends no more to that process; MongoDB and Redis`,
          });
        },
        60_000,
      );
    });
  }),
);
