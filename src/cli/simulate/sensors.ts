import { UsageError } from '../errors.js';
import { isName, MOST_METRICS } from '../telemetry.js';
import type { Random } from './random.js';

/** How one metric of a device goes from one report to the next. */
interface Sensor {
  readonly first: (random: Random) => number;
  readonly next: (value: number, random: Random) => number;
  readonly decimals: number;
}

/** A value that wanders and is drawn back to its middle, between bounds. */
function wandering(middle: number, step: number, least: number, most: number): Sensor {
  return {
    first: (random) => middle + (random() - 0.5) * step * 10,
    next: (value, random) => {
      const moved = value + (random() - 0.5) * 2 * step + (middle - value) * 0.01;
      return Math.min(most, Math.max(least, moved));
    },
    decimals: 2,
  };
}

/** Sinks a little with each report; an empty battery is changed. */
const battery: Sensor = {
  first: (random) => 20 + random() * 80,
  next: (value, random) => (value < 2 ? 100 : value - random() * 0.05),
  decimals: 1,
};

const SENSORS: Readonly<Record<string, Sensor>> = {
  temperature: wandering(21, 0.2, -40, 85),
  humidity: wandering(45, 0.5, 0, 100),
  battery,
  rssi: { ...wandering(-67, 1.5, -110, -30), decimals: 0 },
  pressure: wandering(1_013, 0.3, 870, 1_085),
  power: wandering(120, 4, 0, 3_000),
};

export const DEFAULT_METRICS = 'temperature,humidity,battery,rssi';
export const KNOWN_METRICS = Object.keys(SENSORS);

/** What the devices of a simulated fleet measure. */
export interface Sensors {
  /** The device's next report: the JSON text of its metrics. */
  report(device: number): string;
}

/**
 * Sensors for a fleet. State is one flat array and a report one string, because thousands are made
 * a second. A name without a model of its own wanders around 50.
 *
 * @throws UsageError for a name that the server would refuse.
 */
export function sensorsOf(names: readonly string[], devices: number, random: Random): Sensors {
  if (names.length === 0 || names.length > MOST_METRICS) {
    throw new UsageError(`--metrics takes 1 to ${MOST_METRICS} names`);
  }
  const sensors = names.map((name) => {
    if (!isName(name)) throw new UsageError('--metrics: letters, digits and _.:/- make a name');
    return { label: `${JSON.stringify(name)}:`, ...(SENSORS[name] ?? wandering(50, 1, 0, 100)) };
  });
  const values = new Float64Array(devices * sensors.length);
  for (let index = 0; index < values.length; index += 1) {
    values[index] = sensors[index % sensors.length]?.first(random) ?? 0;
  }
  return {
    report: (device) => {
      let text = '{';
      let index = device * sensors.length;
      for (const sensor of sensors) {
        const value = sensor.next(values[index] ?? 0, random);
        values[index] = value;
        text += `${text.length > 1 ? ',' : ''}${sensor.label}${value.toFixed(sensor.decimals)}`;
        index += 1;
      }
      return `${text}}`;
    },
  };
}
