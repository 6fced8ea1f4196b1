import type { Send } from '../client.js';
import { ApiProblem, UnexpectedAnswer } from '../errors.js';
import { BATCH_BYTES, ingest, type LineAnswer } from '../ingest.js';
import { isPassing } from '../retry.js';
import type { KeepRejected } from './rejected.js';
import type { Spool } from './spool.js';

/**
 * Half of what the server can recognise as a repetition, so that a batch whose answer was lost can
 * be repeated even if some of it is repeated by halves in between.
 */
const BATCH_LINES = 500;

/** What became of one attempt to send the oldest batch. */
export type Delivery =
  | { readonly kind: 'sent'; readonly accepted: number; readonly rejected: readonly LineAnswer[] }
  /** Nobody there, too busy, or an answer that says nothing of the lines: they stay. */
  | { readonly kind: 'away'; readonly cause: unknown }
  /** The token is not good any more: the lines stay. */
  | { readonly kind: 'revoked'; readonly cause: ApiProblem };

export interface DeliverDeps {
  readonly spool: Spool;
  /** Sends with the device's token, one attempt. */
  readonly send: Send;
  readonly keepRejected: KeepRejected;
}

/**
 * Sends the oldest batch and lets go of what the server has answered for. A line leaves the spool
 * when it is stored or refused for good; one that failed in passing stays, and all behind it, for
 * the order's sake: those that were stored are recognised by their ids next time.
 */
export async function deliverOldest(deps: DeliverDeps, signal?: AbortSignal): Promise<Delivery> {
  const batch = deps.spool.oldest(BATCH_LINES, BATCH_BYTES);
  try {
    const answers = await ingest(deps.send, batch.lines, signal);
    const open = answers.findIndex(({ status }) => isOpen(status));
    const settled = open < 0 ? answers : answers.slice(0, open);
    const rejected: LineAnswer[] = [];
    settled.forEach((answer, index) => {
      if (isStored(answer.status)) return;
      rejected.push(answer);
      deps.keepRejected(batch.lines[index] ?? '{}', answer);
    });
    batch.settle(settled.length);
    if (settled.length === 0) return { kind: 'away', cause: answers[0] };
    return { kind: 'sent', accepted: settled.length - rejected.length, rejected };
  } catch (cause) {
    if (cause instanceof ApiProblem && (cause.status === 401 || cause.status === 403)) {
      return { kind: 'revoked', cause };
    }
    // A 404 or somebody's web page, too: a proxy without its server, a hotel's network.
    const isAway =
      cause instanceof ApiProblem || cause instanceof UnexpectedAnswer || isPassing(cause);
    if (isAway) return { kind: 'away', cause };
    throw cause;
  }
}

function isStored(status: number): boolean {
  return status >= 200 && status < 300;
}

function isOpen(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}
