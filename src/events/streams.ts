/** Every stream name is made here, and nowhere else is one taken apart. */
export const userStream = (userId: string) => `user-${userId}`;
export const emailStream = (keyedHash: string) => `email-${keyedHash}`;
export const organizationStream = (organizationId: string) => `organization-${organizationId}`;
export const sessionStream = (sessionId: string) => `session-${sessionId}`;
export const deviceStream = (deviceId: string) => `device-${deviceId}`;

/** A device's telemetry of one day (UTC) of receipt: a stream a day, so that retention can drop whole streams. */
export function telemetryStream(deviceId: string, receivedAt: number): string {
  return `telemetry-${deviceId}-${day(receivedAt)}`;
}

let lastDay = { start: Number.NaN, text: '' };

/** `yyyymmdd` in UTC. Remembers the last day asked for, since nearly every caller asks for today. */
export function day(time: number): string {
  const start = time - (time % 86_400_000);
  if (start !== lastDay.start) {
    lastDay = { start, text: new Date(start).toISOString().slice(0, 10).replaceAll('-', '') };
  }
  return lastDay.text;
}

/** What a stream's events are about: the part of its name before the first dash. */
export function familyOf(stream: string): string {
  const dash = stream.indexOf('-');
  return dash < 0 ? stream : stream.slice(0, dash);
}
