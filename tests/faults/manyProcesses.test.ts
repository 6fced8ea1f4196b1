import { readdirSync } from 'node:fs';
import type { TokensBody } from '../support/people.js';
import { eventually } from '../support/eventually.js';
import { eachWithFolder } from '../support/folder.js';
import { startProcess, type ServerProcess } from '../support/serverProcess.js';

/** What an operator starts on one host and one folder. */
const PROCESSES = ['api', 'api', 'projections', 'projections', 'workers', 'workers'];
const SHOWN = /The first administrator is (\S+) with the password (\S+)/;

const folder = eachWithFolder();
const running: ServerProcess[] = [];

afterEach(async () => {
  for (const one of running) one.signal('SIGKILL');
  await Promise.all(running.splice(0).map(({ ended }) => ended));
});

/** All at once; nobody is named to administer what they make. */
async function startAll(): Promise<readonly ServerProcess[]> {
  const settings = { DATA_DIR: folder.path, ADMIN_EMAIL: '', ADMIN_PASSWORD: '' };
  const outcomes = await Promise.allSettled(
    PROCESSES.map((ROLES) => startProcess({ ...settings, ROLES })),
  );
  running.push(...outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
  return running;
}

async function post(to: ServerProcess | undefined, path: string, body: object, token?: string) {
  const answer = await fetch(`${to?.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as TokensBody };
}

describe('six processes started at once on an empty folder', () => {
  it('come up as one system with one administrator, and end cleanly', async () => {
    const all = await startAll();
    const shown = () => all.flatMap((one) => SHOWN.exec(one.output())?.slice(1, 3) ?? []);
    const [email = '', password = ''] = await eventually(() => {
      const credentials = shown();
      return credentials.length > 0 ? credentials : undefined;
    }, 20_000);

    const apis = all.filter((_, index) => PROCESSES[index] === 'api');
    const tokens: string[] = [];
    for (const api of apis) {
      const { status, body } = await post(api, '/api/auth/login', { email, password });
      expect(status).toBe(200);
      tokens.push(body.accessToken);
    }
    // Made with one set of secrets: each takes the other's tokens.
    for (const [index, token] of tokens.toReversed().entries()) {
      const device = { name: 'Boiler', type: 'boiler' };
      const answer = post(apis[index] ?? all[0], '/api/devices', device, token);
      expect(await answer).toMatchObject({ status: 201 });
    }
    expect(readdirSync(folder.path).filter((name) => name.startsWith('secrets.json'))).toEqual([
      'secrets.json',
    ]);

    for (const one of all) one.signal('SIGTERM');
    expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(PROCESSES.map(() => 0));
    expect(shown()).toEqual([email, password]);
    expect(all.filter((one) => /"level":[56]0/.test(one.output()))).toEqual([]);
  }, 90_000);
});
