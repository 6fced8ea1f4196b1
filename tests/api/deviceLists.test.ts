import { drivenRuntime } from '../support/drivenRuntime.js';
import {
  addMember,
  registerDevice,
  signUp,
  type DeviceBody,
  type ListBody,
  type Person,
  type ProblemBody,
} from '../support/people.js';
import { startServer, type RunningServer } from '../support/server.js';

const DEVICES = 230;

describe('a list of devices', () => {
  let server: RunningServer;
  let ann: Person;
  /** What the lists must show, as it was answered one by one. */
  let all: readonly DeviceBody[];
  beforeAll(async () => {
    const clock = drivenRuntime();
    server = await startServer({ runtime: clock });
    ann = await signUp(server);
    // Twenty at a time have the same moment, so that sorting has ties to break.
    for (let from = 0; from < DEVICES; from += 20) {
      const lines = Array.from({ length: Math.min(20, DEVICES - from) }, (_, n) =>
        newDevice(from + n),
      );
      await ann.api.post('/api/devices/batch', lines);
      clock.advance(1_000);
    }
    const ids = (await walk('limit=200')).map(({ id }) => id);
    for (const [n, id] of ids.entries()) {
      if (n % 3 === 0) await ann.api.post(`/api/devices/${id}/heartbeat`, {});
      if (n % 30 === 0) clock.advance(1_000);
    }
    all = await walk('limit=200');
    await registerDevice(await signUp(server), { name: 'Somebody else’s', type: 'sensor' });
  });
  afterAll(() => server.stop());

  function newDevice(n: number) {
    return {
      name: `${n % 2 === 0 ? 'Küche' : 'cellar'} ${String(n % 50).padStart(2, '0')}`,
      type: n % 4 === 0 ? 'sensor' : 'lamp',
      status: n % 5 === 0 ? 'maintenance' : 'active',
      tags: [`t${n % 7}`, ...(n % 10 === 0 ? ['rare tag'] : [])],
    };
  }
  const list = (query: string) => ann.api.get<ListBody<DeviceBody>>(`/api/devices?${query}`);

  /** All pages, by cursor. */
  async function walk(query: string): Promise<DeviceBody[]> {
    const items: DeviceBody[] = [];
    let cursor = '';
    do {
      const { status, body } = await list(`${query}${cursor}`);
      expect(status).toBe(200);
      items.push(...body.items);
      cursor = body.nextCursor === null ? '' : `&cursor=${encodeURIComponent(body.nextCursor)}`;
    } while (cursor !== '');
    return items;
  }
  const idsOf = (devices: readonly DeviceBody[]) => devices.map(({ id }) => id);

  it('has every device, and those of nobody else', () => {
    expect(all).toHaveLength(DEVICES);
    expect(new Set(idsOf(all)).size).toBe(DEVICES);
    expect(new Set(all.map(({ organizationId }) => organizationId)).size).toBe(1);
  });

  it.each(['createdAt', 'name', 'updatedAt'] as const)(
    'sorted by %s is walked page by page, each device once, in both directions',
    async (sort) => {
      const ascending = await walk(`sort=${sort}&direction=asc&limit=7`);
      const descending = await walk(`sort=${sort}&direction=desc&limit=200`);
      expect(idsOf(ascending).sort()).toEqual(idsOf(all).sort());
      expect(idsOf(descending)).toEqual(idsOf(ascending).reverse());
      const values = ascending.map((device) => device[sort].toLowerCase());
      expect(values).toEqual([...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    },
  );

  it('is newest first and of fifty, when nothing is asked for', async () => {
    const { body } = await list('');
    expect(idsOf([...body.items])).toEqual(idsOf(await walk('limit=200')).slice(0, 50));
    const times = body.items.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
  });

  it('says how many there are when it is asked for by page', async () => {
    const last = await list('page=5&limit=50');
    expect(last.body).toMatchObject({ total: DEVICES, page: 5, limit: 50, totalPages: 5 });
    expect(last.body.items).toHaveLength(30);
    const pages = await Promise.all([1, 2, 3, 4, 5].map((page) => list(`page=${page}&limit=50`)));
    expect(pages.flatMap(({ body }) => idsOf([...body.items]))).toEqual(
      idsOf(await walk('limit=50')),
    );
    const beyond = await list('page=6&limit=50');
    expect([beyond.body.items, beyond.body.nextCursor]).toEqual([[], null]);
  });

  it.each([
    ['status=maintenance', ({ status }: DeviceBody) => status === 'maintenance'],
    ['type=sensor', ({ type }: DeviceBody) => type === 'sensor'],
    ['tag=t3', ({ tags }: DeviceBody) => tags.includes('t3')],
    ['tag=rare%20tag', ({ tags }: DeviceBody) => tags.includes('rare tag')],
    ['tag=rare', () => false],
    ['connection=online', ({ connection }: DeviceBody) => connection === 'online'],
    ['connection=unknown', ({ connection }: DeviceBody) => connection === 'unknown'],
    ['connection=offline', () => false],
    ['text=cell', ({ name }: DeviceBody) => name.startsWith('cell')],
    ['text=CELLAR%2007', ({ name }: DeviceBody) => name === 'cellar 07'],
    ['text=k%C3%BC', ({ name }: DeviceBody) => name.startsWith('Kü')],
    ['text=K%C3%9CCHE', ({ name }: DeviceBody) => name.startsWith('Kü')],
    ['text=07', ({ name }: DeviceBody) => name.endsWith('07')],
    ['text=ellar', () => false],
    [
      'type=lamp&status=active&tag=t1&text=cellar&connection=online',
      (device: DeviceBody) =>
        device.type === 'lamp' &&
        device.status === 'active' &&
        device.tags.includes('t1') &&
        device.name.startsWith('cellar') &&
        device.connection === 'online',
    ],
  ])('of %s has those and no others, whichever way it is paged', async (query, wanted) => {
    const expected = idsOf(all.filter(wanted)).sort();
    expect(idsOf(await walk(`${query}&limit=9`)).sort()).toEqual(expected);
    expect(idsOf(await walk(`${query}&limit=200&sort=name&direction=asc`)).sort()).toEqual(
      expected,
    );
    expect((await list(`${query}&page=1`)).body.total).toBe(expected.length);
  });

  it('refuses the cursor of another question, and another’s limit is its own', async () => {
    const { body } = await list('limit=10&type=lamp');
    const cursor = encodeURIComponent(body.nextCursor ?? '');
    for (const question of ['type=sensor', 'type=lamp&sort=name', '', 'type=lamp&direction=asc']) {
      const answer = await ann.api.get<ProblemBody>(`/api/devices?${question}&cursor=${cursor}`);
      expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_CURSOR']);
    }
    expect((await list(`limit=20&type=lamp&cursor=${cursor}`)).body.items).toHaveLength(20);
  });

  it('has the devices of all of a user’s organizations, or of the one that is named', async () => {
    const bob = await signUp(server);
    await addMember(ann, bob, 'viewer');
    const own = await registerDevice(bob, { name: 'Bob’s own' });
    const count = async (query: string) =>
      (await bob.api.get<{ total: number }>(`/api/devices?page=1${query}`)).body.total;
    expect(await count('')).toBe(DEVICES + 1);
    expect(await count(`&organizationId=${bob.organizationId}`)).toBe(1);
    expect(await count(`&organizationId=${ann.organizationId}`)).toBe(DEVICES);
    const found = await bob.api.get<ListBody<DeviceBody>>('/api/devices?text=bob');
    expect(idsOf([...found.body.items])).toEqual([own.id]);
  });

  it('gives nothing twice to who walks it while devices come and go', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (let step = 0; step === 0 || cursor !== ''; step++) {
      const { body } = await list(`sort=name&direction=asc&limit=40${cursor}`);
      seen.push(...idsOf([...body.items]));
      cursor = body.nextCursor === null ? '' : `&cursor=${encodeURIComponent(body.nextCursor)}`;
      const { id } = await registerDevice(ann, { name: 'aaa first of all' });
      const early = await registerDevice(ann, { name: 'aaa gone' });
      await ann.api.delete(`/api/devices/${early.id}`);
      seen.push(`made ${id}`);
    }
    const walked = seen.filter((one) => !one.startsWith('made '));
    expect(new Set(walked).size).toBe(walked.length);
    expect(idsOf(all).filter((id) => !walked.includes(id))).toEqual([]);
  });

  // The last, since it changes what the others expect.
  it('stays in the cache while its devices report, and shows what they report', async () => {
    const page = async () => {
      const { headers, body } = await list('limit=7&sort=name');
      return { cached: headers['x-cache'], first: body.items[0] };
    };
    const id = (await page()).first?.id ?? '';
    const report = (load: number) =>
      ann.api.post(`/api/devices/${id}/heartbeat`, { metrics: { load } });
    // The first may change the device itself: it is online.
    await report(1);
    await page();
    await report(2);
    expect(await page()).toMatchObject({ cached: 'hit', first: { id, metrics: { load: 2 } } });
  });
});
