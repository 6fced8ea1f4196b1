import type { Static, TSchema } from 'typebox';
import type { KnownDevice } from '../commands/device/state.js';
import type { Origin } from '../commands/origin.js';
import type { OrganizationState } from '../commands/organization/state.js';
import type { Position } from '../events/envelope.js';
import type { MemberRole, UserRole } from '../events/values.js';
import type { ProjectionName } from '../queries/consistency.js';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What a caller must be allowed to do. A route without it does not compile. */
export type Access =
  /** Anybody, without a token. */
  | 'anyone'
  /** Any signed-in user. */
  | 'user'
  /** The operator of the installation. */
  | 'admin'
  /** A member of the device's organization (path `:id`), viewers too. */
  | 'device:view'
  /** An owner or member of the device's organization. */
  | 'device:change'
  /** The same, or the device itself by its token. */
  | 'device:report'
  /** Any user, or a device by its token: each line is checked by itself. */
  | 'line:report'
  /** A member of the organization (path `:id`), viewers too. */
  | 'organization:view'
  /** An owner of the organization. */
  | 'organization:own';

/** Which limit counts the requests of a route. */
export type LimitName = 'auth' | 'device' | 'telemetry' | 'ingest' | 'analytics';

export type Caller =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'user';
      readonly userId: string;
      readonly sessionId: string;
      readonly role: UserRole;
    }
  | { readonly kind: 'device'; readonly deviceId: string; readonly tokenId: string };

export type UserCaller = Extract<Caller, { kind: 'user' }>;

/** An organization, and what the caller is to it. */
export type SeenOrganization = Extract<OrganizationState, { kind: 'created' }> & {
  readonly role: MemberRole | 'admin';
};

type OfDevice = Extract<Access, `device:${string}`>;
type OfOrganization = Extract<Access, `organization:${string}`>;
type ByUser = Exclude<Access, 'anyone' | 'device:report' | 'line:report'>;

/** A request that has passed everything that its route declares. */
export interface Call<
  Params = unknown,
  Query = unknown,
  Body = unknown,
  Allowed extends Access = Access,
> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** The signed-in user, on routes that only users may call. */
  readonly user: Allowed extends ByUser ? UserCaller : UserCaller | undefined;
  /** The device of the path, on routes whose access is about one. */
  readonly device: Allowed extends OfDevice ? KnownDevice : undefined;
  /** The organization of the path, on routes whose access is about one. */
  readonly organization: Allowed extends OfOrganization ? SeenOrganization : undefined;
  /** `If-Match`, as the revision that it names. */
  readonly ifRevision: number | undefined;
  /** What this caller is to be shown at least: their own writes, and what X-Consistent-With names. START for nothing. */
  readonly needs: Position;
  /** The caller's address, as far as proxies are trusted to tell it. */
  readonly address: () => string;
  /** What the client says that it is. */
  readonly agent: () => string;
  readonly requestId: string;
  /**
   * Where this command comes from. With an Idempotency-Key its id follows from the key and `scope`,
   * by default the caller.
   */
  readonly origin: (scope?: string) => Origin;
}

/** What every route about a device is called with. */
export type DeviceCall = Call<unknown, unknown, unknown, OfDevice>;
/** What every route about an organization is called with. */
export type OrganizationCall = Call<unknown, unknown, unknown, OfOrganization>;

export interface Answer {
  readonly status: number;
  /** Answered as JSON. */
  readonly body?: unknown;
  /** Answered as it is, instead of `body`; `content-type` says what it is. */
  readonly text?: string;
  /** The log position of what was written: answered as X-Position, and what this caller reads from now on shows it. */
  readonly position?: Position | undefined;
  /** Whose write it was, when that is not who called: a login is the first write of its session. */
  readonly writer?: Caller;
  /** Answered as ETag. */
  readonly revision?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answered as X-Cache: whether the read models were asked. */
  readonly cached?: 'hit' | 'miss';
}

/** The kinds of body that a route can read. */
export type BodyKind = 'json' | 'lines';

/** A route as data: from it come the router, validation, OpenAPI, limits, metric labels and the tests of who may call. */
export interface Route {
  readonly method: Method;
  /** As Express and OpenAPI have it, with `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly access: Access;
  readonly limit?: LimitName;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** `lines`: an array, or NDJSON, of which `body` describes one line; each is checked by the handler. */
  readonly bodyKind?: BodyKind;
  /** The projections that the answer is read from: they must have come as far as the caller knows. */
  readonly reads?: readonly ProjectionName[];
  /** Whether it carries the load: then it is found without the router. Its path has one parameter. */
  readonly busy?: boolean;
  /** Whether If-Match is honoured. */
  readonly conditional?: boolean;
  /** Status → the schema of the answer; null for one without a body. */
  readonly answers: Readonly<Record<number, TSchema | null>>;
  readonly handle: (call: Call<never, never, never, never>) => Promise<Answer> | Answer;
}

type StaticOf<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

/** Ties a route's handler to the types of its schemas. */
export function route<
  Params extends TSchema | undefined = undefined,
  Query extends TSchema | undefined = undefined,
  Body extends TSchema | undefined = undefined,
  const Allowed extends Access = Access,
>(
  definition: Omit<Route, 'handle' | 'access' | 'params' | 'query' | 'body'> & {
    readonly access: Allowed;
    readonly params?: Params;
    readonly query?: Query;
    readonly body?: Body;
    readonly handle: (
      call: Call<StaticOf<Params>, StaticOf<Query>, StaticOf<Body>, Allowed>,
    ) => Promise<Answer> | Answer;
  },
): Route {
  return definition as unknown as Route;
}
