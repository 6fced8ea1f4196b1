import { Type } from 'typebox';
import { issueDeviceToken, revokeDeviceToken } from '../../commands/device/tokens.js';
import { derivedId } from '../../commands/origin.js';
import { deviceStream } from '../../events/streams.js';
import { Id, Line } from '../../events/values.js';
import { accepted, time } from '../answers.js';
import type { RouteDeps } from '../deps.js';
import { makeDeviceToken } from '../deviceTokens.js';
import { Problem } from '../problem.js';
import { route, type Route } from '../route.js';
import { ById, object, Time } from '../schemas.js';

const TAG = 'Device tokens';

export function deviceTokenRoutes(deps: RouteDeps): readonly Route[] {
  const { states, handle, queries, hashSecret } = deps;
  return [
    route({
      method: 'post',
      path: '/api/devices/:id/tokens',
      summary: 'Issue a token by which the device speaks for itself. It is shown this once.',
      tag: TAG,
      access: 'device:change',
      limit: 'device',
      params: ById,
      body: object({ name: Line(100) }),
      answers: { 201: object({ token: Type.String(), id: Id, name: Type.String() }) },
      async handle({ params: { id: deviceId }, body: { name }, origin }) {
        const from = origin();
        const tokenId = derivedId(from.commandId, 'device token');
        const { token, hash } = makeDeviceToken(hashSecret, deviceId, tokenId, from.commandId);
        const { position } = accepted(
          await handle({
            stream: deviceStream(deviceId),
            family: states.devices,
            decide: (state) => issueDeviceToken(state, { tokenId, name, tokenHash: hash }),
            origin: from,
          }),
        );
        const headers = { location: `/api/devices/${deviceId}/tokens/${tokenId}` };
        return { status: 201, body: { token, id: tokenId, name }, position, headers };
      },
    }),

    route({
      method: 'get',
      path: '/api/devices/:id/tokens',
      summary: 'The device’s tokens, without the tokens themselves.',
      tag: TAG,
      access: 'device:change',
      params: ById,
      reads: ['devices', 'device-vitals'],
      answers: {
        200: object({
          items: Type.Array(object({ id: Id, name: Type.String(), issuedAt: Time })),
          nextCursor: Type.Null(),
        }),
      },
      async handle({ params: { id }, needs }) {
        const { value: doc, cached } = await queries.deviceById(id, needs);
        if (doc === undefined) throw new Problem('DEVICE_NOT_FOUND');
        const items = doc.tokens.map((token) => ({ ...token, issuedAt: time(token.issuedAt) }));
        return { status: 200, body: { items, nextCursor: null }, cached };
      },
    }),

    route({
      method: 'delete',
      path: '/api/devices/:id/tokens/:tokenId',
      summary: 'Revoke a token: it stops working at once.',
      tag: TAG,
      access: 'device:change',
      limit: 'device',
      params: object({ id: Id, tokenId: Id }),
      answers: { 204: null },
      async handle({ params: { id, tokenId }, origin }) {
        const { position } = accepted(
          await handle({
            stream: deviceStream(id),
            family: states.devices,
            decide: (state) => revokeDeviceToken(state, { tokenId }),
            origin: origin(),
          }),
        );
        return { status: 204, position };
      },
    }),
  ];
}
