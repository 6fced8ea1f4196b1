import { device, type DeviceState } from '../../src/commands/device/state.js';
import {
  issueDeviceToken,
  MAX_TOKENS,
  revokeDeviceToken,
} from '../../src/commands/device/tokens.js';
import { given } from './given.js';
import { deleted, id, registered, TOKEN, tokenIssued, tokenRevoked } from './things.js';

const token = { tokenId: TOKEN, name: 'installer', tokenHash: 'digest' };
const issue = (state: DeviceState) => issueDeviceToken(state, token);
const revoke = (state: DeviceState) => revokeDeviceToken(state, { tokenId: TOKEN });
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => tokenIssued(id(100 + index)));

describe('issuing a device token', () => {
  it('keeps its digest', () => {
    given(device, registered()).when(issue).then(tokenIssued());
  });

  it(`goes up to ${MAX_TOKENS}, of those that still work`, () => {
    given(device, registered(), ...many(MAX_TOKENS - 1))
      .when(issue)
      .then(tokenIssued());
    given(device, registered(), ...many(MAX_TOKENS))
      .when(issue)
      .refused('TOO_MANY_DEVICE_TOKENS');
    given(device, registered(), ...many(MAX_TOKENS), tokenRevoked(id(100)))
      .when(issue)
      .then(tokenIssued());
  });

  it('is refused for a device that is not there', () => {
    given(device).when(issue).refused('DEVICE_NOT_FOUND');
    given(device, registered(), deleted()).when(issue).refused('DEVICE_DELETED');
  });
});

describe('revoking a device token', () => {
  it('takes that token and leaves the others', () => {
    given(device, registered(), tokenIssued(), tokenIssued(id(31)))
      .when(revoke)
      .then(tokenRevoked());
    given(device, registered(), tokenIssued(), tokenIssued(id(31)), tokenRevoked()).is({
      tokens: [{ id: id(31), name: 'installer', hash: 'digest' }],
    });
  });

  it('works on a deleted device, which may come back', () => {
    given(device, registered(), tokenIssued(), deleted()).when(revoke).then(tokenRevoked());
  });

  it('is refused for a token that the device does not have', () => {
    given(device).when(revoke).refused('DEVICE_NOT_FOUND');
    given(device, registered()).when(revoke).refused('DEVICE_TOKEN_NOT_FOUND');
    given(device, registered(), tokenIssued(), tokenRevoked())
      .when(revoke)
      .refused('DEVICE_TOKEN_NOT_FOUND');
  });
});
