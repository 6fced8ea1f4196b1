import type { DeviceEvent } from '../../events/device.js';
import type { Decision } from '../decider.js';
import { refuse } from '../refusal.js';
import { registered } from './registered.js';
import type { DeviceState } from './state.js';

/** A device's tokens live in its state and its document: more than this are a mistake. */
export const MAX_TOKENS = 20;

export interface IssueDeviceToken {
  readonly tokenId: string;
  readonly name: string;
  /** Digest of the token; the token itself is never stored. */
  readonly tokenHash: string;
}

export function issueDeviceToken(
  state: DeviceState,
  { tokenId, name, tokenHash }: IssueDeviceToken,
): Decision<DeviceEvent> {
  const device = registered(state);
  if ('refused' in device) return device;
  if (device.tokens.length >= MAX_TOKENS) return refuse('TOO_MANY_DEVICE_TOKENS');
  const { deviceId, organizationId } = device;
  const data = { deviceId, organizationId, tokenId, name, tokenHash };
  return [{ type: 'DeviceTokenIssued', data }];
}

export function revokeDeviceToken(
  state: DeviceState,
  { tokenId }: { readonly tokenId: string },
): Decision<DeviceEvent> {
  if (state.kind === 'none') return refuse('DEVICE_NOT_FOUND');
  if (!state.tokens.some(({ id }) => id === tokenId)) return refuse('DEVICE_TOKEN_NOT_FOUND');
  const { deviceId, organizationId } = state;
  return [{ type: 'DeviceTokenRevoked', data: { deviceId, organizationId, tokenId } }];
}
