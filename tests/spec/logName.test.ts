import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { logNameOf } from '../../src/events/logName.js';
import { eventually } from '../support/eventually.js';
import { someEvents } from '../support/logEvents.js';

describe('a log', () => {
  it('has no name while it is empty', async () => {
    const name = logNameOf(openMemoryEventStore());
    expect(name()).toBeUndefined();
    await Promise.resolve();
    expect(name()).toBeUndefined();
  });

  it('is called by its first event from then on', async () => {
    const log = openMemoryEventStore();
    const name = logNameOf(log);
    expect(name()).toBeUndefined();
    const events = someEvents(2);
    await log.append('device-1', events, 'none');
    expect(await eventually(() => name())).toBe(events[0]?.id);
  });
});
