import { devices } from '../../src/projections/devices.js';
import { at, BEFORE } from '../spec/given.js';
import {
  ACME,
  ADA,
  connectionChanged,
  deleted,
  detailsChanged,
  heartbeat,
  id,
  PUMP,
  registered,
  restored,
  statusChanged,
  TOKEN,
  tokenIssued,
  tokenRevoked,
  typeChanged,
} from '../spec/things.js';
import { documentsOf } from './documents.js';

const pump = {
  id: PUMP,
  organizationId: ACME,
  ownerId: ADA,
  name: 'Pump 1',
  sortName: 'pump 1',
  type: 'pump',
  status: 'active',
  connection: 'unknown',
  tags: ['cellar'],
  words: ['pump 1', 'pump', '1'],
  metadata: { floor: -1 },
  heartbeatInterval: null,
  tokens: [],
  deleted: false,
  createdAt: BEFORE,
  updatedAt: BEFORE,
  revision: 0,
};

const one = (
  ...past: Parameters<typeof documentsOf> extends [unknown, ...infer Past] ? Past : never
) => documentsOf(devices, ...past)[PUMP];

const LATER = BEFORE + 60_000;

describe('the devices', () => {
  it('are those that were registered', () => {
    expect(documentsOf(devices, registered())).toEqual({ [PUMP]: pump });
    expect(one(registered({ heartbeatInterval: 5 }))).toEqual({ ...pump, heartbeatInterval: 5 });
  });

  it('are found by each word of their name, in any script', () => {
    expect(one(registered({ name: 'Größe-3: Насос/насос' }))?.words).toEqual([
      'größe-3: насос/насос',
      'größe',
      '3',
      'насос',
    ]);
  });

  it('change in what is told of them and in nothing else', () => {
    expect(one(registered(), at(LATER, detailsChanged({ tags: [] })))).toEqual({
      ...pump,
      tags: [],
      updatedAt: LATER,
      revision: 1,
    });
    expect(
      one(
        registered(),
        detailsChanged({ name: 'Valve', heartbeatInterval: 5 }),
        typeChanged('pump', 'valve'),
      ),
    ).toEqual({
      ...pump,
      name: 'Valve',
      sortName: 'valve',
      words: ['valve'],
      type: 'valve',
      heartbeatInterval: 5,
      revision: 2,
    });
    expect(one(registered(), at(LATER, statusChanged('active', 'inactive')))).toEqual({
      ...pump,
      status: 'inactive',
      updatedAt: LATER,
      revision: 1,
    });
  });

  it('are connected without having been changed by anybody', () => {
    expect(one(registered(), at(LATER, connectionChanged('unknown', 'online', LATER)))).toEqual({
      ...pump,
      connection: 'online',
      revision: 1,
    });
  });

  it('stay when they are deleted, and come back as they were', () => {
    expect(one(registered(), at(LATER, deleted()))).toEqual({
      ...pump,
      deleted: true,
      updatedAt: LATER,
      revision: 1,
    });
    expect(one(registered(), deleted(), at(LATER, restored()))).toEqual({
      ...pump,
      updatedAt: LATER,
      revision: 2,
    });
  });

  it('list their tokens, without what the tokens are checked by', () => {
    const doc = one(
      registered(),
      at(LATER, tokenIssued()),
      tokenIssued(id(31)),
      tokenRevoked(id(31)),
    );
    expect(doc).toEqual({
      ...pump,
      tokens: [{ id: TOKEN, name: 'installer', issuedAt: LATER }],
      revision: 3,
    });
  });

  it('know nothing of heartbeats', () => {
    const told = heartbeat(LATER, { metrics: { load: 1 }, firmware: '1.2' });
    expect(one(registered(), told)).toEqual(pump);
  });

  it('are not made up by what changes them', () => {
    expect(documentsOf(devices, detailsChanged({ name: 'x' }))).toEqual({});
  });
});
