import { BatchAnswer, DevicesAnswer, expecting } from '../answers.js';
import type { Send } from '../client.js';
import type { Runtime } from '../../runtime.js';
import { CommandFailed } from '../errors.js';

/** By this tag a later run finds the fleet of an earlier one. */
export const FLEET_TAG = 'simulated';

const PAGE = 200;
const BATCH = 1_000;

const devicesIn = expecting('a page of devices', DevicesAnswer);
const batchIn = expecting('the result of a batch', BatchAnswer);

export interface FleetDeps {
  readonly send: Send;
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  /** Told how many devices there are already. */
  readonly onProgress: (devices: number) => void;
}

/** Gives the ids of a fleet of the wanted size: those of an earlier run, and new ones. */
export async function assembleFleet(deps: FleetDeps, wanted: number): Promise<readonly string[]> {
  const ids = await findFleet(deps, wanted);
  while (ids.length < wanted) {
    ids.push(...(await register(deps, ids.length, Math.min(BATCH, wanted - ids.length))));
    deps.onProgress(ids.length);
  }
  return ids;
}

async function findFleet({ send, signal }: FleetDeps, wanted: number): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null && ids.length < wanted) {
    const after = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/api/devices?tag=${FLEET_TAG}&limit=${PAGE}${after}`;
    const page = devicesIn(await send({ method: 'GET', path, signal }));
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  return ids.slice(0, wanted);
}

async function register(
  { send, runtime, signal }: FleetDeps,
  from: number,
  count: number,
): Promise<string[]> {
  const devices = Array.from({ length: count }, (_, index) => ({
    name: `${FLEET_TAG}-${String(from + index + 1).padStart(6, '0')}`,
    type: 'sensor',
    tags: [FLEET_TAG],
  }));
  const answer = await send({
    method: 'POST',
    path: '/api/devices/batch',
    body: JSON.stringify(devices),
    idempotencyKey: runtime.uuid(),
    signal,
  });
  return batchIn(answer).results.map(({ deviceId, status, code, detail }) => {
    if (deviceId !== undefined) return deviceId;
    throw new CommandFailed(`a device was not registered: ${status} ${code ?? ''} ${detail ?? ''}`);
  });
}
