import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Benchmark, Chapter } from '../harness/benchmark.js';
import { inChild } from '../harness/child.js';
import { withConcurrency } from '../harness/concurrency.js';
import { count } from '../harness/figures.js';
import { inTurn } from '../harness/rounds.js';
import { METRICS } from '../load/heartbeats.js';
import type { LoadRequest } from '../load/load.js';
import { ask, logIn, registerDevices, settled, signUp, type Account } from '../servers/fleet.js';
import { startEcho, startFleetbook } from '../servers/fleetbook.js';
import { underLoad } from '../servers/underLoad.js';
import { chapter, CONNECTIONS, DEVICES, SESSIONS } from './chapter.js';
import type { Mixed, MixedSettings } from './mixedChild.js';

const MIXED = new URL('./mixedChild.js', import.meta.url);

export const cached: Benchmark = { name: 'cached', run };

async function run({ quick, folder, say }: Bench): Promise<Chapter> {
  const home = folder('cached');
  const fleetbook = await startFleetbook(folder('cached/fleetbook'));
  try {
    const account = await signUp(fleetbook.url);
    const deviceIds = await registerDevices(account, DEVICES);
    const answers = await firstAnswers(account, deviceIds);
    const file = join(home, 'devices.json');
    writeFileSync(file, JSON.stringify(answers));
    const express = await startEcho('Express', folder('cached/express'), { DEVICES_FILE: file });
    try {
      const requests = deviceIds.map((id) => readOf(account, id));
      const load = { connections: CONNECTIONS, seconds: quick ? 3 : 8, requests, folder: home };
      const things = {
        express: () => underLoad(express, load),
        async hits() {
          await checkHit(account, deviceIds);
          const round = await underLoad(fleetbook, load);
          say(`${count(round.perSecond)} cached reads/s`);
          return round;
        },
      };
      say('warming up');
      await inTurn(1, things);
      const rounds = await inTurn(quick ? 2 : 5, things);

      say('one write in ten requests');
      const sessions = await withConcurrency(4, Array.from({ length: SESSIONS }), () =>
        logIn(fleetbook.url),
      );
      const settings = { sessions, deviceIds, seconds: quick ? 4 : 20 } satisfies MixedSettings;
      const mixed = await inChild<Mixed>(MIXED, settings);
      return chapter(rounds, mixed);
    } finally {
      await express.stop();
    }
  } finally {
    await fleetbook.stop();
  }
}

/** A heartbeat of each device, and then each as it is answered from now on: by its id. */
async function firstAnswers(account: Account, ids: readonly string[]) {
  const { url, token } = account;
  const body = ids.map((deviceId) => ({ kind: 'heartbeat', deviceId, metrics: METRICS }));
  await ask(`${url}/api/ingest`, { token, body });
  const [first = ''] = ids;
  await settled(account, first);
  const answers = await withConcurrency(8, ids, (id) =>
    ask<object>(`${url}/api/devices/${id}`, { token }),
  );
  return Object.fromEntries(ids.map((id, index) => [id, answers[index]]));
}

function readOf({ token }: Account, id: string): LoadRequest {
  const headers = { authorization: `Bearer ${token}` };
  return { method: 'GET', path: `/api/devices/${id}`, headers };
}

/** Hits are to be measured: all have been read, and nothing was written since. */
async function checkHit({ url, token }: Account, ids: readonly string[]): Promise<void> {
  for (const id of [ids[0], ids.at(-1)]) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/api/devices/${id}`, { headers });
    await response.text();
    const said = response.headers.get('x-cache');
    if (said !== 'hit') throw new Error(`a device that was read before is a ${said}`);
  }
}
