import type { DomainEvent } from '../../src/events/catalog.js';
import { users } from '../../src/projections/users.js';
import { listUsers } from '../../src/queries/users.js';
import { ADA, BOB, organizationCreated, userRegistered } from '../spec/things.js';
import { newEvent, streamOf } from './documents.js';
import { backends, runThrough, type Stores } from './running.js';

describe.each(backends)('the list of users in %s', (_name, open) => {
  let stores: Stores;

  beforeEach(async () => {
    stores = await open();
  });
  afterEach(() => stores.stop());

  async function told(...events: readonly DomainEvent[]) {
    for (const [index, event] of events.entries()) {
      await stores.log.append(streamOf(event), [newEvent(event, index + 1)], 'any');
    }
    await runThrough(stores, [users]);
  }

  it('leaves out whose signup died after the organization was made', async () => {
    await told(organizationCreated(ADA), userRegistered({ userId: BOB }));
    const { items, total } = await listUsers(stores.reads)({ limit: 10, page: 1 });
    expect(items.map(({ id }) => id)).toEqual([BOB]);
    expect(total).toBe(1);
  });

  it('has them once they are there', async () => {
    await told(organizationCreated(ADA), userRegistered({ userId: ADA }));
    const { items } = await listUsers(stores.reads)({ limit: 10 });
    expect(items.map(({ id }) => id)).toEqual([ADA]);
  });
});
