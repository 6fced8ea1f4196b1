import { bcryptPasswords } from '../../src/adapters/bcrypt/passwords.js';
import { drivenRuntime, type DrivenRuntime } from '../support/drivenRuntime.js';
import { partsOf } from '../support/forgedTokens.js';
import {
  logIn,
  logInAdmin,
  PASSWORD,
  signUp,
  type Person,
  type ProblemBody,
  type TokensBody,
  type UserBody,
} from '../support/people.js';
import { startServer, type RunningServer } from '../support/server.js';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

describe('a session', () => {
  let clock: DrivenRuntime;
  let server: RunningServer;
  let ann: Person;
  beforeAll(async () => {
    clock = drivenRuntime();
    server = await startServer({ runtime: clock });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    ann = await signUp(server);
  });

  const refresh = (refreshToken: string) =>
    server.client.post<TokensBody & ProblemBody>('/api/auth/refresh', { refreshToken });
  const profile = (accessToken: string) =>
    server.client.as(accessToken).get<ProblemBody>('/api/users/profile');

  it('starts with a login, after a sign-up that makes a personal organization', async () => {
    const email = 'Grace.Hopper@Example.com';
    const made = await server.client.post<{ user: UserBody }>('/api/auth/signup', {
      name: 'Grace',
      email,
      password: PASSWORD,
    });
    expect(made.status).toBe(201);
    expect(made.body.user).toMatchObject({ name: 'Grace', role: 'user', disabled: false });
    const grace = await logIn(server, 'grace.hopper@example.COM');
    const { body } = await grace.api.get<{ organizations: object }>('/api/users/profile');
    expect(body.organizations).toEqual({ [made.body.user.organizationId]: 'owner' });
  });

  it('is of one user an address: the second sign-up is refused, whatever its case', async () => {
    const again = { name: 'Eve', email: ann.email.toUpperCase(), password: PASSWORD };
    const answer = await server.client.post<ProblemBody>('/api/auth/signup', again);
    expect([answer.status, answer.body.code]).toEqual([409, 'EMAIL_TAKEN']);
  });

  it('is of one user an address, when ten sign up with it at once', async () => {
    const body = { name: 'Many', email: 'many@example.com', password: PASSWORD };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => server.client.post('/api/auth/signup', body)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    await logIn(server, body.email);
  });

  it('repeats a sign-up and a login under their keys', async () => {
    const key = { 'idempotency-key': 'once' };
    const body = { name: 'Rep', email: 'repeat@example.com', password: PASSWORD };
    const first = await server.client.post('/api/auth/signup', body, key);
    const second = await server.client.post('/api/auth/signup', body, key);
    expect([second.status, second.body]).toEqual([201, first.body]);
    const { email } = body;
    const login = await server.client.post('/api/auth/login', { email, password: PASSWORD }, key);
    const again = await server.client.post('/api/auth/login', { email, password: PASSWORD }, key);
    expect(again.body).toEqual(login.body);
    const wrong = { email, password: 'not the password' };
    expect((await server.client.post('/api/auth/login', wrong, key)).status).toBe(401);
  });

  it('rotates its refresh token with every use', async () => {
    const first = await refresh(ann.refreshToken);
    expect(first.status).toBe(200);
    expect(first.body.refreshToken).not.toBe(ann.refreshToken);
    expect(first.body.user).toMatchObject({ id: ann.id });
    const second = await refresh(first.body.refreshToken);
    expect(second.status).toBe(200);
    expect((await profile(second.body.accessToken)).status).toBe(200);
  });

  it('gives 20 refreshes at once one successor, and no alarm', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(ann.refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const successors = new Set(answers.map(({ body }) => body.refreshToken));
    expect(successors.size).toBe(1);
    const [successor = ''] = successors;
    expect((await refresh(successor)).status).toBe(200);
  });

  it('tolerates the token before the current one for ten seconds', async () => {
    const first = await refresh(ann.refreshToken);
    clock.advance(10 * SECOND);
    const late = await refresh(ann.refreshToken);
    expect(late.body.refreshToken).toBe(first.body.refreshToken);
    expect((await profile(first.body.accessToken)).status).toBe(200);
  });

  it('ends when the token before the current one is used later than that', async () => {
    const first = await refresh(ann.refreshToken);
    clock.advance(11 * SECOND);
    const reuse = await refresh(ann.refreshToken);
    expect([reuse.status, reuse.body.code]).toEqual([401, 'SESSION_ENDED']);
    expect((await refresh(first.body.refreshToken)).body.code).toBe('SESSION_ENDED');
    expect((await profile(first.body.accessToken)).body.code).toBe('SESSION_ENDED');
  });

  it('ends at once when an older token than that is used', async () => {
    const first = await refresh(ann.refreshToken);
    const second = await refresh(first.body.refreshToken);
    expect((await refresh(ann.refreshToken)).body.code).toBe('SESSION_ENDED');
    expect((await profile(second.body.accessToken)).body.code).toBe('SESSION_ENDED');
  });

  it('ends for reuse alone, and no other session with it', async () => {
    const other = await logIn(server, ann.email);
    await refresh(ann.refreshToken);
    clock.advance(11 * SECOND);
    await refresh(ann.refreshToken);
    expect((await profile(other.accessToken)).status).toBe(200);
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  it('lasts seven days from its login and no longer, however often it is refreshed', async () => {
    const began = clock.now();
    const end = Math.floor((began + 7 * DAY) / SECOND);
    let current = ann.refreshToken;
    const renew = async () => {
      const { status, body } = await refresh(current);
      expect(status).toBe(200);
      current = body.refreshToken;
      expect(partsOf(current).claims.exp).toBe(end);
      return body;
    };
    for (let day = 1; day < 7; day++) {
      clock.advance(DAY);
      expect((await renew()).expiresIn).toBe(900);
    }
    clock.advance(DAY - 60 * SECOND);
    const last = await renew();
    expect(last.expiresIn).toBe(60);
    expect(partsOf(last.accessToken).claims.exp).toBe(end);
    clock.advance(60 * SECOND);
    expect((await refresh(current)).status).toBe(401);
    expect((await profile(last.accessToken)).status).toBe(401);
  });

  it('ends at once with a logout, for both of its tokens', async () => {
    expect((await ann.api.post('/api/auth/logout')).status).toBe(204);
    expect((await profile(ann.accessToken)).body.code).toBe('SESSION_ENDED');
    expect((await refresh(ann.refreshToken)).body.code).toBe('SESSION_ENDED');
  });

  it('can be refreshed by a client that still sends its expired access token', async () => {
    clock.advance(3_600 * SECOND);
    const { refreshToken } = ann;
    expect((await ann.api.post('/api/auth/refresh', { refreshToken })).status).toBe(200);
  });

  it('stops at once for a disabled user, and goes on when they are enabled again', async () => {
    const admin = await logInAdmin(server);
    await admin.api.patch(`/api/users/${ann.id}`, { disabled: true });
    expect((await profile(ann.accessToken)).body.code).toBe('USER_DISABLED');
    expect((await refresh(ann.refreshToken)).body.code).toBe('USER_DISABLED');
    const login = (password: string) =>
      server.client.post<ProblemBody>('/api/auth/login', { email: ann.email, password });
    expect((await login(PASSWORD)).body.code).toBe('USER_DISABLED');
    // Only who knows the password is told that the account is there.
    expect((await login('not the password')).body.code).toBe('INVALID_CREDENTIALS');
    await admin.api.patch(`/api/users/${ann.id}`, { disabled: false });
    expect((await profile(ann.accessToken)).status).toBe(200);
  });

  it('has its user’s role of now, whatever its token says', async () => {
    const admin = await logInAdmin(server);
    const users = () => ann.api.get('/api/users/users');
    expect((await users()).status).toBe(403);
    await admin.api.patch(`/api/users/${ann.id}`, { role: 'admin' });
    expect((await users()).status).toBe(200);
    await admin.api.patch(`/api/users/${ann.id}`, { role: 'user' });
    expect((await users()).status).toBe(403);
  });

  it('does not let an administrator take that role from themselves', async () => {
    const admin = await logInAdmin(server);
    for (const change of [{ role: 'user' }, { disabled: true }]) {
      const answer = await admin.api.patch<ProblemBody>(`/api/users/${admin.id}`, change);
      expect([answer.status, answer.body.code]).toEqual([409, 'LAST_ADMIN']);
    }
  });

  it.each([
    ['demote', { role: 'user' }, [200, 403]],
    ['disable', { disabled: true }, [200, 401]],
  ])('leaves one of two administrators who %s each other at once', async (_, change, expected) => {
    // Each was let through as an administrator, and then there was none.
    const admin = await logInAdmin(server);
    for (let round = 0; round < 5; round++) {
      const pair = [await signUp(server), await signUp(server)] as const;
      for (const { id } of pair) await admin.api.patch(`/api/users/${id}`, { role: 'admin' });
      const [one, other] = pair;
      const answers = await Promise.all([
        one.api.patch(`/api/users/${other.id}`, change),
        other.api.patch(`/api/users/${one.id}`, change),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual(expected);
      const left = await Promise.all(pair.map(({ api }) => api.get('/api/users/users')));
      expect(left.map(({ status }) => status).sort()).toEqual(expected);
    }
  });
});

describe('a failed login', () => {
  let server: RunningServer;
  let ann: Person;
  beforeAll(async () => {
    server = await startServer({
      passwords: bcryptPasswords('a pepper that is long enough, here'),
    });
    ann = await signUp(server);
  });
  afterAll(() => server.stop());

  const login = (email: string) =>
    server.client.post<ProblemBody>('/api/auth/login', { email, password: 'not the password' });

  it('says the same of an unknown user as of a wrong password', async () => {
    const [known, unknown] = [await login(ann.email), await login('nobody@example.com')];
    const told = ({ status, headers, body: { requestId: _, ...body } }: typeof known) => {
      const { date: __, 'x-request-id': ___, ...others } = headers;
      return { status, others, body };
    };
    expect(told(unknown)).toEqual(told(known));
    expect(known.body.code).toBe('INVALID_CREDENTIALS');
  });

  it('takes the same time for both', async () => {
    const times = { known: [] as number[], unknown: [] as number[] };
    const timed = async (email: string) => {
      const began = performance.now();
      await login(email);
      return performance.now() - began;
    };
    // In pairs, so that what else the machine does falls on both; more pairs even out what is left.
    for (let pair = 0; pair < 40; pair++) {
      times.known.push(await timed(ann.email));
      times.unknown.push(await timed(`nobody-${pair}@example.com`));
      if (pair >= 7 && alike(times.known, times.unknown)) break;
    }
    expect(alike(times.known, times.unknown)).toBe(true);
  }, 60_000);
});

/** Whether the means are within 10% of each other. */
function alike(a: readonly number[], b: readonly number[]): boolean {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, one) => sum + one) / values.length;
  return Math.abs(mean(a) / mean(b) - 1) < 0.1;
}
