import {
  accountOptions,
  chosenUrl,
  DEFAULT_URL,
  givenAccount,
  patientConnection,
} from '../account.js';
import type { Send } from '../client.js';
import { defineCommand, type Context } from '../command.js';
import { figure, progressOn, type Progress } from '../progress.js';
import { authorized, logIn, signUp, type Credentials, type Session } from '../session.js';
import { parseCount, parseDuration, parseNumber } from '../units.js';
import { assembleFleet } from './fleet.js';
import { runLoad, type LoadPlan } from './load.js';
import { seededRandom } from './random.js';
import { fleetRequests, type Requests } from './requests.js';
import { DEFAULT_METRICS, KNOWN_METRICS, sensorsOf } from './sensors.js';
import { tallyOf, type Tally } from './tally.js';

const MOST_DEVICES = 1_000_000;

export const simulate = defineCommand({
  name: 'simulate',
  description: `Logs in (or signs up a throwaway account when none is given), registers the devices that
are missing, and then lets each in turn report over HTTP at the given rate. Latency counts
from when a report was due, not from when a free connection let it out.

Known metrics: ${KNOWN_METRICS.join(', ')}; any other name wanders around 50.
The server limits each device to 120 reports a minute unless told otherwise.`,
  options: {
    ...accountOptions,
    devices: { type: 'string', value: 'N', default: '1000', help: 'the size of the fleet' },
    rate: {
      type: 'string',
      value: 'N',
      default: '500',
      help: 'reports a second, all devices together; 0 is as fast as it goes',
    },
    duration: { type: 'string', value: 'TIME', help: 'ends after it, as 30s or 5m (else Ctrl-C)' },
    count: { type: 'string', value: 'N', help: 'ends after so many reports' },
    connections: { type: 'string', value: 'N', default: '64', help: 'keep-alive connections' },
    metrics: { type: 'string', value: 'A,B', default: DEFAULT_METRICS, help: 'what is measured' },
    logs: {
      type: 'string',
      value: 'PART',
      default: '0.05',
      help: 'the part of the reports that are logs, 0 to 1',
    },
    seed: { type: 'string', value: 'N', default: '1', help: 'the same seed, the same readings' },
  },
  run: async (context, values) => {
    const { runtime } = context;
    const count = parseCount('devices', values.devices, 1, MOST_DEVICES);
    const connections = parseCount('connections', values.connections, 1, 10_000);
    const logs = parseNumber('logs', values.logs, 0, 1);
    const random = seededRandom(parseCount('seed', values.seed, 0, 0xffff_ffff));
    const sensors = sensorsOf(values.metrics.split(','), count, random);
    const plan: LoadPlan = {
      rate: parseNumber('rate', values.rate, 0, 1_000_000),
      inFlight: connections,
      count: values.count === undefined ? Infinity : parseCount('count', values.count, 1, 1e12),
      durationMs:
        values.duration === undefined ? Infinity : parseDuration('duration', values.duration),
    };
    const given = givenAccount(context, values);
    const url = chosenUrl(context, values.url) ?? DEFAULT_URL;
    const signal = context.interrupted();
    const progress = progressOn(context.err);
    const connection = patientConnection(context, url, 75_000);
    const finished = new AbortController();
    let requests: Requests | undefined;
    try {
      const session = await enter(context, connection.send, given, progress);
      const devices = await fleet(context, connection.send, session, count, progress);
      void session.keepFresh(AbortSignal.any([signal, finished.signal]));
      const token = () => session.current();
      requests = fleetRequests({ url, connections, devices, sensors, random, logs, token });
      const tally = tallyOf();
      void showEachSecond(context, tally, progress, finished.signal);
      const result = await runLoad({ runtime, tally, send: requests.send }, plan, signal);
      progress.end();
      context.out.write(`${tally.summary(result.elapsedMs, result.behind)}\n`);
      return tally.counts.acknowledged > 0 && tally.counts.failed === 0 ? 0 : 1;
    } finally {
      finished.abort();
      await Promise.all([requests?.close(), connection.close()]);
    }
  },
});

async function enter(
  { runtime }: Context,
  send: Send,
  given: Credentials | null,
  progress: Progress,
): Promise<Session> {
  if (given !== null) return logIn({ send, runtime }, given);
  const account = {
    email: `simulate-${runtime.uuid()}@example.com`,
    password: runtime.randomBytes(24).toString('base64url'),
  };
  await signUp(send, 'Simulated fleet', account);
  progress.remark(
    `signed up a throwaway account, ${account.email}; give --email to use the same fleet again`,
  );
  return logIn({ send, runtime }, account);
}

async function fleet(
  context: Context,
  send: Send,
  session: Session,
  count: number,
  progress: Progress,
): Promise<readonly string[]> {
  const devices = await assembleFleet(
    {
      send: authorized(send, session),
      runtime: context.runtime,
      signal: context.interrupted(),
      onProgress: (ready) => progress.show(`registered ${figure(ready)} of ${figure(count)}`),
    },
    count,
  );
  progress.remark(`${figure(devices.length)} devices are ready`);
  return devices;
}

async function showEachSecond(
  { runtime }: Context,
  tally: Tally,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const start = runtime.monotonic();
  for (;;) {
    await runtime.sleep(1_000, signal);
    if (signal.aborted) return;
    progress.show(tally.line(runtime.monotonic() - start));
  }
}
