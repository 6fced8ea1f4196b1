import type { Response } from 'express';
import { StoreUnavailable } from '../events/eventStore.js';
import { InvalidCursor } from '../queries/cursors.js';
import { TooBusy } from '../commands/passwords.js';
import { Problem, problemBody } from './problem.js';
import type { Answer } from './route.js';

/** How answers and problems become HTTP. */

const JSON_TYPE = 'application/json; charset=utf-8';
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function sendAnswer(response: Response, answer: Answer): void {
  const { status, body, text, position, revision, headers } = answer;
  response.statusCode = status;
  // Answers are private unless a route says otherwise.
  response.setHeader('cache-control', 'no-store');
  if (position !== undefined) response.setHeader('x-position', position.toString());
  if (revision !== undefined) response.setHeader('etag', `"${revision}"`);
  if (body !== undefined) response.setHeader('content-type', JSON_TYPE);
  if (headers !== undefined) {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  }
  if (body !== undefined) response.end(JSON.stringify(body));
  else if (text !== undefined) response.end(text);
  else response.end();
}

export function sendProblem(response: Response, problem: Problem, requestId: string): void {
  const { retryAfter, headers = {} } = problem.options;
  response.statusCode = problem.status;
  response.setHeader('cache-control', 'no-store');
  response.setHeader('content-type', PROBLEM_TYPE);
  if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(JSON.stringify(problemBody(problem, requestId)));
}

/** What a thrown error is to the caller; whatever is not known is INTERNAL, and says nothing of the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) return new Problem('STORE_UNAVAILABLE', { retryAfter: 2 });
  if (error instanceof InvalidCursor) return new Problem('INVALID_CURSOR');
  if (error instanceof TooBusy) return new Problem('TOO_BUSY', { retryAfter: 2 });
  return new Problem('INTERNAL');
}
