import { deviceVitals } from '../../src/projections/deviceVitals.js';
import { BEFORE } from '../spec/given.js';
import { heartbeat, PUMP, registered } from '../spec/things.js';
import { documentsOf, recorded } from './documents.js';

const LATER = BEFORE + 60_000;
const told = { metrics: { load: 1 }, firmware: '1.2' };
const vitals = { ...told, lastSeenAt: LATER };

const one = (...past: readonly ReturnType<typeof heartbeat>[]) =>
  documentsOf(deviceVitals, registered(), ...past)[PUMP];

describe('the vitals of a device', () => {
  it('are what a heartbeat told', () => {
    expect(one(heartbeat(LATER, told))).toEqual(vitals);
    expect(one(heartbeat(LATER))).toEqual({ ...vitals, metrics: {}, firmware: null });
  });

  it('are none before the first', () => {
    expect(one()).toBeUndefined();
  });

  it('keep the last metrics and firmware that a heartbeat told', () => {
    expect(one(heartbeat(LATER, told), heartbeat(LATER + 1))).toEqual({
      ...vitals,
      lastSeenAt: LATER + 1,
    });
    expect(one(heartbeat(LATER, told), heartbeat(LATER + 1, { metrics: {} }))).toEqual({
      ...vitals,
      metrics: {},
      lastSeenAt: LATER + 1,
    });
  });

  it('are not taken back by a heartbeat of the past', () => {
    const past = heartbeat(BEFORE, { metrics: { load: 9 }, firmware: 'old' });
    expect(one(heartbeat(LATER, told), past)).toEqual(vitals);
    expect(one(past, heartbeat(LATER, told))).toEqual(vitals);
  });

  it('are not written anew by what changes nothing of them', () => {
    const [first, again] = recorded(heartbeat(LATER, told), heartbeat(BEFORE));
    if (first === undefined || again === undefined) throw new Error('there are two');
    const doc = deviceVitals.fold(undefined, [first], PUMP);
    expect(deviceVitals.fold(doc, [again], PUMP)).toBe(doc);
  });
});
