import { activityKey, dashboard, fleetKey } from '../../src/projections/dashboard.js';
import { EVERYONE } from '../../src/projections/projection.js';
import { MAX_NAMES, OTHER } from '../../src/projections/summary.js';
import { HOUR_MS } from '../../src/projections/usage.js';
import { BEFORE } from '../spec/given.js';
import {
  ACME,
  connectionChanged,
  deleted,
  heartbeat,
  id,
  logged,
  registered,
  restored,
  statusChanged,
  typeChanged,
} from '../spec/things.js';
import { documentsOf } from './documents.js';

const OTHER_ORGANIZATION = id(11);

const fleet = (
  ...past: Parameters<typeof documentsOf> extends [unknown, ...infer Past] ? Past : never
) => documentsOf(dashboard, ...past)[fleetKey(ACME)];

describe('the fleet counts', () => {
  it('count a device for its organization and for the whole installation', () => {
    const doc = {
      kind: 'fleet',
      devices: 1,
      status: { active: 1 },
      connection: { unknown: 1 },
      type: { pump: 1 },
    };
    expect(documentsOf(dashboard, registered())).toEqual({
      [fleetKey(ACME)]: doc,
      [fleetKey(EVERYONE)]: doc,
    });
  });

  it('keep organizations apart and add them up', () => {
    const elsewhere = registered({ deviceId: id(21), organizationId: OTHER_ORGANIZATION });
    expect(documentsOf(dashboard, registered(), elsewhere)).toMatchObject({
      [fleetKey(ACME)]: { devices: 1 },
      [fleetKey(OTHER_ORGANIZATION)]: { devices: 1 },
      [fleetKey(EVERYONE)]: { devices: 2, type: { pump: 2 } },
    });
  });

  it('move a device from what it was to what it is', () => {
    expect(
      fleet(
        registered(),
        registered({ deviceId: id(21) }),
        typeChanged('pump', 'valve'),
        statusChanged('active', 'maintenance'),
        connectionChanged('unknown', 'online', BEFORE),
      ),
    ).toEqual({
      kind: 'fleet',
      devices: 2,
      status: { active: 1, maintenance: 1 },
      connection: { unknown: 1, online: 1 },
      type: { pump: 1, valve: 1 },
    });
  });

  it('name nothing of which there is none', () => {
    expect(fleet(registered(), statusChanged('active', 'inactive'))).toMatchObject({
      status: { inactive: 1 },
    });
    expect(fleet(registered(), deleted())).toEqual({
      kind: 'fleet',
      devices: 0,
      status: {},
      connection: {},
      type: {},
    });
  });

  it('take a deleted device out as it was, and back in as it is', () => {
    const was = { deviceType: 'valve', status: 'inactive', connection: 'online' } as const;
    const past = [
      registered(),
      typeChanged('pump', 'valve'),
      statusChanged('active', 'inactive'),
      connectionChanged('unknown', 'online', BEFORE),
    ];
    expect(fleet(...past, deleted(was))).toMatchObject({ devices: 0, type: {}, connection: {} });
    expect(fleet(...past, deleted(was), restored(was))).toEqual(fleet(...past));
  });

  it(`count ${MAX_NAMES} types apart and the rest together, and take each out of where it was`, () => {
    const many = Array.from({ length: MAX_NAMES + 2 }, (_, index) =>
      registered({ deviceId: id(100 + index), deviceType: `type-${index}` }),
    );
    expect(fleet(...many)?.type).toMatchObject({ 'type-0': 1, [OTHER]: 2 });
    const last = { deviceId: id(100 + MAX_NAMES + 1), deviceType: `type-${MAX_NAMES + 1}` };
    const gone = deleted({ deviceType: last.deviceType });
    expect(fleet(...many, gone)).toMatchObject({ devices: MAX_NAMES + 1, type: { [OTHER]: 1 } });
  });
});

describe('the activity', () => {
  it('counts heartbeats and log lines by the hour, for the organization and for all', () => {
    const doc = {
      kind: 'activity',
      start: BEFORE,
      total: 4,
      events: { heartbeat: 2, 'valve.opened': 1, boot: 1 },
    };
    const told = [
      heartbeat(BEFORE),
      heartbeat(BEFORE + HOUR_MS - 1),
      logged(BEFORE),
      logged(BEFORE, { event: 'boot' }),
    ];
    expect(documentsOf(dashboard, ...told)).toEqual({
      [activityKey(ACME, BEFORE)]: doc,
      [activityKey(EVERYONE, BEFORE)]: doc,
    });
    expect(documentsOf(dashboard, ...told, heartbeat(BEFORE + HOUR_MS))).toMatchObject({
      [activityKey(ACME, BEFORE + HOUR_MS)]: { total: 1, events: { heartbeat: 1 } },
    });
  });
});
