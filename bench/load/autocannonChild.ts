import autocannon from 'autocannon';
import { measure } from '../harness/child.js';
import type { Load, Loaded } from './load.js';

measure(async ({ url, connections, seconds, requests }: Load): Promise<Loaded> => {
  const all = requests.map((request) => ({ method: 'POST', ...request }));
  let started = 0;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: all.slice(0, 1),
    setupClient(client) {
      // Each connection begins elsewhere, or all would send the same request at once.
      const from = Math.floor((started++ * all.length) / connections);
      client.setRequests([...all.slice(from), ...all.slice(0, from)]);
    },
  });
  const { latency, duration, non2xx, errors, timeouts } = result;
  if (non2xx + errors + timeouts > 0) {
    throw new Error(`${url}: ${non2xx} refused, ${errors + timeouts} broken`);
  }
  return {
    perSecond: result['2xx'] / duration,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    maxMs: latency.max,
  };
});
