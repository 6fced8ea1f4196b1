import { Pool, type Dispatcher } from 'undici';
import { problemOf, reasonOf } from '../client.js';
import type { Random } from './random.js';
import type { Sensors } from './sensors.js';
import type { Outcome } from './tally.js';

export interface Requests {
  /** Sends the run's request with the given number; never rejects. */
  readonly send: (index: number) => Promise<Outcome>;
  close(): Promise<void>;
}

export interface RequestsDeps {
  readonly url: string;
  readonly connections: number;
  readonly devices: readonly string[];
  readonly sensors: Sensors;
  readonly random: Random;
  /** The part of the requests, 0 to 1, that are logs and not heartbeats. */
  readonly logs: number;
  /** The access token as it is now. */
  readonly token: () => string;
}

const ACKNOWLEDGED: Outcome = { kind: 'acknowledged' };

const LOG_BODIES = [
  '{"event":"door-opened","level":"info","message":"opened by hand"}',
  '{"event":"link-lost","level":"warn","message":"reconnected after 3 s"}',
  '{"event":"sensor-fault","level":"error","message":"reading out of range"}',
  '{"event":"self-test","level":"debug","value":1}',
];

/**
 * The requests of a simulated fleet, one report a request, its devices in turn. Made for thousands
 * a second: straight on undici's dispatcher, which costs half of its `request`.
 */
export function fleetRequests(deps: RequestsDeps): Requests {
  const { url, connections, sensors, random, logs } = deps;
  const pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 10_000 });
  const paths = deps.devices.map((id) => `/api/devices/${id}`);
  const headers = { 'content-type': 'application/json', authorization: '' };

  function request(index: number) {
    const device = index % paths.length;
    const path = paths[device] ?? '';
    if (logs > 0 && random() < logs) {
      const body = LOG_BODIES[Math.floor(random() * LOG_BODIES.length)] ?? '';
      return { path: `${path}/logs`, body };
    }
    return { path: `${path}/heartbeat`, body: `{"metrics":${sensors.report(device)}}` };
  }

  function send(index: number): Promise<Outcome> {
    headers.authorization = `Bearer ${deps.token()}`;
    return new Promise((resolve) => {
      pool.dispatch({ method: 'POST', headers, ...request(index) }, outcomeHandler(resolve));
    });
  }

  return { send, close: () => pool.destroy() };
}

/** Reads an answer without a stream for its body: the body matters only where it says no. */
function outcomeHandler(settle: (outcome: Outcome) => void): Dispatcher.DispatchHandler {
  let status = 0;
  let text = '';
  return {
    onRequestStart: () => undefined,
    onResponseStart: (_controller, statusCode) => {
      status = statusCode;
    },
    onResponseData: (_controller, chunk) => {
      if (status >= 300) text += chunk.toString();
    },
    onResponseEnd: () => settle(outcomeOf(status, text)),
    onResponseError: (_controller, error) => settle({ kind: 'failed', reason: reasonOf(error) }),
  };
}

function outcomeOf(status: number, text: string): Outcome {
  if (status >= 200 && status < 300) return ACKNOWLEDGED;
  const { code } = problemOf(status, text);
  return status >= 500 ? { kind: 'failed', reason: code } : { kind: 'refused', code };
}
