import { createSign, generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { drivenRuntime, type DrivenRuntime } from '../support/drivenRuntime.js';
import { encoded, forge, partsOf, type TokenParts } from '../support/forgedTokens.js';
import {
  logIn,
  signUp,
  type Person,
  type ProblemBody,
  type TokensBody,
} from '../support/people.js';
import { newDataDir, startServer, type RunningServer } from '../support/server.js';

const ACCESS = 'the access secret that is long enough';
const REFRESH = 'the refresh secret that is long enough';
const OTHER = 'a secret that the server does not have at all';
const SECOND_MS = 1_000;

describe('a JSON Web Token', () => {
  let clock: DrivenRuntime;
  let server: RunningServer;
  let ann: Person;
  let good: TokenParts;
  beforeAll(async () => {
    clock = drivenRuntime();
    server = await startServer({
      runtime: clock,
      env: { JWT_SECRET: ACCESS, JWT_REFRESH_SECRET: REFRESH },
    });
    ann = await signUp(server);
    good = partsOf(ann.accessToken);
  });
  afterAll(() => server.stop());

  async function ask(token: string) {
    const { status, body } = await server.client.as(token).get<ProblemBody>('/api/users/profile');
    return [status, status === 200 ? 'OK' : body.code];
  }
  const REFUSED = [401, 'UNAUTHENTICATED'];
  const now = () => Math.floor(clock.now() / SECOND_MS);

  it('is good as it was made', async () => {
    expect(await ask(ann.accessToken)).toEqual([200, 'OK']);
    expect(await ask(forge(good.header, good.claims, ACCESS))).toEqual([200, 'OK']);
  });

  it.each(['none', 'None', 'NONE', 'nOnE', ''])('of the algorithm %j is refused', async (alg) => {
    expect(await ask(forge({ ...good.header, alg }, good.claims))).toEqual(REFUSED);
    const signed = `${encoded({ ...good.header, alg })}.${encoded(good.claims)}`;
    expect(await ask(`${signed}.${good.signature}`)).toEqual(REFUSED);
  });

  it.each([
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ])('of the algorithm %s is refused, though signed with the right secret', async (alg, hash) => {
    expect(await ask(forge({ ...good.header, alg }, good.claims, ACCESS, hash))).toEqual(REFUSED);
  });

  it('of the algorithm RS256 is refused, whoever’s key it brings', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const header = { ...good.header, alg: 'RS256', jwk: publicKey.export({ format: 'jwk' }) };
    const signed = `${encoded(header)}.${encoded(good.claims)}`;
    const signature = createSign('sha256').update(signed).sign(privateKey, 'base64url');
    expect(await ask(`${signed}.${signature}`)).toEqual(REFUSED);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect(await ask(forge(good.header, good.claims, pem))).toEqual(REFUSED);
  });

  it.each([
    ['another key id', { kid: '00000000' }],
    ['a path for a key id', { kid: '../../../../dev/null' }],
    ['a query for a key id', { kid: "' UNION SELECT 'x' --" }],
    ['a property of every object for a key id', { kid: '__proto__' }],
    ['a list for a key id', { kid: ['a'] }],
    ['an object for a key id', { kid: { toString: 'a' } }],
    ['no key id', { kid: undefined }],
  ])('with %s is refused', async (_, change) => {
    expect(await ask(forge({ ...good.header, ...change }, good.claims, ACCESS))).toEqual(REFUSED);
    expect(await ask(forge({ ...good.header, ...change }, good.claims, ''))).toEqual(REFUSED);
  });

  it.each([
    ['jku', { jku: 'https://attacker.example/keys.json' }],
    ['x5u', { x5u: 'https://attacker.example/cert.pem' }],
    ['x5c', { x5c: ['MIIB'] }],
    ['jwk', { jwk: { kty: 'oct', k: Buffer.from(OTHER).toString('base64url') } }],
  ])('is not verified by the key that its %s names', async (_, change) => {
    expect(await ask(forge({ ...good.header, ...change }, good.claims, OTHER))).toEqual(REFUSED);
  });

  it('that must be understood in a way that it is not (crit) is refused (RFC 7515, 4.1.11)', async () => {
    for (const crit of [['b64'], ['exp'], [], 'exp']) {
      const header = { ...good.header, crit, b64: false };
      expect(await ask(forge(header, good.claims, ACCESS))).toEqual(REFUSED);
    }
  });

  it('of another secret is refused', async () => {
    expect(await ask(forge(good.header, good.claims, OTHER))).toEqual(REFUSED);
    expect(await ask(forge(good.header, good.claims, REFRESH))).toEqual(REFUSED);
  });

  it('whose claims were changed after signing is refused', async () => {
    const header = encoded(good.header);
    const changed = encoded({ ...good.claims, role: 'admin' });
    expect(await ask(`${header}.${changed}.${good.signature}`)).toEqual(REFUSED);
    const cut = good.signature.slice(0, -1);
    expect(await ask(`${header}.${encoded(good.claims)}.${cut}`)).toEqual(REFUSED);
  });

  it('of the wrong kind is refused, also when one secret signs both', async () => {
    expect(await ask(ann.refreshToken)).toEqual(REFUSED);
    for (const kind of ['refresh', undefined, '', ['access']]) {
      expect(await ask(forge(good.header, { ...good.claims, kind }, ACCESS))).toEqual(REFUSED);
    }
    const refresh = (refreshToken: string) =>
      server.client.post<ProblemBody>('/api/auth/refresh', { refreshToken });
    expect((await refresh(ann.accessToken)).body.code).toBe('UNAUTHENTICATED');
    const { header, claims } = partsOf(ann.refreshToken);
    const wrong = forge(header, { ...claims, kind: 'access' }, REFRESH);
    expect((await refresh(wrong)).body.code).toBe('UNAUTHENTICATED');
  });

  it.each([
    ['whom it is about', { sub: undefined }],
    ['whom it is about in a string', { sub: 7 }],
    ['of which session it is', { sid: undefined }],
    ['when it expires', { exp: undefined }],
    ['when it expires in a number', { exp: '9999999999' }],
  ])('that does not say %s is refused', async (_, change) => {
    const token = forge(good.header, { ...good.claims, ...change }, ACCESS);
    expect(await ask(token)).toEqual(REFUSED);
  });

  it('has expired when it says so, with five seconds for clocks that differ', async () => {
    const at = (exp: number) => ask(forge(good.header, { ...good.claims, exp }, ACCESS));
    expect(await at(now() - 3)).toEqual([200, 'OK']);
    expect(await at(now() - 10)).toEqual([401, 'TOKEN_EXPIRED']);
  });

  it('is not valid before it says so, with the same five seconds', async () => {
    const at = (nbf: number) => ask(forge(good.header, { ...good.claims, nbf }, ACCESS));
    expect(await at(now() + 3)).toEqual([200, 'OK']);
    expect(await at(now() + 60)).toEqual(REFUSED);
  });

  it('makes nobody an administrator by what it claims', async () => {
    const token = forge(good.header, { ...good.claims, role: 'admin' }, ACCESS);
    expect((await server.client.as(token).get('/api/users/users')).status).toBe(403);
  });

  it('is not another’s for naming them: the session says whose it is', async () => {
    const bob = await signUp(server);
    const token = forge(good.header, { ...good.claims, sub: bob.id }, ACCESS);
    expect(await ask(token)).toEqual(REFUSED);
  });

  it.each([
    ['nothing', 'Bearer'],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['two tokens', 'Bearer a b'],
    ['half a token', 'Bearer eyJhbGciOiJIUzI1NiJ9'],
    ['two dots', 'Bearer ..'],
    ['a header that is no JSON', 'Bearer AAAA.BBBB.CCCC'],
    ['a header that is null', `Bearer ${Buffer.from('null').toString('base64url')}.e30.AAAA`],
    ['8,000 characters', `Bearer ${'a'.repeat(8_000)}`],
    ['a device token of nobody', `Bearer fbd_${'A'.repeat(86)}`],
    ['a device token that is cut', 'Bearer fbd_AAAA'],
  ])('can’t be replaced by %s', async (_, authorization) => {
    const answer = await server.client.get<ProblemBody>('/api/users/profile', { authorization });
    expect([answer.status, answer.body.code]).toEqual(REFUSED);
  });

  it('that is remembered as verified still expires', async () => {
    const person = await signUp(server);
    expect(await ask(person.accessToken)).toEqual([200, 'OK']);
    clock.advance(15 * 60 * SECOND_MS + 6 * SECOND_MS);
    expect(await ask(person.accessToken)).toEqual([401, 'TOKEN_EXPIRED']);
  });
});

describe('a secret that is rotated', () => {
  const dataDir = newDataDir();
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  async function withSecret<Result>(
    secret: string,
    use: (server: RunningServer) => Promise<Result>,
  ): Promise<Result> {
    const env = { JWT_SECRET: secret, JWT_REFRESH_SECRET: secret.toUpperCase() };
    const server = await startServer({ dataDir, env });
    try {
      return await use(server);
    } finally {
      await server.stop();
    }
  }
  const profile = async ({ client }: RunningServer, { accessToken }: Person) =>
    (await client.as(accessToken).get('/api/users/profile')).status;
  const refresh = async ({ client }: RunningServer, { refreshToken }: Person) =>
    (await client.post<TokensBody>('/api/auth/refresh', { refreshToken })).status;

  it('goes on verifying what it signed, until it is taken away', async () => {
    const [before, after] = [ACCESS, OTHER];
    const old = await withSecret(before, (server) => signUp(server));
    const renewed = await withSecret(`${after},${before}`, async (server) => {
      expect(await profile(server, old)).toBe(200);
      const person = await logIn(server, old.email);
      expect(partsOf(person.accessToken).header.kid).not.toBe(partsOf(old.accessToken).header.kid);
      expect(await refresh(server, old)).toBe(200);
      return person;
    });
    await withSecret(after, async (server) => {
      expect(await profile(server, old)).toBe(401);
      expect(await refresh(server, old)).toBe(401);
      expect(await profile(server, renewed)).toBe(200);
      expect(await refresh(server, renewed)).toBe(200);
    });
  });
});
