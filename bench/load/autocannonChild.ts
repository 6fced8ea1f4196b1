import autocannon from 'autocannon';
import { measure } from '../harness/child.js';
import type { Load, Loaded } from './load.js';

measure(async ({ url, connections, seconds, requests }: Load): Promise<Loaded> => {
  let started = 0;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: requests.slice(0, 1),
    setupClient(client) {
      // Each connection begins elsewhere, or all would send the same request at once.
      const from = Math.floor((started++ * requests.length) / connections);
      client.setRequests([...requests.slice(from), ...requests.slice(0, from)]);
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
