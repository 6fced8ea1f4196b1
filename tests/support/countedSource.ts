import type { Observed, Source } from '../../src/cli/agent/source.js';

/** A source of the given messages; its cursor is how many of them were taken. */
export function countedSource(messages: readonly string[]): Source {
  return {
    name: 'file:app.log',
    read: (after) =>
      messages.slice(Number(after ?? 0)).map((message, index): Observed => {
        const cursor = String(Number(after ?? 0) + index + 1);
        return { event: 'log-line', level: 'info', message, cursor };
      }),
    isBehind: false,
    now: () => '0',
    close: () => undefined,
  };
}
