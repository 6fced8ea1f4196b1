import { chunksOf, withConcurrency } from '../harness/concurrency.js';

/** A fleet in a server under test: its user, devices and their tokens, made over HTTP. */
export interface Account {
  readonly url: string;
  /** An access token of the user. */
  readonly token: string;
}

export interface Device {
  readonly id: string;
  /** Its own device token. */
  readonly token: string;
}

const EMAIL = 'bench@example.com';
const PASSWORD = 'a long password of a benchmark';
const BATCH = 1_000;

/** Asks the server; what it answers has the shape that its own tests check. */
export async function ask<Body>(
  url: string,
  { token, body, headers = {} }: AskOptions = {},
): Promise<Body> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new RequestFailed(response.status, `${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Body;
}

interface AskOptions {
  readonly token?: string;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function signUp(url: string): Promise<Account> {
  await ask(`${url}/api/auth/signup`, {
    body: { name: 'Benchmark', email: EMAIL, password: PASSWORD },
  });
  return logIn(url);
}

/** A new session of the same user. */
export async function logIn(url: string): Promise<Account> {
  const body = { email: EMAIL, password: PASSWORD };
  const { accessToken } = await ask<{ accessToken: string }>(`${url}/api/auth/login`, { body });
  return { url, token: accessToken };
}

export async function registerDevices(account: Account, wanted: number): Promise<string[]> {
  const ids: string[] = [];
  const devices = Array.from({ length: wanted }, (_, index) => ({
    name: `sensor-${String(index + 1).padStart(6, '0')}`,
    type: 'sensor',
    tags: ['bench'],
  }));
  for (const body of chunksOf(devices, BATCH)) {
    const answer = await ask<{ results: { deviceId?: string }[] }>(
      `${account.url}/api/devices/batch`,
      { token: account.token, body },
    );
    for (const { deviceId } of answer.results) {
      if (deviceId === undefined) throw new Error('a device was not registered');
      ids.push(deviceId);
    }
  }
  return ids;
}

/** Devices that speak for themselves. */
export async function makeFleet(account: Account, wanted: number): Promise<Device[]> {
  const ids = await registerDevices(account, wanted);
  return withConcurrency(32, ids, async (id) => {
    const { token } = await ask<{ token: string }>(`${account.url}/api/devices/${id}/tokens`, {
      token: account.token,
      body: { name: 'bench' },
    });
    return { id, token };
  });
}

/** Waits until all that was written so far can be read: how long that took, in milliseconds. */
export async function settled({ url, token }: Account, deviceId: string): Promise<number> {
  const began = performance.now();
  const { position } = await ask<{ position: string }>(`${url}/api/devices/${deviceId}/heartbeat`, {
    token,
    body: {},
  });
  const headers = { 'x-consistent-with': position };
  await askPatiently(`${url}/api/devices/${deviceId}/usage?range=24h`, { token, headers });
  return performance.now() - began;
}

/** Asks again for as long as the answer is that the projections are not there yet. */
export async function askPatiently(url: string, options: AskOptions): Promise<void> {
  for (;;) {
    try {
      await ask(url, options);
      return;
    } catch (error) {
      if (!(error instanceof RequestFailed && error.status === 503)) throw error;
    }
  }
}
