import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { handler } from '../../src/commands/handle.js';
import type { Origin } from '../../src/commands/origin.js';
import { makeStates } from '../../src/commands/states.js';
import { firstAdministrator } from '../../src/commands/user/firstAdministrator.js';
import { emailStreamOf, signUp, userByEmail, type SignUp } from '../../src/commands/user/signUp.js';
import { StoreUnavailable, type EventStore } from '../../src/events/eventStore.js';
import { familyOf } from '../../src/events/streams.js';
import type { Runtime } from '../../src/runtime.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { collect } from '../support/logEvents.js';
import { id } from './things.js';

const HASH_SECRET = 'a secret that keys digests';
const ada: SignUp = {
  name: 'Ada',
  email: 'ada@example.com',
  passwordHash: 'digest',
  role: 'user',
};

let commands = 0;
const fresh = (): Origin => ({ actor: { kind: 'anonymous' }, commandId: id((commands += 1)) });

/** What a process signs people up with, on a store that others may share. */
function accountsOn(store: EventStore, runtime: Runtime = hurriedRuntime()) {
  const states = makeStates({ store, runtime, onFault: () => undefined });
  const handle = handler({ store, runtime });
  const passwords = { hash: async (text: string) => `hash of ${text}`, verify: async () => true };
  return { store, states, handle, runtime, hashSecret: HASH_SECRET, passwords };
}

/** The store as a process sees it that dies at its append number `fatal`. */
function dyingAt(store: EventStore, fatal: number): EventStore {
  let appends = 0;
  return {
    ...store,
    append(...append) {
      if ((appends += 1) === fatal) throw new StoreUnavailable('unreachable', 'died');
      return store.append(...append);
    },
  };
}

const told = async (store: EventStore) =>
  (await collect(store.readAll())).map(({ stream, type }) => `${familyOf(stream)}: ${type}`);

describe('signing up', () => {
  it('claims the address, then makes the organization, and the user last', async () => {
    const store = openMemoryEventStore();
    const signedUp = await signUp(accountsOn(store))(ada, fresh());
    expect(await told(store)).toEqual([
      'email: EmailClaimed',
      'organization: OrganizationCreated',
      'user: UserRegistered',
    ]);
    const { user } = signedUp as Exclude<typeof signedUp, { refused: string }>;
    const [, created, registered] = await collect(store.readAll());
    expect(created?.data).toMatchObject({
      ownerId: user.userId,
      organizationId: user.organizationId,
      personal: true,
    });
    expect(signedUp).toMatchObject({ position: registered?.position });
  });

  it('does not tell the address in the name of its claim', async () => {
    const stream = emailStreamOf(HASH_SECRET, ada.email);
    expect(stream).toMatch(/^email-[0-9a-f]{64}$/);
    expect(emailStreamOf('another secret', ada.email)).not.toBe(stream);
    expect(emailStreamOf(HASH_SECRET, ' ADA@example.com ')).toBe(stream);
  });

  it('is refused for an address that somebody has, however it is written', async () => {
    const accounts = accountsOn(openMemoryEventStore());
    await signUp(accounts)(ada, fresh());
    expect(await signUp(accounts)({ ...ada, email: 'ADA@Example.com' }, fresh())).toEqual({
      refused: 'EMAIL_TAKEN',
    });
  });

  it('makes one user of one address, though many try at once', async () => {
    const store = openMemoryEventStore();
    const [here, there] = [accountsOn(store), accountsOn(store)];
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        signUp(index % 2 === 0 ? here : there)({ ...ada, name: `Ada ${index}` }, fresh()),
      ),
    );
    expect(outcomes.filter((outcome) => 'user' in outcome)).toHaveLength(1);
    expect((await told(store)).filter((one) => one === 'user: UserRegistered')).toHaveLength(1);
  });

  it('is answered as the first time when it comes again', async () => {
    const store = openMemoryEventStore();
    const accounts = accountsOn(store);
    const origin = { ...fresh(), commandHash: 'content' };
    const first = await signUp(accounts)(ada, origin);
    expect(await signUp(accounts)(ada, origin)).toEqual(first);
    expect(await signUp(accountsOn(store))(ada, origin)).toEqual(first);
    expect(await told(store)).toHaveLength(3);
  });

  it.each([1, 2, 3])('goes on where it died, when it dies at append %i', async (fatal) => {
    const store = openMemoryEventStore();
    const origin = { ...fresh(), commandHash: 'content' };
    await expect(signUp(accountsOn(dyingAt(store, fatal)))(ada, origin)).rejects.toThrow(
      StoreUnavailable,
    );
    expect(await signUp(accountsOn(store))(ada, origin)).toMatchObject({ user: { name: 'Ada' } });
    expect(await told(store)).toHaveLength(3);
  });

  it.each([1, 2, 3])(
    'never leaves a user without an organization, dying at append %i',
    async (n) => {
      // It made the user first: one who died in between could log in and do nothing.
      const store = openMemoryEventStore();
      await expect(signUp(accountsOn(dyingAt(store, n)))(ada, fresh())).rejects.toThrow();
      expect(await told(store)).not.toContain('user: UserRegistered');
    },
  );

  it('that died leaves a claim that lapses after a minute and not before', async () => {
    const store = openMemoryEventStore();
    const runtime = hurriedRuntime();
    const dying: EventStore = {
      ...store,
      append(stream, ...rest) {
        if (familyOf(stream) === 'user') throw new StoreUnavailable('unreachable', 'died');
        return store.append(stream, ...rest);
      },
    };
    await expect(signUp(accountsOn(dying, runtime))(ada, fresh())).rejects.toThrow();
    const accounts = accountsOn(store, runtime);
    expect(await userByEmail(accounts)(ada.email)).toBeUndefined();
    await runtime.sleep(59_999);
    expect(await signUp(accounts)(ada, fresh())).toEqual({ refused: 'EMAIL_TAKEN' });
    await runtime.sleep(1);
    expect(await signUp(accounts)(ada, fresh())).toMatchObject({ user: { name: 'Ada' } });
    expect(await userByEmail(accounts)(ada.email)).toMatchObject({ name: 'Ada' });
  });
});

describe('the first administrator', () => {
  it('of an empty log gets a password that is shown, once', async () => {
    const store = openMemoryEventStore();
    const accounts = accountsOn(store);
    const made = await firstAdministrator(accounts)(undefined, await store.head());
    expect(made?.email).toBe('admin@fleetbook.local');
    expect(made?.password).toHaveLength(20);
    expect(await userByEmail(accounts)('admin@fleetbook.local')).toMatchObject({ role: 'admin' });
    expect(await firstAdministrator(accounts)(undefined, await store.head())).toBeUndefined();
  });

  it('who is named is made with the password given, and not shown', async () => {
    const store = openMemoryEventStore();
    const accounts = accountsOn(store);
    const named = { email: 'ops@example.com', password: 'correct horse battery' };
    expect(await firstAdministrator(accounts)(named, await store.head())).toBeUndefined();
    expect(await userByEmail(accounts)('ops@example.com')).toMatchObject({
      role: 'admin',
      passwordHash: 'hash of correct horse battery',
    });
    await firstAdministrator(accounts)(named, await store.head());
    expect(await told(store)).toHaveLength(3);
  });

  it('is made by one of processes that start at once, and only its password is shown', async () => {
    // The others' appends were taken for repeats of its own, and each showed a password that was none.
    const store = openMemoryEventStore();
    const head = await store.head();
    const made = await Promise.all(
      Array.from({ length: 5 }, (_, dice) => {
        const runtime = {
          ...hurriedRuntime(),
          randomBytes: (size: number) => Buffer.alloc(size, dice),
        };
        return firstAdministrator(accountsOn(store, runtime))(undefined, head);
      }),
    );
    const shown = made.filter((one) => one !== undefined);
    expect(shown).toHaveLength(1);
    expect(await userByEmail(accountsOn(store))('admin@fleetbook.local')).toMatchObject({
      passwordHash: `hash of ${shown[0]?.password}`,
    });
    expect(await told(store)).toHaveLength(3);
  });

  describe.each([1, 2, 3])('whose first start died at append %i', (fatal) => {
    it('is made at the next, with a password that is shown then', async () => {
      const store = openMemoryEventStore();
      const dying = accountsOn(dyingAt(store, fatal));
      await expect(firstAdministrator(dying)(undefined, await store.head())).rejects.toThrow();
      const accounts = accountsOn(store);
      const made = await firstAdministrator(accounts)(undefined, await store.head());
      expect(await userByEmail(accounts)('admin@fleetbook.local')).toMatchObject({
        role: 'admin',
        passwordHash: `hash of ${made?.password}`,
      });
      expect(await told(store)).toHaveLength(3);
    });

    it('is made at the next as they were named', async () => {
      const store = openMemoryEventStore();
      const named = { email: 'ops@example.com', password: 'correct horse battery' };
      const dying = accountsOn(dyingAt(store, fatal));
      await expect(firstAdministrator(dying)(named, await store.head())).rejects.toThrow();
      const accounts = accountsOn(store);
      await firstAdministrator(accounts)(named, await store.head());
      expect(await userByEmail(accounts)('ops@example.com')).toMatchObject({ role: 'admin' });
      expect(await told(store)).toHaveLength(3);
    });
  });

  it('is not made by itself because somebody else died signing up with that address', async () => {
    const store = openMemoryEventStore();
    const somebody = { ...ada, email: 'admin@fleetbook.local' };
    await expect(signUp(accountsOn(dyingAt(store, 3)))(somebody, fresh())).rejects.toThrow();
    const runtime = hurriedRuntime();
    await runtime.sleep(60_000);
    const accounts = accountsOn(store, runtime);
    expect(await firstAdministrator(accounts)(undefined, await store.head())).toBeUndefined();
    expect(await userByEmail(accounts)('admin@fleetbook.local')).toBeUndefined();
  });

  it('who is named later is made beside the others, and takes nobody’s address', async () => {
    const accounts = accountsOn(openMemoryEventStore());
    await signUp(accounts)(ada, fresh());
    const head = await accounts.store.head();
    await firstAdministrator(accounts)({ email: ada.email, password: 'another' }, head);
    expect(await userByEmail(accounts)(ada.email)).toMatchObject({ role: 'user' });
    await firstAdministrator(accounts)({ email: 'ops@example.com', password: 'another' }, head);
    expect(await userByEmail(accounts)('ops@example.com')).toMatchObject({ role: 'admin' });
  });

  it('is not made by itself where somebody is already', async () => {
    const accounts = accountsOn(openMemoryEventStore());
    await signUp(accounts)(ada, fresh());
    const head = await accounts.store.head();
    expect(await firstAdministrator(accounts)(undefined, head)).toBeUndefined();
    expect(await userByEmail(accounts)('admin@fleetbook.local')).toBeUndefined();
  });
});
