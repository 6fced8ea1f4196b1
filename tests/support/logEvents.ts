import type { NewEvent, RecordedEvent } from '../../src/events/envelope.js';
import type { Batch, EventStore, Subscribe } from '../../src/events/eventStore.js';

let made = 0;

/** An event unlike any other that this process has made. */
export function anEvent(given: Partial<NewEvent> = {}): NewEvent {
  made += 1;
  return {
    id: eventId(made),
    type: 'ThingHappened',
    time: 1_700_000_000_000 + made,
    data: { made },
    metadata: { actor: { kind: 'system', id: 'test' }, commandId: `command-${made}` },
    ...given,
  };
}

export function someEvents(count: number, given: Partial<NewEvent> = {}): NewEvent[] {
  return Array.from({ length: count }, () => anEvent(given));
}

/** A version 4 UUID that tells its number. */
export function eventId(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Subscribes until `enough` says so of all that has come, and gives back the batches. */
export async function follow(
  store: Pick<EventStore, 'subscribe'>,
  options: Omit<Subscribe, 'signal'>,
  enough: (events: readonly RecordedEvent[], batch: Batch) => boolean | Promise<boolean>,
): Promise<Batch[]> {
  const done = new AbortController();
  const batches: Batch[] = [];
  for await (const batch of store.subscribe({ ...options, signal: done.signal })) {
    batches.push(batch);
    if (await enough(eventsOf(batches), batch)) done.abort();
  }
  return batches;
}

export function eventsOf(batches: readonly Batch[]): RecordedEvent[] {
  return batches.flatMap(({ events }) => events);
}

export const idsOf = (events: readonly { readonly id: string }[]): string[] =>
  events.map(({ id }) => id);
