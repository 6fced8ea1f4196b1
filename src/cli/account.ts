import type { Context } from './command.js';
import { connect, parseServerUrl, type Connection } from './client.js';
import { UsageError } from './errors.js';
import { retrying } from './retry.js';
import type { Credentials } from './session.js';

export const DEFAULT_URL = 'http://127.0.0.1:5000';

/** The options of every command that talks to a server. */
export const serverOption = {
  url: {
    type: 'string',
    value: 'URL',
    help: `the server (env FLEETBOOK_URL, default ${DEFAULT_URL})`,
  },
} as const;

/** The options of every command that logs in. */
export const accountOptions = {
  ...serverOption,
  email: { type: 'string', value: 'EMAIL', help: 'the account (env FLEETBOOK_EMAIL)' },
  password: {
    type: 'string',
    value: 'PASSWORD',
    help: 'better by env FLEETBOOK_PASSWORD: others on this machine can see a command line',
  },
} as const;

interface AccountValues {
  readonly email?: string | undefined;
  readonly password?: string | undefined;
}

/** The server's address if the caller named one. */
export function chosenUrl(context: Context, url: string | undefined): string | undefined {
  const chosen = url ?? context.env.FLEETBOOK_URL;
  return chosen === undefined || chosen === '' ? undefined : parseServerUrl(chosen);
}

/** The account if one was given. Throws UsageError when half of it was. */
export function givenAccount(context: Context, values: AccountValues): Credentials | null {
  const email = values.email ?? context.env.FLEETBOOK_EMAIL;
  const password = values.password ?? context.env.FLEETBOOK_PASSWORD;
  if (email !== undefined && password !== undefined) return { email, password };
  if (email === undefined && password === undefined) return null;
  throw new UsageError(
    email === undefined
      ? 'a password without --email or FLEETBOOK_EMAIL'
      : 'an e-mail without FLEETBOOK_PASSWORD or --password',
  );
}

/** The account: given, or asked for at the terminal. Throws UsageError when there is neither. */
export async function account(context: Context, values: AccountValues): Promise<Credentials> {
  const { ask } = context;
  if (ask === null) {
    const given = givenAccount(context, values);
    if (given !== null) return given;
    throw new UsageError('set FLEETBOOK_EMAIL and FLEETBOOK_PASSWORD, or --email and --password');
  }
  return {
    email: values.email ?? context.env.FLEETBOOK_EMAIL ?? (await ask('E-mail: ')),
    password: values.password ?? context.env.FLEETBOOK_PASSWORD ?? (await ask('Password: ', true)),
  };
}

/** A connection whose requests wait out a busy or absent server, and say so. */
export function patientConnection(
  context: Context,
  url: string,
  giveUpAfterMs: number,
): Connection {
  const connection = connect(url);
  const patient = retrying(context.runtime, {
    giveUpAfterMs,
    signal: context.interrupted(),
    onWait: (ms, cause) => {
      // Short waits are nobody's business; a minute without a word looks like a hang.
      if (ms >= 1_000) context.err.write(`${cause.message}; again in ${Math.ceil(ms / 1_000)} s\n`);
    },
  });
  return { ...connection, send: patient(connection.send) };
}
