import type { Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { fakeRedis } from '../support/fakeRedis.js';
import { halfOpenProxy } from '../support/halfOpenProxy.js';
import { logInAdmin, registerDevice } from '../support/people.js';
import { ownRedis, withOwnRedis } from '../support/redis.js';
import { keepFigure, ms, quantile } from './figures.js';
import { fleet, type Fleet, type Member } from './fleet.js';

const REQUESTS = 300;
/** What the first requests after the fault may cost: a deadline of Redis on their way, and another. */
const FIRST_MS = 1_000;
const SLOWER = 2;
/** Below that, twice as long says more of the machine than of Redis. */
const NOISE_MS = 1;

/** Something that is Redis at first. @returns its URL, what begins the fault, and what ends all */
interface Away {
  readonly url: string;
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
  stop(): Promise<void>;
}

const FAULTS: readonly (readonly [name: string, what: string, start: () => Promise<Away>])[] = [
  [
    'killed',
    'killed (SIGKILL)',
    async () => {
      const redis = await ownRedis();
      return { url: redis.url, begin: redis.kill, end: redis.start, stop: redis.kill };
    },
  ],
  [
    'frozen',
    'standing still (SIGSTOP)',
    async () => {
      const redis = await ownRedis();
      return { url: redis.url, begin: redis.freeze, end: redis.thaw, stop: redis.kill };
    },
  ],
  [
    'half-open',
    'behind a connection that swallows everything',
    async () => {
      const redis = await ownRedis();
      const way = await halfOpenProxy(redis.port);
      return {
        url: `redis://127.0.0.1:${way.port}`,
        begin: () => way.swallow(),
        end: () => way.pass(),
        async stop() {
          await way.stop();
          await redis.kill();
        },
      };
    },
  ],
];

withOwnRedis(() => {
  describe('a Redis that is', () => {
    let installation: Fleet;
    let api: Member;
    let admin: Client;
    let devices: string[];

    async function start(url: string): Promise<void> {
      installation = fleet({ REDIS_URL: url });
      api = await installation.add('all in one', 'api,projections,workers');
      const person = await eventually(() => logInAdmin(api).catch(() => undefined));
      admin = person.api;
      devices = [];
      while (devices.length < 20) devices.push((await registerDevice(person)).id);
    }
    afterEach(() => installation.remove());

    const redisIs = (status: string) =>
      eventually(async () => {
        const { body } = await api.client.get<HealthBody>('/health');
        return body.dependencies.redis?.status === status || undefined;
      }, 20_000);

    /** How long each took, the requests being of all kinds in turn. */
    async function requests(): Promise<readonly number[]> {
      const times: number[] = [];
      for (let turn = 0; turn < REQUESTS; turn += 1) {
        const path = `/api/devices/${devices[turn % devices.length] ?? ''}`;
        const began = performance.now();
        const kinds = [
          () => admin.get(path),
          () => admin.post(`${path}/heartbeat`, { metrics: { turn } }),
          () => admin.get('/api/devices?limit=20'),
        ] as const;
        const { status, text } = await (kinds[turn % 3] ?? kinds[0])();
        times.push(performance.now() - began);
        expect([status, text]).toEqual([200, expect.any(String)]);
      }
      return times;
    }

    it.each(FAULTS)(
      '%s costs one slow request, and is used again',
      async (name, what, open) => {
        const away = await open();
        try {
          await start(away.url);
          await requests();
          const before = await requests();
          await away.begin();
          const during = await requests();
          const last = during.slice(10);
          await redisIs('degraded');
          const settled = await requests();
          await away.end();
          await redisIs('ok');
          const [usual, then, later] = [before, last, settled].map((times) => quantile(times, 0.5));
          const first = Math.max(...during.slice(0, 10));
          expect(first).toBeLessThan(FIRST_MS);
          for (const median of [then, later]) {
            expect(median).toBeLessThan(Math.max(NOISE_MS, SLOWER * Number(usual)));
          }
          keepFigure(`redis-${name}`, {
            fault: `Redis ${what}`,
            criterion:
              'the API serves, at most twice as slow after the first request; used again on its return',
            measured: `median request ${ms(Number(usual))} before, ${ms(Number(then))} right after, ${ms(Number(later))} later (p99 ${ms(quantile(before, 0.99))}, ${ms(quantile(last, 0.99))}, ${ms(quantile(settled, 0.99))}); the slowest of the first ten ${ms(first)}; no request failed`,
            how: `tests/faults/redisAway.test.ts: device reads, lists and heartbeats in turn, ${REQUESTS} a phase, through one process`,
          });
        } finally {
          await away.stop();
        }
      },
      90_000,
    );

    it('there no more counts limits in the process', async () => {
      const redis = await ownRedis();
      try {
        installation = fleet({ REDIS_URL: redis.url, DEVICE_RATE_LIMIT: '5' });
        api = await installation.add('all in one', 'api,projections,workers');
        const person = await eventually(() => logInAdmin(api).catch(() => undefined));
        await redis.kill();
        const statuses: number[] = [];
        for (let turn = 0; turn < 8; turn += 1) {
          const body = { name: 'Boiler', type: 'boiler' };
          statuses.push((await person.api.post('/api/devices', body)).status);
        }
        expect(statuses).toEqual([201, 201, 201, 201, 201, 429, 429, 429]);
      } finally {
        await redis.kill();
      }
    }, 60_000);

    it('answering an error to every command is told of in one line, and done without', async () => {
      const fake = await fakeRedis('-ERR I would rather not\r\n');
      try {
        await start(fake.url);
        const times = await requests();
        const told = api
          .output()
          .split('\n')
          .filter((line) => line.includes('Redis is away'));
        const links = told.map((line) => (JSON.parse(line) as { link: string }).link);
        // Each link tells for itself, once.
        expect(new Set(links).size).toBe(links.length);
        expect(told.every((line) => line.includes('I would rather not'))).toBe(true);
        keepFigure('redis-errors', {
          fault: 'a Redis that answers every command with an error, from the start on',
          criterion: 'the server starts and serves; one line for each connection says why',
          measured: `${REQUESTS} requests, none failed, median ${ms(quantile(times, 0.5))}; ${told.length} lines for the links ${links.join(', ')}`,
          how: 'tests/faults/redisAway.test.ts: a listener in the test process that answers -ERR to all',
        });
      } finally {
        await fake.stop();
      }
    }, 60_000);
  });
});

interface HealthBody {
  readonly dependencies: { readonly redis?: { readonly status: string } };
}
