import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import { MAX_MEMBERSHIPS } from '../../src/commands/organization/members.js';
import type { DomainEvent } from '../../src/events/catalog.js';
import { organizationStream } from '../../src/events/streams.js';
import type { MemberRole } from '../../src/events/values.js';
import { newEvent } from '../projections/documents.js';
import { ADA, id } from '../spec/things.js';
import {
  addMember,
  registerDevice,
  signUp,
  type ListBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { newDataDir, startServer, type RunningServer } from '../support/server.js';

const dataDir = newDataDir();
let server: RunningServer;
let owner: Person;
let ann: Person;

beforeAll(async () => {
  server = await startServer({ dataDir });
});
afterAll(async () => {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  [owner, ann] = [await signUp(server, 'Owner'), await signUp(server, 'Ann')];
});

const membership = ({ organizationId }: Person, { id: userId }: Person) =>
  `/api/organizations/${organizationId}/members/${userId}`;
const devicesOf = async ({ api }: Person) =>
  (await api.get<ListBody<{ id: string }>>('/api/devices')).body.items.map(({ id: one }) => one);
const add = (member: Person) =>
  owner.api.post<ProblemBody>(`/api/organizations/${owner.organizationId}/members`, {
    email: member.email,
    role: 'viewer',
  });

let organizations = 0;

/** What so many other people's organizations tell, which have all added somebody: written by another process. */
async function addedToOthers({ id: userId }: Person, count: number) {
  const log = await openSqliteEventStore({
    file: join(dataDir, 'log.db'),
    signals: createMemorySignals(),
  });
  const appends = Array.from({ length: count }, () => {
    const organizationId = id((organizations += 1));
    const told: readonly DomainEvent[] = [
      {
        type: 'OrganizationCreated',
        data: { organizationId, name: 'Other', ownerId: ADA, personal: false },
      },
      { type: 'MemberAdded', data: { organizationId, userId, role: 'viewer' } },
    ];
    const events = told.map((event, index) => newEvent(event, 2 * organizations + index));
    return { stream: organizationStream(organizationId), events, expected: 'none' as const };
  });
  await log.appendEach(appends);
  const head = await log.head();
  await log.stop();
  return head.toString();
}

describe('a member', () => {
  it.each<MemberRole>(['owner', 'member', 'viewer'])(
    'who is %s leaves by themselves',
    async (role) => {
      const device = await registerDevice(owner);
      await addMember(owner, ann, role);
      expect(await devicesOf(ann)).toEqual([device.id]);
      expect((await ann.api.delete(membership(owner, ann))).status).toBe(204);
      expect(await devicesOf(ann)).toEqual([]);
      const organization = await ann.api.get(`/api/organizations/${owner.organizationId}`);
      expect(organization.status).toBe(404);
    },
  );

  it('who is no owner takes out nobody else', async () => {
    const other = await signUp(server);
    await addMember(owner, ann, 'member');
    await addMember(owner, other, 'viewer');
    for (const [who, whom] of [
      [ann, other],
      [other, ann],
      [ann, owner],
    ] as const) {
      const answer = await who.api.delete<ProblemBody>(membership(owner, whom));
      expect([answer.status, answer.body.code]).toEqual([403, 'FORBIDDEN']);
    }
  });

  it('who is the last owner stays', async () => {
    const answer = await owner.api.delete<ProblemBody>(membership(owner, owner));
    expect([answer.status, answer.body.code]).toEqual([409, 'LAST_OWNER']);
  });
});

describe('somebody whom others add to their organizations', () => {
  it(`belongs to ${MAX_MEMBERSHIPS}, and makes room by leaving one`, async () => {
    const position = await addedToOthers(ann, MAX_MEMBERSHIPS - 1);
    const headers = { 'x-consistent-with': position };
    const profile = await ann.api.get<{ organizations: object }>('/api/users/profile', headers);
    const ids = Object.keys(profile.body.organizations);
    expect(ids).toHaveLength(MAX_MEMBERSHIPS);
    const refused = await add(ann);
    expect([refused.status, refused.body.code]).toEqual([422, 'TOO_MANY_MEMBERSHIPS']);

    const left = `/api/organizations/${ids.at(-1)}/members/${ann.id}`;
    expect((await ann.api.delete(left)).status).toBe(204);
    // Their own read waits until what they wrote is there.
    expect((await ann.api.get('/api/users/profile')).status).toBe(200);
    expect((await add(ann)).status).toBe(201);
  });

  it('still sees their own devices and dashboard when they were added to more than can be searched', async () => {
    const device = await registerDevice(ann);
    const headers = { 'x-consistent-with': await addedToOthers(ann, 1_200) };
    const list = await ann.api.get<ListBody<{ id: string }>>('/api/devices', headers);
    expect([list.status, list.body.items.map((one) => one.id)]).toEqual([200, [device.id]]);
    const dashboard = await ann.api.get<{ devices: { total: number } }>(
      '/api/analytics/dashboard',
      headers,
    );
    expect([dashboard.status, dashboard.body.devices.total]).toEqual([200, 1]);
  });
});
