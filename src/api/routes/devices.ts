import { Type, type Static } from 'typebox';
import { deleteDevice, restoreDevice } from '../../commands/device/deleteDevice.js';
import { registerDevice } from '../../commands/device/registerDevice.js';
import type { DeviceState } from '../../commands/device/state.js';
import { updateDevice } from '../../commands/device/updateDevice.js';
import type { Decision } from '../../commands/decider.js';
import { derivedId, type Origin } from '../../commands/origin.js';
import { isRefusal, refuse } from '../../commands/refusal.js';
import type { DeviceEvent } from '../../events/device.js';
import { START, type Position } from '../../events/envelope.js';
import { deviceStream, organizationStream, userStream } from '../../events/streams.js';
import {
  Connection,
  DeviceStatus,
  HeartbeatInterval,
  Id,
  Line,
  Name,
  Tags,
} from '../../events/values.js';
import type { DeviceNow } from '../../queries/documents.js';
import { accepted, changedDevice, deviceAnswer, listAnswer } from '../answers.js';
import { batch, BatchAnswer, faultOfLine, ownOrigin, type BatchLine } from '../batch.js';
import type { RouteDeps } from '../deps.js';
import { inTime } from '../inTime.js';
import { Problem } from '../problem.js';
import { route, type DeviceCall, type Route, type UserCaller } from '../route.js';
import {
  ById,
  Device,
  FreeObject,
  listOf,
  NewDevice,
  object,
  optional,
  paging,
} from '../schemas.js';
import { checkBody } from '../validate.js';
import { visibleOrganizations } from '../visible.js';

const TAG = 'Devices';
const MAX_BATCH = 1_000;
/** How long the answer to a command waits for what only read models know. */
const PROJECTED_WITHIN_MS = 250;

export function deviceRoutes({ runtime, states, handle, queries }: RouteDeps): readonly Route[] {
  /** Where a user's new device goes: what they named if they may, or else their own organization. */
  async function organizationFor(user: UserCaller, named: string | undefined): Promise<string> {
    if (named === undefined) {
      const { state } = await states.users.load(userStream(user.userId));
      if (state.kind === 'none') throw new Problem('UNAUTHENTICATED');
      return state.organizationId;
    }
    const { state } = await states.organizations.load(organizationStream(named));
    if (state.kind === 'none') throw new Problem('ORGANIZATION_NOT_FOUND');
    const role = user.role === 'admin' ? 'owner' : state.members.get(user.userId);
    if (role === undefined) throw new Problem('ORGANIZATION_NOT_FOUND');
    if (role === 'viewer') throw new Problem('FORBIDDEN');
    return named;
  }

  async function register(user: UserCaller, body: Static<typeof NewDevice>, origin: Origin) {
    const organizationId = await organizationFor(user, body.organizationId);
    const deviceId = derivedId(origin.commandId, 'device');
    const { type: deviceType, organizationId: _, ...details } = body;
    const device = { ...details, deviceId, organizationId, ownerId: user.userId, deviceType };
    return handle({
      stream: deviceStream(deviceId),
      family: states.devices,
      decide: (state) => registerDevice(state, device),
      origin,
    });
  }

  async function registerLine(user: UserCaller, line: BatchLine<Static<typeof NewDevice>>) {
    const registered = await register(user, line.body, ownOrigin(line.origin, line.index));
    if (isRefusal(registered)) return registered;
    const { state, position } = registered;
    return state.kind === 'none'
      ? refuse('DEVICE_NOT_FOUND')
      : { position, deviceId: state.deviceId };
  }

  async function change(
    { device, origin, ifRevision }: Pick<DeviceCall, 'device' | 'origin' | 'ifRevision'>,
    decide: (state: DeviceState) => Decision<DeviceEvent>,
  ) {
    const { deviceId } = device;
    const changed = accepted(
      await handle({
        stream: deviceStream(deviceId),
        family: states.devices,
        decide,
        origin: origin(),
        ifRevision,
      }),
    );
    if (changed.state.kind === 'none') throw new Problem('DEVICE_NOT_FOUND');
    return { ...changed, state: changed.state };
  }

  async function answer({ state, revision, position }: Awaited<ReturnType<typeof change>>) {
    const doc = await projectedBy(state.deviceId);
    return { status: 200, body: changedDevice(state, revision, doc), revision, position };
  }

  /**
   * What the projections have by now. What the command did is in the log: it waits for no projection, and
   * does not fail because read models are away.
   */
  function projectedBy(deviceId: string): Promise<DeviceNow | undefined> {
    const shown = queries.deviceById(deviceId, START).then(({ value }) => value);
    return inTime(runtime, PROJECTED_WITHIN_MS, shown);
  }

  return [
    route({
      method: 'get',
      path: '/api/devices',
      summary: 'The devices of your organizations; an administrator sees all.',
      tag: TAG,
      access: 'user',
      reads: ['devices', 'device-vitals', 'users'],
      query: object({
        ...paging,
        status: optional(DeviceStatus),
        connection: optional(Connection),
        type: optional(Name),
        tag: optional(Line(50)),
        text: optional(Line(100)),
        organizationId: optional(Id),
        sort: optional(Type.Enum(['createdAt', 'name', 'updatedAt'])),
        direction: optional(Type.Enum(['asc', 'desc'])),
      }),
      answers: { 200: listOf(Device) },
      async handle({ query, user, needs }) {
        const { limit = 50, sort = 'createdAt', direction = 'desc', organizationId } = query;
        const organizations = await visible(user, organizationId, needs);
        const question = { ...query, organizations, limit, sort, direction };
        const { value, cached } = await queries.devices(question, needs);
        const body = listAnswer(value, deviceAnswer, { limit, page: query.page });
        return { status: 200, body, cached };
      },
    }),

    route({
      method: 'post',
      path: '/api/devices',
      summary: 'Register a device.',
      tag: TAG,
      access: 'user',
      limit: 'device',
      body: NewDevice,
      answers: { 201: Device },
      async handle({ user, body, origin }) {
        const { state, revision, position } = accepted(await register(user, body, origin()));
        if (state.kind === 'none') throw new Problem('DEVICE_NOT_FOUND');
        return {
          status: 201,
          body: changedDevice(state, revision, undefined),
          revision,
          position,
          headers: { location: `/api/devices/${state.deviceId}` },
        };
      },
    }),

    route({
      method: 'post',
      path: '/api/devices/batch',
      summary: `Register up to ${MAX_BATCH} devices; each line is answered by itself.`,
      tag: TAG,
      access: 'user',
      limit: 'device',
      body: NewDevice,
      bodyKind: 'lines',
      answers: { 200: BatchAnswer },
      handle: batch<Static<typeof NewDevice>, 'user'>({
        runtime,
        check: checkBody(NewDevice),
        maxLines: MAX_BATCH,
        run: ({ user }, settle) => ({
          take: (lines) =>
            Promise.all(
              lines.map(async (line) => {
                settle(line.index, await registerLine(user, line).catch(faultOfLine));
              }),
            ),
        }),
      }),
    }),

    route({
      method: 'get',
      path: '/api/devices/:id',
      summary: 'A device.',
      tag: TAG,
      access: 'device:view',
      params: ById,
      reads: ['devices', 'device-vitals'],
      answers: { 200: Device },
      async handle({ params: { id }, needs }) {
        const { value: doc, cached } = await queries.deviceById(id, needs);
        if (doc === undefined || doc.deleted) throw new Problem('DEVICE_NOT_FOUND');
        return { status: 200, body: deviceAnswer(doc), revision: doc.revision, cached };
      },
    }),

    route({
      method: 'patch',
      path: '/api/devices/:id',
      summary: 'Change a device. Metadata and tags are replaced as a whole.',
      tag: TAG,
      access: 'device:change',
      limit: 'device',
      params: ById,
      body: object({
        name: optional(Line(100)),
        type: optional(Name),
        status: optional(DeviceStatus),
        tags: optional(Tags),
        metadata: optional(FreeObject),
        heartbeatInterval: optional(Type.Union([HeartbeatInterval, Type.Null()])),
      }),
      conditional: true,
      answers: { 200: Device },
      async handle({ body: { type, ...details }, ...call }) {
        const wanted = { ...details, deviceType: type };
        return answer(await change(call, (state) => updateDevice(state, wanted)));
      },
    }),

    route({
      method: 'delete',
      path: '/api/devices/:id',
      summary: 'Take a device out of use. Its history stays.',
      tag: TAG,
      access: 'device:change',
      limit: 'device',
      params: ById,
      conditional: true,
      answers: { 204: null },
      async handle(call) {
        const { position } = await change(call, deleteDevice);
        return { status: 204, position };
      },
    }),

    route({
      method: 'post',
      path: '/api/devices/:id/restore',
      summary: 'Bring a deleted device back, with its history.',
      tag: TAG,
      access: 'device:change',
      limit: 'device',
      params: ById,
      conditional: true,
      answers: { 200: Device },
      handle: async (call) => answer(await change(call, restoreDevice)),
    }),
  ];

  /** The organizations whose devices a user sees; just the one named, if they see it. */
  async function visible(
    user: UserCaller,
    named: string | undefined,
    needs: Position,
  ): Promise<readonly string[] | 'all'> {
    const all = await visibleOrganizations(queries, user, needs);
    if (named === undefined) return all;
    return all === 'all' ? [named] : all.filter((id) => id === named);
  }
}
