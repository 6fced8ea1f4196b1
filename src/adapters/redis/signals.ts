import type { Signal, Signals } from '../../projections/signals.js';
import { fromWire, toWire } from './wire.js';
import { redisLink, type RedisLink, type RedisLinkDeps } from './link.js';

export interface RedisSignalsDeps extends RedisLinkDeps {
  /** How signals travel within this process: that goes on without Redis. One of its threads bridges for all. */
  readonly local: Signals;
  /** Processes that share a log and read models share a channel. */
  readonly channel: string;
}

/**
 * Signals between processes by Redis pub/sub, joined to those within this process. Pub/sub keeps
 * nothing: what is sent while a side is away is lost to it, and who listens finds that out from the
 * truth, as after every lost signal.
 */
export function redisSignals(
  deps: RedisSignalsDeps,
): Signals & { readonly links: readonly RedisLink[] } {
  const { local, channel, runtime } = deps;
  const sender = runtime.uuid();
  const publisher = redisLink('publisher', deps);
  const subscriber = redisLink('subscriber', deps);
  /** What came from Redis does not go back there. */
  const heard = new WeakSet<Signal>();

  const leave = local.listen((signal) => {
    if (heard.has(signal) || !publisher.up()) return;
    publisher
      .run((client) => client.publish(channel, toWire(sender, signal)))
      // The link has reported it, and the signal is one of those that get lost.
      .catch(() => undefined);
  });

  subscriber.client.on('ready', () => {
    subscriber.client.subscribe(channel).catch(() => {
      // A connection that does not listen is of no use: the next one may.
      subscriber.client.disconnect(true);
    });
  });
  subscriber.client.on('message', (_channel: string, text: string) => {
    const signal = fromWire(sender, text);
    if (signal === undefined) return;
    heard.add(signal);
    local.publish(signal);
  });

  return {
    links: [publisher, subscriber],
    publish(signal) {
      local.publish(signal);
    },
    listen: (listener) => local.listen(listener),
    async stop() {
      leave();
      await Promise.all([publisher.stop(), subscriber.stop(), local.stop()]);
    },
  };
}
