import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { StoreUnavailable } from '../../events/eventStore.js';
import { storeFault } from './faults.js';
import { connectWriter } from './logSchema.js';
import { createLogWriter, type AppendRequest } from './logWriter.js';
import { packOutcomes, unpackAppends, type PackedAppends, type PackedOutcomes } from './packed.js';

/** To the thread: appends in order, or null for "finish and end". */
export type WriterMessage = PackedAppends | null;

/** From the thread: ready once, then for each group its answers, in the order of the appends. */
export type WriterAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'committed'; readonly outcomes: PackedOutcomes }
  | {
      readonly kind: 'failed';
      readonly count: number;
      readonly reason: StoreUnavailable['reason'];
      readonly message: string;
    };

/** A transaction takes what waits, up to about this much: it bounds what one commit makes others wait. */
const GROUP_EVENTS = 5_000;
const GROUP_CHARACTERS = 8 * 1_048_576;

const port = parentPort;
if (port === null) throw new Error('logWriterThread runs in a worker thread only');
const { file } = workerData as { file: string };
const db = connectWriter(file);
const writer = createLogWriter(db);

let waiting: AppendRequest[] = [];
let ending = false;

const take = (message: WriterMessage): void => {
  if (message === null) ending = true;
  else waiting = waiting.concat(unpackAppends(message));
};

port.on('message', (message: WriterMessage) => {
  take(message);
  takeAllPosted();
  while (waiting.length > 0) {
    port.postMessage(write(waiting.splice(0, groupSize(waiting))));
    takeAllPosted();
  }
  if (ending) {
    db.close();
    port.close();
  }
});
port.postMessage({ kind: 'ready' } satisfies WriterAnswer);

/** What was posted while the last group was being committed goes into the next one. */
function takeAllPosted(): void {
  if (port === null) return;
  for (;;) {
    const posted = receiveMessageOnPort(port) as { message: WriterMessage } | undefined;
    if (posted === undefined) return;
    take(posted.message);
  }
}

function groupSize(appends: readonly AppendRequest[]): number {
  let events = 0;
  let characters = 0;
  const end = appends.findIndex(([, , texts]) => {
    const full = events >= GROUP_EVENTS || characters >= GROUP_CHARACTERS;
    events += texts.length;
    for (const [, , , data, metadata] of texts) characters += data.length + metadata.length;
    return full;
  });
  return end < 0 ? appends.length : end;
}

function write(group: readonly AppendRequest[]): WriterAnswer {
  try {
    return { kind: 'committed', outcomes: packOutcomes(writer.write(group)) };
  } catch (error) {
    const { reason, message } = storeFault(error, file);
    return { kind: 'failed', count: group.length, reason, message };
  }
}
