import type { Bench, Benchmark, Chapter } from '../harness/benchmark.js';
import { count, micros, millis, ratio, spreadOf } from '../harness/figures.js';
import { inTurn, ratios } from '../harness/rounds.js';
import { median, spread } from '../harness/statistics.js';
import { METRICS } from '../load/heartbeats.js';
import type { LoadRequest } from '../load/load.js';
import { rawLimit } from '../log/raw.js';
import { startFleetbook } from '../servers/fleetbook.js';
import { registerDevices, settled, signUp } from '../servers/fleet.js';
import { underLoad, type LoadRound } from '../servers/underLoad.js';

const CONNECTIONS = 4;
const DEVICES = 1_000;
/** One of each device. */
const LINES = DEVICES;

export const ingest: Benchmark = { name: 'ingest', run };

async function run({ quick, folder, say }: Bench): Promise<Chapter> {
  const home = folder('ingest');
  const seconds = quick ? 3 : 6;
  const server = await startFleetbook(folder('ingest/fleetbook'));
  try {
    const account = await signUp(server.url);
    const devices = await registerDevices(account, DEVICES);
    const [first = ''] = devices;
    const lines = devices.map((deviceId) =>
      JSON.stringify({ kind: 'heartbeat', deviceId, metrics: METRICS }),
    );
    const request = (type: string, body: string): LoadRequest => ({
      method: 'POST',
      path: '/api/ingest',
      headers: { 'content-type': type, authorization: `Bearer ${account.token}` },
      body,
    });
    const sent = (one: LoadRequest) => async () => {
      const load = { connections: CONNECTIONS, seconds, requests: [one], folder: home };
      const round = await underLoad(server, load);
      const settledMs = await settled(account, first);
      say(`${count(round.perSecond * LINES)} lines/s`);
      return { ...round, settledMs };
    };
    const ndjson = sent(request('application/x-ndjson', lines.join('\n')));
    const json = sent(request('application/json', `[${lines.join()}]`));
    const raw = () => rawLimit(home, { streams: DEVICES, group: LINES, seconds });

    say('warming up');
    await inTurn(1, { ndjson, json });
    const sending: Sent[] = [];
    const limits: number[] = [];
    const arrays: Sent[] = [];
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      sending.push(await ndjson());
      limits.push(await raw());
      arrays.push(await json());
    }
    return chapter(sending, arrays, limits);
  } finally {
    await server.stop();
  }
}

interface Sent extends LoadRound {
  /** How long after the load the last of it could be read. */
  readonly settledMs: number;
}

function chapter(ndjson: readonly Sent[], json: readonly Sent[], raw: readonly number[]): Chapter {
  const linesOf = (rounds: readonly Sent[]) => rounds.map(({ perSecond }) => perSecond * LINES);
  const toRaw = ratios(linesOf(ndjson), raw);
  const row = (name: string, rounds: readonly Sent[]) => {
    const of = (pick: (round: Sent) => number) => median(rounds.map(pick));
    return [
      name,
      spreadOf(spread(linesOf(rounds))),
      millis(of(({ p50Ms }) => p50Ms)),
      millis(of(({ p99Ms }) => p99Ms)),
      millis(Math.max(...rounds.map(({ stallMs }) => stallMs))),
      micros(of(({ servingUs }) => servingUs) / LINES),
      micros(of(({ othersUs }) => othersUs) / LINES),
      millis(Math.max(...rounds.map(({ settledMs }) => settledMs))),
      ratio(median(ratios(linesOf(rounds), raw))),
    ];
  };
  return {
    title: 'Ingest: batches of 1,000 lines',
    about: `${CONNECTIONS} connections send batches with one heartbeat of each of ${count(DEVICES)} devices; every line
is validated, checked for access, durable before the answer and answered by itself. Beside it, in turn: SQLite
itself, ${count(LINES)} of the log's rows a commit over as many streams: ${spreadOf(spread(raw))} events/s.`,
    tables: [
      {
        columns: [
          'sent as',
          'lines/s',
          'batch p50',
          'batch p99',
          'longest stall',
          'serving thread a line',
          'others a line',
          'readable after',
          'to SQLite',
        ],
        rows: [row('NDJSON', ndjson), row('JSON array', json)],
      },
    ],
    targets: [
      {
        what: 'NDJSON lines to SQLite’s own commits of 1,000 events',
        wanted: '≥ 0.5×',
        measured: spreadOf(spread(toRaw), ratio),
        reached: median(toRaw) >= 0.5,
      },
    ],
  };
}
