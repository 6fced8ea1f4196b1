import type { Load, Loaded } from '../load/load.js';
import { putLoad } from '../load/putLoad.js';
import { cpuTime } from './cpu.js';
import type { Server } from './server.js';

/** One round of load on one server, as the generator saw it and as the server did. */
export interface LoadRound extends Loaded {
  /** The longest time between two turns of the server's event loop. */
  readonly stallMs: number;
  /** Processor time of the serving thread for one request, in microseconds. */
  readonly servingUs: number;
  /** The same of all the server's other threads. */
  readonly othersUs: number;
}

export async function underLoad(server: Server, load: Omit<Load, 'url'>): Promise<LoadRound> {
  await server.stalls();
  const before = cpuTime(server.pid);
  const loaded = await putLoad({ ...load, url: server.url });
  const after = cpuTime(server.pid);
  const { longestMs } = await server.stalls();
  const requests = loaded.perSecond * load.seconds;
  return {
    ...loaded,
    stallMs: longestMs,
    servingUs: ((after.serving - before.serving) * 1e6) / requests,
    othersUs: ((after.others - before.others) * 1e6) / requests,
  };
}
