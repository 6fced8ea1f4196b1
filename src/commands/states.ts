import type { EventStore } from '../events/eventStore.js';
import type { RecordedEvent } from '../events/envelope.js';
import { families } from '../events/catalog.js';
import { familyOf } from '../events/streams.js';
import type { Runtime } from '../runtime.js';
import { device, type DeviceState } from './device/state.js';
import { hotFamily, type HotFamily } from './hotFamily.js';
import { organization, type OrganizationState } from './organization/state.js';
import { session, type SessionState } from './session/state.js';
import { email, type EmailState } from './user/email.js';
import { user, type UserState } from './user/state.js';

/** The states of every stream family that commands and permission checks look at. */
export interface States {
  readonly users: HotFamily<UserState>;
  readonly emails: HotFamily<EmailState>;
  readonly organizations: HotFamily<OrganizationState>;
  readonly sessions: HotFamily<SessionState>;
  readonly devices: HotFamily<DeviceState>;
  /** Follows the log until `signal` aborts, so that what other processes write is seen too. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface StatesDeps {
  readonly store: EventStore;
  readonly runtime: Runtime;
  /** Called when the log can't be followed; it is tried again in a second. */
  readonly onFault: (error: unknown) => void;
}

const RETRY_MS = 1_000;

/**
 * After each batch the subscription rests, so that a busy log does not wake it for every commit. What
 * another process has written (a logout, a changed role) is so long in coming at most, and a look more.
 */
const REST_MS = 50;

/** How many of each family are kept: a fleet of 100,000 devices stays in memory. */
const LIMITS = {
  users: 20_000,
  emails: 5_000,
  organizations: 20_000,
  sessions: 50_000,
  devices: 120_000,
};

export function makeStates({ store, runtime, onFault }: StatesDeps): States {
  const users = hotFamily(store, user, LIMITS.users);
  const emails = hotFamily(store, email, LIMITS.emails);
  const organizations = hotFamily(store, organization, LIMITS.organizations);
  const sessions = hotFamily(store, session, LIMITS.sessions);
  const devices = hotFamily(store, device, LIMITS.devices);
  const byFamily = new Map(
    [users, emails, organizations, sessions, devices].map((family) => [family.name, family]),
  );

  const observe = (event: RecordedEvent) => {
    byFamily.get(familyOf(event.stream))?.observe(event);
  };

  async function followOnce(signal: AbortSignal) {
    const from = await store.head();
    // What was loaded before this may have been overtaken unseen; what is loaded from here on holds
    // all that came before `from`, and the subscription brings the rest.
    for (const family of byFamily.values()) family.clear();
    for await (const { events } of store.subscribe({ from, types: DECIDED_UPON, signal })) {
      events.forEach(observe);
      // What this process writes it knows already: others' changes may come a few at a time.
      await runtime.sleep(REST_MS, signal);
    }
  }

  return {
    users,
    emails,
    organizations,
    sessions,
    devices,
    async follow(signal) {
      while (!signal.aborted) {
        try {
          await followOnce(signal);
        } catch (error) {
          onFault(error);
          await runtime.sleep(RETRY_MS, signal);
        }
      }
    },
  };
}

const DECIDED_UPON = Object.entries(families)
  .filter(([family]) => family !== 'telemetry')
  .flatMap(([, definitions]) => definitions.map(({ type }) => type));
