import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { handler } from '../../src/commands/handle.js';
import { namedCommandId, type Origin } from '../../src/commands/origin.js';
import { isRefusal } from '../../src/commands/refusal.js';
import { makeStates } from '../../src/commands/states.js';
import type { ChangeUser } from '../../src/commands/user/changeUser.js';
import { changeUserAs } from '../../src/commands/user/changeUserAs.js';
import { registerUser } from '../../src/commands/user/registerUser.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { userStream } from '../../src/events/streams.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { ADA, BOB, id, userRegistered } from './things.js';

const EVE = id(3);
const PEOPLE = [ADA, BOB, EVE];

let commands = 0;
const fresh = (): Origin => ({
  actor: { kind: 'system', id: 'test' },
  commandId: id((commands += 1)),
});

/** A process with hot states of its own, which follow nothing: they are behind by all that others write. */
function aProcess(store: EventStore) {
  const runtime = hurriedRuntime();
  const states = makeStates({ store, runtime, onFault: () => undefined });
  const handle = handler({ store, runtime });
  const change = changeUserAs({ handle, states });
  return {
    states,
    /** As a route runs it, that has just looked at who calls. */
    async change(callerId: string, userId: string, wanted: ChangeUser, origin = fresh()) {
      await states.users.load(userStream(callerId));
      const changed = await change({ callerId, userId, change: wanted, origin });
      return isRefusal(changed) ? changed.refused : 'done';
    },
    register: (userId: string) =>
      handle({
        stream: userStream(userId),
        family: states.users,
        decide: (state) => registerUser(state, userRegistered({ userId, role: 'admin' }).data),
        origin: fresh(),
      }),
  };
}

/** The store on which `meanwhile` comes to an end ahead of the first append. */
function interrupted(store: EventStore, meanwhile: () => Promise<unknown>): EventStore {
  let done = false;
  return {
    ...store,
    async append(...append) {
      if (!done) {
        done = true;
        await meanwhile();
      }
      return store.append(...append);
    },
  };
}

describe('administrators who change users at the same moment', () => {
  let store: EventStore;
  let here: ReturnType<typeof aProcess>;
  let there: ReturnType<typeof aProcess>;

  beforeEach(async () => {
    store = openMemoryEventStore();
    [here, there] = [aProcess(store), aProcess(store)];
    for (const one of PEOPLE) await here.register(one);
    for (const one of PEOPLE) await there.states.users.load(userStream(one));
  });

  /** What the log says of them: `admin`, `user`, or `disabled`. */
  async function now(): Promise<readonly string[]> {
    const states = await Promise.all(
      PEOPLE.map((one) => aProcess(store).states.users.load(userStream(one))),
    );
    return states.map(({ state }) => {
      if (state.kind === 'none') return 'nobody';
      return state.disabled ? 'disabled' : state.role;
    });
  }

  it.each<[string, ChangeUser, string]>([
    ['demote', { role: 'user' }, 'FORBIDDEN'],
    ['disable', { disabled: true }, 'USER_DISABLED'],
  ])(
    'do not all go when two %s each other: the later change is taken back',
    async (_, by, code) => {
      let first: string | undefined;
      const late = aProcess(
        interrupted(store, async () => (first = await there.change(BOB, ADA, by))),
      );
      await late.states.users.load(userStream(BOB));
      expect([await late.change(ADA, BOB, by), first]).toEqual([code, 'done']);
      expect(await now()).toEqual([by.role ?? 'disabled', 'admin', 'admin']);
    },
  );

  it.each<[string, ChangeUser]>([
    ['demote', { role: 'user' }],
    ['disable', { disabled: true }],
  ])('lose one of two that %s each other, in one process and in two', async (_, by) => {
    for (const other of [here, there]) {
      const answers = await Promise.all([here.change(ADA, BOB, by), other.change(BOB, ADA, by)]);
      expect(answers.filter((one) => one === 'done')).toHaveLength(1);
      expect((await now()).filter((one) => one === 'admin')).toHaveLength(2);
      const back = { role: 'admin', disabled: false } as const;
      for (const one of [ADA, BOB]) await here.change(EVE, one, back);
    }
  });

  it('leave one when all demote each other in a ring', async () => {
    await Promise.all(
      PEOPLE.map((one, n) =>
        aProcess(store).change(one, PEOPLE[(n + 1) % PEOPLE.length] ?? '', { role: 'user' }),
      ),
    );
    expect(await now()).toContain('admin');
  });

  it('do not make themselves one again by a process that has not heard of it', async () => {
    await here.change(ADA, BOB, { role: 'user' });
    expect(await there.change(BOB, BOB, { role: 'admin' })).toBe('FORBIDDEN');
    await here.change(ADA, EVE, { role: 'user', disabled: true });
    expect(await there.change(EVE, EVE, { role: 'admin', disabled: false })).toBe('USER_DISABLED');
    expect(await now()).toEqual(['admin', 'user', 'disabled']);
  });

  it('leave of a change that came too late nothing, and of others’ changes all', async () => {
    await here.change(ADA, EVE, { role: 'user' });
    await here.change(ADA, BOB, { role: 'user' });
    expect(await there.change(BOB, EVE, { role: 'user', disabled: true })).toBe('FORBIDDEN');
    expect(await now()).toEqual(['admin', 'user', 'user']);
  });

  it('are answered a repeat as the first time, which undoes nothing that was decided since', async () => {
    const origin = { ...fresh(), commandId: namedCommandId(BOB, 'key'), commandHash: 'content' };
    await here.change(ADA, BOB, { role: 'user' });
    const disable = () => there.change(BOB, EVE, { disabled: true }, origin);
    expect(await disable()).toBe('FORBIDDEN');
    expect(await now()).toEqual(['admin', 'user', 'admin']);
    await here.states.users.reload(userStream(EVE));
    await here.change(ADA, EVE, { disabled: true });
    expect(await disable()).toBe('FORBIDDEN');
    expect(await now()).toEqual(['admin', 'user', 'disabled']);
  });

  it('keep what they changed while they were administrators', async () => {
    expect(await here.change(ADA, BOB, { role: 'user' })).toBe('done');
    expect(await here.change(EVE, ADA, { role: 'user' })).toBe('done');
    expect(await now()).toEqual(['user', 'user', 'admin']);
    // What holds already says nothing of when its caller was let through.
    expect(await here.change(EVE, BOB, { role: 'user' })).toBe('done');
  });
});
