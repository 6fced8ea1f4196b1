import { createHmac } from 'node:crypto';

/** The parts of a JSON Web Token, to be put together wrongly. */
export interface TokenParts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signature: string;
}

export function partsOf(token: string): TokenParts {
  const [header = '', claims = '', signature = ''] = token.split('.');
  return { header: decoded(header), claims: decoded(claims), signature };
}

/** A token as it says, signed with HMAC by `hash`, or not at all. */
export function forge(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  secret?: string,
  hash = 'sha256',
): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  if (secret === undefined) return `${signed}.`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

export function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decoded(part: string): Readonly<Record<string, unknown>> {
  // Our own server has just made it.
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}
