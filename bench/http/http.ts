import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Benchmark, Chapter } from '../harness/benchmark.js';
import { count } from '../harness/figures.js';
import { inTurn } from '../harness/rounds.js';
import { heartbeatsOf } from '../load/heartbeats.js';
import type { LoadRequest } from '../load/load.js';
import { startEcho, startFleetbook } from '../servers/fleetbook.js';
import { makeFleet, settled, signUp } from '../servers/fleet.js';
import type { Server } from '../servers/server.js';
import { underLoad, type LoadRound } from '../servers/underLoad.js';
import { chapter, CONNECTIONS, type FleetbookRound } from './chapter.js';
import { eventsPerCommit } from './commits.js';

const DEVICES = 1_000;
/** For how long commits are counted, in seconds. */
const COUNTED_S = 3;

export const http: Benchmark = { name: 'http', run };

async function run({ quick, folder, say }: Bench): Promise<Chapter> {
  const home = folder('http');
  const servers = await startAll(home);
  const { express, fastify, fleetbook } = servers;
  try {
    const account = await signUp(fleetbook.url);
    const devices = await makeFleet(account, DEVICES);
    const [first] = devices;
    if (first === undefined) throw new Error('there are no devices');
    const many = heartbeatsOf(devices);
    const one = heartbeatsOf([first]);
    const log = join(home, 'fleetbook', 'data', 'log.db');
    const load = { connections: CONNECTIONS, seconds: quick ? 3 : 8, folder: home };

    const echo = (server: Server) => () => underLoad(server, { ...load, requests: many });
    const real = (requests: readonly LoadRequest[]) => async (): Promise<FleetbookRound> => {
      const round = await underLoad(fleetbook, { ...load, requests });
      const settledMs = await settled(account, first.id);
      say(`${count(round.perSecond)} heartbeats/s over ${count(requests.length)} devices`);
      return { ...round, settledMs };
    };
    const things = {
      express: echo(express),
      fastify: echo(fastify),
      many: real(many),
      one: real(one),
    };
    say('warming up');
    await inTurn<keyof typeof things, LoadRound>(1, things);
    const rounds = await inTurn<keyof typeof things, LoadRound>(quick ? 2 : 5, things);
    // Apart from the rounds: to look at the log while it is written costs time that one server alone would pay.
    const perCommit = (requests: readonly LoadRequest[]) =>
      eventsPerCommit(log, underLoad(fleetbook, { ...load, seconds: COUNTED_S, requests }));
    return chapter(
      {
        ...rounds,
        // What `real` answers.
        many: rounds.many as FleetbookRound[],
        one: rounds.one as FleetbookRound[],
      },
      { many: await perCommit(many), one: await perCommit(one) },
    );
  } finally {
    await Promise.all([express, fastify, fleetbook].map((server) => server.stop()));
  }
}

async function startAll(home: string) {
  const inFolder = (name: string) => {
    const made = join(home, name);
    mkdirSync(made, { recursive: true });
    return made;
  };
  return {
    express: await startEcho('Express', inFolder('express')),
    fastify: await startEcho('Fastify', inFolder('fastify')),
    fleetbook: await startFleetbook(inFolder('fleetbook')),
  };
}
