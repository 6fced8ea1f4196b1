import type { Access, Route } from '../../src/api/route.js';
import {
  addMember,
  issueToken,
  logIn,
  logInAdmin,
  PASSWORD,
  registerDevice,
  signUp,
  type Person,
} from '../support/people.js';
import { startServer, type RunningServer } from '../support/server.js';

/**
 * Who may call what: every route of the table, by everybody there is. A new route fails here until
 * it has an example; a new kind of access does not compile until it has a row.
 */

const CALLERS = [
  'owner',
  'member',
  'viewer',
  'stranger',
  'admin',
  'the device',
  'another device',
  'nobody',
  'disabled',
  'logged out',
] as const;
type CallerName = (typeof CALLERS)[number];
type Expected = 'ok' | 401 | 403 | 404;
type Row = Readonly<Record<CallerName, Expected>>;

/** What callers get, in the order of CALLERS. */
function row(...expected: readonly Expected[]): Row {
  return Object.fromEntries(CALLERS.map((caller, index) => [caller, expected[index]])) as Row;
}

const EXPECTED: Readonly<Record<Access, Row>> = {
  // owner, member, viewer, stranger, admin, the device, another device, nobody, disabled, logged out
  anyone: row('ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'),
  user: row('ok', 'ok', 'ok', 'ok', 'ok', 403, 403, 401, 401, 401),
  admin: row(403, 403, 403, 403, 'ok', 403, 403, 401, 401, 401),
  'device:view': row('ok', 'ok', 'ok', 404, 'ok', 403, 404, 401, 401, 401),
  'device:change': row('ok', 'ok', 403, 404, 'ok', 403, 404, 401, 401, 401),
  'device:report': row('ok', 'ok', 403, 404, 'ok', 'ok', 404, 401, 401, 401),
  'line:report': row('ok', 'ok', 403, 404, 'ok', 'ok', 404, 401, 401, 401),
  'organization:view': row('ok', 'ok', 'ok', 404, 'ok', 404, 404, 401, 401, 401),
  'organization:own': row('ok', 403, 403, 404, 'ok', 404, 404, 401, 401, 401),
};

/** The people and the devices that the examples are about. */
interface World {
  readonly server: RunningServer;
  readonly owner: Person;
  readonly admin: Person;
  readonly deviceId: string;
  readonly tokens: Readonly<Record<CallerName, string | undefined>>;
  /** Those who can log in once more. */
  readonly people: Partial<Readonly<Record<CallerName, Person>>>;
  /** In nobody's organization but their own. */
  readonly spare: Person;
}

/** A request that succeeds for whoever may make it. */
interface Example {
  /** The path's parameters; `id` is the world's device unless it is said. */
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Made with a session of its own, since the request ends it. */
  readonly endsSession?: true;
  /** The token of the device that the request is about, when that is one of its own. */
  readonly deviceToken?: string;
  /** What someone gets in the place of what the access says, with the reason beside it. */
  readonly instead?: Partial<Row>;
}

/** Made anew for each request, since some requests change what they are about. */
const EXAMPLES: Readonly<Record<string, (world: World) => Promise<Example> | Example>> = {
  'post /api/devices/:id/heartbeat': () => ({ body: { metrics: { load: 1 } } }),
  'post /api/devices/:id/logs': () => ({ body: { event: 'opened' } }),
  'get /api/devices/:id/logs': () => ({}),
  'post /api/ingest': ({ deviceId }) => ({ body: [{ kind: 'heartbeat', deviceId }] }),
  'get /api/devices': () => ({}),
  'post /api/devices': () => ({ body: { name: 'New', type: 'lamp' } }),
  'post /api/devices/batch': () => ({ body: [{ name: 'New', type: 'lamp' }] }),
  'get /api/devices/:id': () => ({}),
  'patch /api/devices/:id': () => ({ body: { name: 'Renamed' } }),
  'delete /api/devices/:id': (world) => withDevice(world),
  async 'post /api/devices/:id/restore'(world) {
    const example = await withDevice(world);
    await world.owner.api.delete(`/api/devices/${example.params.id}`);
    // The token of a deleted device is a token no more.
    return { ...example, instead: { 'the device': 401 } };
  },
  async 'post /api/devices/:id/tokens'(world) {
    return { ...(await withDevice(world)), body: { name: 'another' } };
  },
  'get /api/devices/:id/tokens': () => ({}),
  async 'delete /api/devices/:id/tokens/:tokenId'({ owner, deviceId: id }) {
    return { params: { id, tokenId: (await issueToken(owner, id)).id } };
  },
  'get /api/devices/:id/usage': () => ({}),
  'get /api/analytics/dashboard': () => ({}),
  'post /api/auth/signup': () => ({
    body: { name: 'New', email: `new-${(made += 1)}@example.com`, password: PASSWORD },
  }),
  'post /api/auth/login': ({ spare: { email } }) => ({ body: { email, password: PASSWORD } }),
  async 'post /api/auth/refresh'({ server, spare }) {
    const { refreshToken } = await logIn(server, spare.email);
    return { body: { refreshToken } };
  },
  'post /api/auth/logout': () => ({ endsSession: true }),
  'get /api/users/profile': () => ({}),
  'get /api/users/users': () => ({}),
  'patch /api/users/:id': ({ spare: { id } }) => ({ params: { id }, body: { disabled: false } }),
  'get /api/organizations/:id': ({ owner }) => ({ params: { id: owner.organizationId } }),
  async 'post /api/organizations/:id/members'({ server, owner }) {
    const { email } = await signUp(server);
    return { params: { id: owner.organizationId }, body: { email, role: 'viewer' } };
  },
  async 'patch /api/organizations/:id/members/:userId'(world) {
    return { ...(await withMember(world)), body: { role: 'member' } };
  },
  async 'delete /api/organizations/:id/members/:userId'(world) {
    // Who may only look may take out nobody but themselves.
    return { ...(await withMember(world)), instead: { member: 403, viewer: 403 } };
  },
  'get /health': () => ({}),
  'get /livez': () => ({}),
  'get /readyz': () => ({}),
  'get /metrics/prometheus': () => ({}),
  'get /openapi.json': () => ({}),
};

let made = 0;

async function withDevice({ owner }: World) {
  const { id } = await registerDevice(owner);
  return { params: { id }, deviceToken: (await issueToken(owner, id)).token };
}

async function withMember({ server, owner }: World) {
  const member = await signUp(server);
  await addMember(owner, member, 'viewer');
  return { params: { id: owner.organizationId, userId: member.id } };
}

describe('who may call what', () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(await startServer());
  });
  afterAll(() => world.server.stop());

  it('has an example of every route, and a row for its access', () => {
    const { routes } = world.server.fleetbook;
    const missing = routes.filter((route) => !(nameOf(route) in EXAMPLES)).map(nameOf);
    const unknown = routes.filter(({ access }) => !(access in EXPECTED)).map(nameOf);
    const gone = Object.keys(EXAMPLES).filter(
      (name) => !routes.some((route) => nameOf(route) === name),
    );
    expect({ missing, unknown, gone }).toEqual({ missing: [], unknown: [], gone: [] });
  });

  it.each(Object.keys(EXAMPLES))('%s is answered as its access says', async (name) => {
    const route = world.server.fleetbook.routes.find((one) => nameOf(one) === name);
    if (route === undefined) throw new Error('there is no such route');
    const answered: Record<string, unknown> = {};
    let expected = EXPECTED[route.access];
    for (const caller of CALLERS) {
      const example = await exampleOf(world, route);
      const token = await tokenOf(world, example, caller);
      const { status } = await send(world, route, example, token);
      answered[caller] = status === successOf(route) ? 'ok' : status;
      expected = { ...expected, ...example.instead };
    }
    expect(answered).toEqual(expected);
  });

  it('tells nobody by its answer whether an id that they may not see is one', async () => {
    const nowhere = '00000000-0000-4000-8000-000000000000';
    const { routes } = world.server.fleetbook;
    for (const route of routes.filter(({ access }) => /^(device|organization):/.test(access))) {
      const example = await exampleOf(world, route);
      const gone = { ...example, params: { ...example.params, id: nowhere } };
      for (const caller of ['stranger', 'another device', 'nobody', 'disabled'] as const) {
        const token = world.tokens[caller];
        const about = `${nameOf(route)} by ${caller}`;
        expect([about, await send(world, route, example, token)]).toEqual([
          about,
          await send(world, route, gone, token),
        ]);
      }
    }
  });

  it('refuses a new device in an organization that the caller may not add to', async () => {
    const { server, owner, tokens } = world;
    const answers: Record<string, unknown> = {};
    for (const caller of ['owner', 'member', 'viewer', 'stranger', 'admin'] as const) {
      const device = { name: 'New', type: 'lamp', organizationId: owner.organizationId };
      const api = server.client.as(tokens[caller]);
      const batch = await api.post<{ results: { status: number }[] }>('/api/devices/batch', [
        device,
      ]);
      answers[caller] = [
        (await api.post('/api/devices', device)).status,
        batch.body.results[0]?.status,
      ];
    }
    expect(answers).toEqual({
      owner: [201, 200],
      member: [201, 200],
      viewer: [403, 403],
      stranger: [404, 404],
      admin: [201, 200],
    });
  });

  it('lists nobody else’s devices, whichever organization is named', async () => {
    const { server, owner, tokens } = world;
    const stranger = server.client.as(tokens.stranger);
    for (const query of ['', `?organizationId=${owner.organizationId}`]) {
      const { body } = await stranger.get<{ items: { organizationId: string }[] }>(
        `/api/devices${query}`,
      );
      expect(body.items.filter((one) => one.organizationId === owner.organizationId)).toEqual([]);
    }
  });

  it('takes a member’s rights away with the membership', async () => {
    const { server, owner, deviceId } = world;
    const member = await signUp(server);
    await addMember(owner, member, 'member');
    expect((await member.api.get(`/api/devices/${deviceId}`)).status).toBe(200);
    await owner.api.delete(`/api/organizations/${owner.organizationId}/members/${member.id}`);
    expect((await member.api.get(`/api/devices/${deviceId}`)).status).toBe(404);
  });
});

async function makeWorld(server: RunningServer): Promise<World> {
  const owner = await signUp(server, 'Owner');
  const [member, viewer, stranger, disabled, spare, other] = await Promise.all(
    ['Member', 'Viewer', 'Stranger', 'Disabled', 'Spare', 'Other'].map((name) =>
      signUp(server, name),
    ),
  );
  if (!member || !viewer || !stranger || !disabled || !spare || !other) throw new Error('nobody');
  const admin = await logInAdmin(server);
  const loggedOut = await logIn(server, owner.email);
  await addMember(owner, member, 'member');
  await addMember(owner, viewer, 'viewer');
  await addMember(owner, disabled, 'owner');
  await admin.api.patch(`/api/users/${disabled.id}`, { disabled: true });
  await loggedOut.api.post('/api/auth/logout');
  const device = await registerDevice(owner);
  // Of the same organization: it is the token that makes the difference.
  const otherDevice = await registerDevice(owner);
  return {
    server,
    owner,
    admin,
    spare,
    people: { member, viewer, stranger },
    deviceId: device.id,
    tokens: {
      owner: owner.accessToken,
      member: member.accessToken,
      viewer: viewer.accessToken,
      stranger: stranger.accessToken,
      admin: admin.accessToken,
      'the device': (await issueToken(owner, device.id)).token,
      'another device': (await issueToken(owner, otherDevice.id)).token,
      nobody: undefined,
      disabled: disabled.accessToken,
      'logged out': loggedOut.accessToken,
    },
  };
}

function nameOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

async function exampleOf(world: World, route: Route): Promise<Example> {
  const make = EXAMPLES[nameOf(route)];
  if (make === undefined) throw new Error(`${nameOf(route)} has no example`);
  const example = await make(world);
  if (route.body !== undefined && example.body === undefined) {
    throw new Error(`the example of ${nameOf(route)} has no body`);
  }
  return example;
}

async function tokenOf(
  { server, owner, admin, people, tokens }: World,
  { endsSession, deviceToken }: Example,
  caller: CallerName,
): Promise<string | undefined> {
  if (caller === 'the device') return deviceToken ?? tokens[caller];
  if (endsSession === undefined) return tokens[caller];
  const person = { ...people, owner, admin }[caller];
  return person === undefined
    ? tokens[caller]
    : (await logIn(server, person.email, person.password)).accessToken;
}

/** What a request comes to; of a batch, what its only line comes to. */
async function send(
  { server, deviceId }: World,
  route: Route,
  { params = {}, body }: Example,
  token: string | undefined,
): Promise<{ readonly status: number; readonly code?: string | undefined }> {
  const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => {
    return params[name] ?? (name === 'id' ? deviceId : '');
  });
  const api = server.client.as(token);
  const answer = await api.request<BatchBody & { code?: string }>(
    route.method.toUpperCase(),
    path,
    {
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    },
  );
  const line = route.bodyKind === 'lines' ? answer.body.results?.[0] : undefined;
  return line ?? { status: answer.status, code: answer.body.code };
}

interface BatchBody {
  readonly results?: readonly { readonly status: number; readonly code?: string }[];
}

function successOf({ answers, bodyKind }: Route): number {
  return bodyKind === 'lines' ? 200 : Math.min(...Object.keys(answers).map(Number));
}
