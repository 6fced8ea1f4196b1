import { statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, loadavg, totalmem, uptime } from 'node:os';

export type Vitals = Readonly<Record<string, number>>;

interface CpuTime {
  readonly busy: number;
  readonly all: number;
}

/**
 * Measures this machine. `cpuPercent` is of all processors together, between the reading before and
 * this one. A figure that the system does not give is left out.
 *
 * @param disk the file system of this path is measured.
 */
export function vitalsOf(disk = '/'): () => Vitals {
  let before = cpuTime();
  return () => {
    const now = cpuTime();
    const all = now.all - before.all;
    const cpu = all > 0 ? ((now.busy - before.busy) / all) * 100 : undefined;
    before = now;
    const [load1, load5, load15] = loadavg();
    const memory = { free: freemem(), all: totalmem() };
    return finite({
      load1,
      load5,
      load15,
      loadPerCpu: (load1 ?? Number.NaN) / availableParallelism(),
      cpuPercent: cpu,
      memoryUsedPercent: (1 - memory.free / memory.all) * 100,
      memoryFreeMB: memory.free / 1e6,
      ...diskUse(disk),
      uptimeSeconds: uptime(),
      agentMemoryMB: process.memoryUsage.rss() / 1e6,
    });
  };
}

function cpuTime(): CpuTime {
  const times = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    busy: user + nice + sys + irq,
    idle,
  }));
  const busy = times.reduce((sum, time) => sum + time.busy, 0);
  return { busy, all: times.reduce((sum, time) => sum + time.idle, busy) };
}

function diskUse(path: string): Record<string, number> {
  try {
    const { blocks, bfree, bavail, bsize } = statfsSync(path);
    const used = blocks - bfree;
    // As df counts: what is kept for root is neither used nor to be had.
    return { diskUsedPercent: (used / (used + bavail)) * 100, diskFreeGB: (bavail * bsize) / 1e9 };
  } catch {
    return {};
  }
}

function finite(values: Readonly<Record<string, number | undefined>>): Vitals {
  const entries = Object.entries(values).flatMap(([name, value]) =>
    value !== undefined && Number.isFinite(value)
      ? [[name, Number(value.toFixed(2))] as const]
      : [],
  );
  return Object.fromEntries(entries);
}
