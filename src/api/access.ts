import type { KnownDevice } from '../commands/device/state.js';
import type { States } from '../commands/states.js';
import { deviceStream, organizationStream } from '../events/streams.js';
import type { MemberRole } from '../events/values.js';
import { Problem } from './problem.js';
import type { Access, Caller, SeenOrganization, UserCaller } from './route.js';

/** What the access check found on its way, for the handler. */
export interface Found {
  readonly device?: KnownDevice;
  readonly organization?: SeenOrganization;
}

/** What a caller is to an organization; an administrator of the installation is that everywhere. */
type Standing = MemberRole | 'admin' | undefined;

const VIEW: readonly Standing[] = ['admin', 'owner', 'member', 'viewer'];
const CHANGE: readonly Standing[] = ['admin', 'owner', 'member'];
const OWN: readonly Standing[] = ['admin', 'owner'];

/**
 * Lets a caller through, or throws: 401 without a token, 404 for what they may not see, so that ids
 * tell nothing, 403 for what they may see but not do.
 */
export function accessCheck(states: States) {
  return async function check(
    access: Access,
    caller: Caller,
    id: string | undefined,
  ): Promise<Found> {
    if (access === 'anyone') return {};
    if (caller.kind === 'anonymous') throw new Problem('UNAUTHENTICATED');
    switch (access) {
      case 'line:report':
        return {};
      case 'device:report':
        return { device: await reportingDevice(caller, id ?? '') };
      case 'device:view':
        return { device: await deviceFor(caller, id ?? '', VIEW) };
      case 'device:change':
        return { device: await deviceFor(caller, id ?? '', CHANGE) };
      case 'user':
        needUser(caller);
        return {};
      case 'admin':
        if (needUser(caller).role !== 'admin') throw new Problem('FORBIDDEN');
        return {};
      case 'organization:view':
        return { organization: await organizationFor(caller, id ?? '', VIEW) };
      case 'organization:own':
        return { organization: await organizationFor(caller, id ?? '', OWN) };
    }
  };

  async function reportingDevice(caller: Caller, deviceId: string): Promise<KnownDevice> {
    if (caller.kind !== 'device') return deviceFor(caller, deviceId, CHANGE);
    const stream = deviceStream(deviceId);
    const { state } = states.devices.peek(stream) ?? (await states.devices.load(stream));
    if (caller.deviceId !== deviceId || state.kind === 'none') {
      throw new Problem('DEVICE_NOT_FOUND');
    }
    return state;
  }

  async function deviceFor(
    caller: Caller,
    deviceId: string,
    allowed: readonly Standing[],
  ): Promise<KnownDevice> {
    if (caller.kind === 'device' && caller.deviceId !== deviceId) {
      throw new Problem('DEVICE_NOT_FOUND');
    }
    const user = needUser(caller);
    const stream = deviceStream(deviceId);
    const { state } = states.devices.peek(stream) ?? (await states.devices.load(stream));
    if (state.kind === 'none') throw new Problem('DEVICE_NOT_FOUND');
    const standing = await standingOf(user, state.organizationId);
    if (standing === undefined) throw new Problem('DEVICE_NOT_FOUND');
    if (!allowed.includes(standing)) throw new Problem('FORBIDDEN');
    return state;
  }

  async function organizationFor(
    caller: Caller,
    id: string,
    allowed: readonly Standing[],
  ): Promise<SeenOrganization> {
    if (caller.kind === 'device') throw new Problem('ORGANIZATION_NOT_FOUND');
    const user = needUser(caller);
    const { state } = await states.organizations.load(organizationStream(id));
    if (state.kind === 'none') throw new Problem('ORGANIZATION_NOT_FOUND');
    const role: Standing = user.role === 'admin' ? 'admin' : state.members.get(user.userId);
    if (role === undefined) throw new Problem('ORGANIZATION_NOT_FOUND');
    if (!allowed.includes(role)) throw new Problem('FORBIDDEN');
    return { ...state, role };
  }

  async function standingOf(user: UserCaller, organizationId: string): Promise<Standing> {
    if (user.role === 'admin') return 'admin';
    const stream = organizationStream(organizationId);
    const organizations = states.organizations;
    const { state } = organizations.peek(stream) ?? (await organizations.load(stream));
    return state.kind === 'none' ? undefined : state.members.get(user.userId);
  }
}

export type AccessCheck = ReturnType<typeof accessCheck>;

/** A device's token is good for its own reports and nothing else. */
function needUser(caller: Caller): UserCaller {
  if (caller.kind === 'anonymous') throw new Problem('UNAUTHENTICATED');
  if (caller.kind === 'device') throw new Problem('FORBIDDEN');
  return caller;
}
