import type { EventStore } from './eventStore.js';

/**
 * What a log is called where it must not be taken for another: by the id of its first event, which
 * never changes. The function answers undefined until there is one, and has looked for it by the
 * next time that it is asked.
 */
export function logNameOf(log: Pick<EventStore, 'readAll'>): () => string | undefined {
  let name: string | undefined;
  let looking: Promise<void> | undefined;

  async function look() {
    for await (const { id } of log.readAll({ limit: 1 })) name = id;
  }

  return () => {
    if (name === undefined) {
      looking ??= look()
        .catch(() => undefined)
        .finally(() => {
          looking = undefined;
        });
    }
    return name;
  };
}
