import type { IncomingHttpHeaders } from 'node:http';
import { parsePosition, type Position } from '../events/envelope.js';
import { Problem } from './problem.js';

/** The request headers that mean something to a command or a query, read or refused. */

const REQUEST_ID = /^[\w.:/+=-]{1,100}$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;
const ETAG = /^(?:W\/)?"(\d{1,15})"$/;

/** The caller's own request id, if it can stand in a log; undefined to make one. */
export function requestIdOf(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;
}

/** @throws Problem INVALID_HEADER */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw invalid('Idempotency-Key must have 1 to 200 printable characters and no spaces.');
  }
  return key;
}

/** The revision that If-Match names; `*` names none. @throws Problem INVALID_HEADER */
export function ifMatchOf(headers: IncomingHttpHeaders): number | undefined {
  const etag = headers['if-match'];
  if (etag === undefined || etag === '*') return undefined;
  const revision = ETAG.exec(etag)?.[1];
  if (revision === undefined) throw invalid('If-Match must be an ETag as it was answered.');
  return Number(revision);
}

/** @throws Problem INVALID_HEADER */
export function consistentWithOf(headers: IncomingHttpHeaders): Position | undefined {
  const text = headers['x-consistent-with'];
  if (text === undefined) return undefined;
  const position = typeof text === 'string' ? parsePosition(text) : undefined;
  if (position === undefined)
    throw invalid('X-Consistent-With must be an X-Position as it was answered.');
  return position;
}

/** What a client says of itself, made fit for an event: bounded, without control characters. */
export function agentOf(headers: IncomingHttpHeaders): string {
  return (headers['user-agent'] ?? '').replaceAll(/[^\x20-\x7e]/g, '').slice(0, 256);
}

function invalid(detail: string): Problem {
  return new Problem('INVALID_HEADER', { detail });
}
