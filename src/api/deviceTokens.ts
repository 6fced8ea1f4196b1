import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { KnownDevice } from '../commands/device/state.js';

/**
 * Device tokens: `fbd_` and, in base64url, the device's id, the token's id and a secret. They need
 * no signature, since the log knows their digests; the ids say where to look.
 */
const PREFIX = 'fbd_';
const UUID_BYTES = 16;
const SECRET_BYTES = 32;

export interface DeviceTokenParts {
  readonly deviceId: string;
  readonly tokenId: string;
  readonly hash: string;
}

/**
 * Makes the token of a command. Its secret follows from the command's id under a key that nobody
 * else has, so that repeating the command answers the same token without its being stored.
 */
export function makeDeviceToken(
  key: string,
  deviceId: string,
  tokenId: string,
  commandId: string,
): { readonly token: string; readonly hash: string } {
  const secret = createHmac('sha256', key).update(`device token ${commandId}`).digest();
  const bytes = Buffer.concat([uuidBytes(deviceId), uuidBytes(tokenId), secret]);
  return { token: PREFIX + bytes.toString('base64url'), hash: digest(secret) };
}

/** Takes a token apart; undefined when it isn't one. */
export function readDeviceToken(token: string): DeviceTokenParts | undefined {
  if (!token.startsWith(PREFIX)) return undefined;
  const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url');
  if (bytes.length !== 2 * UUID_BYTES + SECRET_BYTES) return undefined;
  return {
    deviceId: uuidText(bytes.subarray(0, UUID_BYTES)),
    tokenId: uuidText(bytes.subarray(UUID_BYTES, 2 * UUID_BYTES)),
    hash: digest(bytes.subarray(2 * UUID_BYTES)),
  };
}

/** Whether the device has this token, and it has not been revoked. */
export function holdsToken(device: KnownDevice, { tokenId, hash }: DeviceTokenParts): boolean {
  const known = device.tokens.find(({ id }) => id === tokenId);
  return known !== undefined && timingSafeEqual(Buffer.from(known.hash), Buffer.from(hash));
}

function digest(secret: Buffer): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function uuidBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
