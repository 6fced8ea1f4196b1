import { systemRuntime } from '../../src/adapters/system/runtime.js';

describe('the event loop of the system’s runtime', () => {
  it('is given to one of those that yield at a time', async () => {
    let turn = 0;
    let counting: NodeJS.Immediate | undefined;
    const count = () => {
      turn += 1;
      counting = setImmediate(count);
    };
    count();
    const turns = await Promise.all(
      Array.from({ length: 5 }, () => systemRuntime.yield().then(() => turn)),
    );
    clearImmediate(counting);
    expect(new Set(turns).size).toBe(5);
  });

  it('is given to those that yield again, after those that waited', async () => {
    const seen: string[] = [];
    const twice = async (name: string) => {
      await systemRuntime.yield();
      seen.push(name);
      await systemRuntime.yield();
      seen.push(name);
    };
    await Promise.all([twice('a'), twice('b')]);
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
  });
});
