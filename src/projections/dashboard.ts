import type { Connection, DeviceStatus } from '../events/values.js';
import { EVERYONE, projection, scopeTag } from './projection.js';
import { boundedName, OTHER, own } from './summary.js';
import { bucketStart, HOUR_MS } from './usage.js';

/** How many devices an organization has, of each kind; `all` is the whole installation. */
export type FleetDoc = Readonly<{
  kind: 'fleet';
  devices: number;
  status: Counts;
  connection: Counts;
  type: Counts;
}>;

/** What an organization's devices reported in one hour (UTC), by event: `heartbeat`, or the log's event name. */
export type ActivityDoc = Readonly<{
  kind: 'activity';
  start: number;
  total: number;
  events: Counts;
}>;

export type Counts = Readonly<Record<string, number>>;

export const fleetKey = (scope: string) => scope;
export const activityKey = (scope: string, start: number) => `${scope}:${start}`;

function scopeOf(key: string): string {
  const end = key.indexOf(':');
  return end === -1 ? key : key.slice(0, end);
}

interface OfDevice {
  readonly data: { readonly organizationId: string };
}

const fleetKeys = ({ data }: OfDevice) => [fleetKey(data.organizationId), fleetKey(EVERYONE)];

/** Nearly every heartbeat has those of the one before it. */
let lastKeys = { organizationId: '', start: NaN, keys: [''] };

function activityKeys({ data }: OfDevice & { readonly data: { readonly at: number } }) {
  const { organizationId } = data;
  const start = bucketStart(data.at, HOUR_MS);
  if (organizationId !== lastKeys.organizationId || start !== lastKeys.start) {
    const keys = [activityKey(organizationId, start), activityKey(EVERYONE, start)];
    lastKeys = { organizationId, start, keys };
  }
  return lastKeys.keys;
}

/** Fleet counts follow from the lifecycle events alone, since each says what it changed from. */
export const dashboard = projection<FleetDoc | ActivityDoc>({
  name: 'dashboard',
  version: 1,
  collection: { name: 'dashboard', indexes: [] },
  tags: (key) => [scopeTag('dashboard', scopeOf(key))],
  on: {
    DeviceRegistered: {
      key: fleetKeys,
      fold: (doc, { data }) => count(doc, { ...data, connection: 'unknown' }, 1),
    },
    DeviceRestored: { key: fleetKeys, fold: (doc, { data }) => count(doc, data, 1) },
    DeviceDeleted: { key: fleetKeys, fold: (doc, { data }) => count(doc, data, -1) },
    DeviceStatusChanged: {
      key: fleetKeys,
      fold: (doc, { data }) => move(doc, 'status', data.from, data.to),
    },
    DeviceTypeChanged: {
      key: fleetKeys,
      fold: (doc, { data }) => move(doc, 'type', data.from, data.to),
    },
    DeviceConnectionChanged: {
      key: fleetKeys,
      fold: (doc, { data }) => move(doc, 'connection', data.from, data.to),
    },
    HeartbeatRecorded: {
      key: activityKeys,
      foldAll: (doc, events) => active(doc, events[0].data.at, 'heartbeat', events.length),
    },
    LogRecorded: {
      key: activityKeys,
      fold: (doc, { data }) => active(doc, data.at, data.event, 1),
    },
  },
});

type Doc = FleetDoc | ActivityDoc | undefined;

const NO_FLEET: FleetDoc = { kind: 'fleet', devices: 0, status: {}, connection: {}, type: {} };

interface Counted {
  readonly deviceType: string;
  readonly status: DeviceStatus;
  readonly connection: Connection;
}

function count(doc: Doc, device: Counted, by: 1 | -1): FleetDoc {
  const fleet = doc?.kind === 'fleet' ? doc : NO_FLEET;
  return {
    kind: 'fleet',
    devices: fleet.devices + by,
    status: add(fleet.status, device.status, by),
    connection: add(fleet.connection, device.connection, by),
    type: add(fleet.type, device.deviceType, by),
  };
}

function move(doc: Doc, what: 'status' | 'type' | 'connection', from: string, to: string) {
  if (doc?.kind !== 'fleet') return doc;
  return { ...doc, [what]: add(add(doc[what], from, -1), to, 1) };
}

function active(doc: Doc, at: number, event: string, times: number): ActivityDoc {
  const start = bucketStart(at, HOUR_MS);
  const known =
    doc?.kind === 'activity' ? doc : { kind: 'activity' as const, start, total: 0, events: {} };
  return {
    ...known,
    total: known.total + times,
    events: add(known.events, event, times),
  };
}

/** What is counted no more is not named; what never had a name of its own was counted as OTHER. */
function add(counts: Counts, name: string, by: number): Counts {
  const as = by > 0 ? boundedName(counts, name) : Object.hasOwn(counts, name) ? name : OTHER;
  const after = (own(counts, as) ?? 0) + by;
  if (after !== 0) return { ...counts, [as]: after };
  const { [as]: _, ...others } = counts;
  return others;
}
