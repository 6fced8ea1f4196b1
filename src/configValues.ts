/**
 * How the texts of settings are read. Each throws an Error whose message goes on from the setting's
 * name: what it must be.
 */

export function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]) {
  return (text: string): Choice => {
    const choice = choices.find((one) => one === text);
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return choice;
  };
}

/** Some of the choices, each once, separated by commas. */
export function someOf<const Choice extends string>(...choices: readonly Choice[]) {
  const parse = oneOf(...choices);
  return (text: string): readonly Choice[] => {
    try {
      return [...new Set(text.split(',').map((one) => parse(one.trim())))];
    } catch {
      throw new Error(`must be some of ${choices.join(', ')}, separated by commas`);
    }
  };
}

/** A URI may hold a password, so that no message repeats it. */
export function mongodbUri(value: string): string {
  if (/^mongodb(?:\+srv)?:\/\/[^/\s]+/.test(value)) return value;
  throw new Error('must be a URI such as mongodb://127.0.0.1:27017/fleetbook');
}

export function redisUrl(value: string): string {
  if (URL.canParse(value) && /^rediss?:$/.test(new URL(value).protocol)) return value;
  throw new Error('must be a URL such as redis://127.0.0.1:6379');
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `15m`, `90s`, `7d`; a bare number is seconds. In milliseconds. */
export function duration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text);
  const value = Number(match?.[1]) * (UNITS[match?.[2] ?? 's'] ?? Number.NaN);
  if (!(value > 0 && value <= 3_650 * 86_400_000)) {
    throw new Error('must be a duration such as 90s, 15m or 7d');
  }
  return value;
}

/** `512kb`, `1mb`; a bare number is bytes. */
export function size(text: string): number {
  const match = /^(\d{1,9})(b|kb|mb)?$/i.exec(text);
  const unit = { b: 1, kb: 1_024, mb: 1_048_576 }[match?.[2]?.toLowerCase() ?? 'b'] ?? Number.NaN;
  const value = Number(match?.[1]) * unit;
  if (!(value >= 1_024 && value <= 104_857_600)) {
    throw new Error('must be a size from 1kb to 100mb, such as 1mb');
  }
  return value;
}

export function text(value: string): string {
  return value;
}

/** Secrets, newest first, separated by commas: the first signs, all verify. */
export function secrets(value: string): readonly string[] {
  const all = value.split(',').map((one) => one.trim());
  if (all.some((one) => one.length < 32)) {
    throw new Error('must be secrets of at least 32 characters, separated by commas');
  }
  return all;
}

export function secret(value: string): string {
  if (value.length < 32) throw new Error('must have at least 32 characters');
  return value;
}

export function origins(value: string): readonly string[] {
  const all = value.split(',').map((one) => one.trim());
  for (const one of all) {
    if (one !== '*' && (!URL.canParse(one) || new URL(one).origin !== one)) {
      throw new Error(`must be origins such as https://app.example.com, separated by commas, or *`);
    }
  }
  return all;
}

/** How many proxies stand before the server, or their addresses: what `X-Forwarded-For` is believed from. */
export function proxies(value: string): number | readonly string[] {
  if (/^\d{1,2}$/.test(value)) return Number(value);
  const all = value.split(',').map((one) => one.trim());
  if (
    !all.every((one) => /^(loopback|linklocal|uniquelocal|[0-9a-fA-F:.]+(\/\d{1,3})?)$/.test(one))
  ) {
    throw new Error('must be a number of proxies, or their addresses separated by commas');
  }
  return all;
}

export function emailAddress(value: string): string {
  if (!/^[^\s@]+@[^\s@]+$/.test(value)) throw new Error('must be an e-mail address');
  return value;
}

export function password(value: string): string {
  if (value.length < 8 || value.length > 128) throw new Error('must have 8 to 128 characters');
  return value;
}
