import { BatchAnswer, expecting } from './answers.js';
import type { Send } from './client.js';
import { ApiProblem, UnexpectedAnswer } from './errors.js';

/** Bytes of one request: under the server's default of 1 MiB, with room for a proxy's opinion. */
export const BATCH_BYTES = 900 * 1_024;

/**
 * Lines of one batch. The server recognises a repeated line among the device's last 1,000 events,
 * so a batch whose answer was lost can be repeated whole only if it is no longer than that.
 */
export const BATCH_LINES = 1_000;

export interface LineAnswer {
  readonly status: number;
  readonly code?: string | undefined;
  readonly detail?: string | undefined;
}

const batchIn = expecting('the result of a batch', BatchAnswer);

/** These say that something in the request is wrong, and asked of half of it may say where. */
const DIVISIBLE = new Set([400, 413, 422]);

/**
 * Sends lines, each the JSON text of one, in order, and gives the answer to each. A request that is
 * refused as a whole for what is in it is sent again in halves, until the line to blame is alone.
 *
 * @throws ApiProblem when the request was refused for another reason, ServerUnreachable without an
 *   answer: then some lines may have been stored, and are recognised by their ids next time.
 */
export async function ingest(
  send: Send,
  lines: readonly string[],
  signal?: AbortSignal,
): Promise<readonly LineAnswer[]> {
  try {
    const answer = await send({
      method: 'POST',
      path: '/api/ingest',
      contentType: 'application/x-ndjson',
      body: lines.join('\n'),
      ...(signal && { signal }),
    });
    return answers(batchIn(answer), lines.length);
  } catch (error) {
    if (!(error instanceof ApiProblem) || !DIVISIBLE.has(error.status)) throw error;
    if (lines.length <= 1) return lines.map(() => error);
    const middle = Math.ceil(lines.length / 2);
    const first = await ingest(send, lines.slice(0, middle), signal);
    return [...first, ...(await ingest(send, lines.slice(middle), signal))];
  }
}

function answers(
  { results }: { results: readonly ({ line: number } & LineAnswer)[] },
  count: number,
) {
  const inOrder = results.toSorted((a, b) => a.line - b.line);
  if (inOrder.length !== count || inOrder.some(({ line }, index) => line !== index + 1)) {
    throw new UnexpectedAnswer(`the server answered ${results.length} of ${count} lines`);
  }
  return inOrder;
}
