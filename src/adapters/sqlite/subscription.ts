import { setImmediate as nextTurn } from 'node:timers/promises';
import { later, type Position } from '../../events/envelope.js';
import type { Batch, Subscribe } from '../../events/eventStore.js';
import type { LogReader } from './logReader.js';
import { earlier, SCAN_ROWS } from './logReads.js';
import type { LogWatch } from './logWatch.js';

const BATCH_EVENTS = 1_000;

/**
 * Follows the log from `from`. There is one way of reading for old events and new ones, so going live
 * can neither leave out nor repeat any. And no event ever appears behind a position already seen:
 * positions are given out under SQLite's write lock, which is held until the commit, so commits happen
 * in the order of positions and a reader sees all up to some position and none past it.
 */
export async function* follow(
  reader: LogReader,
  watch: LogWatch,
  { from, signal, batchSize = BATCH_EVENTS, ...filter }: Subscribe,
): AsyncGenerator<Batch> {
  const scan = reader.scan(filter, 'forwards');
  const rows = SCAN_ROWS > batchSize ? SCAN_ROWS : BigInt(batchSize);
  let position = from === 'now' ? reader.head() : from;
  /** Whether the consumer knows that there is nothing more. */
  let idle = false;
  while (!signal.aborted) {
    const head = reader.head();
    if (idle && head <= position) {
      await watch.grownPast(position, signal);
      continue;
    }
    const upTo = later(position, earlier(head, (position + rows) as Position));
    const { events, isFull } = scan({ after: position, upTo, limit: batchSize });
    position = isFull ? (events.at(-1)?.position ?? upTo) : upTo;
    idle = position >= head;
    if (events.length > 0 || idle) yield { events, position, caughtUp: idle };
    await nextTurn();
  }
}
