import type { Send } from '../client.js';
import { ApiProblem, UnexpectedAnswer } from '../errors.js';
import { BATCH_BYTES, ingest, type LineAnswer } from '../ingest.js';
import { isPassing } from '../retry.js';
import type { KeepRejected } from './rejected.js';
import type { Spool, SpoolBatch } from './spool.js';

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
  | { readonly kind: 'revoked'; readonly cause: ApiProblem }
  /**
   * The server has answered, and the disk won't take a note of it: that has to be done `again`, and
   * before anything else is sent, or a crash would send more twice than the server recognises.
   */
  | { readonly kind: 'unnoted'; readonly cause: unknown; readonly again: () => Delivery };

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
  let answers: readonly LineAnswer[];
  try {
    answers = await ingest(deps.send, batch.lines, signal);
  } catch (cause) {
    return unanswered(cause);
  }
  return noting(deps, batch, answers)();
}

function unanswered(cause: unknown): Delivery {
  if (cause instanceof ApiProblem && (cause.status === 401 || cause.status === 403)) {
    return { kind: 'revoked', cause };
  }
  // A 404 or somebody's web page, too: a proxy without its server, a hotel's network.
  const isAway =
    cause instanceof ApiProblem || cause instanceof UnexpectedAnswer || isPassing(cause);
  if (isAway) return { kind: 'away', cause };
  throw cause;
}

/** Notes on disk what the server has answered; begun again, it goes on where the disk refused. */
function noting(
  { keepRejected }: DeliverDeps,
  batch: SpoolBatch,
  answers: readonly LineAnswer[],
): () => Delivery {
  const open = answers.findIndex(({ status }) => isOpen(status));
  const settled = open < 0 ? answers : answers.slice(0, open);
  const refused = settled.flatMap((answer, index) =>
    isStored(answer.status) ? [] : [{ line: batch.lines[index] ?? '{}', answer }],
  );
  let kept = 0;
  return function note(): Delivery {
    try {
      for (const { line, answer } of refused.slice(kept)) {
        keepRejected(line, answer);
        kept += 1;
      }
      batch.settle(settled.length);
    } catch (cause) {
      return { kind: 'unnoted', cause, again: note };
    }
    if (settled.length === 0) return { kind: 'away', cause: answers[0] };
    const rejected = refused.map(({ answer }) => answer);
    return { kind: 'sent', accepted: settled.length - rejected.length, rejected };
  };
}

function isStored(status: number): boolean {
  return status >= 200 && status < 300;
}

function isOpen(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}
