import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { handler } from '../../src/commands/handle.js';
import { namedCommandId, type Origin } from '../../src/commands/origin.js';
import { createOrganization } from '../../src/commands/organization/createOrganization.js';
import { joinOrganization, type JoinDeps } from '../../src/commands/organization/join.js';
import {
  addMember,
  MAX_MEMBERSHIPS,
  removeMember,
} from '../../src/commands/organization/members.js';
import { isRefusal } from '../../src/commands/refusal.js';
import { makeStates } from '../../src/commands/states.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { organizationStream } from '../../src/events/streams.js';
import type { MemberRole } from '../../src/events/values.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { ADA, BOB, id } from './things.js';

type CountMemberships = JoinDeps['countMemberships'];

let commands = 0;
const fresh = (): Origin => ({
  actor: { kind: 'system', id: 'test' },
  commandId: id((commands += 1)),
});
const organizationAt = (index: number) => id(10_000 + index);

/** As a projection that is never behind has it. */
const countIn =
  (store: EventStore): CountMemberships =>
  async (userId) => {
    const members = new Set<string>();
    for await (const { type, data, stream } of store.readAll()) {
      if ((data as { userId?: string }).userId !== userId) continue;
      if (type === 'MemberAdded') members.add(stream);
      if (type === 'MemberRemoved') members.delete(stream);
    }
    return members.size;
  };

/** A process with hot states of its own, which follow nothing. */
function aProcess(store: EventStore, countMemberships = countIn(store)) {
  const runtime = hurriedRuntime();
  const states = makeStates({ store, runtime, onFault: () => undefined });
  const handle = handler({ store, runtime });
  const join = joinOrganization({ handle, states, countMemberships });
  const { organizations: family } = states;
  return {
    async join(index: number, role: MemberRole = 'member', origin = fresh()) {
      const joined = await join(organizationAt(index), { userId: BOB, role }, origin);
      return isRefusal(joined) ? joined.refused : 'done';
    },
    leave: (index: number, userId = BOB) =>
      handle({
        stream: organizationStream(organizationAt(index)),
        family,
        decide: (state) => removeMember(state, { userId }),
        origin: fresh(),
      }),
    async create(index: number, ...members: readonly string[]) {
      const organizationId = organizationAt(index);
      const target = { stream: organizationStream(organizationId), family };
      const organization = { organizationId, name: 'Acme', ownerId: ADA, personal: false };
      await handle({
        ...target,
        decide: (state) => createOrganization(state, organization),
        origin: fresh(),
      });
      for (const userId of members) {
        const decide = (state: Parameters<typeof addMember>[0]) =>
          addMember(state, { userId, role: 'viewer' });
        await handle({ ...target, decide, origin: fresh() });
      }
    },
    membersOf: async (index: number) => {
      const { state } = await family.reload(organizationStream(organizationAt(index)));
      return state.kind === 'none' ? [] : [...state.members.keys()];
    },
  };
}

describe('joining an organization', () => {
  let store: EventStore;
  let here: ReturnType<typeof aProcess>;

  /** Somebody who belongs to all organizations but the last `free`, which come at the end. */
  async function belongingTo(memberships: number, free: number) {
    store = openMemoryEventStore();
    here = aProcess(store);
    for (let index = 0; index < memberships; index++) await here.create(index, BOB);
    for (let index = 0; index < free; index++) await here.create(memberships + index);
  }

  it(`goes up to ${MAX_MEMBERSHIPS} organizations, and leaving one makes room for another`, async () => {
    await belongingTo(MAX_MEMBERSHIPS - 1, 2);
    expect(await here.join(MAX_MEMBERSHIPS - 1)).toBe('done');
    const head = await store.head();
    expect(await here.join(MAX_MEMBERSHIPS)).toBe('TOO_MANY_MEMBERSHIPS');
    // What can be known before is not written first.
    expect(await store.head()).toBe(head);
    await here.leave(0);
    expect(await here.join(MAX_MEMBERSHIPS)).toBe('done');
  });

  it('does not go further when many add the same user at the same moment, each in a process of its own', async () => {
    const RACERS = 10;
    const room = 2;
    await belongingTo(MAX_MEMBERSHIPS - room, RACERS);
    const answers = await Promise.all(
      Array.from({ length: RACERS }, (_, n) => aProcess(store).join(MAX_MEMBERSHIPS - room + n)),
    );
    const done = answers.filter((one) => one === 'done').length;
    expect(await countIn(store)(BOB, 0n as never)).toBe(MAX_MEMBERSHIPS - room + done);
    expect(done).toBeLessThanOrEqual(room);
    expect(new Set(answers).has('TOO_MANY_MEMBERSHIPS')).toBe(true);
  });

  describe('that was taken back', () => {
    /** One sees room for one more, until it stands. */
    const overtaken = (): CountMemberships => {
      let asked = 0;
      return async () => MAX_MEMBERSHIPS - 1 + 2 * asked++;
    };
    beforeEach(() => belongingTo(0, 1));

    it('leaves no member', async () => {
      expect(await aProcess(store, overtaken()).join(0)).toBe('TOO_MANY_MEMBERSHIPS');
      expect(await here.membersOf(0)).toEqual([ADA]);
    });

    it('is refused again under its key', async () => {
      const origin = { ...fresh(), commandId: namedCommandId(ADA, 'key'), commandHash: 'content' };
      const there = aProcess(store, overtaken());
      expect(await there.join(0, 'member', origin)).toBe('TOO_MANY_MEMBERSHIPS');
      expect(await there.join(0, 'member', origin)).toBe('TOO_MANY_MEMBERSHIPS');
      expect(await here.membersOf(0)).toEqual([ADA]);
    });

    it('is not, when that left the organization without an owner', async () => {
      const count = overtaken();
      const there = aProcess(store, async (userId, needs) => {
        if (needs > 0n) await here.leave(0, ADA);
        return count(userId, needs);
      });
      expect(await there.join(0, 'owner')).toBe('done');
      expect(await here.membersOf(0)).toEqual([BOB]);
    });
  });

  it('is the same again under its key, though the user may join no other by now', async () => {
    await belongingTo(MAX_MEMBERSHIPS - 1, 1);
    const origin = { ...fresh(), commandId: namedCommandId(ADA, 'key'), commandHash: 'content' };
    expect(await here.join(MAX_MEMBERSHIPS - 1, 'member', origin)).toBe('done');
    expect(await here.join(MAX_MEMBERSHIPS - 1, 'member', origin)).toBe('done');
  });

  it('goes on while nobody can tell how many there are', async () => {
    await belongingTo(0, 1);
    expect(await aProcess(store, async () => undefined).join(0)).toBe('done');
    expect(await here.membersOf(0)).toEqual([ADA, BOB]);
  });
});
