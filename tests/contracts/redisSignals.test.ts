import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { redisSignals } from '../../src/adapters/redis/signals.js';
import { fromWire } from '../../src/adapters/redis/wire.js';
import { systemRuntime } from '../../src/adapters/system/runtime.js';
import { eventually } from '../support/eventually.js';
import { openLink, someRedis, told, withRedis } from '../support/redis.js';
import { signalsContract } from './signals.contract.js';

let channels = 0;

withRedis(() => {
  let redis: Awaited<ReturnType<typeof someRedis>>;
  beforeAll(async () => {
    redis = await someRedis();
  });
  afterAll(() => redis.stop());

  signalsContract('Redis', async () => {
    const channel = `test:${process.pid}:${++channels}`;
    const settings = { url: redis.url };
    const [here, there] = [1, 2].map(() =>
      redisSignals({
        settings,
        channel,
        runtime: systemRuntime,
        report: told(),
        local: createMemorySignals(),
      }),
    );
    if (here === undefined || there === undefined) throw new Error('both were just made');
    const link = await openLink(redis.url);
    await Promise.all([...here.links, ...there.links].map(({ first }) => first));
    await eventually(async () => {
      const [, listening] = await link.client.pubsub('NUMSUB', channel);
      return listening === 2 ? true : undefined;
    });
    await link.stop();
    return { here, there };
  });
});

describe('what comes through Redis and is no signal', () => {
  it.each(['', 'null', '{}', '{"from":"x","position":7}', '{"from":"x","position":"-1"}'])(
    'is passed over: %s',
    (text) => {
      expect(fromWire('me', text)).toBeUndefined();
    },
  );
});
