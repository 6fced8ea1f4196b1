import type { ServerResponse } from 'node:http';
import { StoreUnavailable } from '../events/eventStore.js';
import { InvalidCursor } from '../queries/cursors.js';
import { TooBusy } from '../commands/passwords.js';
import { Problem, problemBody } from './problem.js';
import type { Answer } from './route.js';

/** How answers and problems become HTTP. */

const JSON_TYPE = 'application/json; charset=utf-8';
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** @param headers names and values in turn; added to and handed over */
export function sendAnswer(response: ServerResponse, answer: Answer, headers: string[]): void {
  const { status, body, text, position, revision, cached } = answer;
  // Answers are private unless a route says otherwise.
  if (answer.headers?.['cache-control'] === undefined) headers.push('cache-control', 'no-store');
  if (position !== undefined) headers.push('x-position', position.toString());
  if (revision !== undefined) headers.push('etag', `"${revision}"`);
  if (cached !== undefined) headers.push('x-cache', cached);
  if (body !== undefined) headers.push('content-type', JSON_TYPE);
  if (answer.headers !== undefined) headers.push(...Object.entries(answer.headers).flat());
  send(response, status, headers, body === undefined ? text : JSON.stringify(body));
}

/** @param headers as in `sendAnswer` */
export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  requestId: string,
  headers: string[],
): void {
  const { retryAfter, headers: more = {} } = problem.options;
  headers.push('cache-control', 'no-store', 'content-type', PROBLEM_TYPE);
  if (problem.status === 401) headers.push('www-authenticate', 'Bearer');
  if (retryAfter !== undefined) headers.push('retry-after', String(retryAfter));
  headers.push(...Object.entries(more).flat());
  send(response, problem.status, headers, JSON.stringify(problemBody(problem, requestId)));
}

const NO_CONTENT = 204;

/** An answer whose head is made. */
interface Ready {
  readonly response: ServerResponse;
  readonly text: string;
  readonly encoding: 'latin1' | 'utf8';
}

/** The answers of this turn of the event loop. */
let ready: Ready[] = [];

/** All headers in one list: Node writes them out as they are. */
function send(response: ServerResponse, status: number, headers: string[], text = ''): void {
  const bytes = Buffer.byteLength(text);
  if (status !== NO_CONTENT) headers.push('content-length', String(bytes));
  response.writeHead(status, headers);
  const encoding = bytes === text.length ? 'latin1' : 'utf8';
  // A commit of the log answers dozens at once. Written one after the other, with nothing in between, they
  // wake the one who waits for them at the other end once, and not once each.
  if (ready.push({ response, text, encoding }) === 1) process.nextTick(sendReady);
}

function sendReady(): void {
  const answers = ready;
  ready = [];
  for (const { response, text, encoding } of answers) {
    if (text !== '') {
      // Head and body in one write of one string: `end(text)` makes two of it, the second of them empty.
      response.cork();
      response.write(text, encoding);
      response.uncork();
    }
    response.end();
  }
}

/** What a thrown error is to the caller; whatever is not known is INTERNAL, and says nothing of the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) return new Problem('STORE_UNAVAILABLE', { retryAfter: 2 });
  if (error instanceof InvalidCursor) return new Problem('INVALID_CURSOR');
  if (error instanceof TooBusy) return new Problem('TOO_BUSY', { retryAfter: 2 });
  return new Problem('INTERNAL');
}
