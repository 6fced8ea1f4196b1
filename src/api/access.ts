import type { KnownDevice } from '../commands/device/state.js';
import { withState } from '../commands/hotFamily.js';
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

/** Whether somebody may do what owners may. */
export function mayOwn(standing: Standing): boolean {
  return OWN.includes(standing);
}

/**
 * Lets a caller through, or throws (or rejects): 401 without a token, 404 for what they may not see,
 * so that ids tell nothing, 403 for what they may see but not do. Where the states are in memory, the
 * answer is no promise: a batch asks for thousands of lines.
 */
export function accessCheck(states: States) {
  return function check(access: Access, caller: Caller, id: string | undefined): Eventually<Found> {
    if (access === 'anyone') return {};
    if (caller.kind === 'anonymous') throw new Problem('UNAUTHENTICATED');
    switch (access) {
      case 'line:report':
        return {};
      case 'device:report':
        return caller.kind === 'device'
          ? ownDevice(caller, id ?? '')
          : deviceFor(caller, id ?? '', CHANGE);
      case 'device:view':
        return deviceFor(caller, id ?? '', VIEW);
      case 'device:change':
        return deviceFor(caller, id ?? '', CHANGE);
      case 'user':
        needUser(caller);
        return {};
      case 'admin':
        if (needUser(caller).role !== 'admin') throw new Problem('FORBIDDEN');
        return {};
      case 'organization:view':
        return organizationFor(caller, id ?? '', VIEW);
      case 'organization:own':
        return organizationFor(caller, id ?? '', OWN);
    }
  };

  function ownDevice(
    caller: Extract<Caller, { kind: 'device' }>,
    deviceId: string,
  ): Eventually<Found> {
    return withState(states.devices, deviceStream(deviceId), (device) => {
      if (caller.deviceId !== deviceId || device.kind === 'none') {
        throw new Problem('DEVICE_NOT_FOUND');
      }
      return { device };
    });
  }

  function deviceFor(
    caller: Caller,
    deviceId: string,
    allowed: readonly Standing[],
  ): Eventually<Found> {
    if (caller.kind === 'device' && caller.deviceId !== deviceId) {
      throw new Problem('DEVICE_NOT_FOUND');
    }
    const user = needUser(caller);
    return withState(states.devices, deviceStream(deviceId), (device) => {
      if (device.kind === 'none') throw new Problem('DEVICE_NOT_FOUND');
      const found = { device };
      if (user.role === 'admin') return found;
      const { organizationId } = device;
      return withState(states.organizations, organizationStream(organizationId), (organization) => {
        const standing =
          organization.kind === 'none' ? undefined : organization.members.get(user.userId);
        if (standing === undefined) throw new Problem('DEVICE_NOT_FOUND');
        if (!allowed.includes(standing)) throw new Problem('FORBIDDEN');
        return found;
      });
    });
  }

  function organizationFor(
    caller: Caller,
    id: string,
    allowed: readonly Standing[],
  ): Eventually<Found> {
    if (caller.kind === 'device') throw new Problem('ORGANIZATION_NOT_FOUND');
    const user = needUser(caller);
    return withState(states.organizations, organizationStream(id), (organization) => {
      if (organization.kind === 'none') throw new Problem('ORGANIZATION_NOT_FOUND');
      const role = user.role === 'admin' ? 'admin' : organization.members.get(user.userId);
      if (role === undefined) throw new Problem('ORGANIZATION_NOT_FOUND');
      if (!allowed.includes(role)) throw new Problem('FORBIDDEN');
      return { organization: { ...organization, role } };
    });
  }
}

type Eventually<Result> = Result | Promise<Result>;

export type AccessCheck = ReturnType<typeof accessCheck>;

/** A device's token is good for its own reports and nothing else. */
function needUser(caller: Caller): UserCaller {
  if (caller.kind === 'anonymous') throw new Problem('UNAUTHENTICATED');
  if (caller.kind === 'device') throw new Problem('FORBIDDEN');
  return caller;
}
