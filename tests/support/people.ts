import type { Static } from 'typebox';
import type { Device, Tokens, User } from '../../src/api/schemas.js';
import type { Client, Headers, Reply } from './client.js';
import { ADMIN, type RunningServer } from './server.js';

export type TokensBody = Static<typeof Tokens>;
export type UserBody = Static<typeof User>;
export type DeviceBody = Static<typeof Device>;

export interface ProblemBody {
  readonly code: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly at: string; readonly message: string }[];
  readonly requestId: string;
}

export interface ListBody<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
  readonly total?: number;
  readonly page?: number;
  readonly limit?: number;
  readonly totalPages?: number;
}

/** A user who is logged in. */
export interface Person {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  /** Their personal organization. */
  readonly organizationId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The API as they call it. */
  readonly api: Client;
}

export const PASSWORD = 'tr0ub4dor and three';

let people = 0;

export async function signUp(
  { client }: Pick<RunningServer, 'client'>,
  name = 'Somebody',
): Promise<Person> {
  const email = `person-${(people += 1)}@example.com`;
  const { status, body } = await client.post<{ user: UserBody }>('/api/auth/signup', {
    name,
    email,
    password: PASSWORD,
  });
  if (status !== 201) throw new Error(`signing up answered ${status}`);
  return logIn({ client }, body.user.email, PASSWORD);
}

export async function logIn(
  { client }: Pick<RunningServer, 'client'>,
  email: string,
  password = PASSWORD,
): Promise<Person> {
  const { status, body } = await client.post<TokensBody>('/api/auth/login', { email, password });
  if (status !== 200) throw new Error(`logging in answered ${status}`);
  const { user, accessToken, refreshToken } = body;
  const { id, organizationId } = user;
  const api = client.as(accessToken);
  return { id, email, password, organizationId, accessToken, refreshToken, api };
}

export const logInAdmin = (server: Pick<RunningServer, 'client'>) =>
  logIn(server, ADMIN.email, ADMIN.password);

/** Registers a device and gives it back as it was answered. */
export async function registerDevice(
  { api }: Pick<Person, 'api'>,
  device: Readonly<Record<string, unknown>> = {},
  headers: Headers = {},
): Promise<DeviceBody> {
  const body = { name: 'Boiler', type: 'boiler', ...device };
  return created(await api.post<DeviceBody>('/api/devices', body, headers));
}

/** Issues a device's token. */
export async function issueToken(
  { api }: Pick<Person, 'api'>,
  deviceId: string,
  name = 'its own',
): Promise<{ readonly id: string; readonly token: string }> {
  return created(
    await api.post<{ id: string; token: string }>(`/api/devices/${deviceId}/tokens`, { name }),
  );
}

/** Adds somebody to the personal organization of `owner`. */
export async function addMember(
  owner: Person,
  { email }: Pick<Person, 'email'>,
  role: 'owner' | 'member' | 'viewer',
): Promise<void> {
  created(
    await owner.api.post(`/api/organizations/${owner.organizationId}/members`, { email, role }),
  );
}

function created<Body>({ status, body, text }: Reply<Body>): Body {
  if (status !== 201) throw new Error(`creating answered ${status} ${text}`);
  return body;
}
