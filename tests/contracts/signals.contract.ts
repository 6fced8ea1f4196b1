import { START, type Position } from '../../src/events/envelope.js';
import { WHOLE } from '../../src/projections/readModels.js';
import type { Signal, Signals } from '../../src/projections/signals.js';

/** Two ends between which signals travel; they may be the same. */
export interface SignalsUnderTest {
  readonly here: Signals;
  readonly there: Signals;
}

const at = (position: bigint): Signal => ({ kind: 'log', position: position as Position });

/** What every adapter of the Signals port keeps. */
export function signalsContract(name: string, setup: () => Promise<SignalsUnderTest>): void {
  describe(`signals by ${name}`, () => {
    let here: Signals;
    let there: Signals;

    beforeEach(async () => {
      ({ here, there } = await setup());
    });

    afterEach(async () => {
      await here.stop();
      await there.stop();
    });

    /** What a side hears until `count` signals have come. */
    const heard = (side: Signals, count: number) =>
      new Promise<Signal[]>((resolve) => {
        const signals: Signal[] = [];
        const leave = side.listen((signal) => {
          signals.push(signal);
          if (signals.length < count) return;
          leave();
          resolve(signals);
        });
      });

    it('reach both sides in order, the publisher included', async () => {
      const both = Promise.all([heard(here, 3), heard(there, 3)]);
      const signals: Signal[] = [
        at(1n),
        {
          kind: 'projected',
          projections: [{ name: 'devices', shard: WHOLE, from: START, tags: ['devices/1'] }],
          position: 9_007_199_254_740_993n as Position,
        },
        { kind: 'log', position: START },
      ];
      for (const signal of signals) here.publish(signal);
      expect(await both).toEqual([signals, signals]);
    });

    it('go both ways', async () => {
      const answer = heard(here, 1);
      there.publish(at(5n));
      expect(await answer).toEqual([at(5n)]);
    });

    it('are not heard before the publisher has gone on, nor after leaving', async () => {
      const signals: Signal[] = [];
      const leave = here.listen((signal) => signals.push(signal));
      const stayed = heard(here, 2);
      here.publish(at(1n));
      expect(signals).toEqual([]);
      here.publish(at(2n));
      await stayed;
      expect(signals).toEqual([at(1n), at(2n)]);

      leave();
      const later = heard(here, 1);
      here.publish(at(3n));
      await later;
      expect(signals).toHaveLength(2);
    });

    it('come to each listener by itself, though it be the same function', async () => {
      const signals: Signal[] = [];
      const listener = (signal: Signal) => void signals.push(signal);
      const leave = here.listen(listener);
      here.listen(listener);
      leave();
      const heardAlso = heard(here, 1);
      here.publish(at(1n));
      await heardAlso;
      expect(signals).toEqual([at(1n)]);
    });

    it('are heard no more by a side that has stopped, and cost it nothing', async () => {
      const signals: Signal[] = [];
      here.listen((signal) => signals.push(signal));
      await here.stop();
      await here.stop();
      here.publish(at(1n));
      const last = heard(there, 1);
      if (there !== here) {
        there.publish(at(2n));
        await last;
      }
      expect(signals).toEqual([]);
    });
  });
}
