import { rmSync } from 'node:fs';
import { clientOf, type Client } from '../support/client.js';
import { freePort } from '../support/redis.js';
import { newDataDir } from '../support/server.js';
import { startProcess, type ServerProcess } from '../support/serverProcess.js';

type Env = Readonly<Record<string, string>>;

/** A process of an installation that has several, always at the same port. */
export interface Member {
  readonly name: string;
  readonly roles: string;
  readonly url: string;
  /** Without a token, and without a look at the schemas of what it answers. */
  readonly client: Client;
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code of what runs now. */
  ended(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Processes that share one log, and whatever else their settings name. */
export interface Fleet {
  readonly dataDir: string;
  /** Starts one more. */
  add(name: string, roles: string, more?: Env): Promise<Member>;
  /** Ends all of them, and removes the data. */
  remove(): Promise<void>;
}

export function fleet(env: Env): Fleet {
  const dataDir = newDataDir();
  const members: Member[] = [];
  return {
    dataDir,
    async add(name, roles, more = {}) {
      const one = await member(name, { ...env, ...more, DATA_DIR: dataDir, ROLES: roles });
      members.push(one);
      await one.start();
      return one;
    },
    async remove() {
      await Promise.all(
        members.map(async (one) => {
          await one.client.close();
          await one.kill();
        }),
      );
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function member(name: string, env: Env & { readonly ROLES: string }): Promise<Member> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let running: ServerProcess | undefined;
  return {
    name,
    roles: env.ROLES,
    url,
    client: clientOf(url, () => undefined),
    output: () => running?.output() ?? '',
    signal: (signal) => running?.signal(signal),
    ended: async () => (await running?.ended) ?? null,
    async kill() {
      running?.signal('SIGKILL');
      await running?.ended;
    },
    async start() {
      running = await startProcess({ ...env, PORT: String(port) });
    },
  };
}
