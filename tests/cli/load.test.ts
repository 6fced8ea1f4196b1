import { runLoad, type LoadPlan } from '../../src/cli/simulate/load.js';
import { tallyOf, type Outcome } from '../../src/cli/simulate/tally.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';

const ACKNOWLEDGED: Outcome = { kind: 'acknowledged' };
const never = new AbortController().signal;

function plan(changes: Partial<LoadPlan>): LoadPlan {
  return { rate: 1_000, inFlight: 64, count: Infinity, durationMs: Infinity, ...changes };
}

describe('open-loop load', () => {
  it('sends at its rate for its duration', async () => {
    const tally = tallyOf();
    const deps = { runtime: hurriedRuntime(), tally, send: async () => ACKNOWLEDGED };
    const { behind } = await runLoad(deps, plan({ durationMs: 2_000 }), never);
    expect(tally.counts).toEqual({ sent: 1_999, acknowledged: 1_999, refused: 0, failed: 0 });
    expect(behind).toBeLessThanOrEqual(1);
  });

  it('ends after its count', async () => {
    const tally = tallyOf();
    const deps = { runtime: hurriedRuntime(), tally, send: async () => ACKNOWLEDGED };
    await runLoad(deps, plan({ rate: 0, count: 500 }), never);
    expect(tally.counts.acknowledged).toBe(500);
  });

  it('has no more under way than it may', async () => {
    const runtime = hurriedRuntime();
    let underWay = 0;
    let most = 0;
    const send = async () => {
      most = Math.max(most, (underWay += 1));
      await runtime.yield();
      underWay -= 1;
      return ACKNOWLEDGED;
    };
    await runLoad(
      { runtime, tally: tallyOf(), send },
      plan({ rate: 0, inFlight: 7, count: 300 }),
      never,
    );
    expect(most).toBe(7);
  });

  it('charges a stall to all who would have come meanwhile', async () => {
    const runtime = hurriedRuntime();
    const tally = tallyOf();
    const latencies: number[] = [];
    const recording = {
      ...tally,
      settled: (outcome: Outcome, ms: number) => {
        latencies.push(ms);
        tally.settled(outcome, ms);
      },
    };
    let calls = 0;
    const send = async () => {
      calls += 1;
      if (calls === 1) await runtime.sleep(1_000);
      return ACKNOWLEDGED;
    };
    await runLoad({ runtime, tally: recording, send }, plan({ inFlight: 1, count: 500 }), never);
    expect(latencies[0]).toBeGreaterThanOrEqual(1_000);
    expect(latencies[1]).toBeGreaterThanOrEqual(999);
    expect(latencies[400]).toBeGreaterThanOrEqual(600);
  });

  it('tells what was due and never sent', async () => {
    const runtime = hurriedRuntime();
    const send = async () => {
      await runtime.sleep(10_000);
      return ACKNOWLEDGED;
    };
    const deps = { runtime, tally: tallyOf(), send };
    const { behind } = await runLoad(deps, plan({ inFlight: 1, durationMs: 1_000 }), never);
    expect(behind).toBe(999);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const tally = tallyOf();
    const send = async () => {
      if (tally.counts.sent === 100) stop.abort();
      return ACKNOWLEDGED;
    };
    await runLoad({ runtime: hurriedRuntime(), tally, send }, plan({}), stop.signal);
    expect(tally.counts.sent).toBeLessThan(105);
    expect(tally.counts.acknowledged).toBe(tally.counts.sent);
  });
});
