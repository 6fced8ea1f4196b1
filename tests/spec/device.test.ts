import { deleteDevice, restoreDevice } from '../../src/commands/device/deleteDevice.js';
import { registerDevice, type RegisterDevice } from '../../src/commands/device/registerDevice.js';
import { reportPresence, type ReportPresence } from '../../src/commands/device/reportPresence.js';
import { device, type DeviceState } from '../../src/commands/device/state.js';
import { updateDevice, type UpdateDevice } from '../../src/commands/device/updateDevice.js';
import { at, BEFORE, given } from './given.js';
import {
  ACME,
  ADA,
  connectionChanged,
  deleted,
  detailsChanged,
  PUMP,
  registered,
  restored,
  statusChanged,
  TOKEN,
  tokenIssued,
  typeChanged,
} from './things.js';

const pump: RegisterDevice = {
  deviceId: PUMP,
  organizationId: ACME,
  ownerId: ADA,
  name: 'Pump 1',
  deviceType: 'pump',
};
const register = (command: RegisterDevice) => (state: DeviceState) =>
  registerDevice(state, command);
const update = (command: UpdateDevice) => (state: DeviceState) => updateDevice(state, command);
const report = (command: ReportPresence) => (state: DeviceState) => reportPresence(state, command);

describe('registering a device', () => {
  it('says what it is', () => {
    given(device)
      .when(
        register({
          ...pump,
          status: 'maintenance',
          tags: ['cellar'],
          metadata: { floor: -1 },
          heartbeatInterval: 30,
        }),
      )
      .then(
        registered({
          status: 'maintenance',
          tags: ['cellar'],
          metadata: { floor: -1 },
          heartbeatInterval: 30,
        }),
      );
  });

  it('fills in what was left open, and leaves the interval to the installation', () => {
    given(device)
      .when(register(pump))
      .then(registered({ status: 'active', tags: [], metadata: {} }));
  });

  it('is refused for a device that is there, deleted or not', () => {
    given(device, registered()).when(register(pump)).refused('DEVICE_EXISTS');
    given(device, registered(), deleted()).when(register(pump)).refused('DEVICE_EXISTS');
  });

  it('makes a device that nobody has heard of yet', () => {
    given(device, registered()).is({
      kind: 'registered',
      connection: 'unknown',
      heartbeatInterval: null,
      tokens: [],
      createdAt: BEFORE,
      updatedAt: BEFORE,
    });
  });
});

describe('updating a device', () => {
  it('tells of the details that differ and of no others', () => {
    given(device, registered())
      .when(update({ name: 'Pump 2', tags: ['cellar'], metadata: { floor: -1 } }))
      .then(detailsChanged({ name: 'Pump 2' }));
  });

  it('does nothing when everything holds already', () => {
    given(device, registered())
      .when(
        update({
          name: 'Pump 1',
          deviceType: 'pump',
          status: 'active',
          tags: ['cellar'],
          metadata: { floor: -1 },
          heartbeatInterval: null,
        }),
      )
      .nothing();
    given(device, registered()).when(update({})).nothing();
  });

  it('sees a difference deep in the metadata', () => {
    given(device, registered({ metadata: { place: { floor: 1, room: 'a' } } }))
      .when(update({ metadata: { place: { room: 'b', floor: 1 } } }))
      .then(detailsChanged({ metadata: { place: { room: 'b', floor: 1 } } }));
  });

  it('sees none in the order of the metadata’s fields, but one in the order of tags', () => {
    given(device, registered({ metadata: { a: 1, b: 2 }, tags: ['x', 'y'] }))
      .when(update({ metadata: { b: 2, a: 1 } }))
      .nothing();
    given(device, registered({ tags: ['x', 'y'] }))
      .when(update({ tags: ['y', 'x'] }))
      .then(detailsChanged({ tags: ['y', 'x'] }));
  });

  it('replaces metadata and tags as a whole', () => {
    given(device, registered(), detailsChanged({ metadata: {}, tags: [] })).is({
      metadata: {},
      tags: [],
    });
  });

  it('gives the device an interval, and takes it back', () => {
    given(device, registered())
      .when(update({ heartbeatInterval: 10 }))
      .then(detailsChanged({ heartbeatInterval: 10 }));
    given(device, registered({ heartbeatInterval: 10 }))
      .when(update({ heartbeatInterval: null }))
      .then(detailsChanged({ heartbeatInterval: null }));
    given(device, registered(), detailsChanged({ heartbeatInterval: null })).is({
      heartbeatInterval: null,
    });
  });

  it('tells of type and status by events of their own, which say what was before', () => {
    given(device, registered())
      .when(update({ deviceType: 'valve', status: 'inactive', name: 'Valve' }))
      .then(
        detailsChanged({ name: 'Valve' }),
        typeChanged('pump', 'valve'),
        statusChanged('active', 'inactive'),
      );
  });

  it('says what was before from the state as it is now', () => {
    given(device, registered(), typeChanged('pump', 'valve'), statusChanged('active', 'inactive'))
      .when(update({ deviceType: 'pump', status: 'active' }))
      .then(typeChanged('valve', 'pump'), statusChanged('inactive', 'active'));
  });

  it('is refused for one that is not there', () => {
    given(device)
      .when(update({ name: 'x' }))
      .refused('DEVICE_NOT_FOUND');
    given(device, registered(), deleted())
      .when(update({ name: 'x' }))
      .refused('DEVICE_DELETED');
  });

  it('moves the time of the last change, which a connection does not', () => {
    const later = BEFORE + 1;
    given(device, registered(), at(later, detailsChanged({ name: 'x' }))).is({ updatedAt: later });
    given(device, registered(), at(later, connectionChanged('unknown', 'online', later))).is({
      updatedAt: BEFORE,
      connection: 'online',
    });
  });
});

describe('deleting and restoring a device', () => {
  it('says what was counted of it', () => {
    given(
      device,
      registered({ status: 'maintenance' }),
      typeChanged('pump', 'valve'),
      connectionChanged('unknown', 'online', BEFORE),
    )
      .when(deleteDevice)
      .then(deleted({ deviceType: 'valve', status: 'maintenance', connection: 'online' }));
  });

  it('does nothing to one that is deleted already', () => {
    given(device, registered(), deleted()).when(deleteDevice).nothing();
  });

  it('brings it back as it was, with its tokens', () => {
    given(device, registered(), tokenIssued(), deleted()).when(restoreDevice).then(restored());
    given(device, registered(), tokenIssued(), deleted(), restored()).is({
      kind: 'registered',
      name: 'Pump 1',
      tokens: [{ id: TOKEN, name: 'installer', hash: 'digest' }],
    });
  });

  it('is refused where there is nothing to delete or to restore', () => {
    given(device).when(deleteDevice).refused('DEVICE_NOT_FOUND');
    given(device).when(restoreDevice).refused('DEVICE_NOT_FOUND');
    given(device, registered()).when(restoreDevice).refused('DEVICE_NOT_DELETED');
    given(device, registered(), deleted(), restored())
      .when(restoreDevice)
      .refused('DEVICE_NOT_DELETED');
  });
});

describe('reporting that a device is there', () => {
  const now = BEFORE + 1_000;

  it('is told once, and then holds', () => {
    given(device, registered())
      .when(report({ connection: 'online', at: now }))
      .then(connectionChanged('unknown', 'online', now));
    given(device, registered(), connectionChanged('unknown', 'online', now))
      .when(report({ connection: 'online', at: now + 1 }))
      .nothing();
  });

  it('is told of one that was silent, from what it was', () => {
    given(device, registered(), connectionChanged('online', 'offline', BEFORE))
      .when(report({ connection: 'online', at: now }))
      .then(connectionChanged('offline', 'online', now));
  });

  it('takes the status that the device gives itself', () => {
    given(device, registered())
      .when(report({ connection: 'online', status: 'maintenance', at: now }))
      .then(connectionChanged('unknown', 'online', now), statusChanged('active', 'maintenance'));
    given(device, registered())
      .when(report({ status: 'active', at: now }))
      .nothing();
  });

  it('changes nothing when the report is too old to tell of now', () => {
    given(device, registered())
      .when(report({ at: now }))
      .nothing();
  });

  it('is refused for one that is not there', () => {
    given(device)
      .when(report({ connection: 'online', at: now }))
      .refused('DEVICE_NOT_FOUND');
    given(device, registered(), deleted())
      .when(report({ connection: 'online', at: now }))
      .refused('DEVICE_DELETED');
  });
});
