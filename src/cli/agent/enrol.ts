import { createHash } from 'node:crypto';
import { arch, cpus, hostname, release, totalmem, type as kernelName } from 'node:os';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Runtime } from '../../runtime.js';
import { CreatedAnswer, DeviceTokenAnswer, expecting } from '../answers.js';
import type { Send } from '../client.js';
import { UsageError } from '../errors.js';
import { makePrivateFolder, readJson, replaceFile } from './files.js';

/** What the agent keeps between runs; it grows with each step, so that a broken start goes on. */
const Enrolment = Type.Object({
  url: Type.String(),
  /** Goes into the registration's idempotency key: one whose answer was lost is not done twice. */
  seed: Type.String(),
  deviceId: Type.Optional(Type.String()),
  token: Type.Optional(Type.String()),
});
type Enrolment = Static<typeof Enrolment>;

/** Who the agent is to the server. */
export interface Identity {
  readonly url: string;
  readonly deviceId: string;
  readonly token: string;
}

const kept = Compile(Enrolment);
const createdIn = expecting('a device', CreatedAnswer);
const tokenIn = expecting('a device token', DeviceTokenAnswer);

const pathIn = (folder: string) => join(folder, 'agent.json');

/**
 * The enrolment in a state folder, whole or broken off; null at the first start.
 *
 * @param url the server that the caller named, if any.
 * @throws UsageError when the folder belongs to another server: its token must not go there.
 */
export function keptEnrolment(folder: string, url: string | undefined): Enrolment | null {
  const found = readJson(pathIn(folder));
  if (!kept.Check(found)) return null;
  if (url !== undefined && url !== found.url) {
    throw new UsageError(
      `${pathIn(folder)} is of ${found.url}; give another --state, or change its url if the server moved`,
    );
  }
  return found;
}

/** Whether nothing more is to be asked of the server. */
export function isEnrolled(enrolment: Enrolment | null): enrolment is Enrolment & Identity {
  return enrolment?.deviceId !== undefined && enrolment.token !== undefined;
}

export interface EnrolDeps {
  /** Sends with the owner's session. */
  readonly send: Send;
  readonly runtime: Runtime;
  readonly folder: string;
}

/** Registers this machine as a device and gets it a token, from where an earlier start broke off. */
export async function enrol(
  { send, runtime, folder }: EnrolDeps,
  begun: Enrolment | null,
  wanted: { readonly url: string; readonly name: string; readonly intervalMs: number },
): Promise<Identity> {
  makePrivateFolder(folder);
  const keep = <Kept extends Enrolment>(enrolment: Kept): Kept => {
    replaceFile(pathIn(folder), `${JSON.stringify(enrolment, null, 2)}\n`);
    return enrolment;
  };
  const { url, seed, deviceId }: Enrolment =
    begun ?? keep({ url: wanted.url, seed: runtime.uuid() });
  const registered = keep({ url, seed, deviceId: deviceId ?? (await register()) });
  return keep({ ...registered, token: await issueToken(registered.deviceId) });

  async function register(): Promise<string> {
    const body = JSON.stringify(thisMachine(wanted.name, wanted.intervalMs));
    // Of the body too: with another name it is another command.
    const idempotencyKey = createHash('sha256')
      .update(seed)
      .update(body)
      .digest('hex')
      .slice(0, 32);
    const request = { method: 'POST', path: '/api/devices', body, idempotencyKey } as const;
    return createdIn(await send(request)).id;
  }

  async function issueToken(id: string): Promise<string> {
    const body = JSON.stringify({ name: `agent on ${hostname()}`.slice(0, 64) });
    const path = `/api/devices/${encodeURIComponent(id)}/tokens`;
    const request = { method: 'POST', path, body, idempotencyKey: runtime.uuid() } as const;
    return tokenIn(await send(request)).token;
  }
}

function thisMachine(name: string, intervalMs: number) {
  const processors = cpus();
  return {
    name,
    type: 'host',
    tags: ['agent'],
    // How long a silence means that it is gone: one lost heartbeat must not.
    heartbeatInterval: Math.max(30, Math.ceil((3 * intervalMs) / 1_000)),
    metadata: {
      os: process.platform,
      kernel: `${kernelName()} ${release()}`,
      arch: arch(),
      cpus: processors.length,
      cpuModel: processors[0]?.model ?? 'unknown',
      memoryMB: Math.round(totalmem() / 1e6),
      node: process.version,
    },
  };
}
